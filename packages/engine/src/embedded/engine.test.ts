import type { JobOutcome } from "@tutti/kernel";
import { afterEach, expect, test } from "vitest";
import { completed, ended, eventually, historyOf, ManualWorker } from "../conformance/harness.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { testHost } from "../testing/host.ts";
import { cel } from "../testing/message-programs.ts";
import { branches, end, program, sequence, start, wait } from "../testing/programs.ts";
import { temporaryFolder } from "../testing/stores.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "./engine.ts";
import { openMemoryStore } from "./memory/store.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Store, Turn } from "./store.ts";
import type { CrashPoint } from "./turn/pump.ts";

const clock = new FakeClock({ realDefer: true });
const open: Engine[] = [];
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close({ graceMs: 0 });
});

async function engineOn(store: Store, options: Partial<EmbeddedEngineOptions> = {}): Promise<Engine> {
  const engine = await createEmbeddedEngine({ store, host: testHost, clock, ...options });
  open.push(engine);
  return engine;
}

/** Counts turns, to see what was written together. */
function counting(store: Store): Store & { readonly turns: Turn[] } {
  const turns: Turn[] = [];
  const commit = async (turn: Turn): Promise<void> => {
    turns.push({ rows: [...turn.rows], changes: [...turn.changes] });
    await store.commit(turn);
  };
  return { ...store, commit, turns };
}

function request(n: number, process = "one") {
  return { requestId: `r${n}`, process, variables: {}, actor: "me" };
}

const done = async (): Promise<JobOutcome> => completed();

test("[E50] commands that wait together are written in one transaction, in their order", async () => {
  const store = counting(await openMemoryStore());
  const engine = await engineOn(store);
  await engine.deploy([sequence("one", 1)]);
  store.turns.length = 0;
  await Promise.all(Array.from({ length: 50 }, (_, n) => engine.start(request(n))));
  expect(store.turns.map((turn) => turn.rows.length)).toEqual([50]);
  expect(store.turns[0]?.rows.map((row) => row.position)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
});

test.each(["append", "sync", "short-append"] as const)(
  "[E51] when the disk refuses (%s) nobody is told otherwise, no command is taken, and it goes on by itself",
  async (fault) => {
    const disk = new FaultyDisk();
    const engine = await engineOn(await openMemoryStore({ disk }));
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    await engine.deploy([sequence("two", 2)]);
    const id = await engine.start(request(1, "two"));
    await worker.job(1);
    disk.faults.push(fault, "sync", "sync", "sync");
    await expect(engine.start(request(2, "two"))).rejects.toMatchObject({ code: "storage-failed" });
    await expect(engine.start(request(3, "two"))).rejects.toMatchObject({ code: "storage-failed" });
    // An outcome that comes meanwhile is kept until it can be written.
    await worker.finish(1);
    expect(worker.jobs).toHaveLength(1);
    disk.faults.length = 0;
    await clock.advance(1_000);
    // A refused turn may turn out to have been kept: asking again with the same request id settles it.
    const second = await engine.start(request(2, "two"));
    for (let n = 2; n <= 4; n++) await worker.finish(n);
    for (const each of [id, second]) expect(await ended(engine, each)).toMatchObject({ status: "completed" });
    expect(new Set(worker.jobs.map((job) => job.id)).size).toBe(4);
    expect((await engine.query("instances")).rows).toHaveLength(2);
  },
);

test("[E52] [E38] an instance in which an invariant breaks is put aside, and can be forked; the others go on", async () => {
  const errors: string[] = [];
  let poisoned = false;
  const host: EmbeddedEngineOptions["host"] = {
    evaluate: (expression, scope) => {
      if (poisoned && expression.text === "poison") throw new Error("planted");
      return testHost.evaluate(expression, scope);
    },
    nextDue: (...args) => testHost.nextDue(...args),
  };
  const log = { info: () => undefined, warn: () => undefined, error: (message: string) => void errors.push(message) };
  const store = await openMemoryStore();
  const engine = await engineOn(store, { host, log });
  const poisonous = program({
    id: "bad",
    variables: [{ name: "poison", type: "boolean", initial: true }],
    elements: [
      start(),
      { kind: "user-task", id: "ask", parent: null },
      { kind: "exclusive-gateway", id: "way", parent: null, defaultFlow: "f4" },
      end(),
      end("other"),
    ],
    flows: ["start>ask", "ask>way", "way>other?poison", "way>end"],
  });
  await engine.deploy([sequence("one", 1), poisonous]);
  const bad = await engine.start(request(1, "bad"));
  const good = await engine.start(request(2));
  const key = (await engine.query("tasks")).rows[0]?.key ?? 0;
  poisoned = true;
  const command = { type: "complete-task", key, result: {}, actor: "me" } as const;
  await expect(engine.command(bad, command)).rejects.toMatchObject({ code: "instance-quarantined" });
  await expect(engine.instance(bad)).rejects.toMatchObject({ code: "instance-quarantined" });
  expect(errors).toEqual(["an instance was put in quarantine"]);
  expect((await engine.query("incidents", { instanceId: bad })).rows).toMatchObject([{ kind: "quarantine" }]);
  engine.work("work", done);
  expect(await ended(engine, good)).toMatchObject({ status: "completed" });
  // Its id stays given: a second instance under it could not be told from the first.
  const again = { ...request(3), instanceId: bad };
  await expect(engine.start(again)).rejects.toMatchObject({ code: "instance-quarantined" });
  await expect(engine.start({ ...request(1, "bad"), instanceId: bad })).resolves.toBe(bad);
  expect(await engine.start(request(4))).not.toBe(bad);
  expect((await engine.query("instances")).rows).toHaveLength(3);
  // What it did before can go on as another one, under a release in which nothing breaks; rolled back it cannot be.
  const asked = { instanceId: bad, reason: "a bug of ours", actor: "me" };
  await expect(engine.fork({ ...asked, requestId: "back", cancelOriginal: true })).rejects.toMatchObject({
    code: "instance-quarantined",
  });
  const fork = await engine.fork({ ...asked, requestId: "fork" });
  poisoned = false;
  const [open] = (await engine.query("tasks", { instanceId: fork })).rows;
  expect(await engine.command(fork, { ...command, key: open?.key ?? 0 })).toMatchObject({ ok: true });
  expect(await ended(engine, fork)).toMatchObject({ status: "completed" });
  await expect(engine.instance(bad)).rejects.toMatchObject({ code: "instance-quarantined" });
});

test.each(["memory", "sqlite"] as const)(
  "[E52] what is in quarantine is tried again by the next process, keeps its id, and is listed as long as it breaks (%s)",
  async (kind) => {
    const { folder, remove } = temporaryFolder();
    const disk = new FaultyDisk();
    const store = async () =>
      kind === "memory" ? openMemoryStore({ disk }) : openSqliteStore(`${folder}/tutti.sqlite`);
    let poisoned = true;
    const host: typeof testHost = {
      ...testHost,
      evaluate: (...args) => {
        if (poisoned) throw new Error("a bug of ours");
        return testHost.evaluate(...args);
      },
    };
    const ask = {
      kind: "user-task",
      id: "ask",
      parent: null,
      outputs: [{ target: "x", source: cel("true") }],
    } as const;
    const shape = program({ id: "bad", elements: [start(), ask, end()], flows: ["start>ask", "ask>end"] });
    const seen: number[][] = [];
    for (const breaks of [true, true, false]) {
      const engine = await createEmbeddedEngine({ store: await store(), host, clock });
      await engine.deploy([shape, sequence("one", 1)]);
      const bad = await engine.start({ ...request(1, "bad"), instanceId: "one-2" });
      await clock.settle();
      const listed = async () => (await engine.query("incidents")).rows.length;
      const [row] = (await engine.query("instances", { process: "bad" })).rows;
      seen.push([await listed(), row?.incidents ?? -1]);
      poisoned = breaks;
      const key = (await engine.query("tasks")).rows[0]?.key ?? 0;
      const answer = engine.command(bad, { type: "complete-task", key, result: {}, actor: "me" });
      if (breaks) await expect(answer).rejects.toMatchObject({ code: "instance-quarantined" });
      else expect(await answer).toMatchObject({ ok: true });
      // The number that would have given the very id of the one in quarantine is passed over.
      if (breaks) expect(await engine.start(request(seen.length + 1))).not.toBe(bad);
      seen.push([await listed(), (await engine.query("instances", { process: "bad" })).rows[0]?.incidents ?? -1]);
      await engine.close({ graceMs: 0 });
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
    remove();
  },
);

test("[E53] what is in memory stays within its bound, and an instance let go of is read back the same", async () => {
  const store = counting(await openMemoryStore());
  const engine = await engineOn(store, { limits: { recordsInMemoryMax: 20 } });
  const worker = new ManualWorker();
  engine.work("work", worker.handler);
  await engine.adjustQueue("standard", 1_000);
  await engine.deploy([sequence("two", 2)]);
  const ids: string[] = [];
  for (let n = 0; n < 100; n++) ids.push(await engine.start(request(n, "two")));
  const before = await engine.instance(ids[0] ?? "");
  expect(before).toMatchObject({ status: "running", sequence: expect.any(Number) });
  for (let n = 1; n <= 200; n++) await worker.finish(n);
  for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
});

test("[E54] an instance that has grown is read back from a snapshot and the rows after it, equal to a full replay", async () => {
  const disk = new FaultyDisk();
  const store = counting(await openMemoryStore({ disk }));
  const engine = await engineOn(store, { limits: { snapshotEventsMin: 50, commandsPerTurnMax: 10 } });
  engine.work("work", done);
  await engine.adjustQueue("standard", 50);
  await engine.deploy([branches("many")]);
  const id = await engine.start({
    ...request(1, "many"),
    variables: { items: Array.from({ length: 100 }, (_, n) => n) },
  });
  await eventually(() => store.turns.flatMap((turn) => turn.changes).find((change) => change.type === "snapshot-put"));
  const view = await ended(engine, id);
  await engine.close();
  const again = await engineOn(await openMemoryStore({ disk }));
  expect(await again.instance(id)).toEqual(view);
});

test("[E55] of many timers only the nearest are in memory, and all fire in time", async () => {
  const inner = await openMemoryStore();
  let largest = 0;
  const store: Store = {
    ...inner,
    timers: async (after, limit) => {
      const found = await inner.timers(after, limit);
      largest = Math.max(largest, found.length);
      return found;
    },
  };
  const engine = await engineOn(store, { limits: { nearTimersMax: 10 } });
  const shape = (seconds: number) =>
    program({
      id: `wait${seconds}`,
      elements: [start(), wait("pause", `PT${seconds}S`), end()],
      flows: ["start>pause", "pause>end"],
    });
  const seconds = Array.from({ length: 60 }, (_, n) => ((n * 37) % 60) + 1);
  await engine.deploy(seconds.map(shape));
  const ids = await Promise.all(seconds.map((each, n) => engine.start(request(n, `wait${each}`))));
  for (let passed = 0; passed < 60; passed++) await clock.advance(1_000);
  for (const [index, id] of ids.entries()) {
    const view = await ended(engine, id);
    expect((view.endedAt ?? 0) - view.startedAt).toBe((seconds[index] ?? 0) * 1_000);
  }
  expect(largest).toBeLessThanOrEqual(10);
});

const points: readonly CrashPoint[] = [
  "turn-loaded",
  "before-commit",
  "after-commit",
  "after-answers",
  "after-effects",
];

test.each(points)(
  "[E56] a crash at '%s', in any turn, loses nothing and repeats nothing that completed",
  async (point) => {
    for (let nth = 1; nth <= 14; nth++) {
      const disk = new FaultyDisk();
      const completedJobs: string[] = [];
      let left = nth;
      const crashPoint = (at: CrashPoint): void => {
        if (at === point && --left <= 0) throw new Error("crash");
      };
      const child = sequence("child", 2);
      const parent = program({
        id: "parent",
        elements: [
          start(),
          { kind: "call-activity", id: "calls", parent: null, process: "child", binding: "deployment" },
          end(),
        ],
        flows: ["start>calls", "calls>end"],
      });
      const first = await createEmbeddedEngine({
        store: await openMemoryStore({ disk }),
        host: testHost,
        clock,
        crashPoint,
      });
      first.work("work", done);
      let acknowledged = false;
      const begun = async (): Promise<void> => {
        await first.deploy([child, parent]);
        await first.start(request(1, "parent"));
        acknowledged = true;
      };
      // After the crash nobody answers, or everything is refused.
      begun().catch(() => undefined);
      await clock.advance(100);
      disk.crash(Math.floor(disk.unsyncedBytes / 2));
      const before = await rowsOf(disk);
      for (const event of before)
        if (event.event.type === "job-completed") completedJobs.push(`${event.instanceId}/${event.event.key}`);
      const second = await engineOn(await openMemoryStore({ disk }));
      await second.deploy([child, parent]);
      const ran: string[] = [];
      second.work("work", async (job) => {
        ran.push(job.id);
        return completed();
      });
      if (acknowledged) expect((await second.query("instances", { process: "parent" })).rows).toHaveLength(1);
      const id = await second.start(request(1, "parent"));
      expect(await ended(second, id)).toMatchObject({ status: "completed" });
      for (const job of ran) expect(completedJobs).not.toContain(job);
      expect((await second.query("instances")).rows).toHaveLength(2);
      expect((await historyOf(second, {})).filter(({ event }) => event.type === "job-completed")).toHaveLength(2);
    }
  },
);

async function rowsOf(disk: FaultyDisk) {
  const store = await openMemoryStore({ disk });
  const rows = await store.rows({ after: 0, limit: 1_000 });
  return rows.flatMap((row) => row.events.map((event) => ({ instanceId: row.instanceId, event })));
}

test("[E57] a planted bug of the disk, a sync that does not, is noticed", async () => {
  const disk = new FaultyDisk();
  const engine = await createEmbeddedEngine({ store: await openMemoryStore({ disk }), host: testHost, clock });
  await engine.deploy([sequence("one", 1)]);
  disk.lyingSync = true;
  await engine.start(request(1));
  disk.crash(0);
  const again = await engineOn(await openMemoryStore({ disk }));
  expect((await again.query("instances")).rows).toHaveLength(0);
});

test("[E58] what a deployment holds that is no program is refused, and nothing of it is deployed", async () => {
  const engine = await engineOn(await openMemoryStore());
  const broken = { ...sequence("broken", 1), flows: [{ id: "f", from: "start", to: "nowhere" }] };
  await expect(engine.deploy([sequence("one", 1), broken])).rejects.toMatchObject({ code: "program-invalid" });
  await expect(engine.start(request(1))).rejects.toMatchObject({ code: "program-not-found" });
});
