import { AppError, type Job } from "@tutti/kernel";
import { expect, test } from "vitest";
import { completed, jobHandler } from "./job.ts";
import type { RunContext } from "./model.ts";

const job = { id: "i/1", type: "t", input: { a: 1 }, fencingToken: 3 } as unknown as Job;
const context = { signal: new AbortController().signal, heartbeat: () => undefined };

test("[F8] a job without an input that it needs fails for good and says which", async () => {
  const handler = jobHandler<{ a: number; b: number }>(["a", "b"], async () => completed({}));
  const outcome = await handler(job, context);
  expect(outcome).toMatchObject({ type: "failed", code: "input-missing", retryable: false });
  expect(outcome).toMatchObject({ message: expect.stringContaining("needs b") });
});

test("[F8] a failure keeps its code; what would end the same way again is not retried", async () => {
  const failing = (code: string) =>
    jobHandler<{ a: number }>(["a"], async () => {
      throw new AppError(code, "No.", { details: { x: 1 } });
    });
  for (const [code, retryable] of [
    ["git-failed", true],
    ["sandbox-missing", false],
    ["conflict-parked", false],
    ["prepare-failed", true],
  ] as const) {
    expect(await failing(code)(job, context)).toMatchObject({ type: "failed", code, retryable, details: { x: 1 } });
  }
});

test("[F8] an aborted job says so, whatever broke on the way", async () => {
  const controller = new AbortController();
  const handler = jobHandler<{ a: number }>(["a"], async ({ signal }) => {
    controller.abort("lease-lost");
    signal.throwIfAborted();
    return completed({});
  });
  const outcome = await handler(job, { ...context, signal: controller.signal });
  expect(outcome).toMatchObject({ code: "job-aborted", message: "The job was ended: lease-lost.", retryable: true });
});

test("[F8] what a job says against the work while it is being ended does not count", async () => {
  const controller = new AbortController();
  const handler = jobHandler<{ a: number }>(["a"], async () => {
    controller.abort("shutdown");
    return { type: "error", code: "base-conflict", message: "nobody settled it" };
  });
  const outcome = await handler(job, { ...context, signal: controller.signal });
  expect(outcome).toMatchObject({ type: "failed", code: "job-aborted", retryable: true });
});

test("[F8] what nobody foresaw is left to the engine", async () => {
  const handler = jobHandler<{ a: number }>(["a"], async () => {
    throw new TypeError("a bug");
  });
  await expect(handler(job, context)).rejects.toThrow("a bug");
});

test("[F7] a job works for the run at whose top it stands; a fork has a name and a branch of its own", async () => {
  const handler = jobHandler<{ context: RunContext }>(["context"], async ({ input }) => completed(input.context));
  const own = { run: "r1", repository: {}, options: { branch: "mine", attempts: 3 } };
  const at = (rootId: string): Job => ({ ...job, rootId, input: { context: own } });
  expect(await handler(at("r1"), context)).toMatchObject({ result: own });
  const forked = { ...own, run: "r2", options: { attempts: 3 } };
  expect(await handler(at("r2"), context)).toEqual({ type: "completed", result: forked });
});
