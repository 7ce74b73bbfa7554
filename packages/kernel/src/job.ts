import type { JsonObject } from "./json.ts";
import type { QueueClass } from "./program.ts";

/** What a worker is given. `id` names the effect (`<instance>/<element instance>`), the same in every attempt. */
export interface Job {
  readonly id: string;
  readonly instanceId: string;
  /** The instance at the top of the call chain, for grouping. */
  readonly rootId: string;
  readonly elementId: string;
  readonly type: string;
  readonly queue: QueueClass;
  readonly priority: number;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly input: JsonObject;
  readonly headers: JsonObject;
  /** Grows with every lease of this job, also after a crash; outside writes carry it so that a late holder is refused. */
  readonly fencingToken: number;
  /** Epoch ms at which the engine ends the attempt; absent: never. */
  readonly deadlineAt?: number;
}

declare global {
  // The platform's own type: named here because the kernel builds without any platform's types.
  interface AbortSignal {
    readonly aborted: boolean;
  }
}

export interface JobContext {
  /** Aborted on cancel, time-out, lost lease and shutdown; `signal.reason` is one of JobAbortReason. */
  readonly signal: AbortSignal;
  /** Keeps the lease, and shows what the job is doing (`note` ≤ 200 characters, `percent` 0–100). Cheap; call it often. */
  heartbeat(progress?: { readonly note?: string; readonly percent?: number; readonly data?: JsonObject }): void;
}

export type JobAbortReason = "cancelled" | "timeout" | "lease-lost" | "shutdown";

/**
 * `error` is a BPMN error: it goes to boundary events or the caller and is not retried.
 * `failed` is a failure of the world: retried by the job's policy unless `retryable` is false.
 */
export type JobOutcome =
  | { readonly type: "completed"; readonly result: JsonObject }
  | { readonly type: "error"; readonly code: string; readonly message: string; readonly details?: JsonObject }
  | {
      readonly type: "failed";
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
      readonly details?: JsonObject;
    };

/**
 * Does one job. Called at least once per job id; make it idempotent by `job.id`, and fence outside writes by
 * `job.fencingToken`. Must not reject: a rejection counts as a retryable `failed` with code `handler-crashed`.
 */
export type JobHandler = (job: Job, context: JobContext) => Promise<JobOutcome>;
