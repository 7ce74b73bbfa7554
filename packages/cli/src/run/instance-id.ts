import { AppError } from "@tutti/kernel";
import { codeOf } from "../problem.ts";
import type { RunAccess } from "./access.ts";
import { resolveRun } from "./run-id.ts";

/** The instance of any process that a person names in full, else the run that they mean by some letters or by none. */
export async function resolveInstance(access: RunAccess, given: string | undefined): Promise<string> {
  if (given === undefined) return resolveRun(access.runs, given);
  try {
    return (await access.reader.instance(given)).instanceId;
  } catch (error) {
    if (codeOf(error) !== "instance-not-found") throw error;
  }
  return resolveRun(access.runs, given).catch((error: unknown) => {
    if (codeOf(error) !== "run-unknown") throw error;
    throw new AppError("instance-not-found", `Expected a run or an instance of a process, but there is no '${given}'`);
  });
}
