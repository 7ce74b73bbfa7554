import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import type { StateFolder } from "./state.ts";

/**
 * The folder with the store that is meant: the one that is given, else the one that `tutti.json` in the folder names.
 * Throws `configuration-invalid`.
 */
export async function withStore(state: StateFolder, given: string | undefined): Promise<StateFolder> {
  const store = given === undefined || given === "" ? await configuredStore(join(state.path, "tutti.json")) : given;
  return store === undefined ? state : { ...state, store };
}

async function configuredStore(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw invalid(path, "it cannot be read");
  }
  // Nearly nobody has one, and every command would wait for it to load.
  const { z } = await import("zod");
  const schema = z.strictObject({ store: z.string().optional() });
  try {
    return schema.parse(JSON.parse(text)).store;
  } catch (error) {
    // Its words would show what stands in the file, passwords among it.
    throw invalid(path, error instanceof SyntaxError ? "it is not JSON" : "it has other things in it");
  }
}

function invalid(path: string, what: string): AppError {
  return new AppError("configuration-invalid", `Expected ${path} to be {"store": "postgres://…"}, but ${what}`);
}
