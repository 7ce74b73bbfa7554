import { hash } from "node:crypto";
import { AppError } from "@tutti/kernel";
import { checkId } from "../caller.ts";
import type { StartRequest } from "../port.ts";
import { isBrokerId } from "./courier.ts";

/** Brokers are executions, too. */
export function checkInstanceId(instanceId: string): void {
  checkId("instance id", instanceId);
  if (!isBrokerId(instanceId)) return;
  const details = { rejection: "instance-exists" };
  throw new AppError("start-refused", `Expected no id of a broker, but '${instanceId}' is one.`, { details });
}

/** The same for the same request, so that whoever repeats it finds the execution that it began. */
export function madeId({ process, requestId }: StartRequest, made: number): string {
  return `${process}-${hash("sha256", `${made} ${requestId}`, "hex").slice(0, 12)}`;
}
