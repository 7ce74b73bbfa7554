import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type JobHandler } from "@tutti/kernel";
import { publishBranch } from "@tutti/workspace";
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
export function publishHandler(deps: { readonly stateDir: string }): JobHandler {
  return async (job, { signal }) => {
    const input = job.input as unknown as PublishInput;
    const { context, merged } = input;
    const branch = context.options.branch ?? `tutti/${context.run}`;
    const report = writeReport({ ...input, branch });
    try {
      const source = { root: context.repository.path };
      await publishBranch({ gitDir: context.repository.gitDir }, { source, commit: merged.commit, branch, signal });
      await writeOnce(runFolder(deps.stateDir, context.run), "PULL_REQUEST.md", report.body);
    } catch (error) {
      const code = error instanceof AppError ? error.code : "publish-failed";
      const message = error instanceof Error ? error.message : String(error);
      return { type: "failed", code, message, retryable: !(error instanceof AppError) };
    }
    const published: Published = {
      branch,
      commit: merged.commit,
      where: "branch",
      partial: report.partial,
      body: report.body,
    };
    return { type: "completed", result: { published: { ...published } } };
  };
}

/** Whole or not at all: a reader never sees half a file. */
async function writeOnce(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `.${name}.${process.pid}`);
  await writeFile(aside, text);
  await rename(aside, join(folder, name));
}
