import type { Element, Host, ProgramDocument } from "@tutti/kernel";
import { afterEach, expect, test } from "vitest";
import { ended, eventually, historyOf } from "../conformance/harness.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { testHost } from "../testing/host.ts";
import { cel, collector, onMessage, receiver } from "../testing/message-programs.ts";
import { end, sequence } from "../testing/programs.ts";
import { temporaryFolder } from "../testing/stores.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "./engine.ts";
import { openMemoryStore } from "./memory/store.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Change, Store, Turn } from "./store.ts";

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

/** Waits for `paid` without end: a timer stops it. */
function looping(id: string): ProgramDocument {
  const { elements, flows, ...shape } = receiver(id);
  return {
    ...shape,
    elements: elements.filter(({ kind }) => kind !== "end-event"),
    flows: [...flows.slice(0, 1), { id: "again", from: "wait", to: "wait" }],
    hash: `${id}-looping`,
  };
}

test("[E65] who waits again and again gets all that is kept in one turn, in order, and holds up nobody", async () => {
  const store = await openMemoryStore();
  const turns: Turn[] = [];
  const commit = async (turn: Turn): Promise<void> => {
    turns.push({ rows: [...turn.rows], changes: [] });
    await store.commit(turn);
  };
  const engine = await engineOn({ ...store, commit }, { limits: { commandsPerTurnMax: 5_000 } });
  await engine.deploy([looping("collect"), receiver("ship")]);
  await Promise.all(Array.from({ length: 2_500 }, (_, got) => engine.publish(paid(got, 60_000))));
  turns.length = 0;
  const [collect, ship] = await Promise.all([begin(engine, "collect"), begin(engine, "ship")]);
  // One turn looks for at most 1 000 messages, of which the other one got its own.
  const got = async (): Promise<unknown> => (await engine.instance(collect)).variables["got"];
  expect(await ended(engine, ship)).toMatchObject({ variables: { got: 0 } });
  await eventually(async () => ((await got()) === 2_499 ? true : undefined));
  expect(turns.filter(({ rows }) => rows.length > 0)).toHaveLength(3);
  expect(turns[0]?.rows.some(({ events }) => events.some(({ type }) => type === "instance-completed"))).toBe(true);
  const seen = (await historyOf(engine, { instanceId: collect })).flatMap(({ event }) =>
    event.type === "subscription-triggered" ? [event.payload["got"]] : [],
  );
  expect(seen).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
});

test("[E65] who stays open and has more than a turn's worth waiting lets the others go first", async () => {
  const engine = await engineOn(await openMemoryStore(), { limits: { commandsPerTurnMax: 5_000 } });
  const nag: Element = {
    ...{ kind: "boundary-event", id: "nag", parent: null, attachedTo: "step1", interrupting: false },
    trigger: { type: "message", message: { name: { literal: "nag" } } },
  };
  const { elements, flows, ...shape } = sequence("patient", 1);
  const more = {
    elements: [...elements, nag, end("nagged")],
    flows: [...flows, { id: "n", from: "nag", to: "nagged" }],
  };
  const patient = { ...shape, ...more, hash: "patient" };
  await engine.deploy([patient, receiver("ship")]);
  const nags = Array.from({ length: 2_500 }, () => engine.publish({ name: "nag", ttlMs: 60_000, variables: {} }));
  await Promise.all([...nags, engine.publish(paid(7, 60_000))]);
  const [id, ship] = await Promise.all([begin(engine, "patient"), begin(engine, "ship")]);
  expect(await ended(engine, ship)).toMatchObject({ variables: { got: 7 } });
  const nagged = async () =>
    (await historyOf(engine, { instanceId: id })).filter(({ event }) => event.type === "subscription-triggered");
  await eventually(async () => ((await nagged()).length === 2_500 ? true : undefined));
  const [shipped] = (await historyOf(engine, { instanceId: ship })).filter(
    ({ event }) => event.type === "instance-completed",
  );
  const before = (await nagged()).filter(({ cursor }) => cursor.position < (shipped?.cursor.position ?? 0));
  expect(before).toHaveLength(1_000);
});

test("[E80] more channels than one turn takes start a process in later turns, and nothing that comes overtakes", async () => {
  const engine = await engineOn(await openMemoryStore(), { limits: { commandsPerTurnMax: 5_000 } });
  const told = (n: number, got: number) => ({
    name: "paid",
    correlationKey: `k${n}`,
    ttlMs: 60_000,
    variables: { got },
  });
  await Promise.all(Array.from({ length: 2_200 }, (_, n) => engine.publish(told(n, 1))));
  await engine.deploy([onMessage("order")]);
  const late = await Promise.all(Array.from({ length: 2_200 }, (_, n) => engine.publish(told(n, 2))));
  expect(late.flatMap((each) => each.instances)).toEqual([]);
  let rows = 0;
  for (let after: string | undefined; ; ) {
    const page = await engine.query("instances", {}, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    rows += page.rows.length;
    after = page.next;
    if (after === undefined) break;
  }
  expect(rows).toBe(2_200);
  const [any] = (await engine.query("instances", {}, { limit: 1 })).rows;
  expect((await engine.instance(any?.instanceId ?? "")).variables).toMatchObject({ got: 1 });
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
  turns.length = 0;
  const [started] = (await engine.publish({ name: "paid", variables: {} })).instances;
  await ended(engine, started?.instanceId ?? "");
  const types = turns.flatMap((turn) => turn.changes.map((change) => change.type));
  expect([...new Set(types)]).toEqual(["instance-put", "job-put", "figures-put", "job-delete", "instance-update"]);
  expect((await historyOf(engine, {})).length).toBeGreaterThan(3);
});

test("[E81] of refused starts the newest stay, on both stores", async () => {
  const { folder, remove } = temporaryFolder();
  const row = { process: "p", version: "1", cause: "signal", correlationKey: null, messageId: null } as const;
  const refused = (name: string): Change[] => [
    { type: "refusal-put", refusal: { ...row, name, code: "no", reason: "so", at: 1, message: null } },
    { type: "refusals-forget", keep: 3 },
  ];
  for (const store of [await openMemoryStore(), openSqliteStore(`${folder}/tutti.sqlite`)]) {
    for (const name of ["a", "b", "c", "d", "e"]) await store.commit({ rows: [], changes: refused(name) });
    const { rows } = await store.listRefusals({}, { limit: 10 });
    expect(rows.map(({ name }) => name)).toEqual(["e", "d", "c"]);
    await store.close();
  }
  remove();
});
