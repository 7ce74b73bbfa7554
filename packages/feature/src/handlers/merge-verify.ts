import { AppError, type JobHandler } from "@tutti/kernel";
import { failedChecks } from "../checks.ts";
import type { FeatureDeps } from "../deps.ts";
import { arrived } from "../exchange.ts";
import { completed, jobHandler } from "../job.ts";
import { checkTree, type MergeVerdict } from "../merge-step.ts";
import type { MergeState, Plan, RunContext } from "../model.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Plan;
  readonly state: MergeState;
}

/** Job `merge.verify`: the plan's checks on the trial's tree, and both units' own checks where a conflict was resolved. */
export function mergeVerify(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "state"], async (given) => {
    const at = await arrived(deps.exchange, given, given.input.state.bundles);
    const { context, plan, state } = at.input;
    if (state.trial === null) throw new AppError("input-missing", "There is no trial to verify.");
    const trial = { commit: state.trial, plan, resolutions: state.trialResolutions };
    const { passed, results, durationMs } = await checkTree({ deps, at, context, plan, units: {}, state }, trial);
    const verdict: MergeVerdict = {
      passed,
      reason: failedChecks(results) ?? "everything passed",
      results: results.map((result) => (result.passed ? { ...result, output: "" } : result)),
      durationMs,
    };
    return completed({ verdict });
  });
}
