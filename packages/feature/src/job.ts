import { agentErrors } from "@tutti/agents";
import { AppError, type Job, type JobContext, type JobHandler, type JobOutcome, type JsonObject } from "@tutti/kernel";
import { workspaceErrors } from "@tutti/workspace";
import { jobErrors } from "./errors.ts";
import type { RunContext } from "./model.ts";

/** What every handler works with besides its input. */
export interface JobRun<Input> {
  readonly input: Input;
  readonly job: Job;
  readonly signal: AbortSignal;
  /** Names this lease of this job: whatever is made under it cannot meet what an earlier lease left. */
  readonly token: string;
  /** Shows what the job is doing; also keeps its lease. */
  note(text: string): void;
}

/** The part of a run that helpers need. */
export type Running = Omit<JobRun<unknown>, "input">;

/**
 * A handler from a function that may throw: an AppError becomes a failed outcome with its code, retried unless its
 * code says that the input is wrong; an abort becomes `job-aborted`. `names` are the inputs that must be there.
 */
export function jobHandler<Input>(
  names: readonly (keyof Input & string)[],
  run: (run: JobRun<Input>) => Promise<JobOutcome>,
): JobHandler {
  return async (job, context) => {
    const missing = names.filter((name) => job.input[name] === undefined);
    if (missing.length > 0) {
      return failed("input-missing", `Job ${job.type} needs ${missing.join(", ")}.`, { retryable: false });
    }
    try {
      context.signal.throwIfAborted();
      const outcome = await run(runOf<Input>(job, context));
      // What failed while it was being ended says nothing about the work.
      return context.signal.aborted && outcome.type !== "completed" ? aborted(context) : outcome;
    } catch (error) {
      if (context.signal.aborted) return aborted(context);
      return failureOf(error);
    }
  };
}

function runOf<Input>(job: Job, context: JobContext): JobRun<Input> {
  return {
    input: ownInput(job) as unknown as Input,
    job,
    signal: context.signal,
    token: `${job.id}-${job.fencingToken}`,
    note: (text) => context.heartbeat({ note: text.slice(0, 200) }),
  };
}

/**
 * A run is named after the instance at its top. A fork has the variables of the run that it comes from, so what they
 * say of its name, and of the branch that was asked for, is that one's: the fork has refs, folders and a branch of its own.
 */
function ownInput({ input, rootId }: Job): JsonObject {
  const context = input["context"] as unknown as RunContext | undefined;
  if (context === undefined || context.run === rootId) return input;
  const { branch: _theirs, ...options } = context.options;
  return { ...input, context: asJson({ ...context, run: rootId, options }) };
}

export function completed(result: object): JobOutcome {
  return { type: "completed", result: asJson(result) };
}

export function failed(
  code: string,
  message: string,
  options: { readonly retryable: boolean; readonly details?: JsonObject },
): JobOutcome {
  if (options.retryable) return { type: "failed", code, message, ...options };
  // Where the failure is thrown, whoever catches it learns that too: no round of the unit is spent on it.
  return { type: "failed", code, message, ...options, details: { ...options.details, retryable: false } };
}

/** Our own data is plain JSON by its types (`model.ts`), which TypeScript does not see for interfaces. */
export function asJson(value: object): JsonObject {
  return value as JsonObject;
}

function aborted(context: JobContext): JobOutcome {
  const reason = typeof context.signal.reason === "string" ? context.signal.reason : "aborted";
  return failed("job-aborted", `The job was ended: ${reason}.`, { retryable: true });
}

function failureOf(error: unknown): JobOutcome {
  // The engine knows what to do with a handler that crashed.
  if (!(error instanceof AppError)) throw error;
  const known = { ...agentErrors, ...workspaceErrors, ...jobErrors }[error.code];
  // Exit status 2 is bad input, 3 and 4 are findings about the trees: the same again would end the same way.
  const retryable = known === undefined || ![2, 3, 4].includes(known.exit);
  return failed(error.code, error.message, { retryable, details: asJson(error.details) });
}
