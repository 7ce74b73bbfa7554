import { describe, expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { branches, end, from, program, sequence, service, start } from "../testing/programs.ts";
import { beginningRules } from "./beginning.suite.ts";
import { changeRules } from "./change.suite.ts";
import {
  begin,
  completed,
  ended,
  eventually,
  failed,
  type Harness,
  historyOf,
  incidentOf,
  ManualWorker,
  type SuiteOptions,
} from "./harness.ts";
import { messageRules } from "./messages.suite.ts";
import { movingRules } from "./moving.suite.ts";
import { readingRules } from "./reading.suite.ts";
import { versionRules } from "./versions.suite.ts";
import { waitingRules } from "./waiting.suite.ts";

export interface Running {
  readonly harness: Harness;
  engine: Engine;
}

export type Rule = (
  name: string,
  body: (running: Running) => Promise<void>,
  /** A rule that keeps the machine busy for seconds stands `alone` where others run several at once. */
  options?: { readonly alone?: boolean },
) => void;

/** The rules of SPEC.md that every engine keeps, through the port alone. */
export function engineSuite(options: SuiteOptions): void {
  const { name, make, branchesMany = 2_500, jobsOnly = false, concurrent = false } = options;
  describe(name, () => {
    const rule: Rule = (title, body, { alone = false } = {}) => {
      test(title, { concurrent: concurrent && !alone }, async () => {
        const harness = await make();
        try {
          const running: Running = { harness, engine: await harness.open() };
          await body(running).finally(() => running.engine.close({ graceMs: 0 }).catch(() => undefined));
        } finally {
          await harness.dispose();
        }
      });
    };
    jobRules(rule);
    branchRules(rule, branchesMany);
    failureRules(rule);
    waitingRules(rule);
    changeRules(rule);
    if (jobsOnly) return;
    startRules(rule);
    messageRules(rule);
    beginningRules(rule);
    versionRules(rule);
    readingRules(rule);
    movingRules(rule);
  });
}

const request = { requestId: "once", process: "one", variables: {}, actor: "tester" };

function startRules(rule: Rule): void {
  rule("[E1] one request id starts once, at the same time, later and after a restart", async (running) => {
    const { harness, engine } = running;
    await engine.deploy([sequence("one", 1)]);
    const ids = await Promise.all([engine.start(request), engine.start(request), engine.start(request)]);
    expect(new Set(ids).size).toBe(1);
    expect(await engine.start(request)).toBe(ids[0]);
    await engine.close();
    running.engine = await harness.open();
    expect(await running.engine.start(request)).toBe(ids[0]);
    expect((await running.engine.query("instances")).rows).toHaveLength(1);
  });

  rule("[E2] what cannot start is refused with its code, and nothing is left of it", async ({ engine }) => {
    await expect(engine.start(request)).rejects.toMatchObject({ code: "program-not-found" });
    await engine.deploy([branches("one")]);
    await expect(engine.start(request)).rejects.toMatchObject({
      code: "start-refused",
      details: { rejection: "variable-missing" },
    });
    await expect(engine.start({ ...request, version: "9.9.9" })).rejects.toMatchObject({ code: "program-not-found" });
    await expect(engine.start({ ...request, requestId: "" })).rejects.toMatchObject({ code: "limit-invalid" });
    for (const half of [{ requestId: "\ud800" }, { instanceId: "i\udfff" }]) {
      await expect(engine.start({ ...request, ...half })).rejects.toMatchObject({ code: "payload-invalid" });
    }
    expect((await engine.query("instances")).rows).toEqual([]);
  });

  rule("[E2] an instance id is given once", async ({ engine }) => {
    await engine.deploy([sequence("one", 1)]);
    await engine.start({ ...request, instanceId: "mine" });
    await expect(engine.start({ ...request, requestId: "other", instanceId: "mine" })).rejects.toMatchObject({
      code: "start-refused",
    });
    // A made id steps aside for a chosen one.
    const chosen = await Promise.all(
      [2, 3, 4, 5, 6].map((n) => engine.start({ ...request, requestId: `c${n}`, instanceId: `one-${n}` })),
    );
    const made = await engine.start({ ...request, requestId: "made" });
    expect(chosen).not.toContain(made);
  });

  rule("[E3] what was deployed last is latest, and a version can be named", async ({ engine }) => {
    const [first, second] = [sequence("one", 1), { ...sequence("one", 2), version: "2.0.0" }];
    const deployment = await engine.deploy([first]);
    await engine.deploy([second]);
    const latest = await engine.start(request);
    const named = await engine.start({ ...request, requestId: "two", version: "1.0.0" });
    expect((await engine.instance(latest)).hash).toBe(second.hash);
    expect((await engine.instance(named)).hash).toBe(first.hash);
    expect(await engine.deploy([first])).toEqual(deployment);
    const again = await engine.start({ ...request, requestId: "three" });
    expect((await engine.instance(again)).hash).toBe(first.hash);
  });

  rule("[E4] payloads that are not plain JSON never get in", async ({ engine }) => {
    await engine.deploy([sequence("one", 1)]);
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await expect(engine.start({ ...request, variables: cyclic as never })).rejects.toMatchObject({
      code: "payload-invalid",
    });
    await expect(engine.start({ ...request, variables: { n: 1n } as never })).rejects.toMatchObject({
      code: "payload-invalid",
    });
  });
}

function jobRules(rule: Rule): void {
  rule("[E5] jobs run one after the other, with their input, and the instance completes", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const shape = program({
      id: "pass",
      variables: [{ name: "given", type: "number", initial: 1 }],
      outputs: ["given"],
      elements: [
        start(),
        service("a", { inputs: [from("n", { variable: "given" })], outputs: [from("given", { variable: "n" })] }),
        service("b", { inputs: [from("n", { variable: "given" })] }),
        end(),
      ],
      flows: ["start>a", "a>b", "b>end"],
    });
    const id = await begin(engine, [shape], { given: 5 });
    expect(await worker.job(1)).toMatchObject({ instanceId: id, elementId: "a", attempt: 1, input: { n: 5 } });
    await worker.finish(1, completed({ n: 7 }));
    expect(await worker.job(2)).toMatchObject({ elementId: "b", input: { n: 7 } });
    await worker.finish(2);
    const view = await ended(engine, id);
    expect(view).toMatchObject({ status: "completed", outcome: { type: "completed", result: { given: 7 } } });
    expect(worker.jobs).toHaveLength(2);
    expect((await engine.query("jobs")).rows).toEqual([]);
  });

  rule("[E6] a second completion of a job is refused and changes nothing", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("two", 2)]);
    await worker.job(1);
    const key = (await engine.query("jobs")).rows[0]?.key ?? 0;
    const command = { type: "complete-job", key, result: {}, actor: "outside" } as const;
    expect(await engine.command(id, command)).toMatchObject({ ok: true });
    expect(await engine.command(id, command)).toMatchObject({ ok: false, rejection: { code: "job-not-found" } });
    // The worker that still holds it is stopped, and its word no longer counts.
    await eventually(() => worker.aborts.find(({ reason }) => reason === "cancelled"));
    await worker.finish(1);
    expect(await worker.job(2)).toMatchObject({ elementId: "step2" });
    expect((await engine.instance(id)).status).toBe("running");
  });

  rule(
    "[E7] after a crash open jobs are offered again under a greater token, completed ones never",
    async (running) => {
      const before = new ManualWorker();
      running.engine.work("work", before.handler);
      const id = await begin(running.engine, [sequence("three", 3)]);
      await before.finish(1);
      const held = await before.job(2);
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      const after = new ManualWorker();
      running.engine.work("work", after.handler);
      const again = await after.job(1);
      expect(again).toMatchObject({ id: held.id, elementId: "step2", attempt: 1 });
      expect(again.fencingToken).toBeGreaterThan(held.fencingToken);
      await after.finish(1);
      await after.finish(2);
      await ended(running.engine, id);
      expect(after.jobs.map((job) => job.elementId)).toEqual(["step2", "step3"]);
    },
  );

  rule("[E8] a class runs as many jobs as it has slots; adjusting counts at once and lasts", async (running) => {
    const worker = new ManualWorker();
    running.engine.work("work", worker.handler);
    await begin(running.engine, [branches("many", { queue: "heavy" })], { items: [1, 2, 3, 4, 5, 6] });
    await worker.job(2);
    await eventually(async () =>
      (await running.engine.query("queues")).rows.find((row) => row.queue === "heavy" && row.waiting === 4),
    );
    expect(worker.jobs).toHaveLength(2);
    await running.engine.adjustQueue("heavy", 4);
    await worker.job(4);
    expect(worker.jobs).toHaveLength(4);
    await running.engine.close({ graceMs: 0 });
    running.engine = await running.harness.open();
    expect((await running.engine.query("queues")).rows.find((row) => row.queue === "heavy")).toMatchObject({
      slots: 4,
    });
    await expect(running.engine.adjustQueue("heavy", -1)).rejects.toMatchObject({ code: "limit-invalid" });
  });

  rule("[E9] better priority starts first", async ({ engine }) => {
    await engine.adjustQueue("standard", 1);
    await engine.deploy([sequence("low", 1, { priority: 5 }), sequence("high", 1, { priority: 1 })]);
    for (const process of ["low", "high", "low"]) {
      const id = await engine.start({ ...request, requestId: `p${Math.random()}`, process });
      // What is answered comes after the turn that offers the job: then it waits, on a slow machine, too.
      await engine.command(id, { type: "set-variables", scope: 0, values: { seen: true }, reason: "", actor: "ann" });
    }
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    await worker.finish(1);
    await worker.finish(2);
    await worker.finish(3);
    expect(worker.jobs.map((job) => job.priority)).toEqual([1, 5, 5]);
  });

  rule("[E10] one handler a type; jobs wait until there is one, and stopping gives them back", async ({ engine }) => {
    const id = await begin(engine, [sequence("one", 1)]);
    const first = new ManualWorker();
    const stop = engine.work("work", first.handler);
    expect(() => engine.work("work", first.handler)).toThrow(expect.objectContaining({ code: "handler-exists" }));
    await first.job(1);
    await stop({ graceMs: 0 });
    expect(first.aborts).toMatchObject([{ reason: "shutdown" }]);
    engine.work("work", async () => completed());
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  });

  rule(
    "[E10] handlers that share a type have each job once, take over from one that stops, and let nobody else in",
    async ({ engine }) => {
      const [one, two] = [new ManualWorker(), new ManualWorker()];
      const shared = { shared: true, concurrency: 1 };
      const stop = engine.work("work", one.handler, shared);
      engine.work("work", two.handler, shared);
      const refused = expect.objectContaining({ code: "handler-exists" });
      expect(() => engine.work("work", one.handler)).toThrow(refused);
      const id = await begin(engine, [branches("many")], { items: [1, 2, 3] });
      await Promise.all([one.job(1), two.job(1)]);
      await stop({ graceMs: 0 });
      for (const n of [1, 2, 3]) await two.finish(n);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect([one.jobs.length, two.jobs.length]).toEqual([1, 3]);
    },
  );

  rule("[E10] a handler runs no more at once than it asked for", async ({ engine }) => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler, { concurrency: 2 });
    await begin(engine, [branches("many")], { items: [1, 2, 3] });
    await worker.job(2);
    expect(worker.jobs).toHaveLength(2);
    await worker.finish(1);
    await worker.job(3);
  });
}

function branchRules(rule: Rule, count: number): void {
  const title = "[E11] more branches than one command activates all run and join";
  const body = async ({ engine }: Running): Promise<void> => {
    engine.work("work", async () => completed());
    await engine.adjustQueue("standard", 1_000);
    const id = await begin(engine, [branches("many")], { items: Array.from({ length: count }, (_, n) => n) });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  };
  rule(title, body, { alone: true });
}

function failureRules(rule: Rule): void {
  const retry = {
    attemptsMax: 3,
    backoff: { firstMs: 1_000, factor: 2, maxMs: 60_000 },
    exhausted: "incident",
  } as const;

  rule(
    "[E12] a failed job is tried again after its delay, also across a restart; then a person decides",
    async (running) => {
      const worker = new ManualWorker();
      running.engine.work("work", worker.handler);
      const id = await begin(running.engine, [sequence("retry", 1, { retry })]);
      await worker.finish(1, failed());
      await eventually(async () => (await running.engine.query("jobs")).rows.find((row) => row.state === "backoff"));
      await running.harness.advance(999);
      expect(worker.jobs).toHaveLength(1);
      await running.harness.advance(1);
      expect(await worker.job(2)).toMatchObject({ attempt: 2, id: worker.jobs[0]?.id });
      await worker.finish(2, failed());
      await eventually(async () => (await running.engine.query("jobs")).rows.find((row) => row.attempt === 3));
      await running.engine.close();
      running.engine = await running.harness.open();
      const later = new ManualWorker();
      running.engine.work("work", later.handler);
      await running.harness.advance(1_999);
      expect(later.jobs).toHaveLength(0);
      await running.harness.advance(1);
      await later.finish(1, failed("worse"));
      const incident = await incidentOf(running.engine, id);
      expect(incident).toMatchObject({ kind: "job", error: { code: "worse" } });
      expect((await running.engine.query("incidents")).rows).toMatchObject([
        { instanceId: id, key: incident.key, code: "worse" },
      ]);
      expect((await running.engine.query("jobs")).rows).toEqual([]);
      const resolve = {
        type: "resolve-incident",
        key: incident.key,
        action: "retry",
        reason: "fixed",
        actor: "me",
      } as const;
      expect(await running.engine.command(id, resolve)).toMatchObject({ ok: true });
      await later.finish(2);
      expect(await ended(running.engine, id)).toMatchObject({ status: "completed" });
      expect((await running.engine.query("incidents")).rows).toEqual([]);
    },
  );

  rule(
    "[E13] a handler that throws, or gives no outcome, has failed and is tried again",
    async ({ engine, harness }) => {
      const answers: (() => unknown)[] = [
        () => {
          throw new Error("boom");
        },
        () => undefined,
        () => ({ type: "completed", result: 7 }),
      ];
      engine.work("work", async () => answers.shift()?.() as never);
      const id = await begin(engine, [sequence("crash", 1, { retry })]);
      // Long enough for both delays.
      await eventually(async () => (await engine.query("jobs")).rows.find((row) => row.state === "backoff"));
      await harness.advance(10_000);
      expect(await incidentOf(engine, id)).toMatchObject({ error: { code: "result-invalid" } });
      const failures = (await historyOf(engine, {})).flatMap(({ event }) =>
        event.type === "job-failed" ? [event.error.code] : [],
      );
      expect(failures).toEqual(["handler-crashed", "handler-crashed", "result-invalid"]);
    },
  );

  rule(
    "[E14] a job that runs too long is aborted and has failed; what it says later does not count",
    async ({ engine, harness }) => {
      const worker = new ManualWorker();
      engine.work("work", worker.handler);
      const id = await begin(engine, [sequence("slow", 1, { timeoutMs: 5_000 })]);
      const job = await worker.job(1);
      expect(job.deadlineAt).toBe(harness.now() + 5_000);
      await harness.advance(5_000);
      expect(worker.aborts).toMatchObject([{ reason: "timeout" }]);
      expect(await incidentOf(engine, id)).toMatchObject({ error: { code: "job-timeout" } });
      await worker.finish(1);
      expect((await engine.instance(id)).status).toBe("running");
    },
  );

  rule("[E15] a silent worker loses its job, one with heartbeats keeps it", async ({ engine, harness }) => {
    const worker = new ManualWorker();
    let beat: ((progress?: { readonly note?: string }) => void) | undefined;
    engine.work(
      "work",
      (job, context) => {
        beat = (progress) => context.heartbeat(progress);
        return worker.handler(job, context);
      },
      { silenceMs: 1_000 },
    );
    const id = await begin(engine, [sequence("silent", 1)]);
    await worker.job(1);
    await harness.advance(900);
    beat?.({ note: "half" });
    await harness.advance(900);
    expect((await engine.query("jobs")).rows).toMatchObject([
      { instanceId: id, state: "running", progress: { note: "half" } },
    ]);
    expect(worker.aborts).toEqual([]);
    await harness.advance(200);
    expect(worker.aborts).toMatchObject([{ reason: "lease-lost" }]);
    expect(await incidentOf(engine, id)).toMatchObject({ error: { code: "job-silent" } });
  });
}
