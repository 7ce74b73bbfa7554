import type { Element, JsonObject } from "@tutti/kernel";
import { expect } from "vitest";
import type { Cursor, Engine, RecordedEvent, TaskRow } from "../port.ts";
import { call, end, from, program, sequence, start } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { begin, completed, ended, eventually, historyOf, ManualWorker } from "./harness.ts";

const approve = {
  kind: "user-task",
  id: "approve",
  parent: null,
  title: { literal: "Please look" },
  candidates: ["ann", "bob"],
  form: { type: "object" },
  inputs: [from("what", { literal: "it" })],
} satisfies Element;

/** Lists, tasks, history and the end of the engine. */
export function readingRules(rule: Rule): void {
  listRules(rule);
  formRules(rule);
  taskRules(rule);
  outboxRules(rule);
  historyRules(rule);
  closingRules(rule);
}

function listRules(rule: Rule): void {
  rule("[E24] lists come newest first, in pages that neither repeat nor miss a row", async ({ engine }) => {
    await engine.deploy([sequence("one", 1)]);
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) {
      ids.push(await engine.start({ requestId: `r${n}`, process: "one", variables: {}, actor: "me" }));
    }
    for (const view of ["instances", "jobs"] as const) {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await engine.query(view, {}, { limit: 3, ...(after === undefined ? {} : { after }) });
        seen.push(...page.rows.map((row) => row.instanceId));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toEqual([...ids].reverse());
    }
    await expect(engine.query("jobs", {}, { after: "nonsense" })).rejects.toMatchObject({ code: "cursor-invalid" });
    await expect(engine.query("jobs", {}, { limit: 0 })).rejects.toMatchObject({ code: "limit-invalid" });
    await engine.command(ids[0] ?? "", { type: "cancel-instance", reason: "x", actor: "me" });
    expect((await engine.query("instances", { status: "cancelled" })).rows.map((row) => row.instanceId)).toEqual([
      ids[0],
    ]);
    expect((await engine.query("instances", { status: "open" })).rows).toHaveLength(6);
    expect((await engine.query("instances", { process: "two" })).rows).toEqual([]);
    await expect(engine.instance("nobody")).rejects.toMatchObject({ code: "instance-not-found" });
    await expect(engine.command("nobody", { type: "resume-instance", actor: "me" })).rejects.toMatchObject({
      code: "instance-not-found",
    });
  });

  rule("[E25] a user task is listed, claimed, released and completed once", async (running) => {
    const shape = program({ id: "ask", elements: [start(), approve, end()], flows: ["start>approve", "approve>end"] });
    const id = await begin(running.engine, [shape]);
    await running.engine.close();
    running.engine = await running.harness.open();
    const { engine } = running;
    const [task] = (await engine.query("tasks")).rows;
    expect(task).toMatchObject({
      instanceId: id,
      element: "approve",
      title: "Please look",
      assignee: null,
      candidates: ["ann", "bob"],
      form: { type: "object" },
      input: { what: "it" },
    });
    const key = task?.key ?? 0;
    await engine.command(id, { type: "claim-task", key, actor: "ann" });
    expect((await engine.query("tasks", { assignee: "ann" })).rows).toHaveLength(1);
    expect(await engine.command(id, { type: "complete-task", key, result: {}, actor: "bob" })).toMatchObject({
      ok: false,
      rejection: { code: "task-claimed" },
    });
    await engine.command(id, { type: "release-task", key, actor: "ann" });
    expect((await engine.query("tasks", { assignee: "ann" })).rows).toEqual([]);
    await engine.command(id, { type: "complete-task", key, result: {}, actor: "bob" });
    expect((await engine.query("tasks")).rows).toEqual([]);
    expect((await ended(engine, id)).status).toBe("completed");
  });
}

/** What a person answers has to fit the form that was asked. */
function formRules(rule: Rule): void {
  /** A user task with such a form, and what completing it with a result comes to. */
  const asked = async (engine: Engine, form: JsonObject) => {
    const elements: Element[] = [start(), { ...approve, form }, end()];
    const id = await begin(engine, [program({ id: "ask", elements, flows: ["start>approve", "approve>end"] })]);
    const key = (await engine.query("tasks", { instanceId: id })).rows[0]?.key ?? 0;
    const complete = (result: JsonObject) => engine.command(id, { type: "complete-task", key, result, actor: "ann" });
    return { id, key, complete };
  };
  const address = { type: "object", properties: { lines: { type: "array", items: { type: "string" } } } };
  const properties = { approved: { type: "boolean" }, address, size: { enum: ["s", "m"] } };
  const form = { type: "object", properties, required: ["approved"], additionalProperties: false };

  rule("[E84] a result that does not fit the form of its task is refused, and the task stays open", async (running) => {
    const { engine } = running;
    const { id, key, complete } = await asked(engine, form);
    const refused = [
      [{ approved: "maybe" }, "result.approved", "type", "boolean", '"maybe"'],
      [{}, "result", "required", ["approved"], "{}"],
      [{ approved: true, x: 1 }, "result.x", "additionalProperties", false, "1"],
      [{ approved: true, address: { lines: ["a", 2] } }, "result.address.lines[1]", "type", "string", "2"],
      [{ approved: true, size: "xl" }, "result.size", "enum", ["s", "m"], '"xl"'],
    ] as const;
    for (const [result, place, keyword, expected, actual] of refused) {
      const details = { instance: id, task: key, element: "approve", keyword, expected, actual };
      await expect(complete(result as JsonObject)).rejects.toMatchObject({ code: "form-misfit", place, details });
    }
    await expect(complete({ approved: true, size: "xl" })).rejects.toThrow(
      `Expected a result that fits the form of 'approve', but result.size must be equal to one of the allowed values: ["s","m"] and is "xl".`,
    );
    expect((await engine.query("tasks", { instanceId: id, key: key + 1 })).rows).toEqual([]);
    expect((await engine.query("tasks", { instanceId: id, key })).rows).toHaveLength(1);
    expect(await complete({ approved: true, address: { lines: ["a"] } })).toMatchObject({ ok: true });
    expect((await ended(engine, id)).status).toBe("completed");
    // With no task open there is no form: the process says why.
    expect(await complete({ approved: 1 })).toMatchObject({ ok: false, rejection: { code: "instance-ended" } });
  });

  rule("[E84] drafts 2020-12 and 07 count, and a form that is neither takes everything", async ({ engine }) => {
    const draft7 = { $schema: "http://json-schema.org/draft-07/schema#" };
    const pair = { ...draft7, properties: { pair: { items: [{ type: "string" }, { type: "number" }] } } };
    await expect((await asked(engine, pair)).complete({ pair: ["a", "b"] })).rejects.toMatchObject({
      place: "result.pair[1]",
    });
    const dated = await asked(engine, { properties: { on: { format: "date" } } });
    await expect(dated.complete({ on: "soon" })).rejects.toMatchObject({ place: "result.on" });
    const either = { if: { required: ["no"] }, then: { required: ["why"] } };
    await expect((await asked(engine, either)).complete({ no: true })).rejects.toMatchObject({
      details: { keyword: "required" },
    });
    const others = [{ $ref: "https://forms.example/1" }, { type: "camunda", key: "form-1" }, { pattern: "(" }];
    for (const other of others) {
      expect(await (await asked(engine, other)).complete({ anything: 1 })).toMatchObject({ ok: true });
    }
  });

  rule(
    "[E84] a form that would be checked for ever is given up after a second, and the result refused",
    async (running) => {
      const hostile = await asked(running.engine, { properties: { a: { pattern: "^(a+)+$" } } });
      await expect(hostile.complete({ a: `${"a".repeat(60)}!` })).rejects.toMatchObject({
        ...{ code: "form-misfit", place: "result" },
        details: { keyword: "time", expected: 1_000 },
      });
      expect(await hostile.complete({ a: "aaa" })).toMatchObject({ ok: true });
    },
  );
}

/** A user task on the way through many hands, watched by its SLA. */
function taskRules(rule: Rule): void {
  const duration = (seconds: number) => ({ kind: "duration" as const, value: { literal: `PT${seconds}S` } });
  const watched: Element = {
    ...{ kind: "user-task", id: "check", parent: null, candidates: ["ann"], priority: { literal: 70 } },
    ...{ due: duration(600), followUp: duration(300), late: "refuse" },
    sla: [
      { on: "not-started", after: duration(60), action: { type: "notify", to: ["boss"] } },
      { on: "not-completed", after: duration(120), action: { type: "reassign", to: ["team"] } },
    ],
  };
  const shape = program({ id: "watch", elements: [start(), watched, end()], flows: ["start>check", "check>end"] });
  const actor = "ann";

  rule("[E36] a task's row follows it through every hand", async ({ engine }) => {
    const id = await begin(engine, [shape]);
    const task = async () => (await engine.query("tasks")).rows[0] as TaskRow;
    const { key, createdAt, ...created } = await task();
    expect(created).toMatchObject({
      ...{ priority: 70, dueAt: createdAt + 600_000, followUpAt: createdAt + 300_000, owner: null, startedAt: null },
      ...{ escalations: 0, notifications: 0 },
    });
    await engine.command(id, { type: "start-task", key, actor });
    expect((await task()).startedAt).toBeGreaterThanOrEqual(createdAt);
    await engine.command(id, { type: "delegate-task", key, to: "bob", actor });
    expect(await task()).toMatchObject({ assignee: "bob", owner: "ann" });
    await engine.command(id, { type: "resolve-task", key, actor: "bob" });
    await engine.command(id, { type: "update-task", key, dueAt: null, priority: 90, actor });
    expect(await task()).toMatchObject({ assignee: "ann", owner: null, dueAt: null, priority: 90 });
    await engine.command(id, { type: "escalate-task", key, to: ["heads"], reason: "Too large.", actor });
    expect(await task()).toMatchObject({ assignee: null, startedAt: null, candidates: ["heads"], escalations: 1 });
    await engine.command(id, { type: "reassign-task", key, to: "dora", reason: "She is free.", actor: "boss" });
    await engine.command(id, { type: "complete-task", key, result: {}, rationale: "It is fine.", actor: "dora" });
    expect((await engine.query("tasks")).rows).toEqual([]);
    const { event } = (await historyOf(engine, { instanceId: id })).find(
      (record) => record.event.type === "task-completed",
    ) as RecordedEvent;
    expect(event).toMatchObject({ actor: "dora", rationale: "It is fine." });
  });

  rule("[E36] the SLA of a task goes on across a restart, and a late completion meets its policy", async (running) => {
    const id = await begin(running.engine, [shape]);
    await running.engine.close();
    await running.harness.advance(90_000);
    running.engine = await running.harness.open();
    const { engine, harness } = running;
    const task = await eventually(async () => {
      const [row] = (await engine.query("tasks")).rows;
      return row?.notifications === 1 ? row : undefined;
    });
    await engine.command(id, { type: "claim-task", key: task.key, actor });
    await harness.advance(30_000);
    await eventually(async () => ((await engine.query("tasks")).rows[0]?.assignee === null ? true : undefined));
    expect((await engine.query("tasks")).rows[0]?.candidates).toEqual(["team"]);
    const told = (await historyOf(engine, { instanceId: id })).filter(({ event }) => event.type === "task-notified");
    expect(told).toMatchObject([{ event: { to: ["boss"], message: "'check' has not been begun in time." } }]);
    await harness.advance(600_000);
    const late = await engine.command(id, { type: "complete-task", key: task.key, result: {}, actor });
    expect(late).toMatchObject({ ok: false, rejection: { code: "task-late" } });
    await engine.command(id, {
      type: "update-task",
      key: task.key,
      dueAt: null,
      reason: "It may.",
      actor: "boss",
      authority: true,
    });
    await engine.command(id, { type: "complete-task", key: task.key, result: {}, actor });
    expect((await ended(engine, id)).status).toBe("completed");
  });
}

function outboxRules(rule: Rule): void {
  const duration = (seconds: number) => ({ kind: "duration" as const, value: { literal: `PT${seconds}S` } });
  const nagged: Element = {
    ...{ kind: "user-task", id: "check", parent: null },
    sla: [
      { on: "not-completed", after: duration(10), action: { type: "notify", to: ["boss"] }, repeat: true },
      { on: "not-completed", after: duration(25), action: { type: "escalate", code: "LATE" } },
    ],
  };

  rule("[E82] who follows from where it stood is told everything once, over crashes and of forks", async (running) => {
    const { harness } = running;
    const shape = program({ id: "watch", elements: [start(), nagged, end()], flows: ["start>check", "check>end"] });
    const id = await begin(running.engine, [shape]);
    const told: string[] = [];
    let after: Cursor = { position: 0, index: 0 };
    /** What a process that delivers does: it keeps how far it came with what it delivered. */
    const deliver = async (eventsMax: number): Promise<void> => {
      for (const each of (await historyOf(running.engine, { after })).slice(0, eventsMax)) {
        const { event, instanceId, sequence, copied } = each;
        after = each.cursor;
        if (copied || (event.type !== "task-notified" && event.type !== "task-escalated")) continue;
        told.push(`${instanceId}/${sequence} ${event.type}`);
      }
    };
    await harness.advance(12_000);
    await eventually(async () =>
      (await running.engine.query("tasks")).rows[0]?.notifications === 1 ? true : undefined,
    );
    await deliver(2);
    await harness.crash(running.engine);
    running.engine = await harness.open();
    await deliver(100);
    const who = { reason: "What if?", actor: "me" };
    const fork = await running.engine.fork({ requestId: "f", instanceId: id, newId: "fork", ...who });
    await harness.advance(15_000);
    await eventually(async () => {
      const { rows } = await running.engine.query("tasks");
      return rows.every((row) => row.escalations === 1 && row.notifications === 2) ? true : undefined;
    });
    await deliver(3);
    await harness.crash(running.engine);
    running.engine = await harness.open();
    for (let round = 0; round < 20; round++) await deliver(3);
    expect(new Set(told).size).toBe(told.length);
    const of = (instanceId: string) =>
      told.filter((each) => each.startsWith(`${instanceId}/`)).map((each) => each.slice(each.indexOf(" ") + 1));
    const later = ["task-notified", "task-escalated"];
    expect(of(id)).toEqual(["task-notified", ...later]);
    expect(of(fork)).toEqual(later);
    const copies = (await historyOf(running.engine, { instanceId: fork })).filter(({ copied }) => copied);
    expect(copies.map(({ sequence }) => sequence)).toEqual(copies.map((_, index) => index + 1));
    expect(copies.at(-1)?.event.type).not.toBe("instance-forked");
  });
}

function historyRules(rule: Rule): void {
  rule("[E26] history gives every event once, in order, from any cursor", async ({ engine }) => {
    engine.work("work", async () => completed());
    const id = await begin(engine, [sequence("three", 3)]);
    await ended(engine, id);
    const all = await historyOf(engine, {});
    expect(all[0]?.event.type).toBe("instance-created");
    expect(all.at(-1)?.event.type).toBe("instance-completed");
    expect(all.map((each) => each.sequence)).toEqual(all.map((_, index) => index + 1));
    for (const [index, { cursor }] of all.entries()) {
      expect(await historyOf(engine, { after: cursor })).toEqual(all.slice(index + 1));
    }
    await expect(historyOf(engine, { after: { position: -1, index: 0 } })).rejects.toMatchObject({
      code: "cursor-invalid",
    });
  });

  rule("[E27] history of one instance, and of all that it called", async ({ engine }) => {
    engine.work("work", async () => completed());
    const parent = program({
      id: "parent",
      elements: [start(), call("calls", "child"), end()],
      flows: ["start>calls", "calls>end"],
    });
    const id = await begin(engine, [sequence("child", 1), parent]);
    const other = await begin(engine, [sequence("other", 1)]);
    await ended(engine, id);
    await ended(engine, other);
    const own = await historyOf(engine, { instanceId: id });
    expect(new Set(own.map((each) => each.instanceId))).toEqual(new Set([id]));
    expect(own.map((each) => each.sequence)).toEqual(own.map((_, index) => index + 1));
    const family = await historyOf(engine, { rootId: id });
    expect(new Set(family.map((each) => each.instanceId)).size).toBe(2);
    const total = await historyOf(engine, {});
    expect(family).toEqual(total.filter((each) => each.rootId === id));
  });

  rule("[E28] a follower misses nothing and sees nothing twice, however slow it is", async ({ engine }) => {
    engine.work("work", async () => completed());
    await engine.deploy([sequence("three", 3)]);
    const abort = new AbortController();
    const followers = [0, 1, 7].map(async (pause) => {
      const seen: RecordedEvent[] = [];
      for await (const event of engine.history({ follow: true, signal: abort.signal })) {
        seen.push(event);
        if (pause > 0 && seen.length % pause === 0) await new Promise((resolve) => setImmediate(resolve));
        if (seen.filter((each) => each.event.type === "instance-completed").length === 20) break;
      }
      return seen;
    });
    for (let n = 0; n < 20; n++) {
      await engine.start({ requestId: `f${n}`, process: "three", variables: {}, actor: "me" });
    }
    const seen = await Promise.all(followers);
    const all = await historyOf(engine, {});
    for (const each of seen) expect(each.map((event) => event.cursor)).toEqual(all.map((event) => event.cursor));
    const waiting = historyOf(engine, {
      after: all.at(-1)?.cursor ?? { position: 0, index: 0 },
      follow: true,
      signal: abort.signal,
    });
    abort.abort();
    expect(await waiting).toEqual([]);
  });
}

function closingRules(rule: Rule): void {
  rule("[E29] closing lets running jobs finish within the grace time, and their outcomes last", async (running) => {
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    const id = await begin(running.engine, [sequence("two", 2)]);
    await worker.job(1);
    const closing = running.engine.close({ graceMs: 1_000 });
    await worker.finish(1);
    await closing;
    expect(worker.aborts).toEqual([]);
    expect(worker.jobs).toHaveLength(1);
    running.engine = await running.harness.open();
    const later = new ManualWorker();
    running.engine.work("work", later.handler);
    expect(await later.job(1)).toMatchObject({ instanceId: id, elementId: "step2" });
  });

  rule("[E29] after the grace time running jobs are told to stop, and stay open", async (running) => {
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    await begin(running.engine, [sequence("one", 1)]);
    await worker.job(1);
    const closing = running.engine.close({ graceMs: 1_000 });
    await running.harness.advance(1_000);
    await closing;
    expect(worker.aborts).toMatchObject([{ reason: "shutdown" }]);
    running.engine = await running.harness.open();
    const later = new ManualWorker();
    running.engine.work("work", later.handler);
    expect(await later.job(1)).toMatchObject({ elementId: "step1", attempt: 1 });
  });

  rule("[E30] a closed engine refuses everything", async ({ engine }) => {
    const follower = historyOf(engine, { follow: true });
    await engine.close();
    await expect(engine.instance("x")).rejects.toMatchObject({ code: "engine-closed" });
    await expect(engine.deploy([])).rejects.toMatchObject({ code: "engine-closed" });
    expect(() => engine.work("work", async () => completed())).toThrow(
      expect.objectContaining({ code: "engine-closed" }),
    );
    expect(await follower).toEqual([]);
    await engine.close();
  });

  rule("[E31] what only the engine may send cannot be sent", async ({ engine }) => {
    const id = await begin(engine, [sequence("one", 1)]);
    await eventually(async () => (await engine.query("jobs")).rows[0]);
    const forged = { type: "end-child", key: 1, childId: "x", outcome: { type: "cancelled", reason: "" } };
    await expect(engine.command(id, forged as never)).rejects.toMatchObject({ code: "payload-invalid" });
  });
}
