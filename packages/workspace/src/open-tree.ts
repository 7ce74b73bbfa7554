import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { statusOf } from "./tree-walk.ts";

// Linux takes paths of 4 096 bytes with the closing zero; what lies deeper nobody can name.
const pathBytesMax = 4_000;
const ruleBytesMax = 1024 * 1024;
const entriesMax = 5_000_000;
const rightsNeeded = 0o700;

/** A `.gitignore` or `.gitattributes` that git must not be shown. */
export interface UnfitRule {
  readonly path: string;
  /** Not a file but a pipe, device or folder; else it is too large. */
  readonly special: boolean;
}

/**
 * Makes a tree that an agent left fit to be read: git would pass by folders without rights as if they were empty,
 * wait for ever at a pipe called `.gitignore`, and hold one of any size in memory. Rights are given back; such rule
 * files are removed and told. Follows no link and enters no `.git`. Rejects with `capture-too-large` where a path is
 * longer than a system call takes.
 */
export async function openTree(root: string): Promise<UnfitRule[]> {
  const unfit: UnfitRule[] = [];
  const pending = [""];
  let seen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const full = join(root, folder);
    if (Buffer.byteLength(full) > pathBytesMax) throw tooLarge(`has folders nested deeper than a path can name`, root);
    const rights = statusOf(full)?.mode ?? rightsNeeded;
    if ((rights & rightsNeeded) !== rightsNeeded) await chmod(full, rights | rightsNeeded);
    for (const entry of await readdir(full, { withFileTypes: true })) {
      seen += 1;
      if (seen > entriesMax) throw tooLarge(`has more than ${entriesMax} files and folders`, root);
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const name = entry.name.toLowerCase();
      if (name === ".gitignore" || name === ".gitattributes") {
        const rule = judgeRule(root, path);
        if (rule === undefined) continue;
        unfit.push(rule);
        await rm(join(root, path), { recursive: true, force: true });
      } else if (entry.isDirectory() && name !== ".git") pending.push(path);
    }
  }
  return unfit;
}

/** Git follows no link of these names, so links do no harm. */
function judgeRule(root: string, path: string): UnfitRule | undefined {
  const status = statusOf(join(root, path));
  if (status === undefined || status.isSymbolicLink()) return undefined;
  if (!status.isFile()) return { path, special: true };
  return status.size > ruleBytesMax ? { path, special: false } : undefined;
}

function tooLarge(why: string, root: string): AppError {
  return new AppError("capture-too-large", `${root} ${why}`);
}
