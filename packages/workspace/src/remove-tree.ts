import { randomBytes } from "node:crypto";
import { chmod, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Removes a folder and everything in it; links are unlinked, never followed. It leaves its place at once by a rename
 * within the parent (a hidden name), so that a crash half-way leaves something that is clearly rubbish.
 */
export async function removeTree(path: string): Promise<void> {
  const aside = join(dirname(path), `.removing-${randomBytes(6).toString("hex")}`);
  try {
    await rename(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw cause;
  }
  try {
    await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  } catch (cause) {
    if (!["EACCES", "EPERM", "ENOTEMPTY"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    // An agent may take away its own rights to a folder; they are ours to give back.
    await openFolders(aside);
    await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}
