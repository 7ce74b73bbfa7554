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
    const curable = ["EACCES", "EPERM", "ENOTEMPTY", "ENAMETOOLONG"];
    if (!curable.includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    await openFolders(aside);
    await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  }
}

const pathBytesMax = 2_000;

/**
 * An agent may take away its own rights to a folder, which are ours to give back; and it may nest folders deeper than
 * a path can name, which are moved to the top. A removal that failed may still be at work elsewhere in the tree (`rm`
 * rejects at its first error without waiting for the rest), so that whatever is gone by now is passed over.
 */
async function openFolders(top: string): Promise<void> {
  const pending = [top];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of await openFolder(path)) {
      const inner = join(path, name);
      if (Buffer.byteLength(inner) <= pathBytesMax) pending.push(inner);
      else pending.push(await moveToTop(inner, top));
    }
  }
}

/** The names of the folders within one that can be entered from now on. */
async function openFolder(path: string): Promise<readonly string[]> {
  try {
    await chmod(path, 0o700);
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}

async function moveToTop(path: string, top: string): Promise<string> {
  const moved = join(top, randomBytes(6).toString("hex"));
  try {
    await chmod(path, 0o700);
    await rename(path, moved);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
  return moved;
}
