import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Job } from "@tutti/kernel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { branches, sequence } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { engineSuite } from "./engine.suite.ts";
import { begin, completed, ended, eventually, failed, historyOf } from "./harness.ts";
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
    eachTemporalHome("short-history-workflow.ts", async (fresh) => {
      home = fresh;
      engine = await home.open();
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
