import type { Host } from "@tutti/kernel";
import { afterEach, expect, test } from "vitest";
import { ended, eventually, historyOf } from "../conformance/harness.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { cel, collector, onMessage, receiver } from "../testing/message-programs.ts";
import { testHost } from "../testing/programs.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "./engine.ts";
import { openMemoryStore } from "./memory/store.ts";
import type { Store, Turn } from "./store.ts";

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

let requests = 0;

function begin(engine: Engine, process: string): Promise<string> {
  requests++;
  return engine.start({ requestId: `m${requests}`, process, variables: { key: "k" }, actor: "me" });
}

function paid(got: number, ttlMs = 0) {
  return { name: "paid", correlationKey: "k", ttlMs, variables: { got } };
}

test("[E65] more than one turn can match is matched in order, and nothing that comes later overtakes", async () => {
  const disk = new FaultyDisk();
  const engine = await engineOn(await openMemoryStore({ disk }), { limits: { commandsPerTurnMax: 3_000 } });
  await engine.deploy([receiver("ship")]);
  await Promise.all(Array.from({ length: 1_200 }, (_, got) => engine.publish(paid(got, 60_000))));
  const starting = Promise.all(Array.from({ length: 1_201 }, () => begin(engine, "ship")));
  const late = engine.publish(paid(1_200));
  const ids = await starting;
  expect((await late).instances).toHaveLength(1);
  const got = await Promise.all(ids.map(async (id) => (await ended(engine, id)).variables["got"]));
  expect(got).toEqual(Array.from({ length: 1_201 }, (_, n) => n));
});

test("[E65] what is left for a later turn is not lost with the process", async () => {
  const disk = new FaultyDisk();
  let dead = false;
  const first = await engineOn(await openMemoryStore({ disk }), {
    limits: { commandsPerTurnMax: 3_000 },
    crashPoint: (point) => {
      if (dead && point === "after-commit") throw new Error("the process died");
    },
  });
  await first.deploy([receiver("ship")]);
  await Promise.all(Array.from({ length: 1_100 }, (_, got) => first.publish(paid(got, 60_000))));
  dead = true;
  for (let n = 0; n < 1_100; n++) begin(first, "ship").catch(() => undefined);
  await eventually(() => (disk.unsyncedBytes === 0 ? true : undefined));
  await clock.settle();
  const engine = await engineOn(await openMemoryStore({ disk }));
  const { rows } = await engine.query("instances", {}, { limit: 1_000 });
  expect(rows).toHaveLength(1_000);
  await eventually(async () => ((await engine.query("subscriptions")).rows.length === 0 ? true : undefined));
  expect((await engine.query("instances", { status: "open" })).rows).toEqual([]);
});

test("[E66] messages are let go of once their time is over, and their number is bound", async () => {
  const store = await openMemoryStore();
  const engine = await engineOn(store, { limits: { messagesKeptMax: 2 } });
  await engine.publish(paid(1, 10_000));
  await engine.publish({ ...paid(2), id: "a" });
  await expect(engine.publish(paid(3, 1))).rejects.toMatchObject({ code: "engine-busy" });
  // What is kept by nobody needs no room.
  expect(await engine.publish(paid(4))).toMatchObject({ keptUntil: null });
  await clock.advance(11_000);
  expect(await store.messageCounts()).toMatchObject({ kept: 1 });
  expect(await engine.publish(paid(5, 10_000))).toMatchObject({ duplicate: false });
  await clock.advance(3_700_000);
  expect(await store.messageCounts()).toEqual({ kept: 0, until: 0, nextForgotten: null });
});

test("[E67] an instance that breaks over a message is put in quarantine, and the next one of its process gets it", async () => {
  let poisoned = false;
  const host: Host = {
    ...testHost,
    evaluate: (expression, scope) => {
      if (!poisoned) return testHost.evaluate(expression, scope);
      poisoned = false;
      throw new Error("a bug of ours");
    },
  };
  const engine = await engineOn(await openMemoryStore(), { host });
  const shape = receiver("ship");
  const elements = shape.elements.map((element) =>
    element.kind === "intermediate-catch-event"
      ? { ...element, outputs: [{ target: "got", source: cel("got") }] }
      : element,
  );
  await engine.deploy([{ ...shape, elements, hash: "with-an-expression" }]);
  const [bad, good, third] = [await begin(engine, "ship"), await begin(engine, "ship"), await begin(engine, "ship")];
  poisoned = true;
  expect((await engine.publish(paid(1))).instances).toMatchObject([{ instanceId: good }]);
  await expect(engine.instance(bad)).rejects.toMatchObject({ code: "instance-quarantined" });
  expect(await ended(engine, good)).toMatchObject({ variables: { got: 1 } });
  // Its subscription is still there, and is passed over.
  expect((await engine.query("subscriptions", { instanceId: bad })).rows).toHaveLength(1);
  expect((await engine.publish(paid(2))).instances).toMatchObject([{ instanceId: third }]);
  expect((await engine.publish(paid(3))).instances).toEqual([]);
});

test("[E68] a step that has nothing to do with messages writes nothing about them", async () => {
  const store = await openMemoryStore();
  const turns: Turn[] = [];
  const commit = async (turn: Turn): Promise<void> => {
    turns.push({ rows: [...turn.rows], changes: [...turn.changes] });
    await store.commit(turn);
  };
  const engine = await engineOn({ ...store, commit });
  engine.work("work", async () => ({ type: "completed", result: {} }));
  await engine.deploy([onMessage("order"), collector("collect", 2)]);
  const [started] = (await engine.publish({ name: "paid", variables: {} })).instances;
  await ended(engine, started?.instanceId ?? "");
  const types = turns.flatMap((turn) => turn.changes.map((change) => change.type));
  expect([...new Set(types)]).toEqual(["deployment-put", "instance-put", "job-put", "job-delete", "instance-update"]);
  expect((await historyOf(engine, {})).length).toBeGreaterThan(3);
});
