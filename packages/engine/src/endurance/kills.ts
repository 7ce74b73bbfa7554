import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppError, must } from "@tutti/kernel";
import { ended, eventually, historyOf } from "../conformance/harness.ts";
import { verifyPostgresLog } from "../embedded/postgres/verify.ts";
import type { Engine, RecordedEvent } from "../port.ts";
import { Random } from "../simulation/random.ts";
import { startPostgres } from "../testing/postgres.ts";
import { sequence } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "../testing/temporal-house.ts";

const script = fileURLToPath(new URL("./hand.ts", import.meta.url));
const jobMs = 1_000;
const stepsEach = 5;
const instancesAtOnce = 8;
const handsAtOnce = 2;
/** A start and a step, on a machine that has nothing else to do. */
const stepMs = 500;
/** How long the server is away. */
const awayMs = 1_500;

/** Four seconds of silence until a job is given to another worker, and what the machine itself needs more than it should. */
export function takeoverMaxMs({ slownessMs }: Pick<Survival, "slownessMs">): number {
  return 5_000 + Math.max(0, slownessMs - stepMs);
}

/** A job as a worker was given it. */
interface Given {
  readonly id: string;
  readonly fencingToken: number;
  readonly at: number;
}

/** One process that works. */
class Hand {
  readonly given: Given[] = [];
  readonly #process: ChildProcess;

  constructor({ address, namespace, database }: TemporalHome, bundle: string) {
    const words = ["--conditions=@tutti/source", script, address, namespace, database, bundle, String(jobMs)];
    const node = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    const end = (): void => void node.kill("SIGKILL");
    process.once("exit", end);
    node.once("exit", () => process.off("exit", end));
    createInterface({ input: node.stdout }).on("line", (line) => this.given.push(JSON.parse(line) as Given));
    this.#process = node;
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }
}

/** What became of everything. */
export interface Survival {
  readonly kills: number;
  readonly instances: number;
  /** Jobs that were given more than once. */
  readonly again: number;
  /** For each job that a killed worker held: ms until another one had it. */
  readonly takeoversMs: readonly number[];
  /** The same for a step of an instance that nobody was killed under: what the machine needs anyway. */
  readonly slownessMs: number;
  /** What should not be, in words. */
  readonly wrong: readonly string[];
}

export interface KillsWanted {
  readonly kills: number;
  readonly seed?: number;
  readonly killed?: (done: number) => void;
}

/** Kills workers at random under load, and the server once in the midst, and looks what is left. */
export async function killWorkers(wanted: KillsWanted): Promise<Survival> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-kills-"));
  const postgres = await startPostgres();
  try {
    const house = await openTemporalHouse("short-history-workflow.ts", {
      postgres,
      database: join(folder, "temporal.sqlite"),
    });
    const bundle = join(folder, "workflow.js");
    writeFileSync(bundle, house.workflowBundle.code);
    const home = house.home();
    // It does no job of the others.
    const engine = await home.open({ queues: ["heavy"] });
    const field = new Field({ house, home, engine, bundle, random: new Random(wanted.seed ?? 1) });
    try {
      return await field.fight(wanted);
    } finally {
      await field.end();
      await engine.close({ graceMs: 0 });
      home.remove();
      await house.close();
    }
  } finally {
    await postgres.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly house: TemporalHouse;
  readonly home: TemporalHome;
  readonly engine: Engine;
  readonly bundle: string;
  readonly random: Random;
}

class Field {
  readonly #place: Place;
  readonly #all: Hand[] = [];
  readonly #alive: Hand[] = [];
  readonly #instances: string[] = [];
  readonly #takeoversMs: number[] = [];
  #slownessMs = 0;
  #isOver = false;

  constructor(place: Place) {
    this.#place = place;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#all.map((hand) => hand.kill()));
  }

  async fight({ kills, killed }: KillsWanted): Promise<Survival> {
    const { engine, random, house } = this.#place;
    engine.work("canary", async () => ({ type: "completed", result: {} }));
    await engine.deploy([sequence("steps", stepsEach, { queue: "standard" })]);
    await engine.deploy([sequence("canary", 1, { type: "canary", queue: "heavy" })]);
    for (let count = handsAtOnce; count > 0; count--) this.#enlist();
    const load = Promise.all(Array.from({ length: instancesAtOnce }, (_, index) => this.#load(index)));
    for (let done = 0; done < kills; done++) {
      await eventually(() => this.#alive.every(({ given }) => given.length > 0) || undefined, "everybody's first job");
      await sleep(random.below(1_000));
      if (done === Math.floor(kills / 2)) {
        await house.server.stop();
        await sleep(awayMs);
        await house.server.start();
      }
      await this.#killOne();
      killed?.(done + 1);
    }
    this.#isOver = true;
    await load;
    for (const id of this.#instances) await ended(engine, id);
    return this.#judge(kills);
  }

  #enlist(): void {
    const hand = new Hand(this.#place.home, this.#place.bundle);
    this.#all.push(hand);
    this.#alive.push(hand);
  }

  /** One instance after the other, and each start again until it is answered. */
  async #load(index: number): Promise<void> {
    const { engine } = this.#place;
    for (let number = 0; !this.#isOver; number++) {
      const request = { requestId: `${index}-${number}`, process: "steps", variables: {}, actor: "tester" };
      const id = await again(() => engine.start(request));
      this.#instances.push(id);
      await again(() => ended(engine, id));
    }
  }

  async #killOne(): Promise<void> {
    const { engine, random } = this.#place;
    const [hand] = this.#alive.splice(random.below(this.#alive.length), 1);
    const victim = must(hand, "somebody is alive");
    const killedAt = Date.now();
    await victim.kill();
    this.#enlist();
    const begun = Date.now();
    const canary = { requestId: `canary-${this.#all.length}`, process: "canary", variables: {}, actor: "tester" };
    await again(async () => ended(engine, await engine.start(canary)));
    this.#slownessMs = Math.max(this.#slownessMs, Date.now() - begun);
    const atKill = await this.#completed();
    const held = new Set(
      victim.given.map(({ id }) => id).filter((id) => (atKill.get(id) ?? Number.POSITIVE_INFINITY) > killedAt),
    );
    await eventually(async () => {
      const done = await this.#completed();
      for (const id of held) {
        const taken = this.#firstAfter(id, killedAt);
        // What it said last may have arrived: then nobody has to do it again.
        if (taken === undefined && !done.has(id)) return undefined;
        if (taken !== undefined) this.#takeoversMs.push(taken - killedAt);
        held.delete(id);
      }
      return true;
    }, "the end of all that it held");
  }

  #firstAfter(jobId: string, time: number): number | undefined {
    const times = this.#all.flatMap(({ given }) => given.filter(({ id, at }) => id === jobId && at >= time));
    return times.length === 0 ? undefined : Math.min(...times.map(({ at }) => at));
  }

  /** When the log had the end of each job. */
  async #completed(): Promise<ReadonlyMap<string, number>> {
    const events = await historyOf(this.#place.engine, {});
    return new Map(
      events.flatMap(({ event, instanceId, at }) =>
        event.type === "job-completed" ? [[`${instanceId}/${event.key}`, at] as const] : [],
      ),
    );
  }

  async #judge(kills: number): Promise<Survival> {
    const { engine, home } = this.#place;
    const wrong: string[] = [];
    const events = await historyOf(engine, {});
    const positions = [...new Set(events.map(({ cursor }) => cursor.position))];
    if (positions.some((position, index) => position !== index + 1)) wrong.push("the log has gaps");
    if ((await verifyPostgresLog(home.database)) !== positions.length) wrong.push("the log's chain is broken");
    const byInstance = Map.groupBy(events, ({ instanceId }) => instanceId);
    for (const id of this.#instances) wrong.push(...wrongIn(id, byInstance.get(id) ?? []));
    const completed = await this.#completed();
    const byJob = Map.groupBy(
      this.#all.flatMap(({ given }) => given),
      ({ id }) => id,
    );
    for (const [id, given] of byJob) {
      const completedAt = completed.get(id) ?? 0;
      const times = [...given].sort((a, b) => a.at - b.at);
      if (times.some(({ at }) => at > completedAt)) wrong.push(`the job ${id} was given again after its end`);
      const tokens = times.map(({ fencingToken }) => fencingToken);
      if (tokens.some((token, index) => index > 0 && token <= (tokens[index - 1] ?? 0))) {
        wrong.push(`the job ${id} had the tokens ${tokens.join()}`);
      }
    }
    const againCount = [...byJob.values()].filter(({ length }) => length > 1).length;
    return {
      ...{ kills, instances: this.#instances.length, again: againCount, wrong },
      ...{ takeoversMs: this.#takeoversMs, slownessMs: this.#slownessMs },
    };
  }
}

function wrongIn(instanceId: string, events: readonly RecordedEvent[]): string[] {
  const wrong: string[] = [];
  if (events.some(({ sequence: number }, index) => number !== index + 1)) wrong.push(`${instanceId} has gaps`);
  const done = events.filter(({ event }) => event.type === "job-completed").length;
  if (done !== stepsEach) wrong.push(`${instanceId} has ${done} jobs done instead of ${stepsEach}`);
  if (events.at(-1)?.event.type !== "instance-completed") wrong.push(`${instanceId} has not ended`);
  return wrong;
}

/** What a caller does while the server is away. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "temporal-unreachable") throw error;
      await sleep(200);
    }
  }
}
