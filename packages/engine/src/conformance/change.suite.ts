import type { Element, ProgramDocument } from "@tutti/kernel";
import { expect } from "vitest";
import type { Engine } from "../port.ts";
import { collector, onMessage } from "../testing/message-programs.ts";
import { call, end, program, sequence, service, start, wait } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { begin, completed, ended, eventually, historyOf, ManualWorker } from "./harness.ts";

/** Going on otherwise: under another version, or as another instance. */
export function changeRules(rule: Rule): void {
  migrationRules(rule);
  forkRules(rule);
  rollbackRules(rule);
}

const gate = (id: string): Element => ({ kind: "parallel-gateway", id, parent: null });

/** A job, a task, a timer and a call at once, their names with a suffix. */
function four(version: string, suffix: string): ProgramDocument {
  const task: Element = { kind: "user-task", id: `ask${suffix}`, parent: null };
  const elements = [service(`job${suffix}`), task, wait(`pause${suffix}`, "PT60S"), call(`call${suffix}`, "one")];
  return program({
    id: "four",
    version,
    elements: [start(), gate("split"), ...elements, gate("join"), end()],
    flows: ["start>split", "join>end", ...elements.flatMap(({ id }) => [`split>${id}`, `${id}>join`])],
  });
}

const mapping = { job: "job2", ask: "ask2", pause: "pause2", call: "call2" };
const who = { reason: "The new one is better.", actor: "ann" };

function migrationRules(rule: Rule): void {
  rule("[E37] an instance goes on under another version, with its jobs, task, timer and child", async (running) => {
    const id = await begin(running.engine, [sequence("one", 1, { type: "other" }), four("1", "")]);
    const { engine } = running;
    await eventually(async () => (await engine.query("instances", { parentId: id })).rows[0]);
    await engine.deploy([four("2", "2"), sequence("one", 1, { type: "other" })]);
    const tried = await engine.migrate(id, { process: "four", mapping, dryRun: true, ...who });
    expect(tried).toMatchObject({ ok: true, position: null, events: [{ type: "instance-migrated", version: "2" }] });
    expect((await engine.instance(id)).version).toBe("1");
    const done = await engine.migrate(id, { process: "four", mapping, ...who });
    expect(done).toMatchObject({ ok: true, position: expect.any(Number), events: tried.ok ? tried.events : [] });
    const check = async () => {
      const of = { instanceId: id };
      expect((await running.engine.query("jobs", of)).rows).toMatchObject([{ element: "job2" }]);
      expect((await running.engine.query("tasks", of)).rows).toMatchObject([{ element: "ask2" }]);
      const [row] = (await running.engine.query("instances", { process: "four" })).rows;
      expect(row).toMatchObject({ instanceId: id, version: "2", status: "running" });
    };
    await check();
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    await check();
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    running.engine.work("other", async () => completed());
    expect(await worker.job(1)).toMatchObject({ instanceId: id, elementId: "job2", attempt: 1 });
    await worker.finish(1);
    await running.harness.advance(60_000);
    const key = (await running.engine.query("tasks")).rows[0]?.key ?? 0;
    await running.engine.command(id, { type: "complete-task", key, result: {}, actor: "ann" });
    expect(await ended(running.engine, id)).toMatchObject({ status: "completed", version: "2" });
  });

  rule(
    "[E37] a job that waits for its turn is given out by its new name; one that runs may end",
    async ({ engine }) => {
      const two = (version: string, suffix: string) => {
        const elements = [service(`a${suffix}`), service(`b${suffix}`)];
        const flows = ["start>split", ...elements.flatMap((each) => [`split>${each.id}`, `${each.id}>end`])];
        return program({ id: "two", version, elements: [start(), gate("split"), ...elements, end()], flows });
      };
      const worker = new ManualWorker();
      engine.work("work", worker.handler, { concurrency: 1 });
      const id = await begin(engine, [two("1", "")]);
      const { elementId: running } = await worker.job(1);
      await engine.deploy([two("2", "2")]);
      expect(await engine.migrate(id, { process: "two", mapping: { a: "a2", b: "b2" }, ...who })).toMatchObject({
        ok: true,
      });
      await worker.finish(1);
      expect((await worker.job(2)).elementId).toBe(running === "a" ? "b2" : "a2");
      await worker.finish(2);
      expect((await ended(engine, id)).status).toBe("completed");
    },
  );

  rule("[E70] [E37] messages reach what waited before and what waits since, also after a crash", async (running) => {
    const named = (name: string) => ({ name: { literal: name } });
    const made = (version: string, suffix: string, more: readonly Element[]) => {
      const receive: Element = { kind: "receive-task", id: `news${suffix}`, parent: null, message: named("news") };
      const flows = [`start>${receive.id}`, `${receive.id}>end`, ...more.map(({ id }) => `${id}>late`)];
      const after = more.length === 0 ? [] : [service("late"), end("done")];
      const elements = [start(), receive, end(), ...more, ...after];
      return program({ id: "waits", version, elements, flows: more.length === 0 ? flows : [...flows, "late>done"] });
    };
    const nag: Element = {
      ...{ kind: "boundary-event", id: "nag", parent: null, attachedTo: "news2", interrupting: false },
      trigger: { type: "message", message: named("nag") },
    };
    const id = await begin(running.engine, [made("1", "", [])]);
    await running.engine.deploy([made("2", "2", [nag])]);
    const moved = await running.engine.migrate(id, { process: "waits", mapping: { news: "news2" }, ...who });
    expect(moved).toMatchObject({ ok: true });
    const waiting = async () => {
      const { rows } = await running.engine.query("subscriptions", { instanceId: id });
      return rows.map(({ name, element }) => `${name} at ${element}`).sort();
    };
    expect(await waiting()).toEqual(["nag at nag", "news at news2"]);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    expect(await waiting()).toEqual(["nag at nag", "news at news2"]);
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    await running.engine.publish({ name: "nag", variables: {} });
    expect((await worker.job(1)).elementId).toBe("late");
    await running.engine.publish({ name: "news", variables: {} });
    await worker.finish(1);
    expect((await ended(running.engine, id)).status).toBe("completed");
  });

  rule("[E37] what does not fit is refused with everything in its way, and changes nothing", async ({ engine }) => {
    const id = await begin(engine, [sequence("one", 1), four("1", "")]);
    await engine.deploy([four("2", "2")]);
    const before = (await historyOf(engine, { instanceId: id })).length;
    const refused = await engine.migrate(id, { process: "four", version: "2", ...who });
    expect(refused).toMatchObject({ ok: false, rejection: { code: "migration-invalid" } });
    const problems = refused.ok ? [] : (refused.rejection.problems ?? []);
    expect(problems.map(({ element }) => element).sort()).toEqual(["ask", "call", "job", "pause"]);
    expect(await historyOf(engine, { instanceId: id })).toHaveLength(before);
    await expect(engine.migrate(id, { process: "four", version: "9", ...who })).rejects.toMatchObject({
      code: "program-not-found",
    });
    await expect(engine.migrate("nobody", { process: "four", ...who })).rejects.toMatchObject({
      code: "instance-not-found",
    });
  });
}

function forkRules(rule: Rule): void {
  const asked = { requestId: "fork", reason: "What if?", actor: "ann" };

  rule("[E38] a fork goes on from where another instance was, and does not do again what was done", async (running) => {
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    const id = await begin(running.engine, [sequence("three", 3)]);
    await worker.finish(1);
    await worker.job(2);
    const [last] = (await historyOf(running.engine, { instanceId: id })).slice(-1);
    await worker.finish(2);
    await worker.finish(3);
    expect((await ended(running.engine, id)).status).toBe("completed");
    const at = { position: last?.cursor.position ?? 0 };
    const fork = await running.engine.fork({ ...asked, instanceId: id, at, newId: "other" });
    expect(fork).toBe("other");
    expect(await running.engine.fork({ ...asked, instanceId: id, at })).toBe("other");
    expect(await worker.job(4)).toMatchObject({ instanceId: "other", elementId: "step2", attempt: 1 });
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    running.engine.work("work", async () => completed());
    expect((await ended(running.engine, "other")).status).toBe("completed");
    expect((await running.engine.instance(id)).status).toBe("completed");
    const [mine, others] = [id, "other"].map((instanceId) => historyOf(running.engine, { instanceId }));
    const shared = (await mine)?.filter(({ cursor }) => cursor.position <= at.position).map(({ event }) => event);
    const events = (await others)?.map(({ event }) => event);
    expect(events?.slice(0, shared?.length)).toEqual(shared);
    expect(events?.[shared?.length ?? 0]).toMatchObject({ type: "instance-forked", from: id, reason: "What if?" });
  });

  rule(
    "[E38] what was open is open in it: task, timer and incident, and a call starts its process anew",
    async (running) => {
      const { engine, harness } = running;
      const failing: Element = {
        kind: "script-task",
        id: "fails",
        parent: null,
        assignments: [{ target: "x", source: { variable: "none" } }],
      };
      const shape = four("1", "");
      const made = program({
        id: "four",
        elements: [...shape.elements, failing],
        flows: [...shape.flows.map(({ from, to }) => `${from}>${to}`), "split>fails"],
      });
      const id = await begin(engine, [sequence("one", 1), made]);
      const children = async (parentId: string) => (await engine.query("instances", { parentId })).rows;
      const child = await eventually(async () => (await children(id))[0]);
      await harness.advance(30_000);
      const fork = await engine.fork({ ...asked, instanceId: id });
      const other = await eventually(async () => (await children(fork))[0]);
      expect(other.instanceId).not.toBe(child.instanceId);
      expect(other).toMatchObject({ process: "one", rootId: fork });
      expect((await engine.query("tasks", { instanceId: fork })).rows).toMatchObject([{ element: "ask" }]);
      expect((await engine.query("incidents", { instanceId: fork })).rows).toMatchObject([{ element: "fails" }]);
      expect((await engine.query("jobs", { instanceId: fork })).rows).toMatchObject([
        { element: "job", state: "queued" },
      ]);
      const waits = async (of: string) => (await engine.instance(of)).waiting.filter(({ on }) => on === "timer");
      expect(await waits(fork)).toEqual(await waits(id));
      await harness.advance(30_000);
      await eventually(async () => ((await waits(fork)).length === 0 ? true : undefined));
      expect(await waits(id)).toEqual([]);
      expect((await engine.instance(id)).status).toBe("running");
    },
  );

  rule("[E38] rolling back cancels the original in the same step", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("two", 2)]);
    await worker.job(1);
    const fork = await engine.fork({ ...asked, instanceId: id, cancelOriginal: true });
    expect(await ended(engine, id)).toMatchObject({ status: "cancelled" });
    await eventually(() => worker.aborts[0]);
    await worker.finish(2);
    await worker.finish(3);
    expect((await ended(engine, fork)).status).toBe("completed");
  });

  rule("[E38] where there is nothing to go on with there is no fork", async ({ engine }) => {
    engine.work("work", async () => completed());
    const id = await begin(engine, [sequence("one", 1)]);
    await ended(engine, id);
    const refused = { code: "fork-refused" };
    await expect(engine.fork({ ...asked, instanceId: id })).rejects.toMatchObject(refused);
    await expect(engine.fork({ ...asked, instanceId: id, at: { position: 0 } })).rejects.toMatchObject(refused);
    const at = { position: (await historyOf(engine, { instanceId: id }))[0]?.cursor.position ?? 0 };
    await expect(engine.fork({ ...asked, instanceId: id, at, newId: id })).rejects.toMatchObject(refused);
    await expect(engine.fork({ ...asked, instanceId: "nobody" })).rejects.toMatchObject({ code: "instance-not-found" });
    expect((await engine.query("instances")).rows).toHaveLength(1);
    // Nothing that was refused has left a hole in the log.
    expect(await engine.fork({ ...asked, instanceId: id, at })).toMatch(/-fork-\d+$/);
  });
}

function rollbackRules(rule: Rule): void {
  const asked = { requestId: "back", reason: "Once more.", actor: "ann", cancelOriginal: true };
  const lastPosition = async (engine: Engine, instanceId: string): Promise<number> =>
    (await historyOf(engine, { instanceId })).at(-1)?.cursor.position ?? 0;
  const open = async (engine: Engine) => (await engine.query("instances", { status: "open" })).rows;

  rule(
    "[E83] what is under way ends with the original, and is under way in the fork, over a crash",
    async (running) => {
      const { harness } = running;
      const worker = new ManualWorker();
      running.engine.work("work", worker.handler);
      const id = await begin(running.engine, [sequence("one", 1, { type: "other" }), four("1", "")]);
      await worker.job(1);
      const child = await eventually(async () => (await running.engine.query("instances", { parentId: id })).rows[0]);
      const at = { position: await lastPosition(running.engine, id) };
      await harness.advance(20_000);
      const task = (await running.engine.query("tasks")).rows[0]?.key ?? 0;
      await running.engine.command(id, { type: "complete-task", key: task, result: {}, actor: "ann" });
      const fork = await running.engine.fork({ ...asked, instanceId: id, at });
      await eventually(() => worker.aborts[0]);
      await eventually(async () =>
        (await running.engine.instance(child.instanceId)).endedAt === null ? undefined : true,
      );
      await harness.crash(running.engine);
      running.engine = await harness.open();
      const { engine } = running;
      const other = await eventually(async () => (await engine.query("instances", { parentId: fork })).rows[0]);
      expect((await open(engine)).map((row) => row.instanceId).sort()).toEqual([fork, other.instanceId].sort());
      expect((await engine.query("tasks")).rows).toMatchObject([{ instanceId: fork, element: "ask" }]);
      expect((await engine.query("jobs", { instanceId: fork })).rows).toMatchObject([{ element: "job", attempt: 1 }]);
      for (const type of ["work", "other"]) engine.work(type, async () => completed());
      // The timer is due when it was, 40 seconds from now.
      await harness.advance(40_000);
      const key = (await engine.query("tasks")).rows[0]?.key ?? 0;
      await engine.command(fork, { type: "complete-task", key, result: {}, actor: "ann" });
      expect((await ended(engine, fork)).status).toBe("completed");
      expect((await engine.instance(id)).status).toBe("cancelled");
    },
  );

  rule("[E83] what the original had is not given again; what had not arrived goes to the fork", async ({ engine }) => {
    const id = await begin(engine, [collector("collect", 3)], { key: "k" });
    await eventually(async () => (await engine.query("subscriptions")).rows[0]);
    const at = { position: await lastPosition(engine, id) };
    const paid = (got: number) => ({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got } });
    await engine.publish(paid(1));
    await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "test", actor: "ann" });
    await engine.publish(paid(2));
    const fork = await engine.fork({ ...asked, instanceId: id, at });
    await eventually(async () => ((await engine.instance(fork)).variables["got"] === 2 ? true : undefined));
    expect((await engine.query("subscriptions")).rows).toMatchObject([{ instanceId: fork, element: "wait2" }]);
    expect((await engine.publish(paid(3))).instances).toMatchObject([{ instanceId: fork }]);
  });

  rule("[E83] the message that would start a second one waits for the fork now", async (running) => {
    const { engine } = running;
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    await engine.deploy([onMessage("order")]);
    const paid = (got: number) => ({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got } });
    const [first] = (await engine.publish(paid(1))).instances;
    await engine.publish(paid(2));
    const fork = await engine.fork({ ...asked, instanceId: first?.instanceId ?? "" });
    await worker.job(2);
    expect((await open(engine)).map((row) => row.instanceId)).toEqual([fork]);
    expect((await engine.publish(paid(3))).instances).toEqual([]);
    await worker.finish(2);
    expect(await worker.job(3)).toMatchObject({ input: { got: 2 } });
  });

  rule("[E83] who was called is not rolled back: its caller waits for it", async ({ engine }) => {
    const id = await begin(engine, [sequence("one", 1, { type: "other" }), four("1", "")]);
    const child = await eventually(async () => (await engine.query("instances", { parentId: id })).rows[0]);
    const refused = engine.fork({ ...asked, instanceId: child.instanceId });
    await expect(refused).rejects.toMatchObject({ code: "fork-refused", message: expect.stringContaining(id) });
    expect(await engine.fork({ ...asked, instanceId: child.instanceId, cancelOriginal: false })).toMatch(/-fork-/);
    expect((await engine.instance(child.instanceId)).status).toBe("running");
  });
}
