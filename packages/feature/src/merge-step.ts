import { runChecks } from "./checks.ts";
import { type MergeScene, mergeChecks } from "./landing.ts";
import type { CheckResult, Plan, PlanUnit, ResolutionRecord } from "./model.ts";

/** What `merge.verify` says of a trial; `results` of what passed have no output worth keeping. */
export interface MergeVerdict {
  readonly passed: boolean;
  /** One line. */
  readonly reason: string;
  readonly results: readonly CheckResult[];
  readonly durationMs: number;
}

/** The unit that turned a batch red, and where its work loop goes on. */
export interface Culprit {
  readonly unit: PlanUnit;
  readonly round: number;
  /** Green: the tip, or the tip with those units without which it would not be red. */
  readonly base: string;
  /** Red: `base` with the unit merged into it. */
  readonly start: string;
  readonly feedback: readonly string[];
  readonly checks: readonly string[];
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
