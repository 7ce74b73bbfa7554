import { lstatSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** Whether a relative path stays in the tree: no `..`, no `.git`, and no link among the folders on the way to it. */
export function isInside(tree: string, path: string): boolean {
  const parts = path.split("/");
  if (path.startsWith("/") || parts.includes("..") || parts.includes(".git") || path === "" || path === ".")
    return false;
  const root = realpathSync(tree);
  for (let depth = parts.length - 1; depth > 0; depth -= 1) {
    const folder = join(root, ...parts.slice(0, depth));
    const entry = lstatSync(folder, { throwIfNoEntry: false });
    if (entry === undefined) continue;
    return entry.isDirectory() && realpathSync(folder) === folder;
  }
  return true;
}
