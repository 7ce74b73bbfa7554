import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { homeOf, temporaryOf } from "./environment.ts";

/**
 * Makes the scratch folder of a program and what belongs into it (`also`: further names). An earlier program may have
 * written there: a link in a folder's place would open to the next one whatever it leads to, so it is refused.
 */
export async function makeScratch(scratch: string, ...also: readonly string[]): Promise<void> {
  const folders = [scratch, homeOf(scratch), temporaryOf(scratch), ...also.map((name) => join(scratch, name))];
  for (const folder of folders) {
    const present = await lstat(folder).catch(() => undefined);
    if (present === undefined) await mkdir(folder, { recursive: true, mode: 0o700 });
    await requireFolder(folder);
  }
}

/** Throws when there is something other than a folder, such as a link to one. */
export async function requireFolder(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry === undefined || entry.isDirectory()) return;
  throw new AppError("agent-failed", `Expected a folder at ${path}, but there is a link or a file.`);
}
