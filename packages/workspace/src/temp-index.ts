import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { git, gitText } from "./git.ts";
import type { Repository } from "./repository.ts";

/** One path of a tree to set, or to take out when `blob` is null. */
export interface TreeEdit {
  readonly path: string;
  readonly mode: string;
  readonly blob: string | null;
}

/** Writes the tree that differs from `tree` by the edits; in a temporary index, without a work tree. */
export async function editTree(repository: Repository, tree: string, edits: readonly TreeEdit[]): Promise<string> {
  if (edits.length === 0) return tree;
  const indexFile = join(repository.gitDir, `index-${randomBytes(8).toString("hex")}`);
  const at = { gitDir: repository.gitDir, indexFile };
  try {
    await git(["read-tree", tree], at);
    // Removals first: a file may give way to a folder.
    const removed = edits
      .filter(({ blob }) => blob === null)
      .map(({ path }) => `0 ${"0".repeat(tree.length)}\t${path}\0`);
    const set = edits.filter(({ blob }) => blob !== null).map(({ mode, blob, path }) => `${mode} ${blob}\t${path}\0`);
    await git(["update-index", "-z", "--index-info"], { ...at, stdin: [...removed, ...set].join("") });
    return await gitText(["write-tree"], at);
  } finally {
    await rm(indexFile, { force: true });
  }
}
