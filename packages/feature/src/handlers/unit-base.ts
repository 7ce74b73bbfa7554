import type { JobHandler } from "@tutti/kernel";
import { baseOf } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { failureBefore, writeFailure } from "../failure-note.ts";
import { completed, jobHandler } from "../job.ts";
import type { Plan, PlanUnit, RunContext, UnitResult } from "../model.ts";
import { describeParked, resolverLadder } from "../resolver.ts";
import { noUsage, sumUsage } from "../usage.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Pick<Plan, "prepare" | "regenerate">;
  readonly unit: PlanUnit;
  readonly round: number;
  /** `result` is null where the unit may start without it. */
  readonly predecessors: readonly { readonly key: string; readonly result: UnitResult | null }[];
}

/** Job `unit.base`: the deterministic merge of what the unit builds on; the run's base when it builds on nothing. */
export function unitBase(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "unit", "round", "predecessors"], async (at) => {
    const { context, plan, unit, round, predecessors } = at.input;
    const { gitDir, base } = context.repository;
    const sides = predecessors.flatMap(({ result }) =>
      result === null ? [] : [{ commit: result.commit, intent: `${result.title}: ${result.intent}` }],
    );
    at.note(`merging what ${unit.id} builds on`);
    let usage = noUsage;
    const ladder = resolverLadder(deps, at, {
      context,
      commit: base,
      verify: unit.verify,
      plan,
      onUsage: (used) => {
        usage = sumUsage([usage, used]);
      },
    });
    const outcome = await baseOf({ gitDir }, { run: context.run, predecessors: sides, base, ladder });
    if (outcome.type === "merged") {
      const { commit } = outcome;
      return completed({
        base: commit,
        usage,
        bundles: await deps.exchange.send(context, { commit, signal: at.signal }),
      });
    }
    const parked = describeParked(outcome.conflicts);
    const before = await failureBefore({ gitDir }, context.run, { unit: unit.id, round });
    await writeFailure({ gitDir }, context.run, {
      unit: unit.id,
      round,
      code: "base-conflict",
      message: parked.message,
      feedback: before?.feedback ?? "",
      usage: sumUsage([before?.usage, usage]),
    });
    return { type: "error", code: "base-conflict", ...parked };
  });
}
