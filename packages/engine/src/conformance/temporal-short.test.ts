import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Job, JobOutcome } from "@tutti/kernel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { branches, end, program, sequence, service, start } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { engineSuite } from "./engine.suite.ts";
import { begin, completed, ended, eventually, failed, historyOf, incidentOf } from "./harness.ts";
import { temporalHarness } from "./temporal-harness.ts";

// Short jobs: local activities beside the decisions of their instance. The rules of jobs are those of all others.

const workerScript = fileURLToPath(new URL("../testing/temporal-worker.ts", import.meta.url));

/** Types of Temporal's events, by its numbers: what a history is made of here. */
const workflowTaskStarted = "6";
const activityScheduled = "10";
const marker = "25";

describeWithTemporal("short jobs on Temporal", () => {
  describe("as other jobs", () => {
    let house: TemporalHouse;
    beforeAll(async () => {
      house = await openTemporalHouse("told-clock-workflow.ts", { threadless: true });
    }, 120_000);
    afterAll(() => house?.close());
    engineSuite({
      name: "[TE51] Temporal engine with short jobs",
      make: () => temporalHarness(house, { short: true }),
      branchesMany: 1_100,
      jobsOnly: true,
      concurrent: true,
    });
  });

  describe("on their own", () => {
    let home: TemporalHome;
    let engine: Engine;
    const warned: unknown[] = [];
    eachTemporalHome("short-history-workflow.ts", async (fresh) => {
      home = fresh;
      warned.length = 0;
      const warn = (...told: unknown[]): unknown => warned.push(told);
      engine = await home.open({ log: { info: () => undefined, warn, error: warn } });
      return () => engine.close({ graceMs: 0 });
    });

    /** How many events of each type, and the names of local activities. */
    async function historyIn(instanceId: string): Promise<{ count(type: string): number; locals: readonly string[] }> {
      const { events } = await home.workflow.getHandle(instanceId).fetchHistory();
      const all = events ?? [];
      const locals = all.flatMap(({ markerRecordedEventAttributes: found }) => {
        const data = found?.details?.["data"]?.payloads?.[0]?.data;
        return data == null
          ? []
          : [(JSON.parse(Buffer.from(data).toString()) as { activity_type: string }).activity_type];
      });
      return { count: (type) => all.filter(({ eventType }) => String(eventType) === type).length, locals };
    }

    test("[TE50] a chain of jobs with a short handler takes one workflow task, and a marker named by its type each", async () => {
      engine.work("work", async () => completed(), { short: true });
      const id = await begin(engine, [sequence("chain", 10)]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      await home.workflow.getHandle(id).result();
      const history = await historyIn(id);
      expect(history.count(activityScheduled)).toBe(0);
      expect(history.count(workflowTaskStarted)).toBe(1);
      expect(history.locals).toEqual([...Array.from({ length: 10 }, () => "work"), "project"]);
      expect(history.count(marker)).toBe(11);
    });

    test("[TE50] a definition marks its jobs as short, and those of a collection run beside each other", async () => {
      engine.work("work", async () => completed());
      const items = Array.from({ length: 40 }, (_, n) => n);
      const id = await begin(engine, [branches("many", { headers: { short: true } })], { items });
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      const history = await historyIn(id);
      expect(history.count(activityScheduled)).toBe(0);
      expect(history.locals.filter((name) => name === "work")).toHaveLength(40);
    });

    test("[TE55] jobs beside each other that end in another order than they began in are replayed, with what came between", async () => {
      let finished = 0;
      engine.work("work", async ({ input }) => {
        await sleep(((Number(input["item"]) * 7) % 5) * 20);
        finished++;
        return completed();
      });
      const items = Array.from({ length: 40 }, (_, n) => n);
      const parts = branches("many", {
        headers: { short: true },
        inputs: [{ target: "item", source: { variable: "item" } }],
      });
      const id = await begin(engine, [parts], { items });
      await eventually(async () => finished > 0);
      const set = { type: "set-variables", scope: 0, values: { seen: 1 }, reason: "test", actor: "ann" } as const;
      await engine.command(id, set).catch(() => undefined);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      await home.workflow.getHandle(id).result();
      expect(await home.replay()).toEqual([]);
    });

    test("[TE37] a short job has its element and attempt as the summary of its marker, and what it failed with as the failure", async () => {
      let failures = 0;
      engine.work("work", async () => (failures++ === 0 ? failed() : completed()), { short: true });
      const retry = { attemptsMax: 2, backoff: { firstMs: 10, factor: 1, maxMs: 10 } };
      const id = await begin(engine, [sequence("told", 1, { retry })]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      await home.workflow.getHandle(id).result();
      const { events } = await home.workflow.getHandle(id).fetchHistory();
      const markers = (events ?? []).flatMap(({ markerRecordedEventAttributes: found, userMetadata }) => {
        const { data } = userMetadata?.summary ?? {};
        return found == null || data == null ? [] : [{ summary: JSON.parse(String(data)), failure: found.failure }];
      });
      expect(markers).toMatchObject([
        { summary: "step1", failure: { message: "it broke", applicationFailureInfo: { type: "broken" } } },
        { summary: "step1, attempt 2", failure: null },
      ]);
      expect(await home.replay()).toEqual([]);
      expect(warned).toEqual([]);
    });

    test("[TE51] a short job that fails is tried again after its delay, and its attempts are in the log", async () => {
      let failures = 0;
      engine.work("work", async () => (failures++ < 2 ? failed() : completed()), { short: true });
      const retry = { attemptsMax: 3, backoff: { firstMs: 50, factor: 1, maxMs: 50 } };
      const id = await begin(engine, [sequence("fragile", 1, { retry })]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      const types = (await historyOf(engine, { instanceId: id })).map(({ event }) => event.type);
      expect(types.filter((type) => type === "job-failed")).toHaveLength(2);
      expect((await historyIn(id)).count(activityScheduled)).toBe(0);
    });

    test("[E14] [TE51] a short job that runs longer than its timeout is aborted and has failed; what it says later does not count", async () => {
      const aborts: unknown[] = [];
      const late = Promise.withResolvers<JobOutcome>();
      engine.work(
        "work",
        (_job, { signal }) => {
          const target = signal as unknown as EventTarget & { readonly reason: unknown };
          target.addEventListener("abort", () => aborts.push(target.reason));
          return late.promise;
        },
        { short: true },
      );
      const id = await begin(engine, [sequence("late", 1, { timeoutMs: 300 })]);
      expect(await incidentOf(engine, id)).toMatchObject({ error: { code: "job-timeout" } });
      expect(aborts).toEqual(["timeout"]);
      late.resolve(completed());
      await sleep(200);
      expect((await engine.instance(id)).status).toBe("running");
      expect((await historyIn(id)).count(activityScheduled)).toBe(0);
    });

    test("[E12] [TE51] a short job that failed starts again not before its delay, also across a restart", async () => {
      const begun: number[] = [];
      const work = async (): Promise<JobOutcome> => {
        begun.push(Date.now());
        return begun.length === 1 ? failed() : completed();
      };
      engine.work("work", work, { short: true });
      const delayMs = 3_000;
      const retry = { attemptsMax: 2, backoff: { firstMs: delayMs, factor: 1, maxMs: delayMs } };
      const id = await begin(engine, [sequence("again", 1, { retry })]);
      await eventually(async () =>
        (await engine.query("jobs", { instanceId: id })).rows[0]?.attempt === 2 ? true : undefined,
      );
      await engine.close({ graceMs: 0 });
      engine = await home.open();
      engine.work("work", work, { short: true });
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect(begun).toHaveLength(2);
      expect((begun[1] ?? 0) - (begun[0] ?? 0)).toBeGreaterThanOrEqual(delayMs);
      expect((await historyIn(id)).count(activityScheduled)).toBe(0);
    });

    test("[E6] [E20] [TE51] what is said to an instance while a short job of it runs is decided right after it", async () => {
      const running = Promise.withResolvers<void>();
      const release = Promise.withResolvers<JobOutcome>();
      const work = (): Promise<JobOutcome> => {
        running.resolve();
        return release.promise;
      };
      engine.work("work", work, { short: true });
      const elements = [start(), service("held"), service("idle", { type: "idle" }), end()];
      await engine.deploy([program({ id: "gone", elements, flows: ["start>held", "held>idle", "idle>end"] })]);
      // Answered with the end of the workflow task, so after the short job.
      const id = "gone-1";
      const asked = { requestId: "gone", process: "gone", instanceId: id, variables: {}, actor: "ann" };
      const begun = engine.start(asked);
      await running.promise;
      const [job] = (await engine.query("jobs", { instanceId: id })).rows;
      const second = engine.command(id, { type: "complete-job", key: job?.key ?? 0, result: {}, actor: "ann" });
      await sleep(100);
      const cancelled = engine.command(id, { type: "cancel-instance", reason: "Enough.", actor: "ann" });
      await sleep(100);
      release.resolve(completed());
      expect(await begun).toBe(id);
      expect(await second).toMatchObject({ ok: false, rejection: { code: "job-not-found" } });
      expect(await cancelled).toMatchObject({ ok: true });
      expect(await ended(engine, id)).toMatchObject({ status: "cancelled" });
      const types = (await historyOf(engine, { instanceId: id })).map(({ event }) => event.type);
      expect(types.filter((type) => type === "job-completed")).toHaveLength(1);
    });

    test("[TE52] a job that is not short after all is done as others are, under a greater token, and from then on", async () => {
      const jobs: Job[] = [];
      const aborts: unknown[] = [];
      engine.work(
        "work",
        (job, { signal }) => {
          jobs.push(job);
          if (jobs.length > 1) return Promise.resolve(completed());
          return new Promise((resolve) => {
            (signal as unknown as EventTarget).addEventListener("abort", () => {
              aborts.push((signal as unknown as { reason: unknown }).reason);
              resolve(completed());
            });
          });
        },
        { short: true },
      );
      const id = await begin(engine, [sequence("long", 2)]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect(aborts).toEqual(["lease-lost"]);
      expect(jobs.map(({ elementId, attempt }) => [elementId, attempt])).toEqual([
        ["step1", 1],
        ["step1", 1],
        ["step2", 1],
      ]);
      expect(jobs[1]?.fencingToken).toBeGreaterThan(jobs[0]?.fencingToken ?? 0);
      expect((await historyIn(id)).count(activityScheduled)).toBe(2);
    });

    test("[TE52] a result that is too large for a short job comes in the ordinary way", async () => {
      const text = "x".repeat(100_000);
      engine.work("work", async () => completed({ text }), { short: true });
      const id = await begin(engine, [sequence("large", 1)]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect((await historyIn(id)).count(activityScheduled)).toBe(1);
    });

    test("[TE54] a short job begins after the rows that offer it are in the log", async () => {
      const found: number[] = [];
      engine.work(
        "work",
        async ({ instanceId, elementId }) => {
          const { rows } = await engine.query("jobs", { instanceId });
          found.push(rows.filter((row) => row.element === elementId).length);
          return completed();
        },
        { short: true },
      );
      const id = await begin(engine, [sequence("seen", 3)]);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect(found).toEqual([1, 1, 1]);
    });

    test.each([
      { role: "dies-short", done: ["step1"], again: ["step2"] },
      { role: "falls-short", done: ["step1", "step2"], again: ["step2"] },
    ])(
      "[TE53] a worker that is killed among short jobs ($role) leaves what the log has as done, and the rest to others",
      async ({ role, done, again }) => {
        await engine.close();
        const node = spawn(
          process.execPath,
          ["--conditions=@tutti/source", workerScript, home.address, home.namespace, home.database, role],
          { stdio: ["ignore", "pipe", "inherit"], detached: true },
        );
        const exit = once(node, "exit");
        const before: Job[] = [];
        for await (const line of createInterface({ input: node.stdout })) before.push(JSON.parse(line) as Job);
        await exit;
        expect(before.map(({ elementId }) => elementId)).toEqual(done);
        engine = await home.open();
        const after: Job[] = [];
        engine.work(
          "work",
          async (job) => {
            after.push(job);
            return completed();
          },
          { short: true },
        );
        expect(await ended(engine, before[0]?.instanceId ?? "")).toMatchObject({ status: "completed" });
        expect(after.map(({ elementId }) => elementId)).toEqual(again);
        expect(after[0]?.fencingToken).toBeGreaterThan(before.at(-1)?.fencingToken ?? 0);
      },
      120_000,
    );
  });
});
