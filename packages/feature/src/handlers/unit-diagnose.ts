import type { ModelTier } from "@tutti/agents";
import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { diagnose, keepFeedback, nextTier } from "../diagnosis.ts";
import { completed, jobHandler } from "../job.ts";
import type { Applied, PlanUnit, RunContext, Tested } from "../model.ts";

interface Input {
  readonly context: RunContext;
  readonly unit: PlanUnit;
  readonly attempt: number;
  readonly tier: ModelTier;
  readonly applied: Applied;
  readonly tested: Tested;
  readonly feedback: readonly string[];
}

/** Job `unit.diagnose`: says what went wrong, from facts alone; no model is asked. */
export function unitDiagnose(_deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["unit", "attempt", "tier", "applied", "tested", "feedback"], async ({ input }) => {
    const { unit, attempt, tier, applied, tested, feedback } = input;
    const diagnosis = diagnose({ unit, attempt, applied, tested });
    return completed({ feedback: keepFeedback([...feedback, diagnosis]), tier: nextTier(tier, attempt) });
  });
}
