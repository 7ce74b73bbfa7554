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
 * a path can name, which are moved to the top.
 */
async function openFolders(top: string): Promise<void> {
  const pending = [top];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    await chmod(path, 0o700);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const inner = join(path, entry.name);
      if (Buffer.byteLength(inner) <= pathBytesMax) pending.push(inner);
      else {
        await chmod(inner, 0o700);
        const moved = join(top, randomBytes(6).toString("hex"));
        await rename(inner, moved);
        pending.push(moved);
      }
    }
  }
}
