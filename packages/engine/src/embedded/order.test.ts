import type { Element, Job, JobOutcome } from "@tutti/kernel";
import { expect, test } from "vitest";
import { failed } from "../conformance/harness.ts";
import type { Engine, InstanceCommand, RecordedEvent } from "../port.ts";
import { SimulatedDisk } from "../simulation/journal-medium.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { testHost } from "../testing/host.ts";
import { end, program, sequence, start } from "../testing/programs.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "./engine.ts";
import type { Disk } from "./memory/journal.ts";
import { openMemoryStore } from "./memory/store.ts";
import type { Turn } from "./store.ts";

// What happens first when much happens at once. Each of these went wrong in a schedule of the simulation.

/** One process after the other on one disk, with nothing real in it. */
class World {
  readonly clock = new FakeClock();
  readonly bytes = new SimulatedDisk();
  readonly jobs: Job[] = [];
  readonly #finish: ((outcome: JobOutcome) => void)[] = [];

  get disk(): Disk {
    const { bytes } = this;
    return {
      read: async () => bytes.read(),
      append: async (more) => bytes.append(more),
      sync: async () => bytes.sync(),
      truncate: async (length) => bytes.truncate(length),
    };
  }

  async open(options: Partial<EmbeddedEngineOptions> = {}): Promise<Engine> {
    this.clock.forget();
    const store = await openMemoryStore({ disk: this.disk });
    return createEmbeddedEngine({ store, host: testHost, clock: this.clock, ...options });
  }

  hire(engine: Engine): void {
    engine.work("work", (job) => {
      this.jobs.push(job);
      return new Promise((resolve) => this.#finish.push(resolve));
    });
  }

  async finish(n: number, outcome: JobOutcome): Promise<void> {
    this.#finish[n - 1]?.(outcome);
    await Promise.resolve();
  }

  /** Waits for an answer while nothing but the engine moves. */
  async answer<T>(request: Promise<T>): Promise<T> {
    const settled = request.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await this.clock.settle();
    const result = await settled;
    if ("error" in result) throw result.error;
    return result.value;
  }

  /** An instance of one task, whose job may be tried twice at once. */
  async begin(engine: Engine): Promise<string> {
    const backoff = { firstMs: 0, factor: 1, maxMs: 0 };
    await this.answer(engine.deploy([sequence("one", 1, { retry: { attemptsMax: 3, backoff } })]));
    const instanceId = await this.answer(engine.start({ requestId: "r", process: "one", variables: {}, actor: "me" }));
    await this.clock.settle();
    return instanceId;
  }
}

function xor(id: string): Element {
  return { kind: "exclusive-gateway", id, parent: null };
}

const error = { code: "broken", message: "it broke" };
const complete: InstanceCommand = { type: "complete-job", key: 1, result: {}, actor: "me" };

test("[E60] a job that is offered and closed in one turn never starts", async () => {
  const world = new World();
  const engine = await world.open();
  world.hire(engine);
  const instanceId = await world.begin(engine);
  await world.finish(1, failed());
  // The outcome is in the inbox already: the next attempt and its completion fall into one turn.
  expect(await world.answer(engine.command(instanceId, complete))).toMatchObject({ ok: true });
  await world.clock.advance(60_000);
  expect(world.jobs.map((job) => job.attempt)).toEqual([1]);
});

test("[E60] a job that ends in the turn that makes room for it never starts", async () => {
  const world = new World();
  const engine = await world.open();
  world.hire(engine);
  await world.answer(engine.adjustQueue("standard", 0));
  const instanceId = await world.begin(engine);
  const cancelled = engine.command(instanceId, { type: "cancel-instance", reason: "enough", actor: "me" });
  await world.answer(Promise.all([cancelled, engine.adjustQueue("standard", 5)]));
  expect(world.jobs).toEqual([]);
  await world.answer(engine.start({ requestId: "r2", process: "one", variables: {}, actor: "me" }));
  expect(world.jobs).toHaveLength(1);
});

test("[E61] a recovered job starts only once the turn that read its state is durable", async () => {
  const world = new World();
  const instanceId = await world.begin(await world.open());
  let dead = false;
  const engine = await world.open({
    crashPoint: (point) => {
      if (dead && point === "before-commit") throw new Error("the process died");
    },
  });
  dead = true;
  world.hire(engine);
  const retryable = true;
  engine.command(instanceId, { type: "fail-job", key: 1, error, retryable }).catch(() => undefined);
  await world.clock.settle();
  expect(world.jobs).toEqual([]);
});

test("[E62] a job that was about to be read when the store failed is read once it works again", async () => {
  const world = new World();
  await world.begin(await world.open());
  const engine = await world.open();
  world.hire(engine);
  world.bytes.faults.push("full");
  const refused = engine.start({ requestId: "r2", process: "one", variables: {}, actor: "me" });
  await expect(world.answer(refused)).rejects.toMatchObject({ code: "storage-failed" });
  await world.clock.advance(1_000);
  expect(world.jobs.map((job) => job.attempt)).toEqual([1]);
});

test("[E63] a pause outlives a restart also when no job was open at the time", async () => {
  const world = new World();
  const before = await world.open();
  const instanceId = await world.begin(before);
  await world.answer(before.command(instanceId, { type: "fail-job", key: 1, error, retryable: false }));
  const pause = { type: "pause-instance", stopRunning: false, reason: "rest", actor: "me" } as const;
  await world.answer(before.command(instanceId, pause));
  const engine = await world.open();
  world.hire(engine);
  const { incidents } = await world.answer(engine.instance(instanceId));
  const key = incidents[0]?.key ?? 0;
  const retry = { type: "resolve-incident", key, action: "retry", reason: "so", actor: "me" } as const;
  expect(await world.answer(engine.command(instanceId, retry))).toMatchObject({ ok: true });
  await world.clock.settle();
  expect(world.jobs).toEqual([]);
  await world.answer(engine.command(instanceId, { type: "resume-instance", actor: "me" }));
  await world.clock.settle();
  expect(world.jobs.map((job) => job.attempt)).toEqual([2]);
});

test("[E63] a pause and a cancellation reach an instance that goes round without ever waiting", async () => {
  const circle = program({
    id: "circle",
    elements: [start(), xor("here"), xor("there"), end()],
    flows: ["start>here", "here>there", "there>end?false", "there>here"],
  });
  const engine = await createEmbeddedEngine({ store: await openMemoryStore(), host: testHost });
  await engine.deploy([circle]);
  const instanceId = await engine.start({ requestId: "r", process: "circle", variables: {}, actor: "me" });
  const pause = { type: "pause-instance", stopRunning: false, reason: "rest", actor: "me" } as const;
  expect(await engine.command(instanceId, pause)).toMatchObject({ ok: true });
  const { sequence: at } = await engine.instance(instanceId);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await engine.instance(instanceId)).toMatchObject({ status: "paused", sequence: at });
  await engine.command(instanceId, { type: "resume-instance", actor: "me" });
  await expect.poll(async () => (await engine.instance(instanceId)).sequence).toBeGreaterThan(at + 1);
  await engine.command(instanceId, { type: "cancel-instance", reason: "enough", actor: "me" });
  expect(await engine.instance(instanceId)).toMatchObject({ status: "cancelled", incidents: [] });
  await engine.close();
});

test("[E28] a follower misses nothing of a turn that is larger than what is kept for followers", async () => {
  const world = new World();
  const engine = await world.open({ limits: { recentRowsMax: 2 } });
  await world.begin(engine);
  const followed: RecordedEvent[] = [];
  const follow = async (): Promise<void> => {
    for await (const event of engine.history({ follow: true })) followed.push(event);
  };
  follow().catch(() => undefined);
  await world.clock.settle();
  const ids = Array.from({ length: 5 }, (_, n) =>
    engine.start({ requestId: `more${n}`, process: "one", variables: {}, actor: "me" }),
  );
  await world.answer(Promise.all(ids));
  await world.clock.settle();
  expect(new Set(followed.map(({ cursor }) => cursor.position))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
});

test("[E51] of a turn whose sync failed nothing is visible, and nothing of it comes back", async () => {
  const world = new World();
  const store = await openMemoryStore({ disk: world.disk });
  const turn: Turn = { rows: [], changes: [{ type: "slots-put", queue: "heavy", slots: 7 }] };
  world.bytes.faults.push("sync-error-lost");
  await expect(store.commit(turn)).rejects.toMatchObject({ code: "storage-failed" });
  await store.reopen();
  expect(await store.slots()).toEqual(new Map());
  // What a lying system forgot must not stand between what comes after and its reader.
  await store.commit({ rows: [], changes: [{ type: "slots-put", queue: "light", slots: 3 }] });
  const again = await openMemoryStore({ disk: world.disk });
  expect(await again.slots()).toEqual(new Map([["light", 3]]));
});
