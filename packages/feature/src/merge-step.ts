import type { CommitBundle, FileConflict } from "@tutti/workspace";
import { runChecks } from "./checks.ts";
import { commitOf, contains, type MergeScene, mergeChecks, unitOf } from "./landing.ts";
import type { CheckResult, MergeState, Plan, PlanUnit, ResolutionRecord } from "./model.ts";

/** What `merge.verify` says of a trial; `results` of what passed have no output worth keeping. */
export interface MergeVerdict {
  readonly passed: boolean;
  /** One line. */
  readonly reason: string;
  readonly results: readonly CheckResult[];
  readonly durationMs: number;
}

/** What stands in the way of the merge: one unit, and what there would be without it. */
export type Trouble = Conflicted | Culprit;

interface TroubleBase {
  readonly unit: PlanUnit;
  readonly message: string;
  /** Planned units that are in, or can come in, when this one and what was built on it are left out. */
  readonly kept: number;
}

/** A conflict that nobody settled. */
export interface Conflicted extends TroubleBase {
  readonly code: "conflict-parked";
  readonly paths: readonly string[];
  readonly conflicts: readonly OpenConflict[];
}

export interface OpenConflict extends FileConflict {
  /** Why each rung of the ladder could not settle it. */
  readonly reasons: readonly string[];
}

/** The unit that turned a batch red, and where its work loop goes on. */
export interface Culprit extends TroubleBase {
  readonly code: "merge-red";
  readonly round: number;
  /** Green: the tip, or the tip with those units without which it would not be red. */
  readonly base: string;
  /** Red: `base` with the unit merged into it. */
  readonly start: string;
  /** What it takes to have `start`; empty when the run is not shared. */
  readonly bundles: readonly CommitBundle[];
  readonly feedback: readonly string[];
  readonly checks: readonly string[];
}

/** The unit and what cannot come in without it: what depends on it, and what was built on its commit. */
export async function withCompany(scene: MergeScene, id: string): Promise<readonly string[]> {
  const { plan, units, state, context } = scene;
  const repository = { gitDir: context.repository.gitDir };
  const commit = units[id]?.commit;
  const company = new Set([id]);
  // Plans may name a unit before what it depends on, so one pass in their order is not enough.
  for (let before = 0; before < company.size; ) {
    before = company.size;
    for (const other of state.waiting) {
      if (unitOf(plan, other).dependsOn.some((dependency) => company.has(dependency))) company.add(other);
    }
  }
  for (const other of state.waiting) {
    if (company.has(other) || commit === undefined) continue;
    if (await contains(repository, commitOf(state, other), commit)) company.add(other);
  }
  return [...company];
}

/** How many planned units there would be without these. */
export function keptWithout(state: MergeState, left: readonly string[]): number {
  return state.landed.length + state.waiting.filter((id) => !left.includes(id)).length;
}

/** Verifies one tree of the merge; the same tree is never checked twice once it was green. */
export function checkTree(
  { deps, at, context }: MergeScene,
  trial: { readonly commit: string; readonly plan: Plan; readonly resolutions: readonly ResolutionRecord[] },
): ReturnType<typeof runChecks> {
  const { commit, plan, resolutions } = trial;
  const commands = mergeChecks(plan, resolutions);
  const { prepare } = plan;
  return runChecks(deps, at, { context, unit: null, name: "merge", attempt: 1, commit, commands, prepare });
}
