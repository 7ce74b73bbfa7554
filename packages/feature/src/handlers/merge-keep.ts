import { AppError, type JobHandler } from "@tutti/kernel";
import { setRef } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import type { MergeVerdict } from "../merge-step.ts";
import type { MergeState, Plan, RunContext, UnitResult } from "../model.ts";
import { integrationRef } from "../unit-refs.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
  readonly verdict: MergeVerdict;
}

/** Job `merge.keep`: the trial is green, so it becomes the tip, and its batch has landed. */
export function mergeKeep(_deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "state", "verdict"], async ({ input }) => {
    const { context, state, verdict } = input;
    const { batch, trial: tip } = state;
    if (tip === null || !verdict.passed) throw new AppError("input-missing", "Only a green trial can be kept.");
    await setRef({ gitDir: context.repository.gitDir }, integrationRef(context.run), { commit: tip });
    const verification = { commit: tip, units: batch, passed: true, durationMs: verdict.durationMs };
    const next: MergeState = {
      ...state,
      tip,
      landed: [...state.landed, ...batch],
      waiting: state.waiting.filter((id) => !batch.includes(id)),
      batch: [],
      trial: null,
      bundles: [],
      resolutions: [...state.resolutions, ...state.trialResolutions],
      trialResolutions: [],
      verifications: [...state.verifications, verification],
    };
    return completed({ state: next });
  });
}
