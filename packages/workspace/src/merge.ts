import { must } from "@tutti/kernel";
import { canMeet, type Footprint, footprintOf } from "./footprint.ts";
import type { CommitIdentity } from "./git.ts";
import { soundBase, startingFromMerge, withBase } from "./merge-base.ts";
import { type MergeTreeResult, mergeTrees } from "./merge-tree.ts";
import {
  type BlobReader,
  changesOfPairs,
  commitTree,
  independentCommits,
  newestDate,
  openBlobReader,
  treeOf,
} from "./objects.ts";
import type { Repository } from "./repository.ts";
import { fileConflicts } from "./resolve/file-conflict.ts";
import { climb, isGenerated, type Ladder, type LadderContext, type ParkedConflict } from "./resolve/ladder.ts";
import type { Resolution } from "./resolve/recorded.ts";
import { editTree } from "./temp-index.ts";

/** One commit to merge, and what it was meant to do (shown to the resolver agent). */
export interface MergeSide {
  readonly commit: string;
  readonly intent?: string;
}

export interface MergeRequest {
  /** Resolutions are remembered per run. */
  readonly run: string;
  readonly ours: MergeSide;
  readonly theirs: MergeSide;
  /** Merges as if this were the common ancestor. Default: what the history says, read as `soundBase` explains. */
  readonly mergeBase?: string;
  readonly message: string;
  /** Default: Tutti, at the newest date of the two, so that the same merge gives the same commit. */
  readonly identity?: CommitIdentity;
  readonly ladder?: Ladder;
}

export type MergeOutcome =
  | {
      readonly type: "merged";
      readonly commit: string;
      readonly tree: string;
      readonly resolutions: readonly Resolution[];
    }
  /** Nothing was merged; what could be resolved is remembered for the next try. */
  | {
      readonly type: "parked";
      readonly conflicts: readonly ParkedConflict[];
      readonly resolutions: readonly Resolution[];
    };

/**
 * Merges two commits in the object database; conflicts climb the resolution ladder. No work tree, no ref is touched.
 * When one side contains the other it is the result.
 */
export async function mergeCommits(repository: Repository, request: MergeRequest): Promise<MergeOutcome> {
  const { ours, theirs } = request;
  if (request.mergeBase === undefined) {
    const [only, other] = await independentCommits(repository, [ours.commit, theirs.commit]);
    if (only !== undefined && other === undefined) {
      const tree = await treeOf(repository, only);
      return { type: "merged", commit: only, tree, resolutions: [] };
    }
  }
  const merged = await mergeOnce(repository, request);
  const settled = await settleConflicts(repository, request, merged);
  if (settled.type === "parked") return settled;
  const { tree, resolutions } = settled;
  const parents = [ours.commit, theirs.commit];
  const identity = request.identity ?? (await defaultIdentity(repository, parents));
  const message = withProvenance(request.message, resolutions);
  return {
    type: "merged",
    commit: await commitTree(repository, { tree, parents, message, identity }),
    tree,
    resolutions,
  };
}

async function mergeOnce(repository: Repository, request: MergeRequest): Promise<MergeTreeResult> {
  const pair = [request.ours.commit, request.theirs.commit] as const;
  const base = request.mergeBase ?? (await soundBase(repository, ...pair));
  const merging = base === undefined ? pair : await withBase(repository, pair, base);
  const [result] = await mergeTrees({ gitDir: repository.gitDir }, [merging]);
  return must(result, "git merge-tree gave no result");
}

type Settled =
  | { readonly type: "merged"; readonly tree: string; readonly resolutions: readonly Resolution[] }
  | Extract<MergeOutcome, { type: "parked" }>;

async function settleConflicts(
  repository: Repository,
  request: MergeRequest,
  merged: MergeTreeResult,
): Promise<Settled> {
  if (merged.clean) return { type: "merged", tree: merged.tree, resolutions: [] };
  const reader = openBlobReader(repository);
  try {
    return await climbAll(contextOf(repository, request, reader), merged);
  } finally {
    reader.close();
  }
}

function contextOf(repository: Repository, request: MergeRequest, reader: BlobReader): LadderContext {
  return {
    repository,
    run: request.run,
    reader,
    ladder: request.ladder ?? {},
    oursIntent: request.ours.intent ?? "",
    theirsIntent: request.theirs.intent ?? "",
  };
}

async function climbAll(context: LadderContext, merged: MergeTreeResult): Promise<Settled> {
  const conflicts = fileConflicts(merged.stages);
  const resolutions: Resolution[] = [];
  const parked: ParkedConflict[] = [];
  const edits = (): { path: string; mode: string; blob: string | null }[] =>
    resolutions.map(({ path, mode, blob }) => ({ path, mode, blob }));
  // What is generated comes last: it is made from the tree in which all else is settled.
  const generated = conflicts.filter(({ path }) => isGenerated(path, context.ladder));
  for (const conflict of [...conflicts.filter((conflict) => !generated.includes(conflict)), ...generated]) {
    const open = generated.filter(({ path }) => !resolutions.some((resolution) => resolution.path === path));
    const without = open.map(({ path, mode }) => ({ path, mode, blob: null }));
    const treeWithout = (): Promise<string> => editTree(context.repository, merged.tree, [...edits(), ...without]);
    const outcome = await climb(context, conflict, parked.length === 0 ? treeWithout : undefined);
    if ("parked" in outcome) parked.push(outcome.parked);
    else resolutions.push(outcome.resolution);
  }
  if (parked.length > 0) return { type: "parked", conflicts: parked, resolutions };
  return { type: "merged", tree: await editTree(context.repository, merged.tree, edits()), resolutions };
}

/** Says in the commit how each conflict was settled; the same whether it was settled now or earlier. */
function withProvenance(message: string, resolutions: readonly Resolution[]): string {
  if (resolutions.length === 0) return message;
  const lines = resolutions.map(({ path, rule, note }) => `Resolved-by: ${rule} ${path}: ${note.split("\n")[0]}`);
  return `${message.trimEnd()}\n\n${lines.join("\n")}\n`;
}

async function defaultIdentity(repository: Repository, parents: readonly string[]): Promise<CommitIdentity> {
  return { name: "Tutti", email: "tutti@tutti.invalid", at: await newestDate(repository, parents) };
}

export interface DisjointRequest {
  /** The tip to land on. */
  readonly onto: string;
  /** In the order of landing; keys are the caller's names for them. */
  readonly commits: ReadonlyMap<string, string>;
  readonly message: string;
  readonly identity?: CommitIdentity;
}

export interface DisjointOutcome {
  /** `onto` itself when nothing landed. */
  readonly commit: string;
  readonly tree: string;
  readonly landed: readonly string[];
  /** Not landed: what conflicts with the tip or shares paths with one that landed. Merge these one by one. */
  readonly left: readonly { readonly key: string; readonly reason: string }[];
}

/**
 * Lands many commits that touch different paths as one merge commit: each is merged with the tip in one git process,
 * and the differences are laid over the tip. That they really are disjoint is checked, never assumed.
 */
export async function mergeDisjoint(repository: Repository, request: DisjointRequest): Promise<DisjointOutcome> {
  const at = { gitDir: repository.gitDir };
  const keys = [...request.commits.keys()];
  const ontoTree = await treeOf(repository, request.onto);
  const merges = await mergeTrees(at, await pairsWith(repository, request.onto, [...request.commits.values()]));
  const differences = await changesOfPairs(
    at,
    merges.map(({ clean, tree }) => [ontoTree, clean ? tree : ontoTree] as const),
  );
  const landed: string[] = [];
  const left: { key: string; reason: string }[] = [];
  const prints: { key: string; print: Footprint }[] = [];
  const edits: { path: string; mode: string; blob: string | null }[] = [];
  for (const [i, key] of keys.entries()) {
    const changes = differences[i] ?? [];
    const print = footprintOf(changes);
    const rival = prints.find((other) => canMeet(other.print, print));
    if (merges[i]?.clean !== true) left.push({ key, reason: "conflicts with what has landed" });
    else if (rival !== undefined) left.push({ key, reason: `touches what ${rival.key} touches` });
    else {
      landed.push(key);
      prints.push({ key, print });
      for (const { path, newMode, newBlob, status } of changes) {
        edits.push({ path, mode: newMode, blob: status === "deleted" ? null : newBlob });
      }
    }
  }
  if (landed.length === 0) return { commit: request.onto, tree: ontoTree, landed, left };
  const tree = await editTree(repository, ontoTree, edits);
  const parents = [request.onto, ...landed.map((key) => request.commits.get(key) ?? "")];
  const identity = request.identity ?? (await defaultIdentity(repository, parents));
  const commit = await commitTree(repository, { tree, parents, message: request.message, identity });
  return { commit, tree, landed, left };
}

async function pairsWith(
  repository: Repository,
  onto: string,
  commits: readonly string[],
): Promise<(readonly [string, string])[]> {
  const special = await startingFromMerge(repository, commits);
  const pairs: (readonly [string, string])[] = [];
  for (const commit of commits) {
    const base = special.has(commit) ? await soundBase(repository, onto, commit) : undefined;
    pairs.push(base === undefined ? [onto, commit] : await withBase(repository, [onto, commit], base));
  }
  return pairs;
}

export interface BaseRequest {
  readonly run: string;
  /** What the unit builds on. Their order does not matter; what another one contains already is left out. */
  readonly predecessors: readonly MergeSide[];
  /** The result when there are none. */
  readonly base: string;
  readonly ladder?: Ladder;
}

/** The commit that a unit starts from: the deterministic merge of everything it builds on. Same input, same commit. */
export async function baseOf(repository: Repository, request: BaseRequest): Promise<MergeOutcome> {
  const commits = [request.base, ...request.predecessors.map(({ commit }) => commit)];
  const heads = (await independentCommits(repository, commits)).sort();
  const intents = new Map(request.predecessors.map(({ commit, intent }) => [commit, intent ?? ""]));
  const resolutions: Resolution[] = [];
  let tip: MergeSide = { commit: heads[0] ?? request.base, intent: intents.get(heads[0] ?? "") ?? "" };
  for (const head of heads.slice(1)) {
    const theirs: MergeSide = { commit: head, intent: intents.get(head) ?? "" };
    const outcome = await mergeCommits(repository, {
      run: request.run,
      ours: tip,
      theirs,
      message: "Merge what the unit builds on",
      ...(request.ladder === undefined ? {} : { ladder: request.ladder }),
    });
    resolutions.push(...outcome.resolutions);
    if (outcome.type === "parked") return { ...outcome, resolutions };
    tip = { commit: outcome.commit, intent: [tip.intent, theirs.intent].filter(Boolean).join("\n\n") };
  }
  return { type: "merged", commit: tip.commit, tree: await treeOf(repository, tip.commit), resolutions };
}
