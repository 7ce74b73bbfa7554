import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Job } from "@tutti/kernel";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { verifyPostgresLog } from "../embedded/postgres/verify.ts";
import type { Engine, RecordedEvent } from "../port.ts";
import { onTimer, receiver } from "../testing/message-programs.ts";
import { end, program, sequence, service, start } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../testing/with-postgres.ts";
import { begin, completed, ended, eventually, historyOf, ManualWorker } from "./harness.ts";
import { waitFor } from "./messages.suite.ts";

// Several processes on one Temporal and one log in a PostgreSQL.

const workerScript = fileURLToPath(new URL("../testing/temporal-worker.ts", import.meta.url));

/** A process of its own that works, and the jobs it was given. */
class OtherWorker {
  readonly jobs: Job[] = [];
  readonly #process: ChildProcess;

  constructor({ address, namespace, database }: TemporalHome, role = "") {
    const script = ["--conditions=@tutti/source", workerScript, address, namespace, database, role];
    const node = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "inherit"], detached: true });
    createInterface({ input: node.stdout }).on("line", (line) => this.jobs.push(JSON.parse(line) as Job));
    this.#process = node;
  }

  async gone(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, "exit");
  }

  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    process.kill(-pid, "SIGKILL");
    await this.gone();
  }
}

describeWithTemporal("several processes on Temporal", () => {
  describeWithPostgres("with a PostgreSQL", () => {
    let server: PostgresServer;
    let house: TemporalHouse;
    let home: TemporalHome;
    let engine: Engine;
    const others: OtherWorker[] = [];
    const other = (role?: string): OtherWorker => {
      const worker = new OtherWorker(home, role);
      others.push(worker);
      return worker;
    };
    beforeAll(async () => {
      server = await startPostgres();
      house = await openTemporalHouse("short-history-workflow.ts", { postgres: server });
    }, 120_000);
    afterAll(async () => {
      await house?.close();
      await server?.dispose();
    });
    beforeEach(async () => {
      home = house.home();
      engine = await home.open();
    });
    afterEach(async () => {
      for (const worker of others.splice(0)) await worker.kill();
      await engine.close({ graceMs: 0 });
      home.remove();
    });

    test("[E76] what is due begins once, however many processes look after one log", async () => {
      const others = [await home.open(), await home.open()];
      try {
        await engine.deploy([onTimer("tick", { kind: "cycle", value: { literal: "R3/PT1S" } })]);
        const rows = async () => (await engine.query("instances", { process: "tick" })).rows;
        await eventually(async () => ((await rows()).length === 3 ? true : undefined));
        await eventually(async () => ((await engine.query("schedules")).rows.length === 0 ? true : undefined));
        expect(await rows()).toHaveLength(3);
        const created = (await historyOf(engine, {})).filter(({ event }) => event.type === "instance-created");
        expect(created).toHaveLength(3);
      } finally {
        for (const each of others) await each.close({ graceMs: 0 });
      }
    });

    test("[TE13] whoever is killed in the middle, nothing is lost or written twice, and positions have no gaps", async () => {
      const first = other();
      await engine.deploy([sequence("steps", 5)]);
      const start = (n: number): Promise<string> =>
        engine.start({ requestId: `r${n}`, process: "steps", variables: {}, actor: "tester" });
      const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => start(n)));
      await eventually(() => first.jobs[9], "the tenth job");
      await first.kill();
      const second = other();
      for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      const events = await historyOf(engine, {});
      const positions = [...new Set(events.map(({ cursor }) => cursor.position))];
      expect(positions).toEqual(positions.map((_, index) => index + 1));
      expect(await verifyPostgresLog(home.database)).toBe(positions.length);
      for (const [, of] of Map.groupBy(events, ({ instanceId }) => instanceId)) {
        expect(of.map(({ sequence: number }) => number)).toEqual(of.map((_, index) => index + 1));
        expect(of.filter(({ event }) => event.type === "job-completed")).toHaveLength(5);
      }
      // What the first one had done is not done again; of what it was doing Temporal may not have heard.
      expect(second.jobs.length).toBeGreaterThan(0);
      expect(first.jobs.length + second.jobs.length).toBeLessThanOrEqual(100 + 10);
    }, 120_000);

    test("[TE17] what a killed worker wrote last is what happened, whatever came before Temporal could hear of it", async () => {
      await engine.close();
      const dying = other("dies");
      await dying.gone();
      const [done] = dying.jobs as [Job];
      const { instanceId } = done;
      // In the history this is after the end of the job, and an execution is told of it first.
      const pause = { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" };
      await home.workflow.getHandle(instanceId).signal("tell", pause);
      engine = await home.open();
      const worker = new ManualWorker();
      engine.work("work", worker.handler);
      await eventually(async () => ((await engine.instance(instanceId)).status === "paused" ? true : undefined));
      expect(await home.workflow.getHandle(instanceId).query("current_state")).toEqual(
        await engine.instance(instanceId),
      );
      await engine.command(instanceId, { type: "resume-instance", actor: "ann" });
      expect((await worker.job(1)).elementId).toBe("step2");
      await worker.finish(1);
      expect(await ended(engine, instanceId)).toMatchObject({ status: "completed" });
      const events = await historyOf(engine, { instanceId });
      expect(events.map(({ sequence: number }) => number)).toEqual(events.map((_, index) => index + 1));
      const told = events.map(({ event }) => event.type).filter((type) => /^(job-completed|instance-)/.test(type));
      expect(told).toEqual([
        ...["instance-created", "job-completed", "instance-paused", "instance-resumed", "job-completed"],
        "instance-completed",
      ]);
      expect(dying.jobs).toHaveLength(1);
      expect(worker.jobs).toHaveLength(1);
    }, 120_000);

    test("[TE35] a fork that a killed worker had begun goes on, its original ends, and the request forks once", async () => {
      await engine.close();
      const dying = other("forks");
      await dying.gone();
      const [{ instanceId }] = dying.jobs as [Job];
      engine = await home.open();
      const done: string[] = [];
      engine.work("work", async (job) => {
        // Whoever comes first: Temporal may give the original's job to another worker before it hears of its end.
        if (job.instanceId === instanceId) await new Promise(() => undefined);
        done.push(`${job.elementId} of ${job.instanceId}`);
        return completed();
      });
      const back = { requestId: "back", newId: "again", cancelOriginal: true, reason: "Once more.", actor: "tester" };
      expect(await engine.fork({ ...back, instanceId })).toBe("again");
      expect(await engine.instance(instanceId)).toMatchObject({ status: "cancelled" });
      expect(await home.workflow.getHandle(instanceId).result()).toMatchObject({ type: "cancelled" });
      expect(await ended(engine, "again")).toMatchObject({ status: "completed" });
      expect(done).toEqual(["step1 of again", "step2 of again"]);
      const forks = (await historyOf(engine, {})).filter(({ event }) => event.type === "instance-forked");
      expect(forks).toHaveLength(1);
      expect(await home.workflow.getHandle("again").query("current_state")).toEqual(await engine.instance("again"));
    }, 120_000);

    test("[TE31] messages and signals of any process reach the instances of all, each once", async () => {
      const beside = await home.open();
      const both = [engine, beside] as const;
      const at = (index: number): Engine => both[index % 2] ?? engine;
      try {
        await engine.deploy([receiver("ship"), receiver("alarm", { signal: true })]);
        const waiting = await waitFor(beside, "ship", { key: "now" });
        const now = await engine.publish({ name: "paid", correlationKey: "now", variables: { got: 0 } });
        expect(now.instances).toEqual([{ process: "ship", instanceId: waiting, started: false }]);
        const numbers = [1, 2, 3, 4, 5, 6];
        const kept = numbers.map((got) => ({
          name: "paid",
          correlationKey: "later",
          ttlMs: 600_000,
          variables: { got },
        }));
        await Promise.all(kept.map((message, index) => at(index).publish({ ...message, id: `m-${index}` })));
        const start = (number: number): Promise<string> =>
          at(number).start({ requestId: `${number}`, process: "ship", variables: { key: "later" }, actor: "me" });
        const ids = await Promise.all(numbers.map(start));
        const views = await Promise.all(ids.map((id, index) => ended(at(index), id)));
        expect(views.map(({ variables }) => Number(variables["got"])).sort()).toEqual(numbers);
        const alarms = [await waitFor(engine, "alarm"), await waitFor(beside, "alarm")];
        await beside.broadcast({ name: "fire", variables: { got: 7 } });
        for (const id of alarms) expect((await ended(engine, id)).variables).toMatchObject({ got: 7 });
      } finally {
        await beside.close({ graceMs: 0 });
      }
    }, 120_000);

    test("[TE40] a job of a place is done by those who work there alone, and all others by anybody", async () => {
      const there = await home.open({ places: ["depot"] });
      try {
        const done: string[] = [];
        for (const [name, each] of [
          ["engine", engine],
          ["there", there],
        ] as const) {
          each.work("work", async ({ elementId }) => {
            done.push(`${name} ${elementId}`);
            return completed();
          });
        }
        const steps = Array.from({ length: 6 }, (_, index) =>
          service(`at${index}`, { headers: { "tutti.place": "depot" } }),
        );
        const ids = steps.map(({ id }) => id);
        const flows = ["start", ...ids].map((id, index) => `${id}>${ids[index] ?? "end"}`);
        const id = await begin(engine, [program({ id: "placed", elements: [start(), ...steps, end()], flows })]);
        await ended(engine, id);
        expect(done).toEqual(ids.map((step) => `there ${step}`));
        expect((await there.query("queues")).rows).toMatchObject([{ running: 0, waiting: 0 }, {}, {}]);
      } finally {
        await there.close({ graceMs: 0 });
      }
    }, 120_000);

    test("[TE14] [TE15] what one process deploys and starts, another starts, works on and follows", async () => {
      const beside = await home.open();
      try {
        beside.work("work", async () => completed());
        const seen: RecordedEvent[] = [];
        const following = (async () => {
          for await (const event of beside.history({ follow: true })) seen.push(event);
        })();
        const id = await begin(engine, [sequence("one", 1)]);
        await ended(engine, id);
        const again = await beside.start({ requestId: "there", process: "one", variables: {}, actor: "tester" });
        await ended(beside, again);
        // Read by the other at once: it asks the log how far it is.
        const all = await historyOf(engine, {});
        expect(new Set(all.map(({ instanceId }) => instanceId))).toEqual(new Set([id, again]));
        await eventually(() => seen[all.length - 1]);
        expect(seen).toEqual(all);
        await engine.deploy([{ ...sequence("one", 2), version: "2.0.0" }]);
        await engine.rollout("one", { stable: "1.0.0", candidate: "2.0.0", percent: 0 });
        const planned = await beside.start({ requestId: "planned", process: "one", variables: {}, actor: "tester" });
        expect((await beside.instance(planned)).version).toBe("1.0.0");
        await engine.adjustQueue("light", 3);
        await eventually(async () =>
          (await beside.query("queues")).rows.find(({ queue, slots }) => queue === "light" && slots === 3),
        );
        await beside.close();
        await following;
      } finally {
        await beside.close({ graceMs: 0 });
      }
    }, 120_000);
  });
});
