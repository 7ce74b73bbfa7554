import { lstatSync, type Stats } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface TreeWalk {
  /** Regular files and links that are not inside `skip`, relative, with `/`. */
  readonly files: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
  /** Sockets, pipes and devices. */
  readonly special: readonly string[];
  /** Folders below the top that have a `.git` of their own. */
  readonly nested: readonly string[];
  /** True when `entriesMax` was reached; the lists are then incomplete. */
  readonly cut: boolean;
}

/**
 * Looks at the tree by name and type only: it opens no file, follows no link, and never enters a `.git`.
 * `skip` are folders to leave out (relative, without a `/` at the end).
 */
export async function walkTree(
  root: string,
  options: { readonly skip: ReadonlySet<string>; readonly entriesMax: number },
): Promise<TreeWalk> {
  const files = new Set<string>();
  const links = new Set<string>();
  const special: string[] = [];
  const nested: string[] = [];
  const pending = [""];
  let seen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      seen += 1;
      if (seen > options.entriesMax) return { files, links, special, nested, cut: true };
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      // On a file system that ignores case `.GIT` is the same folder, and git refuses both names.
      if (entry.name.toLowerCase() === ".git") {
        if (folder !== "") nested.push(folder);
      } else if (entry.isDirectory()) {
        if (!options.skip.has(path)) pending.push(path);
      } else if (entry.isFile()) files.add(path);
      else if (entry.isSymbolicLink()) links.add(path);
      else special.push(path);
    }
  }
  return { files, links, special: special.sort(), nested: nested.sort(), cut: false };
}

/** What is at a path itself, a link not followed; undefined when nothing is. */
export function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw cause;
  }
}
