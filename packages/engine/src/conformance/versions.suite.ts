import { type JsonObject, noVersionFigures, type RolloutPlan } from "@tutti/kernel";
import { expect } from "vitest";
import type { Engine } from "../port.ts";
import { figuresOf } from "../testing/figures.ts";
import { cel, onMessage, onTimer } from "../testing/message-programs.ts";
import { call, end, program, sequence, start } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { completed, ended, eventually, ManualWorker } from "./harness.ts";

/** Schedules, and which version a new instance gets. */
export function versionRules(rule: Rule): void {
  figureRules(rule);
  scheduleRules(rule);
  rolloutRules(rule);
  guardRules(rule);
}

function scheduleRules(rule: Rule): void {
  const every = (text: string) => ({ kind: "cycle", value: { literal: text } }) as const;
  const startedAt = async (engine: Engine): Promise<number[]> =>
    (await engine.query("instances")).rows.map((each) => each.startedAt).reverse();

  rule(
    "[E76] a timer start event starts an instance each time it is due, until it has",
    async ({ engine, harness }) => {
      const deployedAt = harness.now();
      await engine.deploy([onTimer("tick", every("R3/PT10S"))]);
      await harness.advance(9_999);
      expect(await startedAt(engine)).toEqual([]);
      await harness.advance(1);
      await eventually(async () => ((await startedAt(engine)).length === 1 ? true : undefined));
      await harness.advance(60_000);
      await eventually(async () => ((await startedAt(engine)).length === 3 ? true : undefined));
      expect(await startedAt(engine)).toEqual([10_000, 20_000, 30_000].map((ms) => deployedAt + ms));
    },
  );

  rule("[E76] what was missed while nothing ran starts one, and it goes on in step", async (running) => {
    const deployedAt = running.harness.now();
    await running.engine.deploy([onTimer("tick", every("R/PT10S"))]);
    await running.engine.close();
    await running.harness.advance(35_000);
    running.engine = await running.harness.open();
    await eventually(async () => ((await startedAt(running.engine)).length === 1 ? true : undefined));
    await running.harness.advance(5_000);
    await eventually(async () => ((await startedAt(running.engine)).length === 2 ? true : undefined));
    expect(await startedAt(running.engine)).toEqual([35_000, 40_000].map((ms) => deployedAt + ms));
  });

  rule("[E76] a crash around a firing starts no second instance", async (running) => {
    await running.engine.deploy([onTimer("tick", every("R1/PT10S"))]);
    await running.harness.advance(10_000);
    await eventually(async () => ((await startedAt(running.engine)).length === 1 ? true : undefined));
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    await running.harness.advance(60_000);
    expect(await startedAt(running.engine)).toHaveLength(1);
  });

  rule("[E76] a deployment takes the place of the schedules before it; what is the same goes on", async (running) => {
    const { engine, harness } = running;
    const deployedAt = harness.now();
    await engine.deploy([onTimer("tick", every("R/PT10S"))]);
    await harness.advance(6_000);
    await engine.deploy([onTimer("tick", every("R/PT10S"))]);
    await harness.advance(4_000);
    await eventually(async () => ((await startedAt(engine)).length === 1 ? true : undefined));
    await engine.deploy([onTimer("tick", every("R/PT60S"), "2.0.0")]);
    await harness.advance(60_000);
    await eventually(async () => ((await startedAt(engine)).length === 2 ? true : undefined));
    expect(await startedAt(engine)).toEqual([10_000, 70_000].map((ms) => deployedAt + ms));
    await engine.deploy([sequence("tick", 1)]);
    await harness.advance(600_000);
    expect(await startedAt(engine)).toHaveLength(2);
  });

  rule("[E76] what begins by itself is listed, the soonest first", async ({ engine, harness }) => {
    const deployedAt = harness.now();
    const two = [
      onTimer("slow", every("R/PT60S")),
      onTimer("fast", every("R3/PT10S")),
      onTimer("also", every("R/PT60S")),
    ];
    await engine.deploy(two);
    const { rows, next } = await engine.query("schedules", {}, { limit: 2 });
    expect(rows).toMatchObject([
      { process: "fast", dueAt: deployedAt + 10_000, remaining: 2 },
      { process: "also", dueAt: deployedAt + 60_000, remaining: null },
    ]);
    const rest = await engine.query("schedules", {}, { after: next ?? "" });
    expect(rest).toEqual({ rows: [expect.objectContaining({ process: "slow" })] });
    expect((await engine.query("schedules", { process: "fast" })).rows).toHaveLength(1);
  });

  rule("[E76] a deployment whose timer cannot be computed is refused as a whole", async ({ engine }) => {
    const broken = engine.deploy([sequence("fine", 1), onTimer("tick", every("nonsense"))]);
    await expect(broken).rejects.toMatchObject({ code: "program-invalid" });
    const request = { requestId: "1", process: "fine", variables: {}, actor: "me" };
    await expect(engine.start(request)).rejects.toMatchObject({ code: "program-not-found" });
  });
}

const stable = { ...sequence("order", 1), version: "1.0.0" };
const candidate = { ...sequence("order", 2), version: "2.0.0" };

function plan(fields: Partial<RolloutPlan> = {}): RolloutPlan {
  return { stable: "1.0.0", candidate: "2.0.0", percent: 50, ...fields };
}

let requests = 0;

interface Ask {
  readonly businessKey?: string;
  readonly routingKey?: string;
  readonly version?: string;
  readonly variables?: JsonObject;
}

async function begin(engine: Engine, ask: Ask = {}): Promise<string> {
  requests++;
  return engine.start({ requestId: `rollout-${requests}`, process: "order", variables: {}, actor: "me", ...ask });
}

async function versionOf(engine: Engine, ask: Ask): Promise<string> {
  return (await engine.instance(await begin(engine, ask))).version;
}

const keys = Array.from({ length: 40 }, (_, n) => `customer-${n}`);

async function versionsOf(engine: Engine): Promise<string[]> {
  return Promise.all(keys.map((routingKey) => versionOf(engine, { routingKey })));
}

function rolloutRules(rule: Rule): void {
  rule(
    "[E77] [Q20] a key stays with its version, more get the candidate as it grows, also after a restart",
    async (running) => {
      await running.engine.deploy([stable]);
      await running.engine.deploy([candidate]);
      expect(new Set(await versionsOf(running.engine))).toEqual(new Set(["2.0.0"]));
      await running.engine.rollout("order", plan({ percent: 30 }));
      const first = await versionsOf(running.engine);
      expect(new Set(first)).toEqual(new Set(["1.0.0", "2.0.0"]));
      await running.engine.close();
      running.engine = await running.harness.open();
      expect(await versionsOf(running.engine)).toEqual(first);
      await running.engine.rollout("order", plan({ percent: 70 }));
      const second = await versionsOf(running.engine);
      for (const [index, version] of first.entries()) if (version === "2.0.0") expect(second[index]).toBe("2.0.0");
      expect(second.filter((each) => each === "2.0.0").length).toBeGreaterThan(
        first.filter((each) => each === "2.0.0").length,
      );
      await running.engine.rollout("order", null);
      expect(new Set(await versionsOf(running.engine))).toEqual(new Set(["2.0.0"]));
    },
  );

  rule(
    "[E77] without a routing key the business key decides; a named version and segments come first",
    async (running) => {
      const { engine } = running;
      await engine.deploy([stable]);
      await engine.deploy([candidate]);
      await engine.rollout("order", plan({ segments: [{ when: cel("internal"), gets: "candidate" }], percent: 0 }));
      expect(await versionOf(engine, { businessKey: "a" })).toBe("1.0.0");
      expect(await versionOf(engine, { version: "2.0.0" })).toBe("2.0.0");
      expect(await versionOf(engine, { variables: { internal: true } })).toBe("2.0.0");
      await engine.rollout("order", plan({ percent: 50 }));
      for (const key of keys.slice(0, 10)) {
        expect(await versionOf(engine, { businessKey: key })).toBe(await versionOf(engine, { routingKey: key }));
      }
    },
  );

  rule(
    "[E70] [E77] a message starts the version that its key gets, a call what the instance at the top gets",
    async (running) => {
      const { engine } = running;
      await engine.deploy([onMessage("order")]);
      await engine.deploy([onMessage("order", { version: "2.0.0" })]);
      const caller = program({
        id: "caller",
        elements: [start(), call("call", "order", { binding: "latest" }), end()],
        flows: ["start>call", "call>end"],
      });
      await engine.rollout("order", plan());
      const versions: string[] = [];
      for (const correlationKey of keys.slice(0, 12)) {
        const { instances } = await engine.publish({ name: "paid", correlationKey, variables: { got: 1 } });
        versions.push((await engine.instance(instances[0]?.instanceId ?? "")).version);
      }
      expect(new Set(versions).size).toBe(2);
      await engine.deploy([stable]);
      await engine.deploy([candidate]);
      await engine.deploy([caller]);
      await engine.rollout("order", plan({ percent: 0 }));
      const id = await engine.start({ requestId: "caller", process: "caller", variables: {}, actor: "me" });
      const child = await eventually(async () => (await engine.query("instances", { parentId: id })).rows[0]);
      expect(child.version).toBe("1.0.0");
    },
  );

  rule("[E70] [E77] only the version that a new instance gets can be started by a message", async ({ engine }) => {
    await engine.deploy([onMessage("order")]);
    await engine.deploy([candidate]);
    const started = async (): Promise<number> =>
      (await engine.publish({ name: "paid", variables: {} })).instances.length;
    expect(await started()).toBe(0);
    await engine.rollout("order", plan({ percent: 0 }));
    expect(await started()).toBe(1);
    await engine.rollout("order", plan({ percent: 100 }));
    expect(await started()).toBe(0);
  });

  rule("[E77] a plan that cannot be followed is refused and changes nothing", async ({ engine }) => {
    await engine.deploy([stable]);
    await expect(engine.rollout("order", plan())).rejects.toMatchObject({ code: "program-not-found" });
    await engine.deploy([candidate]);
    await expect(engine.rollout("order", plan({ percent: 101 }))).rejects.toMatchObject({ code: "rollout-invalid" });
    expect((await engine.query("versions")).rows.map((each) => each.percent)).toEqual([100, 0]);
  });
}

function guardRules(rule: Rule): void {
  rule("[E78] too many failures take the candidate back; figures and the guard outlive a restart", async (running) => {
    await running.engine.deploy([stable]);
    await running.engine.deploy([candidate]);
    const before = await begin(running.engine, { version: "2.0.0" });
    const cancel = { type: "cancel-instance", reason: "test", actor: "me" } as const;
    const guard = { endedMin: 1, failureRateMax: 1, incidentsMax: 1 };
    await running.harness.advance(1);
    await running.engine.rollout("order", plan({ percent: 100, guard }));
    await running.engine.command(before, cancel);
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    await begin(running.engine);
    await worker.finish(1, { type: "failed", code: "broken", message: "it broke", retryable: false });
    await eventually(async () => (await running.engine.query("incidents")).rows[0]);
    await running.engine.close();
    running.engine = await running.harness.open();
    const later = new ManualWorker();
    running.engine.work("work", later.handler);
    // Less of the same plan goes on counting.
    await running.engine.rollout("order", plan({ percent: 99, guard }));
    await begin(running.engine, { routingKey: "customer-1" });
    await later.finish(1, { type: "failed", code: "broken", message: "it broke", retryable: false });
    const [newest] = await eventually(async () => {
      const { rows } = await running.engine.query("versions", { process: "order" });
      return rows[0]?.rolledBack === null ? undefined : rows;
    });
    expect(newest).toMatchObject({
      version: "2.0.0",
      percent: 0,
      rolledBack: { reason: expect.stringContaining("at most 1 incidents") },
    });
    expect(new Set(await versionsOf(running.engine))).toEqual(new Set(["1.0.0"]));
    await running.engine.close({ graceMs: 0 });
    running.engine = await running.harness.open();
    expect(await versionOf(running.engine, {})).toBe("1.0.0");
    await running.engine.rollout("order", plan({ percent: 100, guard }));
    expect(await versionOf(running.engine, {})).toBe("2.0.0");
  });

  rule("[E79] plans at work are listed with what they counted, until they end", async ({ engine }) => {
    await engine.deploy([stable]);
    await engine.deploy([candidate]);
    expect((await engine.query("rollouts")).rows).toEqual([]);
    const rollout = await engine.rollout("order", plan({ percent: 100 }));
    await begin(engine);
    const rows = [{ ...rollout, figures: { ...rollout?.figures, started: 1 } }];
    expect(await engine.query("rollouts", { process: "order" })).toEqual({ rows });
    expect((await engine.query("rollouts", { process: "other" })).rows).toEqual([]);
    await engine.rollout("order", null);
    expect((await engine.query("rollouts")).rows).toEqual([]);
  });

  rule("[E79] versions show how their instances fared", async ({ engine, harness }) => {
    await engine.deploy([stable]);
    await engine.deploy([candidate]);
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, { version: "1.0.0" });
    await worker.job(1);
    await harness.advance(500);
    await worker.finish(1, completed());
    await ended(engine, id);
    const cancelled = await begin(engine, { version: "1.0.0" });
    await engine.command(cancelled, { type: "cancel-instance", reason: "test", actor: "me" });
    const { rows } = await engine.query("versions");
    expect(rows).toEqual([
      {
        ...{ process: "order", version: "2.0.0", hash: candidate.hash, latest: true, percent: 100, rolledBack: null },
        ...{ started: 0, completed: 0, failed: 0, cancelled: 0, incidents: 0, running: 0 },
        ...{ meanDurationMs: null, medianDurationMs: null, p95DurationMs: null },
      },
      {
        ...{ process: "order", version: "1.0.0", hash: stable.hash, latest: false, percent: 0, rolledBack: null },
        ...{ started: 2, completed: 1, failed: 0, cancelled: 1, incidents: 0, running: 0 },
        ...{ meanDurationMs: 500, medianDurationMs: 470, p95DurationMs: 470 },
      },
    ]);
    const page = await engine.query("versions", {}, { limit: 1 });
    expect((await engine.query("versions", {}, { limit: 1, after: page.next ?? "" })).rows).toEqual([rows[1]]);
    expect((await engine.query("versions", { process: "other" })).rows).toEqual([]);
  });
}

function figureRules(rule: Rule): void {
  rule(
    "[E38] [E79] [Q30] figures kept as it happens are those that the whole history gives, over crashes",
    async (running) => {
      await running.engine.deploy([stable]);
      await running.engine.deploy([candidate]);
      const worker = new ManualWorker();
      running.engine.work("work", worker.handler);
      const cancel = { type: "cancel-instance", reason: "test", actor: "me" } as const;
      const who = { reason: "test", actor: "me" };
      const ids: string[] = [];
      for (const version of ["1.0.0", "1.0.0", "1.0.0", "2.0.0"]) ids.push(await begin(running.engine, { version }));
      const [done = "", moved = "", cancelled = "", broken = ""] = ids;
      await running.harness.advance(750);
      await worker.finish(1, completed());
      await ended(running.engine, done);
      await worker.finish(4, { type: "failed", code: "broken", message: "it broke", retryable: false });
      await eventually(async () => (await running.engine.query("incidents")).rows[0]);
      await running.engine.fork({ requestId: "fork", instanceId: broken, ...who });
      expect(await running.engine.migrate(broken, { process: "order", version: "1.0.0", ...who })).toMatchObject({
        ok: true,
      });
      expect(await running.engine.migrate(moved, { process: "order", version: "2.0.0", ...who })).toMatchObject({
        ok: true,
      });
      await running.engine.command(cancelled, cancel);
      const check = async (): Promise<void> => {
        const figures = await figuresOf(running.engine.history());
        for (const row of (await running.engine.query("versions")).rows) {
          const { totalMs, durations: _durations, ...counts } = figures.get(row.hash) ?? noVersionFigures;
          expect(row).toMatchObject({
            ...counts,
            meanDurationMs: counts.completed === 0 ? null : totalMs / counts.completed,
          });
        }
      };
      await check();
      expect((await running.engine.query("versions")).rows).toMatchObject([
        { version: "2.0.0", started: 2, running: 2, completed: 0, cancelled: 0, incidents: 1 },
        { version: "1.0.0", started: 3, running: 1, completed: 1, cancelled: 1, incidents: 1, meanDurationMs: 750 },
      ]);
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      await check();
      await running.engine.command(moved, cancel);
      await check();
      expect((await running.engine.query("versions")).rows[0]).toMatchObject({ running: 1, cancelled: 1 });
    },
  );
}
