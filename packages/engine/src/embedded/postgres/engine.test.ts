import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Job, JobOutcome } from "@tutti/kernel";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ended, eventually, historyOf } from "../../conformance/harness.ts";
import type { Engine } from "../../port.ts";
import { testHost } from "../../testing/host.ts";
import { sequence } from "../../testing/programs.ts";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../../testing/with-postgres.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "../engine.ts";
import { openReader } from "../read/reader.ts";
import { connect, placeOf } from "./connect.ts";
import type { Waiting } from "./ownership.ts";
import { openPostgresReader } from "./reader.ts";
import { openPostgresStore } from "./store.ts";
import { verifyPostgresLog } from "./verify.ts";

const done: JobOutcome = { type: "completed", result: {} };

describeWithPostgres("the embedded engine on PostgreSQL", () => {
  let server: PostgresServer;
  let url: string;
  let schemas = 0;
  let engines: Engine[] = [];
  let children: ChildProcess[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.dispose());
  beforeEach(() => {
    schemas++;
    url = server.url(`crash_${schemas}`);
  });
  afterEach(async () => {
    for (const engine of engines) await engine.close({ graceMs: 0 });
    for (const child of children) child.kill("SIGKILL");
    engines = [];
    children = [];
  });

  async function open(rest: Partial<EmbeddedEngineOptions> = {}, waiting?: Waiting): Promise<Engine> {
    const store = await openPostgresStore(url, waiting === undefined ? {} : { waiting });
    const engine = await createEmbeddedEngine({ store, host: testHost, limits: { storageRetryMs: 50 }, ...rest });
    engines.push(engine);
    return engine;
  }

  /** Starts until it is acknowledged, as a caller does that knows only its request id. */
  function insist(engine: Engine, requestId: string): Promise<string> {
    const start = { requestId, process: "steps", variables: {}, actor: "me" };
    return eventually(() => engine.start(start).catch(refusedForNow), `start ${requestId}`);
  }

  function refusedForNow(error: { readonly code?: string }): undefined {
    if (error.code !== "storage-failed") throw error;
  }

  async function endSessions(): Promise<void> {
    const client = await connect(placeOf(url));
    const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    await client.query(`${others} AND application_name = 'tutti'`);
    await client.end();
  }

  /** Jobs whose completion the log has, each with how often. */
  async function completions(reader: Pick<Engine, "history">): Promise<Map<string, number>> {
    const times = new Map<string, number>();
    for (const { instanceId, event } of await historyOf(reader as Engine, {})) {
      if (event.type !== "job-completed") continue;
      const id = `${instanceId}/${event.key}`;
      times.set(id, (times.get(id) ?? 0) + 1);
    }
    return times;
  }

  test("[E95] sessions that end in the middle of turns lose nothing and repeat nothing that completed", async () => {
    const engine = await open();
    const known = new Set<string>();
    const again: string[] = [];
    const following = new AbortController();
    const follow = (async () => {
      for await (const { instanceId, event } of engine.history({ follow: true, signal: following.signal })) {
        if (event.type === "job-completed") known.add(`${instanceId}/${event.key}`);
      }
    })().catch(() => undefined);
    await engine.deploy([sequence("steps", 3)]);
    engine.work("work", async (job) => {
      if (known.has(job.id)) again.push(job.id);
      return done;
    });
    const ids: string[] = [];
    for (let round = 0; round < 6; round++) {
      const requests = Array.from({ length: 20 }, (_, n) => `r${round}.${n}`);
      const started = Promise.all(requests.map((each) => insist(engine, each)));
      await sleep(round * 7);
      await endSessions();
      ids.push(...(await started));
    }
    for (const id of ids) {
      await eventually(async () => ((await endedNow(engine, id)) ? true : undefined), `the end of ${id}`);
    }
    following.abort();
    await follow;
    expect(new Set(ids).size).toBe(120);
    const times = await completions(engine);
    expect(times.size).toBe(360);
    expect([...times.values()].every((each) => each === 1)).toBe(true);
    expect(again).toEqual([]);
    await engine.close();
    expect(await verifyPostgresLog(url)).toBeGreaterThan(0);
  });

  async function endedNow(engine: Engine, id: string): Promise<boolean> {
    const view = await engine.instance(id).catch(refusedForNow);
    return view !== undefined && view.endedAt !== null;
  }

  test("[E95] while the server is gone commands are refused and no job starts; afterwards the engine goes on", async () => {
    const engine = await open();
    await engine.deploy([sequence("steps", 2)]);
    const jobs: { readonly job: Job; readonly finish: () => void }[] = [];
    engine.work("work", (job) => new Promise((resolve) => jobs.push({ job, finish: () => resolve(done) })));
    const id = await insist(engine, "before");
    await eventually(() => jobs[0], "the first job");
    await server.stop("kill");
    await eventually(async () => {
      const refused = await engine
        .start({ requestId: "x", process: "steps", variables: {}, actor: "me" })
        .catch((e) => e);
      return refused.code === "storage-failed" ? true : undefined;
    });
    // What the job came to meanwhile is kept, and written once that is possible.
    jobs[0]?.finish();
    await sleep(100);
    expect(jobs).toHaveLength(1);
    await server.start();
    await eventually(() => jobs[1], "the second job");
    jobs[1]?.finish();
    await eventually(async () => ((await endedNow(engine, id)) ? true : undefined));
    expect(jobs.map(({ job }) => job.attempt)).toEqual([1, 1]);
  });

  test("[E96] an engine whose store was taken over stops, refuses everything and ends its jobs", async () => {
    let lost: Error | undefined;
    const first = await open({
      limits: { storageRetryMs: 1_000 },
      onLost: (error) => {
        lost = error;
      },
    });
    await first.deploy([sequence("steps", 1)]);
    const reasons: unknown[] = [];
    const tokens: number[] = [];
    first.work("work", (job, { signal }) => {
      tokens.push(job.fencingToken);
      const heard = signal as unknown as EventTarget & { readonly reason: unknown };
      return new Promise((resolve) =>
        heard.addEventListener("abort", () => {
          reasons.push(heard.reason);
          resolve(done);
        }),
      );
    });
    const id = await insist(first, "one");
    await eventually(() => tokens[0], "the job");
    const waiting = { signal: new AbortController().signal };
    const next = open({}, waiting);
    await endSessions();
    const second = await next;
    await eventually(() => lost, "the loss to be noticed");
    expect(lost).toMatchObject({ code: "ownership-lost" });
    await expect(first.instance(id)).rejects.toMatchObject({ code: "ownership-lost" });
    expect(reasons).toEqual(["shutdown"]);
    second.work("work", async (job) => {
      tokens.push(job.fencingToken);
      return done;
    });
    expect(await ended(second, id)).toMatchObject({ status: "completed" });
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? 0);
  });

  test("[E97] a standby takes over from an owner that was killed in less than five seconds, and does nothing again", async () => {
    const child = spawnOwner(url);
    children.push(child);
    await saying(child, "working");
    const told: unknown[] = [];
    const waiting = { signal: new AbortController().signal, onWaiting: (owner: unknown) => told.push(owner) };
    const taking = open({}, waiting);
    await eventually(() => told[0], "the standby to wait");
    expect(told).toMatchObject([{ pid: child.pid }]);
    // Beside the owner and the standby, anybody may read.
    const reader = openReader({ store: await openPostgresReader(url), host: testHost });
    await eventually(async () => ((await completions(reader)).size > 5 ? true : undefined), "some of the work");
    const killedAt = performance.now();
    child.kill("SIGKILL");
    const engine = await taking;
    const before = await completions(reader);
    const ran: string[] = [];
    engine.work("work", async (job) => {
      ran.push(job.id);
      return done;
    });
    await eventually(() => ran[0], "a job");
    expect(performance.now() - killedAt).toBeLessThan(5_000);
    for (const { instanceId } of (await reader.query("instances", {}, { limit: 1_000 })).rows) {
      expect(await ended(engine, instanceId)).toMatchObject({ status: "completed" });
    }
    expect(ran.filter((id) => before.has(id))).toEqual([]);
    const times = await completions(reader);
    expect([...times.values()].every((each) => each === 1)).toBe(true);
    await reader.close();
  });

  test("[E97] a standby that is not wanted any more stops waiting", async () => {
    await open();
    const stop = new AbortController();
    const waiting = openPostgresStore(url, { waiting: { signal: stop.signal } });
    setTimeout(() => stop.abort(), 100);
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });
});

/** An owner in a process of its own, that works on a hundred instances, each with jobs that take a while. */
function spawnOwner(url: string): ChildProcess {
  const source = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  const script = `
    import { createEmbeddedEngine } from ${source("../engine.ts")};
    import { testHost } from ${source("../../testing/host.ts")};
    import { sequence } from ${source("../../testing/programs.ts")};
    import { openPostgresStore } from ${source("store.ts")};
    const engine = await createEmbeddedEngine({ store: await openPostgresStore(${JSON.stringify(url)}), host: testHost });
    await engine.deploy([sequence("steps", 20)]);
    for (let n = 0; n < 10; n++) {
      await engine.start({ requestId: "r" + n, process: "steps", variables: {}, actor: "me" });
    }
    engine.work("work", () => new Promise((resolve) => setTimeout(() => resolve({ type: "completed", result: {} }), 50)));
    console.log("working");`;
  return spawn(process.execPath, ["--conditions=@tutti/source", "--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function saying(child: ChildProcess, word: string): Promise<void> {
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await eventually(() => (said.includes(word) || child.exitCode !== null ? true : undefined), `'${word}'`);
  if (!said.includes(word)) throw new Error(`The child ended early: ${child.exitCode}`);
  await Promise.race([once(child, "exit"), sleep(0)]);
}
