import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobHandler } from "@tutti/kernel";
import { publishBranch } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { failures } from "../failure-note.ts";
import { completed, jobHandler } from "../job.ts";
import type { Acceptance, Plan, Published, RunContext, UnitResult, Usage } from "../model.ts";
import { type ReportFacts, writeReport } from "../publish/report.ts";
import { forgetAttempts } from "../unit-refs.ts";

interface PublishInput {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [id: string]: UnitResult };
  readonly merged: ReportFacts["merged"];
  /** What the planner agent used; null without one. */
  readonly planning?: Usage | null;
  /** A person's reasons for taking less than was planned. */
  readonly acceptances?: readonly Acceptance[];
}

/** Where a run keeps what it wrote for people. */
export function runFolder(stateDir: string, run: string): string {
  return join(stateDir, "runs", run);
}

/**
 * `feature.publish`: one branch in the person's repository, and PULL_REQUEST.md in the run's folder. Repeating it
 * changes nothing. A branch that is somewhere else is never moved: that fails, and a person decides. So it does for a
 * part below the threshold that no person has accepted: the BPMN error `threshold-not-met`.
 */
export function publishHandler(deps: Pick<FeatureDeps, "stateDir">): JobHandler {
  return jobHandler<PublishInput>(["feature", "context", "plan", "units", "merged"], async ({ input, signal }) => {
    const { context, merged, acceptances = [], planning = null } = input;
    const repository = { gitDir: context.repository.gitDir };
    const short = shortfall(input);
    if (short !== undefined && acceptances.length === 0) {
      return { type: "error", code: "threshold-not-met", message: short };
    }
    const branch = context.options.branch ?? `tutti/${context.run}`;
    const failed = await failures(repository, context.run);
    const { partial, body } = writeReport({ ...input, branch, acceptances, planning, failed });
    const source = { root: context.repository.path };
    await publishBranch(repository, { source, commit: merged.commit, branch, signal });
    await writeOnce(runFolder(deps.stateDir, context.run), "PULL_REQUEST.md", body);
    await forgetAttempts(repository, context.run, merged.landed);
    const published: Published = { branch, commit: merged.commit, where: "branch", partial, body };
    return completed({ published });
  });
}

/** In a sentence how the result falls short of the threshold over planned units; undefined when it does not. */
function shortfall({ context, plan, merged }: PublishInput): string | undefined {
  const { threshold } = context.options;
  const [landed, planned] = [merged.landed.length, plan.units.length];
  if (landed >= threshold * planned) return undefined;
  return `${landed} of ${planned} planned units are in, below the threshold of ${threshold}`;
}

/** Whole or not at all: a reader never sees half a file. */
async function writeOnce(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `.${name}.${process.pid}`);
  await writeFile(aside, text);
  await rename(aside, join(folder, name));
}
