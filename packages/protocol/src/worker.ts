import type { Job, JobAbortReason, JobOutcome } from "@tutti/kernel";
import { z } from "zod";
import { jsonObjectSchema } from "./json.ts";

const name = z.string().min(1).max(200);

/**
 * `POST /v1/workers`: somebody in another process does jobs of these types. The answer is a stream of `WorkerNews` that
 * lasts as long as the worker does; when it breaks, what was under way failed and is tried again.
 */
export interface HireWorker {
  readonly jobTypes: readonly string[];
  /** At most so many jobs of each type at once. */
  readonly concurrency: number;
  /** Its jobs end within a moment: on Temporal they are done beside the decisions of their instance. */
  readonly short?: boolean;
  readonly actor: string;
}

export const hireWorkerSchema: z.ZodType<HireWorker> = z.strictObject({
  jobTypes: z.array(name).min(1).max(100).readonly(),
  concurrency: z.int().min(1).max(1_000),
  short: z.boolean().exactOptional(),
  actor: name,
});

/** One attempt at one job: a late answer of a former attempt names another. */
export interface HeldJob {
  readonly job: string;
  readonly fencingToken: number;
}

export type WorkerNews =
  /** The first: under this name it answers, and gives a sign of life at least this often. */
  | { readonly type: "hired"; readonly worker: string; readonly silenceMs: number }
  | { readonly type: "job"; readonly job: Job }
  /** Stop it: what it comes to does not matter any more. */
  | ({ readonly type: "abort"; readonly reason: JobAbortReason } & HeldJob)
  /** The last after `drain`: everything under way has ended. */
  | { readonly type: "drained" };

const held = { job: name, fencingToken: z.int() };

// The owner is of the same release: what it says of a job is taken as it is.
export const workerNewsSchema: z.ZodType<WorkerNews> = z.looseObject({
  type: z.enum(["hired", "job", "abort", "drained"]),
}) as unknown as z.ZodType<WorkerNews>;

/** `POST /v1/workers/{id}/outcomes`. */
export interface JobDone extends HeldJob {
  readonly outcome: JobOutcome;
}

const failure = { code: name, message: z.string().max(10_000), details: jsonObjectSchema.exactOptional() };

export const jobDoneSchema: z.ZodType<JobDone> = z.strictObject({
  ...held,
  outcome: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("completed"), result: jsonObjectSchema }),
    z.strictObject({ type: z.literal("error"), ...failure }),
    z.strictObject({ type: z.literal("failed"), ...failure, retryable: z.boolean() }),
  ]),
});

/** `POST /v1/workers/{id}/heartbeats`: it is alive, and with it all that it does. */
export const heartbeatSchema: z.ZodType<Record<never, never>> = z.strictObject({});
