import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobHandler } from "@tutti/kernel";
import { publishBranch } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import type { Plan, Published, RunContext, UnitResult } from "../model.ts";
import { type ReportFacts, writeReport } from "../publish/report.ts";

interface PublishInput {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [id: string]: UnitResult };
  readonly merged: ReportFacts["merged"];
}

/** Where a run keeps what it wrote for people. */
export function runFolder(stateDir: string, run: string): string {
  return join(stateDir, "runs", run);
}

/**
 * `feature.publish`: one branch in the person's repository, and PULL_REQUEST.md in the run's folder. Repeating it
 * changes nothing. A branch that is somewhere else is never moved: that fails, and a person decides.
 */
export function publishHandler(deps: Pick<FeatureDeps, "stateDir">): JobHandler {
  return jobHandler<PublishInput>(["feature", "context", "plan", "units", "merged"], async ({ input, signal }) => {
    const { context, merged } = input;
    const branch = context.options.branch ?? `tutti/${context.run}`;
    const { partial, body } = writeReport({ ...input, branch });
    const source = { root: context.repository.path };
    await publishBranch({ gitDir: context.repository.gitDir }, { source, commit: merged.commit, branch, signal });
    await writeOnce(runFolder(deps.stateDir, context.run), "PULL_REQUEST.md", body);
    const published: Published = { branch, commit: merged.commit, where: "branch", partial, body };
    return completed({ published });
  });
}

/** Whole or not at all: a reader never sees half a file. */
async function writeOnce(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `.${name}.${process.pid}`);
  await writeFile(aside, text);
  await rename(aside, join(folder, name));
}
