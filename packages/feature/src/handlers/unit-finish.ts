import type { JobHandler } from "@tutti/kernel";
import { changesBetween, lineCounts, type Repository, setRef } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { arrived } from "../exchange.ts";
import { writePassed } from "../failure-note.ts";
import { completed, jobHandler } from "../job.ts";
import type { PlanUnit, RunContext, UnitResult, WorkResult } from "../model.ts";
import { finishedRef, finishedUnits } from "../unit-refs.ts";

interface Input {
  readonly context: RunContext;
  readonly unit: PlanUnit;
  readonly round: number;
  readonly base: string;
  readonly work: WorkResult;
}

/** Job `unit.finish`: names the unit's commit and measures it against all units that are finished by now. */
export function unitFinish(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "unit", "round", "base", "work"], async (given) => {
    const at = await arrived(deps.exchange, given, given.input.work.bundles);
    const { context, unit, round, base, work } = at.input;
    const repository = { gitDir: context.repository.gitDir };
    const changed = await changesBetween(repository, base, work.commit);
    const { added, deleted } = await lineCounts(repository, base, work.commit);
    // First the ref, then the look at the others: of two that finish at once, the later one sees the earlier.
    await setRef(repository, finishedRef(context.run, unit.id), { commit: work.commit });
    await writePassed(repository, context.run, { unit: unit.id, round });
    const result: UnitResult = {
      id: unit.id,
      title: unit.title,
      intent: unit.intent,
      commit: work.commit,
      base,
      attempts: work.attempts,
      round,
      summary: work.summary,
      changed: changed.map(({ path }) => path),
      added,
      deleted,
      usage: work.usage,
      conflicts: await conflictsOf(deps, repository, { context, unit: unit.id }),
    };
    return completed({ result });
  });
}

async function conflictsOf(
  deps: FeatureDeps,
  repository: Repository,
  { context, unit }: { context: RunContext; unit: string },
): Promise<UnitResult["conflicts"]> {
  const commits = await finishedUnits(repository, context.run);
  const pairs = await deps.conflicts.measure(repository, {
    run: context.run,
    base: context.repository.base,
    commits,
  });
  return pairs
    .filter(({ a, b }) => a === unit || b === unit)
    .map(({ a, b, paths }) => ({ with: a === unit ? b : a, paths }));
}
