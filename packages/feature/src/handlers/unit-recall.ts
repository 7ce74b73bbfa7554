import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { keepFeedback } from "../diagnosis.ts";
import { failureBefore } from "../failure-note.ts";
import { completed, jobHandler } from "../job.ts";
import type { PlanUnit, RunContext, Usage } from "../model.ts";
import { sumUsage } from "../usage.ts";

interface Input {
  readonly context: RunContext;
  readonly unit: PlanUnit;
  readonly round: number;
  readonly feedback: readonly string[];
  readonly usage: Usage;
}

/** Job `unit.recall`: how the round before this one failed, as feedback; its usage counts on from there. */
export function unitRecall(_deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "unit", "round", "feedback", "usage"], async ({ input }) => {
    const { context, unit, round, feedback, usage } = input;
    const repository = { gitDir: context.repository.gitDir };
    const note = await failureBefore(repository, context.run, { unit: unit.id, round });
    const told = `An earlier round, which began anew from the base, ended like this. ${note?.feedback ?? ""}`;
    return completed({
      feedback: (note?.feedback ?? "") === "" ? feedback : keepFeedback([told, ...feedback]),
      usage: sumUsage([note?.usage, usage]),
    });
  });
}
