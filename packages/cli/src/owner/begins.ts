import { AppError } from "@tutti/kernel";
import type { Context } from "hono";
import { type EngineName, engineNames } from "../engines/place.ts";

/** On which engine the sender wants to begin what is new. Every command knows that by itself; absent: on the embedded. */
export const beginsHeader = "tutti-engine";

export function beginsOn(context: Context): EngineName | undefined {
  const text = context.req.header(beginsHeader);
  if (text === undefined) return undefined;
  const engine = engineNames.find((name) => name === text);
  if (engine !== undefined) return engine;
  throw new AppError(
    "request-invalid",
    `Expected ${beginsHeader} to be ${engineNames.join(" or ")}, but got '${text}'`,
  );
}

/** What the sender may send again, for its answer may be lost: the same id is the same request. */
export const requestHeader = "tutti-request";

export function requestIdOf(context: Context): string | undefined {
  return context.req.header(requestHeader);
}
