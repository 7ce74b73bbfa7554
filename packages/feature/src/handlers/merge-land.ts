import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import { landUnits } from "../landing.ts";
import type { MergeState, Plan, RunContext, UnitResult } from "../model.ts";

interface Input {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
}

/**
 * Job `merge.land`: makes the commit that the batch would be. Nothing has landed yet. A conflict that no rung of the
 * ladder settles fails the job with `conflict-parked`: a person resolves the paths and retries.
 */
export function mergeLand(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "units", "state"], async (at) => {
    const { context, plan, units, state } = at.input;
    at.note(`merging ${state.batch.length} units`);
    const landing = await landUnits({ deps, at, context, plan, units, state }, state.batch);
    const { commit: trial, resolutions: trialResolutions } = landing;
    return completed({ state: { ...state, trial, trialResolutions } satisfies MergeState });
  });
}
