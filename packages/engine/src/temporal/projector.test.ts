import { type Event, effectsOf, loadProgram, must, newState, step } from "@tutti/kernel";
import { expect, test } from "vitest";
import { RecentRows } from "../embedded/log/recent.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { soleLog } from "../embedded/shared-log.ts";
import type { Change, InstanceRecord, Store } from "../embedded/store.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { testHost } from "../testing/host.ts";
import { sequence } from "../testing/programs.ts";
import type { ProjectedRow } from "./contract.ts";
import { Projector } from "./projector.ts";
import { recordChanges } from "./workflow/changes.ts";

const document = sequence("two", 2);
const program = loadProgram(document, testHost);

/** What an execution of a process of two jobs says: of its start, and of the end of its first job. */
function told(instanceId: string, requestId: string | null): [ProjectedRow, ProjectedRow] {
  const state = newState();
  const record: InstanceRecord = {
    ...{ number: 0, instanceId, rootId: instanceId, parentId: null, process: "two", version: "1.0.0" },
    ...{ hash: document.hash, deployment: "d", businessKey: null, requestId, startedBy: null, copied: 0 },
    ...{ status: "running", held: false, incidents: 0, startedAt: 1, endedAt: null },
  };
  const row = (command: Parameters<typeof step>[1]): ProjectedRow => {
    const first = state.head.sequence + 1;
    const changes: Change[] = first === 1 ? [{ type: "instance-put", record: { ...record } }] : [];
    const decision = step({ program, state }, command, (event) => {
      recordChanges({ record, state, program }, { event, effects: effectsOf(state, event) }, changes);
    });
    if (!("events" in decision)) throw new Error(decision.rejection.reason);
    return { sequence: first, at: command.at, cause: first, events: decision.events, changes };
  };
  const base = { instanceId, rootId: instanceId, variables: {}, actor: "me", at: 1 };
  const begun = row({ type: "create-instance", ...base });
  const key = [...state.jobs.values()][0]?.key ?? 0;
  return [begun, row({ type: "complete-job", key, result: {}, actor: "me", at: 2 })];
}

function projectorOn(store: Store): Projector {
  return new Projector(soleLog(store), new RecentRows(100));
}

async function eventsIn(store: Store): Promise<readonly [string, number, Event["type"]][]> {
  const rows = await store.rows({ after: 0, limit: 100 });
  return rows.flatMap((row) =>
    row.events.map(
      (event, index) => [row.instanceId, row.sequence + index, event.type] as [string, number, Event["type"]],
    ),
  );
}

test("[TE1] what is said twice is in the log once, and has the same place", async () => {
  const store = await openMemoryStore();
  const [begun, done] = told("i", "r");
  const projector = projectorOn(store);
  const both = [begun, done];
  const first = await projector.project({ instanceId: "i", rows: both });
  expect(first).toEqual({ ok: true, positions: [1, 2] });
  const before = await eventsIn(store);
  expect(await projector.project({ instanceId: "i", rows: both })).toEqual(first);
  // Another worker knows only what the log says.
  const other = projectorOn(store);
  expect(await other.project({ instanceId: "i", rows: [done] })).toEqual({ ok: true, positions: [2] });
  expect(await eventsIn(store)).toEqual(before);
  const { rows } = await store.listJobs({}, { limit: 10 });
  expect(rows).toMatchObject([{ instanceId: "i", element: "step2" }]);
  expect((await store.versionFigures("two"))[0]?.figures).toMatchObject({ started: 1, running: 1 });
});

test("[TE66] what comes one after the other in one round of the event loop is one turn of the log", async () => {
  const log = soleLog(await openMemoryStore());
  const turns: number[] = [];
  const append: typeof log.append = (wanted, decide) =>
    log.append(wanted, (standing) => {
      const turn = decide(standing);
      turns.push(turn.rows.length);
      return turn;
    });
  const projector = new Projector({ ...log, append }, new RecentRows(100));
  const said: Promise<unknown>[] = [];
  for (const id of ["a", "b", "c"]) {
    said.push(projector.project({ instanceId: id, rows: told(id, null) }));
    // Whatever waits for a promise goes on in between.
    await new Promise(process.nextTick);
  }
  await Promise.all(said);
  expect(turns).toEqual([6]);
});

test("[TE1] what many say at once is written in one order, each row once", async () => {
  const store = await openMemoryStore();
  const projector = projectorOn(store);
  const ids = Array.from({ length: 20 }, (_, n) => `i${n}`);
  const rows = ids.map((id) => told(id, `request of ${id}`));
  await Promise.all(ids.map((instanceId, n) => projector.project({ instanceId, rows: rows[n] ?? [] })));
  const positions = (await store.rows({ after: 0, limit: 100 })).map(({ position }) => position);
  expect(positions).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  expect((await store.listInstances({}, { limit: 100 })).rows).toHaveLength(20);
});

test("[TE2] a request id and an instance id are given once, whoever is first", async () => {
  const store = await openMemoryStore();
  const projector = projectorOn(store);
  const answers = await Promise.all(
    [
      ["i", "r"],
      ["j", "r"],
      ["i", "other"],
    ].map(([instanceId = "", requestId = ""]) =>
      projector.project({ instanceId, rows: told(instanceId, requestId).slice(0, 1) }),
    ),
  );
  expect(answers).toEqual([
    { ok: true, positions: [1] },
    { ok: false, instanceId: "i" },
    { ok: false, instanceId: "i" },
  ]);
  const later = projectorOn(store);
  expect(await later.project({ instanceId: "k", rows: told("k", "r").slice(0, 1) })).toEqual({
    ok: false,
    instanceId: "i",
  });
  expect((await store.listInstances({}, { limit: 100 })).rows.map((row) => row.instanceId)).toEqual(["i"]);
});

test("[TE3] a write that fails leaves nothing, and what is said again is written", async () => {
  const disk = new FaultyDisk();
  const store = await openMemoryStore({ disk });
  const projector = projectorOn(store);
  const [begun, done] = told("i", "r");
  disk.faults.push("short-append");
  await expect(projector.project({ instanceId: "i", rows: [begun] })).rejects.toThrow();
  expect(await projector.project({ instanceId: "i", rows: [begun, done] })).toEqual({ ok: true, positions: [1, 2] });
  expect((await eventsIn(store)).filter(([, , type]) => type === "instance-created")).toHaveLength(1);
});

test("[TE17] where the log has something else, nothing is written, and what it has counts", async () => {
  const store = await openMemoryStore();
  const projector = projectorOn(store);
  const [begun, done] = told("i", "r");
  await projector.project({ instanceId: "i", rows: [begun, done] });
  const before = await eventsIn(store);
  const next: ProjectedRow = { ...done, sequence: done.sequence + done.events.length, cause: 99, changes: [] };
  const others: readonly ProjectedRow[][] = [
    [begun, { ...done, at: done.at + 1 }],
    [begun, { ...done, cause: 99 }, next],
    // Its events would stand in the middle of those of another row.
    [begun, { ...done, sequence: done.sequence + 1 }],
  ];
  for (const rows of others) {
    expect(await projector.project({ instanceId: "i", rows })).toEqual({ ok: false, differs: true });
  }
  expect(await eventsIn(store)).toEqual(before);
  // What is the same up to where the log ends goes on from there.
  expect(await projector.project({ instanceId: "i", rows: [done, next] })).toEqual({ ok: true, positions: [2, 3] });
});

test("[TE65] an execution that knows less than the log does not give its instance up", async () => {
  const store = await openMemoryStore();
  const projector = projectorOn(store);
  const [begun, done] = told("i", "r");
  await projector.project({ instanceId: "i", rows: [begun, done] });
  const { record } = must(
    (await store.find({ instanceIds: ["i"], numbers: [], requestIds: [] })).instances[0],
    "it is",
  );
  const left: Change = { type: "instance-update", record: { ...record, status: "moved", endedAt: 3 } };
  const leave = (after: ProjectedRow) => {
    const sequence = after.sequence + after.events.length - 1;
    return projector.project({ instanceId: "i", rows: [], beside: { sequence, changes: [left] } });
  };
  expect(await leave(begun)).toEqual({ ok: false, differs: true });
  expect((await store.listInstances({}, { limit: 10 })).rows).toMatchObject([{ status: "running" }]);
  expect(await leave(done)).toEqual({ ok: true, positions: [] });
  expect((await store.listInstances({}, { limit: 10 })).rows).toEqual([]);
});
