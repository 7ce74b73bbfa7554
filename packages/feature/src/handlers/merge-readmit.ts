import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import type { Culprit } from "../merge-step.ts";
import type { MergeState, RunContext, WorkResult } from "../model.ts";

interface Input {
  readonly context: RunContext;
  readonly state: MergeState;
  readonly culprit: Culprit;
  readonly work: WorkResult;
}

/** Job `merge.readmit`: the repaired commit replaces the captured one, and the unit waits to be merged again. */
export function mergeReadmit(_deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["state", "culprit", "work"], async ({ input }) => {
    const { state, culprit, work } = input;
    const { id } = culprit.unit;
    const next: MergeState = {
      ...state,
      waiting: [...state.waiting.filter((other) => other !== id), id],
      commits: { ...state.commits, [id]: work.commit },
      repaired: { ...state.repaired, [id]: (state.repaired[id] ?? 0) + 1 },
    };
    return completed({ state: next });
  });
}
