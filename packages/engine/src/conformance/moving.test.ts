import { join } from "node:path";
import type { Element, Event, ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import type { Appended, SharedLog } from "../embedded/shared-log.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import { type MovingEngine, moveInstance } from "../move-instance.ts";
import type { Engine } from "../port.ts";
import { dyingWith } from "../testing/dying-log.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { everythingOpen } from "../testing/everything-open.ts";
import { testHost } from "../testing/host.ts";
import { call, end, program, sequence, service, start } from "../testing/programs.ts";
import { temporaryFolder } from "../testing/stores.ts";
import type { TemporalHome } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { begin, completed, ended, eventually, historyOf, incidentOf, ManualWorker } from "./harness.ts";
import { pause } from "./moving.suite.ts";

const by = { reason: "One machine is not enough.", actor: "ann" };

/** Ends an instance that came here paused. Gives what was undone, in its order. */
async function undoneOn(engine: Engine, instanceId: string): Promise<readonly string[]> {
  const undone: string[] = [];
  engine.work("undo", async ({ elementId }) => {
    undone.push(elementId);
    return completed();
  });
  await engine.command(instanceId, { type: "resume-instance", actor: "ann" });
  await engine.command(instanceId, { type: "cancel-instance", undo: true, ...by });
  expect(await ended(engine, instanceId)).toMatchObject({ status: "cancelled" });
  return undone;
}

/** What waits, and for what, whichever engine has it. */
async function openIn(engine: Engine, instanceId: string) {
  const rows = await Promise.all([
    engine.query("tasks", { instanceId }),
    engine.query("incidents", { instanceId }),
    engine.query("jobs", { instanceId }),
    engine.query("subscriptions", { instanceId }),
  ]);
  const [tasks, incidents, jobs, subscriptions] = rows.map((page) => page.rows as readonly object[]);
  const placed = subscriptions?.map(({ ...row }) => ({ ...row, since: 0 }));
  const stood = jobs?.map(({ ...row }) => ({ ...row, since: 0 }));
  const { waiting, variables } = await engine.instance(instanceId);
  return { tasks, incidents, jobs: stood, subscriptions: placed, waiting, variables };
}

class Killed extends Error {}

/** Whoever moves dies after so many steps that change something. */
function mortal(engine: Engine, left: { steps: number }): MovingEngine {
  const step = async <T>(take: () => Promise<T>): Promise<T> => {
    if (left.steps-- === 0) throw new Killed();
    const taken = await take();
    if (left.steps === 0) throw new Killed();
    return taken;
  };
  return {
    instance: (id) => engine.instance(id),
    history: (request) => engine.history(request),
    command: (...asked) => step(() => engine.command(...asked)),
    release: (id) => step(() => engine.release(id)),
    adopt: (...asked) => step(() => engine.adopt(...asked)),
  };
}

function isArrival(event: Event): boolean {
  return event.type === "instance-forked";
}

/** Lets the turn that is meant be written, and nobody hear of it: once. */
function dyingAt(isMeant: (turn: Appended) => boolean) {
  const told = {
    died: false,
    watch: (log: SharedLog): SharedLog =>
      dyingWith(
        log,
        (turn) => !told.died && isMeant(turn),
        () => {
          told.died = true;
          throw new Error("the process was killed");
        },
      ),
  };
  return told;
}

describeWithTemporal("an instance that moves between engines", () => {
  let home: TemporalHome;
  let temporal: Engine;
  let embedded: Engine;
  let openEmbedded: () => Promise<Engine>;
  eachTemporalHome("short-history-workflow.ts", async (fresh) => {
    home = fresh;
    temporal = await home.open();
    const { folder, remove } = temporaryFolder();
    openEmbedded = async () =>
      createEmbeddedEngine({ store: openSqliteStore(join(folder, "tutti.sqlite")), host: testHost });
    embedded = await openEmbedded();
    return async () => {
      await embedded.close({ graceMs: 0 });
      await temporal.close({ graceMs: 0 });
      remove();
    };
  });

  /** As new processes find things after the death of those before. */
  async function restart(watch?: (log: SharedLog) => SharedLog): Promise<void> {
    await embedded.close({ graceMs: 0 });
    await temporal.close({ graceMs: 0 });
    embedded = await openEmbedded();
    temporal = await home.open(watch === undefined ? {} : { watch });
  }

  async function places(instanceId: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [name, engine] of Object.entries({ embedded, temporal })) {
      const { rows } = await engine.query("instances", { status: "open", rootId: instanceId });
      found.push(...rows.map(() => name));
    }
    return found;
  }

  for (const way of ["embedded to Temporal", "Temporal to embedded"]) {
    const ends = (): readonly [Engine, Engine] =>
      way === "embedded to Temporal" ? [embedded, temporal] : [temporal, embedded];

    test(`[E100] from ${way} it goes on with all that was open, and its timer fires when it was to`, async () => {
      const [source, target] = ends();
      const id = await begin(source, [everythingOpen("all")], { key: "k" });
      await incidentOf(source, id);
      await pause(source, id);
      const before = await openIn(source, id);
      expect(before).toMatchObject({ tasks: [{ assignee: "ann" }], incidents: [{}], jobs: [{}], subscriptions: [{}] });
      const told = await historyOf(source, { instanceId: id });

      await target.adopt(await source.release(id), by);

      expect(await openIn(target, id)).toEqual(before);
      const events = await historyOf(target, { instanceId: id });
      expect(events.slice(0, told.length).map(({ event }) => event)).toEqual(told.map(({ event }) => event));
      expect(events.slice(0, told.length).every(({ copied }) => copied === true)).toBe(true);
      expect(events[told.length]).toMatchObject({
        event: { type: "instance-forked", from: id, instanceId: id, ...by },
      });

      target.work("work", async () => completed());
      expect(await target.command(id, { type: "resume-instance", actor: "ann" })).toMatchObject({ ok: true });
      const [task] = (await target.query("tasks", { instanceId: id })).rows;
      await target.command(id, { type: "complete-task", key: task?.key ?? 0, result: {}, actor: "ann" });
      const paid = await target.publish({ name: "paid", correlationKey: "k", variables: { got: 7 } });
      expect(paid.instances).toMatchObject([{ instanceId: id }]);
      const { key } = await incidentOf(target, id);
      const values = { missing: 3 };
      await target.command(id, { type: "set-variables", scope: 0, values, reason: "test", actor: "ann" });
      await target.command(id, { type: "resolve-incident", key, action: "retry", reason: "test", actor: "ann" });
      expect(await ended(target, id)).toMatchObject({ outcome: { type: "completed", result: { got: 7 } } });
      const all = await historyOf(target, { instanceId: id });
      const due = all.find(({ event }) => event.type === "timer-armed" && event.element === "pause")?.event;
      const fired = all.find(({ event }) => event.type === "timer-fired")?.at ?? 0;
      expect(due).toMatchObject({ type: "timer-armed" });
      const late = fired - (due?.type === "timer-armed" ? due.due : 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(3_000);
    });

    test(`[E100] from ${way} what completed can still be undone, the last first`, async () => {
      const [source, target] = ends();
      const undo = (id: string): Element => service(id, { type: "undo", forCompensation: true });
      const shape = program({
        id: "undoable",
        elements: [
          start(),
          service("first", { compensation: "unfirst" }),
          service("second", { compensation: "unsecond" }),
          { kind: "user-task", id: "ask", parent: null },
          end(),
          undo("unfirst"),
          undo("unsecond"),
        ],
        flows: ["start>first", "first>second", "second>ask", "ask>end"],
      });
      source.work("work", async () => completed());
      const id = await begin(source, [shape]);
      await eventually(async () => (await source.query("tasks", { instanceId: id })).rows[0]);
      await pause(source, id);
      await target.adopt(await source.release(id), by);
      expect(await undoneOn(target, id)).toEqual(["unsecond", "unfirst"]);
    });

    test(`[E105] from ${way} what it called by \`latest\` can be undone where nobody has deployed that`, async () => {
      const [source, target] = ends();
      const leaf = program({
        id: "leaf",
        elements: [
          ...[start(), service("inside", { compensation: "undo" }), end()],
          service("undo", { type: "undo", forCompensation: true }),
        ],
        flows: ["start>inside", "inside>end"],
      });
      const calling = (id: string, called: string): ProgramDocument =>
        program({
          id,
          elements: [
            start(),
            call("calls", called, { binding: "latest" }),
            { kind: "user-task", id: "ask", parent: null },
            end(),
          ],
          flows: ["start>calls", "calls>ask", "ask>end"],
        });
      for (const each of [leaf, calling("child", "leaf")]) await source.deploy([each]);
      source.work("work", async () => completed());
      const id = await begin(source, [calling("parent", "child")]);
      const child = await eventually(async () => (await source.query("tasks")).rows[0]);
      const done = { type: "complete-task", key: child.key, result: {}, actor: "ann" } as const;
      expect(await source.command(child.instanceId, done)).toMatchObject({ ok: true });
      await eventually(async () => (await source.query("tasks", { instanceId: id })).rows[0]);
      await pause(source, id);
      await target.adopt(await source.release(id), by);
      expect(await undoneOn(target, id)).toEqual(["undo"]);
      expect((await target.query("versions")).rows).toEqual([]);
    });

    test(`[E105] from ${way} its programs come along, for itself and what it calls alone`, async () => {
      const [source, target] = ends();
      const parent = (version: string): ProgramDocument =>
        program({
          id: "parent",
          version,
          elements: [start(), { kind: "user-task", id: "ask", parent: null }, call("calls", "child"), end()],
          flows: ["start>ask", "ask>calls", "calls>end"],
        });
      const id = await begin(source, [sequence("child", 1), parent("1.0.0")]);
      await target.deploy([parent("2.0.0")]);
      await pause(source, id);
      await target.adopt(await source.release(id), by);
      const versions = (await target.query("versions")).rows;
      expect(versions).toMatchObject([{ process: "parent", version: "2.0.0", latest: true }]);
      const child = { requestId: "new", process: "child", variables: {}, actor: "ann" };
      await expect(target.start(child)).rejects.toMatchObject({ code: "program-not-found" });
      target.work("work", async () => completed());
      await target.command(id, { type: "resume-instance", actor: "ann" });
      const [task] = (await target.query("tasks", { instanceId: id })).rows;
      await target.command(id, { type: "complete-task", key: task?.key ?? 0, result: {}, actor: "ann" });
      expect(await ended(target, id)).toMatchObject({ status: "completed", version: "1.0.0" });
      expect((await target.query("instances", { rootId: id })).rows).toHaveLength(2);
    });
  }

  test("[E104] [E82] it goes there and back, told as one story, and everybody is told of it once", async () => {
    const id = await begin(embedded, [everythingOpen("all")], { key: "k" });
    await incidentOf(embedded, id);
    const note = async (engine: Engine, got: string): Promise<void> => {
      const set = { type: "set-variables", scope: 0, values: { got }, reason: "test", actor: "ann" } as const;
      expect(await engine.command(id, set)).toMatchObject({ ok: true });
    };
    for (const [source, target, place] of [
      [embedded, temporal, "first"],
      [temporal, embedded, "second"],
      [embedded, temporal, "third"],
    ] as const) {
      await pause(source, id);
      await target.adopt(await source.release(id), by);
      await target.command(id, { type: "resume-instance", actor: "ann" });
      await note(target, place);
      await expect(source.instance(id)).rejects.toMatchObject({ code: "instance-not-found" });
    }
    const events = await historyOf(temporal, { instanceId: id });
    expect(events.map(({ sequence: number }) => number)).toEqual(events.map((_, index) => index + 1));
    const own = [...(await historyOf(embedded, { instanceId: id })), ...events].filter(({ copied }) => copied !== true);
    const noted = own.flatMap(({ event }) =>
      event.type === "variables-set" && event.reason === "test" ? [event.values["got"]] : [],
    );
    expect(noted.sort()).toEqual(["first", "second", "third"]);
    expect(await temporal.instance(id)).toMatchObject({ variables: { got: "third" } });
  });

  for (const way of ["embedded to Temporal", "Temporal to embedded"]) {
    test(`[E103] from ${way} whoever dies between two steps, the same move finishes it`, async () => {
      const name = way === "embedded to Temporal" ? "temporal" : "embedded";
      const ends = (): readonly [Engine, Engine] => (name === "temporal" ? [embedded, temporal] : [temporal, embedded]);
      for (const steps of [0, 1, 2, 3, 4]) {
        const id = await begin(ends()[0], [everythingOpen(`all${steps}`, { waitsFor: "PT3600S" })], {
          key: `k${steps}`,
        });
        await incidentOf(ends()[0], id);
        const left = { steps };
        const move = (step: { steps: number }): Promise<{ readonly moved: boolean }> => {
          const [source, target] = ends();
          const [from, to] = [mortal(source, step), mortal(target, step)];
          return moveInstance({ ...by, instanceId: id, to, from: async () => [from], stopRunning: false });
        };
        await expect(move(left)).rejects.toThrow(Killed);
        await restart();
        expect((await places(id)).length).toBeLessThanOrEqual(1);
        expect(await move({ steps: 99 })).toEqual({ moved: steps < 3 });
        expect(await places(id)).toEqual([name]);
        const [, target] = ends();
        expect(await target.instance(id)).toMatchObject({ status: "running" });
        const events = await historyOf(target, { instanceId: id });
        expect(events.map(({ sequence: number }) => number)).toEqual(events.map((_, index) => index + 1));
        const types = events.map(({ event }) => event.type).filter((type) => type.startsWith("instance-"));
        const once = ["instance-created", "instance-paused", "instance-forked", "instance-resumed"];
        expect(types).toEqual(once);
      }
    }, 180_000);
  }

  test("[E103] [TE65] a log that is written although nobody lived to hear of it counts, on both ways", async () => {
    const id = await begin(embedded, [everythingOpen("all", { waitsFor: "PT3600S" })], { key: "k" });
    await incidentOf(embedded, id);
    await pause(embedded, id);
    const moved = await embedded.release(id);
    const arrival = dyingAt(({ rows }) => rows.some(({ events }) => events.some(isArrival)));
    await restart(arrival.watch);
    await expect(temporal.adopt(moved, by)).rejects.toThrow();
    expect(arrival.died).toBe(true);
    const leave = dyingAt(({ changes }) => changes.some((each) => "record" in each && each.record.status === "moved"));
    await restart(leave.watch);
    await temporal.adopt(moved, by);
    const back = await temporal.release(id);
    expect(leave.died).toBe(true);
    expect(back.rows.slice(0, moved.rows.length)).toEqual(moved.rows);
    expect((await temporal.query("instances")).rows).toEqual([]);
    await embedded.adopt(back, by);
    expect(await places(id)).toEqual(["embedded"]);
    const arrivals = (await historyOf(embedded, { instanceId: id })).filter(({ event }) => isArrival(event));
    expect(arrivals).toHaveLength(2);
  }, 60_000);

  for (const then of ["goes on", "goes back"]) {
    test(`[E103] [TE65] one that is in the log, though whoever wrote it died before it began there, ${then}`, async () => {
      const id = await begin(embedded, [everythingOpen("all", { waitsFor: "PT3600S" })], { key: "k" });
      await incidentOf(embedded, id);
      if (then === "goes back") await pause(embedded, id);
      const arrival = dyingAt(({ rows }) => rows.some(({ events }) => events.some(isArrival)));
      await restart(arrival.watch);
      const move = (from: Engine, to: Engine): Promise<{ readonly moved: boolean }> =>
        moveInstance({ ...by, instanceId: id, to, from: async () => [from], stopRunning: false });
      await expect(move(embedded, temporal)).rejects.toThrow("the process was killed");
      expect(arrival.died).toBe(true);
      await restart();
      expect(await move(embedded, temporal)).toEqual({ moved: false });
      if (then === "goes back") expect(await move(temporal, embedded)).toEqual({ moved: true });
      const [holder, status] = then === "goes back" ? [embedded, "paused"] : [temporal, "running"];
      expect(await holder.instance(id)).toMatchObject({ status });
      expect(await places(id)).toEqual([holder === embedded ? "embedded" : "temporal"]);
      const { key } = await incidentOf(holder, id);
      const fixed = { type: "resolve-incident", key, action: "retry", reason: "test", actor: "ann" } as const;
      expect(await holder.command(id, fixed)).toMatchObject({ ok: true });
    }, 60_000);
  }

  test("[TE65] what Temporal has forgotten has ended: given up before it is given again, open it is refused", async () => {
    const forget = async (id: string): Promise<void> => {
      const { workflowService } = home.workflow;
      const { namespace } = home;
      await workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId: id } });
      const isThere = async (): Promise<boolean> =>
        home.workflow
          .getHandle(id)
          .describe()
          .then(
            () => true,
            () => false,
          );
      await eventually(async () => ((await isThere()) ? undefined : true));
    };
    const [left, open] = ["left", "open"];
    for (const instanceId of [left, open]) {
      await temporal.deploy([everythingOpen("all", { waitsFor: "PT3600S" })]);
      const asked = { requestId: instanceId, process: "all", variables: { key: instanceId }, actor: "ann" };
      await temporal.start({ ...asked, instanceId });
      await incidentOf(temporal, instanceId);
      await pause(temporal, instanceId);
    }
    const moved = await temporal.release(left);
    await Promise.all([left, open].map(forget));
    expect(await temporal.release(left)).toEqual(moved);
    await temporal.adopt(moved, by);
    expect(await places(left)).toEqual(["temporal"]);
    const refusal = { code: "move-refused", message: expect.stringContaining("somebody has ended it") };
    await expect(temporal.release(open)).rejects.toMatchObject(refusal);
  }, 60_000);

  test("[E102] a move that is refused leaves it running where it is; with what runs stopped it goes", async () => {
    const worker = new ManualWorker();
    embedded.work("work", worker.handler);
    const id = await begin(embedded, [everythingOpen("all")], { key: "k" });
    await worker.job(1);
    const move = (stopRunning: boolean) =>
      moveInstance({ ...by, instanceId: id, to: temporal, from: async () => [embedded], stopRunning });
    await expect(move(false)).rejects.toMatchObject({ code: "move-refused", details: { busy: true } });
    expect(await embedded.instance(id)).toMatchObject({ status: "running" });
    temporal.work("work", async () => completed());
    expect(await move(true)).toEqual({ moved: true });
    expect(worker.aborts).toHaveLength(1);
    await eventually(async () =>
      (await temporal.query("jobs", { instanceId: id })).rows.length === 0 ? true : undefined,
    );
    const nobody = moveInstance({
      ...by,
      instanceId: "nobody",
      to: temporal,
      from: async () => [embedded],
      stopRunning: false,
    });
    await expect(nobody).rejects.toMatchObject({ code: "instance-not-found" });
  });
});
