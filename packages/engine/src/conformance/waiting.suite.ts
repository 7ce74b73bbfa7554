import type { ProgramDocument } from "@tutti/kernel";
import { expect } from "vitest";
import { call, end, from, program, sequence, service, start, wait } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { begin, completed, ended, eventually, incidentOf, ManualWorker } from "./harness.ts";

/** Timers, calls, pausing and cancelling. */
export function waitingRules(rule: Rule): void {
  timerRules(rule);
  callRules(rule);
  pauseRules(rule);
}

function timerRules(rule: Rule): void {
  const waiting = program({
    id: "wait",
    elements: [start(), wait("pause", "PT60S"), end()],
    flows: ["start>pause", "pause>end"],
  });

  rule("[E16] a timer fires when it is due, not before", async ({ engine, harness }) => {
    const id = await begin(engine, [waiting]);
    await harness.advance(59_999);
    expect((await engine.instance(id)).status).toBe("running");
    await harness.advance(1);
    const view = await ended(engine, id);
    expect(view.endedAt).toBe(view.startedAt + 60_000);
  });

  rule("[E16] a timer that came due while nothing ran fires on opening", async (running) => {
    const id = await begin(running.engine, [waiting]);
    await running.engine.close();
    await running.harness.advance(120_000);
    running.engine = await running.harness.open();
    expect(await ended(running.engine, id)).toMatchObject({ status: "completed" });
  });

  rule("[E17] timers that come due while paused fire on resume", async ({ engine, harness }) => {
    const id = await begin(engine, [waiting]);
    await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "test", actor: "me" });
    await harness.advance(120_000);
    expect((await engine.instance(id)).status).toBe("paused");
    await engine.command(id, { type: "resume-instance", actor: "me" });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  });
}

function callRules(rule: Rule): void {
  const child = program({
    id: "child",
    variables: [{ name: "n", type: "number", initial: 0 }],
    outputs: ["n"],
    elements: [start(), service("inside", { outputs: [from("n", { variable: "n" })] }), end()],
    flows: ["start>inside", "inside>end"],
  });
  const parent = program({
    id: "parent",
    variables: [{ name: "n", type: "number", initial: 0 }],
    outputs: ["n"],
    elements: [
      start(),
      call("calls", "child", { inputs: [from("n", { literal: 3 })], outputs: [from("n", { variable: "n" })] }),
      end(),
    ],
    flows: ["start>calls", "calls>end"],
  });

  rule("[E18] a call starts its process once, and goes on with what it gave, across a restart", async (running) => {
    const before = new ManualWorker();
    running.engine.work("work", before.handler);
    const id = await begin(running.engine, [child, parent]);
    const job = await before.job(1);
    expect(job.rootId).toBe(id);
    expect(job.instanceId).not.toBe(id);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    running.engine.work("work", async () => completed({ n: 9 }));
    const view = await ended(running.engine, id);
    expect(view.outcome).toEqual({ type: "completed", result: { n: 9 } });
    const { rows } = await running.engine.query("instances", { rootId: id });
    expect(rows.map((row) => [row.process, row.parentId, row.status])).toEqual([
      ["child", id, "completed"],
      ["parent", null, "completed"],
    ]);
  });

  rule("[E18] what a called instance escalates reaches the call, once, across a crash", async (running) => {
    const raising = program({
      id: "child",
      elements: [
        start(),
        { id: "warn", kind: "intermediate-throw-event", parent: null, trigger: { type: "escalation", code: "hot" } },
        service("inside"),
        end(),
      ],
      flows: ["start>warn", "warn>inside", "inside>end"],
    });
    const trigger = { type: "escalation" as const };
    const listening = program({
      id: "parent",
      elements: [
        ...[start(), call("calls", "child"), end(), service("note", { type: "noting" })],
        { id: "told", kind: "boundary-event", parent: null, attachedTo: "calls", interrupting: false, trigger },
      ],
      flows: ["start>calls", "calls>end", "told>note"],
    });
    const notes = new ManualWorker();
    running.engine.work("noting", notes.handler);
    const id = await begin(running.engine, [raising, listening]);
    await notes.job(1);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    running.engine.work("work", async () => completed({}));
    let noted = 0;
    running.engine.work("noting", async () => {
      noted += 1;
      return completed({});
    });
    expect(await ended(running.engine, id)).toMatchObject({ status: "completed" });
    expect(noted).toBe(1);
  });

  rule("[E18] a call is bound to what was deployed together with its caller", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    await engine.deploy([child, parent]);
    await engine.deploy([{ ...sequence("child", 1), version: "2.0.0" }]);
    const id = await engine.start({ requestId: "bound", process: "parent", variables: {}, actor: "tester" });
    await worker.job(1);
    const { rows } = await engine.query("instances", { parentId: id });
    expect(rows).toMatchObject([{ process: "child", version: "1.0.0" }]);
  });

  rule("[E18] a call that names a version gets it, whatever else was deployed and planned", async (running) => {
    const { engine } = running;
    const bound = (id: string, version: string): ProgramDocument => {
      const elements = [start(), call("call", "child", { binding: { version } }), end()];
      return program({ id, elements, flows: ["start>call", "call>end"] });
    };
    const version = (number: string, steps: number): ProgramDocument => ({
      ...sequence("child", steps),
      version: number,
    });
    await engine.deploy([version("1.0.0", 1)]);
    await engine.deploy([version("2.0.0", 2)]);
    // Deployed with the third version, while new instances get that or the first.
    await engine.deploy([version("3.0.0", 3), bound("second", "2.0.0"), bound("ninth", "9.0.0")]);
    await engine.rollout("child", { stable: "1.0.0", candidate: "3.0.0", percent: 100 });
    const ask = { variables: {}, actor: "tester" };
    const second = await engine.start({ ...ask, requestId: "bound-2", process: "second" });
    const ninth = await engine.start({ ...ask, requestId: "bound-9", process: "ninth" });
    const calledBy = (parentId: string) =>
      eventually(async () => (await running.engine.query("instances", { parentId })).rows[0]);
    expect(await calledBy(second)).toMatchObject({
      process: "child",
      version: "2.0.0",
      hash: version("2.0.0", 2).hash,
    });
    expect(await incidentOf(engine, ninth)).toMatchObject({ error: { code: "process-not-found" } });
    // What it waited for is there now, and no longer the latest.
    await engine.deploy([version("9.0.0", 4)]);
    await engine.deploy([version("10.0.0", 5)]);
    await running.harness.crash(engine);
    running.engine = await running.harness.open();
    const { key } = await incidentOf(running.engine, ninth);
    const again = { type: "resolve-incident", key, action: "retry", reason: "It is there.", actor: "tester" } as const;
    expect(await running.engine.command(ninth, again)).toMatchObject({ ok: true });
    expect((await calledBy(ninth)).version).toBe("9.0.0");
  });

  rule(
    "[E39] a completed call is undone once by what was called, across crashes and a new version",
    async (running) => {
      const undoable = (undoing: string, version: string) => ({
        ...program({
          id: "child",
          elements: [
            ...[start(), service("inside", { compensation: "undo" }), end()],
            service("undo", { type: undoing, forCompensation: true, inputs: [from("n", { variable: "n" })] }),
          ],
          variables: [{ name: "n", type: "number", initial: 0 }],
          flows: ["start>inside", "inside>end"],
        }),
        version,
      });
      const inputs = [from("n", { literal: 3 })];
      const trigger = { type: "compensation" as const };
      const undoing = program({
        id: "parent",
        elements: [
          ...[start(), call("calls", "child", { inputs, binding: "latest" }), service("check", { type: "checking" })],
          ...[{ id: "back", kind: "intermediate-throw-event" as const, parent: null, trigger }, end()],
        ],
        flows: ["start>calls", "calls>check", "check>back", "back>end"],
      });
      running.engine.work("work", async () => completed({}));
      const before = new ManualWorker();
      running.engine.work("checking", before.handler);
      const id = await begin(running.engine, [undoable("undoing", "1.0.0"), undoing]);
      await before.job(1);
      await running.engine.deploy([undoable("undoing otherwise", "2.0.0")]);
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      running.engine.work("checking", async () => completed({}));
      const first = new ManualWorker();
      running.engine.work("undoing", first.handler);
      expect(await first.job(1)).toMatchObject({ rootId: id, input: { n: 3 } });
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      let undone = 0;
      running.engine.work("undoing", async () => {
        undone += 1;
        return completed({});
      });
      expect(await ended(running.engine, id)).toMatchObject({ status: "completed" });
      expect(undone).toBe(1);
      const { rows } = await running.engine.query("instances", { parentId: id });
      expect(rows.map((row) => [row.process, row.version, row.status])).toEqual([
        ["child", "1.0.0", "completed"],
        ["child", "1.0.0", "completed"],
      ]);
    },
  );

  rule(
    "[E39] a call that is still open undoes itself once before its caller goes on, across crashes",
    async (running) => {
      const undoable = [
        ...[start(), service("inside", { compensation: "undo" }), service("more", { type: "busy" }), end()],
        service("undo", { type: "undoing", forCompensation: true }),
      ];
      const open = program({ id: "child", elements: undoable, flows: ["start>inside", "inside>more", "more>end"] });
      const failing = program({
        id: "parent",
        elements: [
          ...[start(), service("first", { compensation: "last" }), call("calls", "child")],
          ...[
            service("last", { type: "undoing", forCompensation: true }),
            service("risky", { type: "risking" }),
            end(),
          ],
        ],
        flows: ["start>first", "first>calls", "first>risky", "calls>end", "risky>end"],
        onError: "compensate",
      });
      running.engine.work("work", async () => completed({}));
      const busy = new ManualWorker();
      running.engine.work("busy", busy.handler);
      const id = await begin(running.engine, [open, failing]);
      const { instanceId: called } = await busy.job(1);
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      running.engine.work("risking", async () => ({ type: "error", code: "E", message: "it broke" }));
      const first = new ManualWorker();
      running.engine.work("undoing", first.handler);
      expect((await first.job(1)).instanceId).toBe(called);
      expect((await running.engine.instance(id)).status).toBe("failing");
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      const undone: string[] = [];
      running.engine.work("undoing", async ({ elementId }) => {
        undone.push(elementId);
        return completed({});
      });
      expect(await ended(running.engine, id)).toMatchObject({ status: "failed" });
      expect(undone).toEqual(["undo", "last"]);
      const { rows } = await running.engine.query("instances", { parentId: id });
      expect(rows.map(({ status }) => status)).toEqual(["cancelled"]);
    },
  );

  rule(
    "[E39] what a call did that failed is undone with its caller, which fails for that, across a crash",
    async (running) => {
      const elements = [
        ...[start(), service("inside", { compensation: "undo" }), service("more", { type: "risking" }), end()],
        service("undo", { type: "undoing", forCompensation: true }),
      ];
      const called = program({ id: "child", elements, flows: ["start>inside", "inside>more", "more>end"] });
      const caller = program({
        id: "parent",
        elements: [start(), call("calls", "child"), end()],
        flows: ["start>calls", "calls>end"],
        onError: "compensate",
      });
      running.engine.work("work", async () => completed({}));
      running.engine.work("risking", async () => ({ type: "error", code: "E", message: "it broke" }));
      const first = new ManualWorker();
      running.engine.work("undoing", first.handler);
      const id = await begin(running.engine, [called, caller]);
      await first.job(1);
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      running.engine.work("undoing", async () => completed({}));
      expect(await ended(running.engine, id)).toMatchObject({ status: "failed" });
      const { rows } = await running.engine.query("instances", { parentId: id });
      expect(rows.map(({ status }) => status).sort()).toEqual(["completed", "failed"]);
    },
  );

  rule("[E19] a call of what is not deployed fails where it was made", async ({ engine }) => {
    const id = await begin(engine, [parent]);
    expect(await incidentOf(engine, id)).toMatchObject({ error: { code: "process-not-found" } });
  });

  rule("[E20] cancelling ends running jobs and every descendant", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [child, parent]);
    const { instanceId } = await worker.job(1);
    await engine.command(id, { type: "cancel-instance", reason: "enough", actor: "me" });
    expect(await ended(engine, id)).toMatchObject({ status: "cancelled" });
    expect(await ended(engine, instanceId)).toMatchObject({ status: "cancelled" });
    await eventually(() => worker.aborts[0]);
    expect(worker.aborts).toMatchObject([{ reason: "cancelled" }]);
    expect((await engine.query("jobs")).rows).toEqual([]);
    const late = await engine.command(id, { type: "resume-instance", actor: "me" });
    expect(late).toMatchObject({ ok: false, rejection: { code: "instance-ended" } });
  });

  rule("[E21] pausing reaches descendants, and so does resuming", async (running) => {
    const { engine } = running;
    const id = await begin(engine, [child, parent]);
    const childId = await eventually(
      async () => (await engine.query("instances", { parentId: id })).rows[0]?.instanceId,
    );
    await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "test", actor: "me" });
    await eventually(async () => ((await engine.instance(childId)).status === "paused" ? true : undefined));
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    await running.harness.advance(10_000);
    expect(worker.jobs).toHaveLength(0);
    await engine.command(id, { type: "resume-instance", actor: "me" });
    await worker.finish(1, completed({ n: 1 }));
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  });
}

function pauseRules(rule: Rule): void {
  const pause = { type: "pause-instance", stopRunning: false, reason: "test", actor: "me" } as const;

  rule("[E22] while paused nothing starts, what runs may finish; also across a restart", async (running) => {
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    const id = await begin(running.engine, [sequence("two", 2)]);
    await worker.job(1);
    expect(await running.engine.command(id, pause)).toMatchObject({ ok: true });
    await worker.finish(1);
    await eventually(async () => (await running.engine.query("jobs")).rows.find((row) => row.state === "held"));
    await running.engine.close();
    running.engine = await running.harness.open();
    const later = new ManualWorker();
    running.engine.work("work", later.handler);
    await running.harness.advance(10_000);
    expect(later.jobs).toHaveLength(0);
    expect((await running.engine.instance(id)).status).toBe("paused");
    await running.engine.command(id, { type: "resume-instance", actor: "me" });
    expect(await later.job(1)).toMatchObject({ elementId: "step2" });
    await later.finish(1);
    expect(await ended(running.engine, id)).toMatchObject({ status: "completed" });
  });

  rule("[E23] pausing with stopRunning ends running jobs, which start again on resume", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)]);
    const first = await worker.job(1);
    await engine.command(id, { ...pause, stopRunning: true });
    await eventually(() => worker.aborts[0]);
    // What it says after that does not count: it was told to stop.
    await worker.finish(1);
    await engine.command(id, { type: "resume-instance", actor: "me" });
    const second = await worker.job(2);
    expect(second).toMatchObject({ id: first.id, attempt: 1 });
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
    await worker.finish(2);
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  });
}
