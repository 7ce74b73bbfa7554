import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { AppError, type Job, type JobOutcome } from "@tutti/kernel";
import { jobTypesOf, runnable } from "@tutti/testing";
import type { Context } from "../command.ts";
import { runJobProgram } from "./job-program.ts";
import { loadProcess } from "./load.ts";

/** The types of jobs that the arguments name, or that are in the definitions that they name. */
export async function typesOf(context: Context): Promise<readonly string[]> {
  const { input, cwd } = context;
  const found = new Set<string>();
  for (const given of input.arguments()) {
    const path = resolve(cwd, given);
    if (!existsSync(path)) found.add(given);
    else for (const type of jobTypesOf(runnable(await loadProcess(context, path), given))) found.add(type);
  }
  if (found.size > 0) return [...found].sort();
  throw new AppError("argument-missing", "Expected a definition with jobs, but there is none in it");
}

/** Does a job by a program and says what it came to. Never rejects. */
export function workOn(
  context: Context,
  { job, command, signal }: { readonly job: Job; readonly command: string; readonly signal: AbortSignal },
): Promise<JobOutcome> {
  const { out, cwd, environment } = context;
  const onNote = (line: string): void => out.note(`${job.type} ${job.id}: ${line}`);
  return told(context, { job, signal }, () => runJobProgram(job, { command, cwd, environment, signal, onNote }));
}

/** Says what a job came to. */
export async function told(
  { out }: Context,
  { job, signal }: { readonly job: Job; readonly signal: AbortSignal },
  work: () => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const began = Date.now();
  const outcome = await work();
  const did = signal.aborted ? "was stopped" : words[outcome.type];
  const why = outcome.type === "completed" ? "" : `: ${outcome.message}`;
  const attempt = job.attempt === 1 ? "" : ` at attempt ${job.attempt}`;
  out.text(`${job.type} ${job.id} ${did}${attempt}${why}`);
  const ms = Date.now() - began;
  out.line({ type: "job", job: job.id, jobType: job.type, attempt: job.attempt, stopped: signal.aborted, outcome, ms });
  return outcome;
}

const words = { completed: "done", error: "threw an error", failed: "failed" } as const;
