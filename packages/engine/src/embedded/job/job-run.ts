import type { Job, JobAbortReason, JobContext, JobHandler, JobOutcome, Json } from "@tutti/kernel";
import { isJsonObject } from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import type { JobRow, WorkOptions } from "../../port.ts";
import type { OwnCommand } from "../turn/inbox.ts";
import { toPayload } from "../turn/payload.ts";

/** Somebody who works on one job type. */
export interface Registration {
  readonly jobType: string;
  readonly handler: JobHandler;
  readonly options: WorkOptions;
  running: number;
  stopping: boolean;
}

const noteCharsMax = 200;

/** One call of a handler. Also what the handler is given as its context. */
export class JobRun implements JobContext {
  readonly registration: Registration;
  readonly job: Job;
  readonly startedAt: number;
  lastBeatAt: number;
  progress: JobRow["progress"] = null;
  /** Its outcome no longer counts. */
  abandoned = false;
  /** It holds its slot until it has settled, or its grace after an abort is over. */
  holdsSlot = true;
  readonly #clock: Clock;
  #controller: AbortController | undefined;

  constructor(registration: Registration, job: Job, started: { readonly clock: Clock; readonly at: number }) {
    this.registration = registration;
    this.job = job;
    this.#clock = started.clock;
    this.startedAt = started.at;
    this.lastBeatAt = started.at;
  }

  /** Made when first asked for: most short handlers never look. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  heartbeat(progress?: { readonly note?: string; readonly percent?: number; readonly data?: JobContextData }): void {
    this.lastBeatAt = this.#clock.now();
    if (progress === undefined || this.abandoned) return;
    const { note, percent, data } = progress;
    this.progress = {
      ...(typeof note === "string" ? { note: note.slice(0, noteCharsMax) } : {}),
      ...(typeof percent === "number" ? { percent: Math.min(100, Math.max(0, percent)) } : {}),
      ...(isJsonObject(data) ? { data } : {}),
    };
  }

  abort(reason: JobAbortReason): void {
    this.abandoned = true;
    this.#controller ??= new AbortController();
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }
}

type JobContextData = { readonly [name: string]: Json };

/** Calls the handler; what it throws, at once or later, is an outcome. `settled` is never called before this returns. */
export function callHandler(run: JobRun, settled: (outcome: JobOutcome) => void): void {
  const rejected = (error: unknown): void => settled(crashed(error));
  try {
    // A promise is given back as it is; whatever else a stranger's handler returns becomes one.
    Promise.resolve(run.registration.handler(run.job, run)).then(settled, rejected);
  } catch (error) {
    queueMicrotask(() => rejected(error));
  }
}

function crashed(error: unknown): JobOutcome {
  const message = error instanceof Error ? error.message : String(error);
  return { type: "failed", code: "handler-crashed", message, retryable: true };
}

/** What an outcome means to the instance. A handler is a stranger: whatever it gave becomes a command that fits. */
export function commandOf(
  key: number,
  outcome: JobOutcome,
  { run, charsMax }: { readonly run: JobRun; readonly charsMax: number },
): OwnCommand {
  const actor = run.registration.options.actor ?? run.job.type;
  switch (outcome?.type) {
    case "completed": {
      const result = toPayload(outcome.result, charsMax);
      if (result.ok) return { type: "complete-job", key, result: result.value, actor };
      return failJob(key, { code: "result-invalid", message: `The result of the job was refused: ${result.reason}.` });
    }
    case "error":
      return { type: "throw-job-error", key, error: failureOf(outcome, charsMax) };
    case "failed":
      return { type: "fail-job", key, error: failureOf(outcome, charsMax), retryable: outcome.retryable !== false };
    default:
      return failJob(key, { code: "handler-crashed", message: "The handler gave nothing that is a job's outcome." });
  }
}

export function failJob(key: number, error: { readonly code: string; readonly message: string }): OwnCommand {
  return { type: "fail-job", key, error, retryable: true };
}

function failureOf(
  outcome: Extract<JobOutcome, { readonly type: "error" | "failed" }>,
  charsMax: number,
): { code: string; message: string; details?: { readonly [name: string]: Json } } {
  const details = outcome.details === undefined ? undefined : toPayload(outcome.details, charsMax);
  return {
    code: String(outcome.code),
    message: String(outcome.message).slice(0, 10_000),
    ...(details?.ok ? { details: details.value } : {}),
  };
}
