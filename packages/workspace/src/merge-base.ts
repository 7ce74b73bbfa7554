import { gitText } from "./git.ts";
import { commitTree, treeOf } from "./objects.ts";
import type { Repository } from "./repository.ts";

/**
 * The commit to merge against where git's own choice would be wrong, or undefined. A unit that builds on several
 * others starts from a merge of them which the tip does not have in its history, so git sees several common
 * ancestors, merges them anew, and meets conflicts that were resolved long ago. Once everything below that start has
 * landed, the start itself is the right base.
 */
export async function soundBase(repository: Repository, ours: string, theirs: string): Promise<string | undefined> {
  const bases = await gitText(["rev-list", "--no-walk=unsorted", "--parents", theirs, ours], repository);
  const [theirLine = "", ourLine = ""] = bases.split("\n");
  for (const [line, other] of [
    [theirLine, ours],
    [ourLine, theirs],
  ] as const) {
    const [, start, ...more] = line.split(" ");
    if (start === undefined || more.length > 0 || !(await isMerge(repository, start))) continue;
    const missing = await gitText(["rev-list", "--count", "--no-merges", start, `^${other}`], repository);
    if (missing === "0") return start;
  }
  return undefined;
}

async function isMerge(repository: Repository, commit: string): Promise<boolean> {
  const line = await gitText(["rev-list", "--no-walk", "--parents", commit], repository);
  return line.split(" ").length > 2;
}

/** Git 2.39 cannot be told the merge base, so two commits are made whose only common ancestor it is. */
export async function withBase(
  repository: Repository,
  pair: readonly [ours: string, theirs: string],
  base: string,
): Promise<readonly [ours: string, theirs: string]> {
  const identity = { name: "Tutti", email: "tutti@tutti.invalid", at: 0 };
  const bare = async (commit: string, parents: readonly string[]): Promise<string> =>
    commitTree(repository, { tree: await treeOf(repository, commit), parents, message: "synthetic", identity });
  const root = await bare(base, []);
  return [await bare(pair[0], [root]), await bare(pair[1], [root])];
}

/** Which of the commits start from a merge; the others need no `soundBase`. One process for all. */
export async function startingFromMerge(repository: Repository, commits: readonly string[]): Promise<Set<string>> {
  if (commits.length === 0) return new Set();
  const parentsOf = async (list: readonly string[]): Promise<Map<string, string[]>> => {
    if (list.length === 0) return new Map();
    const text = await gitText(["rev-list", "--no-walk", "--parents", ...list], repository);
    return new Map(text.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1)]));
  };
  const parents = await parentsOf(commits);
  const single = [...parents.values()].filter(({ length }) => length === 1).map(([start]) => start ?? "");
  const starts = await parentsOf([...new Set(single)]);
  return new Set(commits.filter((commit) => (starts.get(parents.get(commit)?.[0] ?? "")?.length ?? 0) > 1));
}
