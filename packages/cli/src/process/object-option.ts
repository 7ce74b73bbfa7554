import { resolve } from "node:path";
import { AppError, isJsonObject, type Json, type JsonObject } from "@tutti/kernel";
import type { Context } from "../command.ts";
import { readTextFile } from "../run/prepare.ts";

/** An option that is a JSON object, or @FILE with one; `{}` when it is not there. Throws `option-invalid`. */
export async function objectOption({ input, cwd }: Pick<Context, "input" | "cwd">, name: string): Promise<JsonObject> {
  const given = input.text(name);
  if (given === undefined) return {};
  const text = given.startsWith("@") ? await readTextFile(resolve(cwd, given.slice(1))) : given;
  const value = parsedJson(text);
  if (isJsonObject(value)) return value;
  throw new AppError(
    "option-invalid",
    `Expected --${name} to be {"name": value}, but got '${text.trim().slice(0, 80)}'`,
  );
}

/** Undefined when it is no JSON. */
export function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
