import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Element, Job } from "@tutti/kernel";
import { expect, test } from "vitest";
import { openMemoryStore } from "../embedded/memory/store.ts";
import type { Engine } from "../port.ts";
import { createTemporalEngine } from "../temporal/index.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { testHost } from "../testing/host.ts";
import { loop } from "../testing/loop-program.ts";
import { branches, call, callingEach, end, from, program, sequence, service, start } from "../testing/programs.ts";
import type { TemporalHome } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { begin, completed, ended, eventually, historyOf, ManualWorker } from "./harness.ts";

// What is Temporal's own, in real time and with short histories. The rules of all engines are in temporal.test.ts.

const workerScript = fileURLToPath(new URL("../testing/temporal-worker.ts", import.meta.url));

/** Four seconds of silence, and what a busy machine adds. */
const takeoverMaxMs = 8_000;

/** Types of the events in the history of an execution's newest run. */
async function typesIn(home: TemporalHome, instanceId: string): Promise<readonly string[]> {
  const { events } = await home.workflow.getHandle(instanceId).fetchHistory();
  return (events ?? []).map(({ eventType }) => String(eventType));
}

/** What a command for a task that is not there is answered, again and again while the instance is open. */
async function refusalsUntilTheEnd(engine: Engine, instanceId: string): Promise<readonly string[]> {
  const codes: string[] = [];
  for (;;) {
    const answer = await engine.command(instanceId, { type: "claim-task", key: 999, actor: "ann" });
    const code = answer.ok ? "taken" : answer.rejection.code;
    if (code === "instance-ended") return codes;
    codes.push(code);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describeWithTemporal("Temporal", () => {
  let home: TemporalHome;
  let engine: Engine;
  eachTemporalHome("short-history-workflow.ts", async (fresh) => {
    home = fresh;
    engine = await home.open();
    return () => engine.close({ graceMs: 0 });
  });

  test("[TE6] cancelling the execution by Temporal's own tools ends the instance and its jobs", async () => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)]);
    await worker.job(1);
    await home.workflow.getHandle(id).cancel();
    expect(await ended(engine, id)).toMatchObject({ status: "cancelled" });
    await eventually(() => worker.aborts[0]);
    expect(worker.aborts).toMatchObject([{ reason: "cancelled" }]);
  });

  test("[TE7] a loop of jobs and timers goes on over several executions, and does nothing twice", async () => {
    const rounds = 8;
    const tokens: number[] = [];
    engine.work("work", async (job) => {
      const n = Number(job.input["n"]) + 1;
      tokens.push(job.fencingToken);
      return completed({ n, more: n < rounds });
    });
    const id = await begin(engine, [loop("loop")]);
    const first = await home.workflow.getHandle(id).describe();
    const answers = refusalsUntilTheEnd(engine, id);
    const view = await ended(engine, id);
    expect(view.outcome).toEqual({ type: "completed", result: { n: rounds } });
    expect(new Set(await answers)).toEqual(new Set(["task-not-found"]));
    expect(tokens).toHaveLength(rounds);
    expect([...tokens].sort((a, b) => a - b)).toEqual(tokens);
    const last = await home.workflow.getHandle(id).describe();
    expect(last.runId).not.toBe(first.runId);
    expect((await typesIn(home, id)).length).toBeLessThan(200);
    const sequences = (await historyOf(engine, { instanceId: id })).map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  }, 120_000);

  test("[TE7] a called instance answers its caller over the caller's executions", async () => {
    const worker = new ManualWorker();
    engine.work("slow", worker.handler);
    engine.work("work", async () => completed());
    const child = program({
      id: "child",
      variables: [{ name: "n", type: "number", initial: 0 }],
      outputs: ["n"],
      elements: [start(), service("inside", { type: "slow", outputs: [from("n", { variable: "n" })] }), end()],
      flows: ["start>inside", "inside>end"],
    });
    const steps = Array.from({ length: 25 }, (_, index) => service(`step${index + 1}`));
    const parent = program({
      id: "parent",
      variables: [{ name: "n", type: "number", initial: 0 }],
      outputs: ["n"],
      elements: [
        start(),
        { kind: "parallel-gateway", id: "fork", parent: null },
        call("calls", "child", { outputs: [from("n", { variable: "n" })] }),
        ...steps,
        { kind: "parallel-gateway", id: "join", parent: null },
        end(),
      ],
      flows: [
        ...["start>fork", "fork>calls", "calls>join", "fork>step1"],
        ...steps.slice(1).map((_, index) => `step${index + 1}>step${index + 2}`),
        ...[`step${steps.length}>join`, "join>end"],
      ],
    });
    const id = await begin(engine, [child, parent]);
    const first = await home.workflow.getHandle(id).describe();
    await eventually(async () => {
      const { runId } = await home.workflow.getHandle(id).describe();
      return runId === first.runId ? undefined : true;
    }, "another execution");
    await worker.finish(1, completed({ n: 7 }));
    expect((await ended(engine, id)).outcome).toEqual({ type: "completed", result: { n: 7 } });
  }, 120_000);

  test("[TE67] what forty called processes did at once is done again in a replay", async () => {
    engine.work("work", async () => completed());
    const id = await begin(engine, [sequence("steps", 1), callingEach("many", "steps")], {
      items: Array.from({ length: 40 }, (_, n) => n),
    });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    await home.workflow.getHandle(id).result();
    expect(await home.replay()).toEqual([]);
  });

  test("[TE8] a hundred timers that are armed and called off cost the history one timer", async () => {
    const shape = branches("watched");
    const timer = { kind: "duration", value: { literal: "PT3600S" } } as const;
    const late: Element = {
      ...{ kind: "boundary-event", id: "late", parent: null, attachedTo: "branch", interrupting: true },
      trigger: { type: "timer", timer },
    };
    const { hash: _hash, ...body } = shape;
    const watched = program({
      ...body,
      id: "watched",
      elements: [...body.elements, late, end("gone")],
      flows: ["start>branch", "branch>end", "late>gone"],
    });
    engine.work("work", async () => completed());
    const items = Array.from({ length: 10 }, (_, n) => n);
    const id = await begin(engine, [watched], { items });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    const timers = (await typesIn(home, id)).filter((type) => type === "17" || /TIMER_STARTED/.test(type));
    expect(timers).toHaveLength(1);
  });

  test("[TE9] what a killed worker held is taken over in time, and what was done is not done again", async () => {
    await engine.close();
    const node = spawn(
      process.execPath,
      ["--conditions=@tutti/source", workerScript, home.address, home.namespace, home.database, "holds"],
      { stdio: ["ignore", "pipe", "inherit"], detached: true },
    );
    const line = await createInterface({ input: node.stdout })[Symbol.asyncIterator]().next();
    const held = JSON.parse(line.value ?? "{}") as Job;
    const killedAt = Date.now();
    process.kill(-(node.pid ?? 0), "SIGKILL");
    engine = await home.open();
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const again = await worker.job(1);
    expect(Date.now() - killedAt).toBeLessThan(takeoverMaxMs);
    expect(again).toMatchObject({ id: held.id, attempt: 1 });
    expect(again.fencingToken).toBeGreaterThan(held.fencingToken);
    await worker.finish(1);
    await worker.finish(2);
    expect(await ended(engine, held.instanceId)).toMatchObject({ status: "completed" });
  }, 120_000);

  test("[E20] [E22] jobs of a paused instance run on, and are stopped when it is cancelled", async () => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [branches("many")], { items: [1, 2] });
    await worker.job(2);
    await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" });
    // Each job looks with every beat whether the instance still wants it.
    await sleep(4_000);
    expect(worker.aborts).toEqual([]);
    await engine.command(id, { type: "cancel-instance", reason: "test", actor: "ann" });
    await eventually(() => worker.aborts[1], "the second job's end");
    expect(worker.aborts.map(({ reason }) => reason)).toEqual(["cancelled", "cancelled"]);
  });

  test("[E23] a job that ran on through a pause is stopped by a later one, and begins again after it", async () => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)]);
    await worker.job(1);
    const pause = (stopRunning: boolean) =>
      engine.command(id, { type: "pause-instance", stopRunning, reason: "lunch", actor: "ann" });
    const resume = () => engine.command(id, { type: "resume-instance", actor: "ann" });
    expect(await pause(false)).toMatchObject({ ok: true });
    // With its next beat the job hears of it.
    await sleep(3_000);
    expect(await resume()).toMatchObject({ ok: true });
    await sleep(3_000);
    expect(worker.aborts).toEqual([]);
    expect(await pause(true)).toMatchObject({ ok: true });
    await eventually(() => worker.aborts[0], "the end of the job");
    expect(worker.aborts).toMatchObject([{ reason: "cancelled" }]);
    expect(await resume()).toMatchObject({ ok: true });
    await worker.finish(2);
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  }, 60_000);

  test("[TE39] a command whose answer was lost is the same when it is asked again, also when the instance ended with it", async () => {
    const id = await begin(engine, [sequence("one", 1)]);
    const set = { type: "set-variables", scope: 0, values: { seen: 1 }, reason: "test", actor: "ann" } as const;
    const first = await engine.command(id, set, { requestId: "set" });
    expect(first).toMatchObject({ ok: true });
    expect(await engine.command(id, set, { requestId: "set" })).toEqual(first);
    expect(await engine.command(id, set)).not.toEqual(first);
    const cancel = { type: "cancel-instance", reason: "test", actor: "ann" } as const;
    const last = await engine.command(id, cancel, { requestId: "cancel" });
    expect(last).toMatchObject({ ok: true });
    expect(await engine.command(id, cancel, { requestId: "cancel" })).toEqual(last);
    expect(await engine.command(id, cancel)).toMatchObject({ rejection: { code: "instance-ended" } });
    const types = (await historyOf(engine, { instanceId: id })).map(({ event }) => event.type);
    expect(types.filter((type) => type === "variables-set")).toHaveLength(2);
  });

  test("[TE41] who waits for an answer as the engine closes is told so", async () => {
    await home.workflow.start("anything", { workflowId: "stuck", taskQueue: "nobody's" });
    const cancel = { type: "cancel-instance", reason: "test", actor: "ann" } as const;
    const refused = expect(engine.command("stuck", cancel)).rejects.toMatchObject({ code: "engine-closed" });
    // The server has taken it, and nobody answers.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await engine.close({ graceMs: 0 });
    await refused;
  });

  test("[TE11] a server that is not there is said so", async () => {
    const store = await openMemoryStore();
    const nowhere = createTemporalEngine({
      address: "127.0.0.1:1",
      store,
      host: testHost,
      workflowBundle: { code: "" },
    });
    await expect(nowhere).rejects.toMatchObject({ code: "temporal-unreachable" });
  });

  test("[TE11] so is a namespace that is not there", async () => {
    const opened = home.open({ namespace: "typo" });
    await expect(opened).rejects.toMatchObject({ code: "namespace-unknown", message: expect.stringContaining("typo") });
  });
});
