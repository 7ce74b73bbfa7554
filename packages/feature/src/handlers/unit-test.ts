import type { JobHandler } from "@tutti/kernel";
import type { CommitBundle } from "@tutti/workspace";
import { failedChecks, runChecks } from "../checks.ts";
import type { FeatureDeps } from "../deps.ts";
import { arrived } from "../exchange.ts";
import { completed, jobHandler } from "../job.ts";
import type { Applied, CheckResult, Plan, PlanUnit, RunContext, Tested } from "../model.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Pick<Plan, "prepare">;
  readonly unit: PlanUnit;
  readonly round: number;
  readonly attempt: number;
  readonly commit: string;
  readonly checks: readonly string[];
  readonly applied: Applied;
  /** What it takes to have `commit`. */
  readonly bundles?: readonly CommitBundle[];
}

/** Job `unit.test`: the checks run on what was captured, in a fresh workspace; the agent's word alone is nothing. */
export function unitTest(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "unit", "commit", "checks", "applied"], async (given) => {
    const at = await arrived(deps.exchange, given, given.input.bundles);
    const { context, plan, unit, round, attempt, commit, checks, applied } = at.input;
    const accepted = unit.acceptance.flatMap(({ check }) => (check === undefined ? [] : [check]));
    const { passed, results } = await runChecks(deps, at, {
      context,
      unit,
      name: unit.id,
      attempt: (round - 1) * context.options.attempts + attempt,
      commit,
      commands: [...checks, ...accepted],
      prepare: plan.prepare,
    });
    const missing = missingOf(applied, results);
    const tested: Tested = { passed: passed && missing === undefined, reason: missing ?? "everything passed", results };
    return completed({ tested });
  });
}

/** In a line what was missing; undefined when nothing was. The agent's own failure first: it explains the rest. */
function missingOf(applied: Applied, results: readonly CheckResult[]): string | undefined {
  const [finding] = applied.findings;
  const red = failedChecks(results);
  if (applied.failure !== null) return `${applied.failure.code}: ${applied.failure.message}`;
  if (finding !== undefined) return `${finding.code}: ${finding.message}`;
  if (red !== undefined) return red;
  return applied.claim === "completed" ? undefined : "the agent says that something is left to do";
}
