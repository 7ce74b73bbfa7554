import type { JobHandler } from "@tutti/kernel";
import type { CommitBundle } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { diagnose } from "../diagnosis.ts";
import { arrived } from "../exchange.ts";
import { writeFailure } from "../failure-note.ts";
import { jobHandler } from "../job.ts";
import type { Applied, PlanUnit, RunContext, Tested, Usage } from "../model.ts";
import { lastLines, oneLine } from "../text.ts";
import { sumUsage } from "../usage.ts";

interface Input {
  readonly context: RunContext;
  readonly unit: PlanUnit;
  readonly round: number;
  readonly attempt: number;
  readonly applied: Applied;
  /** Null when the first agent could not do it. */
  readonly tested: Tested | null;
  readonly usage: Usage;
  /** What it takes to have what the last attempt left. */
  readonly bundles?: readonly CommitBundle[];
}

const linesShown = 12;

/**
 * Job `unit.give-up`: ends a work loop with the class of its failure as a BPMN error: the agent's own when another
 * attempt would end the same way, else `work-loop-exhausted`. What it learned stays as a note (`failure-note.ts`).
 */
export function unitGiveUp(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "unit", "round", "attempt", "applied", "usage"], async (given) => {
    const { input } = await arrived(deps.exchange, given, given.input.bundles);
    const { context, unit, round, attempt, applied, usage } = input;
    const { failure } = applied;
    const final = failure !== null && !failure.retryable;
    const tested = final || input.tested === null ? untested(applied) : input.tested;
    const code = final ? failure.code : "work-loop-exhausted";
    const tries = attempt === 1 ? "1 attempt" : `${attempt} attempts`;
    const message = final ? failure.message : `${unit.id} did not pass in ${tries}: ${tested.reason}`;
    const feedback = diagnose({ unit, attempt, applied, tested });
    const repository = { gitDir: context.repository.gitDir };
    const note = { unit: unit.id, round, code, message, feedback, usage: sumUsage([usage]) };
    await writeFailure(repository, context.run, note);
    const details = { attempt, lastLines: lastLinesOf(applied, tested), ...(final ? { retryable: false } : {}) };
    return { type: "error", code, message, details };
  });
}

function untested({ failure }: Applied): Tested {
  const reason = failure === null ? "nothing was tested" : oneLine(`${failure.code}: ${failure.message}`);
  return { passed: false, reason, results: [] };
}

function lastLinesOf({ failure }: Applied, { results }: Tested): string[] {
  if (failure !== null) return failure.lastLines.slice(-linesShown);
  const red = results.find(({ passed }) => !passed);
  return red === undefined ? [] : [...lastLines(red.output, linesShown)];
}
