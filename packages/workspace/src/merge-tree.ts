import { AppError } from "@tutti/kernel";
import { type GitOptions, git, objectId } from "./git.ts";

/** One stage of a conflicted path: 1 base, 2 ours, 3 theirs. */
export interface ConflictStage {
  readonly path: string;
  readonly stage: 1 | 2 | 3;
  readonly mode: string;
  readonly blob: string;
}

export interface MergeTreeResult {
  readonly clean: boolean;
  /** Where there are conflicts, the files in it have markers. */
  readonly tree: string;
  readonly stages: readonly ConflictStage[];
}

/**
 * Merges pairs of commits in the object database, in one process, without work tree or index. Results in the order of
 * the pairs. With `scratchObjects` in the options the repository gets nothing new.
 */
export async function mergeTrees(
  at: GitOptions,
  pairs: readonly (readonly [ours: string, theirs: string])[],
): Promise<MergeTreeResult[]> {
  if (pairs.length === 0) return [];
  const stdin = pairs.map(([ours, theirs]) => `${objectId(ours)} ${objectId(theirs)}\n`).join("");
  const args = ["merge-tree", "--write-tree", "--stdin", "--no-messages", "--allow-unrelated-histories"];
  const { stdout } = await git(args, { ...at, stdin, timeoutMs: 600_000, outputBytesMax: 512 * 1024 * 1024 });
  const results = parse(stdout.toString("utf8").split("\0"));
  if (results.length !== pairs.length) {
    throw new AppError("git-failed", `git merge-tree answered ${results.length} of ${pairs.length} merges`);
  }
  return results;
}

/** `<1 clean | 0 conflicts> tree [<mode> <blob> <stage> TAB <path>]… ""`, each field ended by a NUL. */
function parse(fields: readonly string[]): MergeTreeResult[] {
  const results: MergeTreeResult[] = [];
  for (let i = 0; i + 1 < fields.length; ) {
    const clean = fields[i] === "1";
    const tree = objectId(fields[i + 1] ?? "");
    const stages: ConflictStage[] = [];
    for (i += 2; (fields[i] ?? "") !== ""; i += 1) {
      const field = fields[i] ?? "";
      const tab = field.indexOf("\t");
      const [mode = "", blob = "", stage] = field.slice(0, tab).split(" ");
      stages.push({ path: field.slice(tab + 1), stage: Number(stage) as 1 | 2 | 3, mode, blob });
    }
    i += 1;
    results.push({ clean, tree, stages });
  }
  return results;
}
