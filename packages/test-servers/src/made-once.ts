import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What `make` gives, made once in a run of tests: in the folder that TUTTI_RUN_CACHE names. Without it, each time. */
export async function madeOnce(name: string, make: () => Promise<string>): Promise<string> {
  const folder = process.env["TUTTI_RUN_CACHE"];
  if (folder === undefined) return make();
  const kept = join(folder, encodeURIComponent(name));
  if (existsSync(kept)) return readFile(kept, "utf8");
  const made = await make();
  // Beside its place first: nobody ever reads half of it.
  const half = `${kept}.${process.pid}`;
  await writeFile(half, made);
  await rename(half, kept);
  return made;
}
