import type { JobOutcome, Json, JsonObject, ProgramDocument } from "@tutti/kernel";
import { testHost } from "@tutti/kernel/testing";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import type { Store } from "../embedded/store.ts";
import type { Engine, InstanceCommand, RecordedEvent } from "../port.ts";
import { actor, likelyCommand, reason } from "../simulation/command.ts";
import { Random, seedOf } from "../simulation/random.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { type Action, perform } from "./action.ts";
import { Hands } from "./hands.ts";
import { messageName, randomProcesses, signalName } from "./processes.ts";
import { type Shadow, Shadows } from "./shadows.ts";

/** One thing that was done, what the engine said to it, and how many events each instance had after it. */
export interface Step {
  readonly action: Action;
  readonly answer: Json;
  readonly lengths: ReadonlyMap<string, number>;
}

/** What a seed did on the embedded engine. */
export interface Path {
  readonly seed: number;
  readonly documents: readonly ProgramDocument[];
  readonly steps: readonly Step[];
  /** As they are after the last step. */
  readonly shadows: ReadonlyMap<string, Shadow>;
  /** Why there is no further step. */
  readonly end: "ended" | "long" | "cut";
}

const stepsMax = 20;
const eventsMax = 300;
/** Steps of the clock that one action may need: more is an instance that goes round and round. */
const settleStepsMax = 100;
const idleRounds = 5;

/** When every path begins. */
export const epoch = 1_700_000_000_000;

export function rootOf(seed: number): string {
  return `seed-${seed}`;
}

/** A random path through the seed's processes, as the embedded engine goes it. */
export async function walk(seed: number): Promise<Path> {
  const documents = randomProcesses(seed);
  for (let stepsLeft = stepsMax; ; ) {
    const walker = await Walker.begin(seed, documents);
    const { end, steps } = await walker.go(stepsLeft);
    if (end !== "again") return { seed, documents, steps, shadows: walker.shadows.byId, end };
    // The step that went wrong has happened by now: the path is gone again without it.
    stepsLeft = steps.length;
  }
}

interface World {
  readonly main: string;
  /** Keeps nothing outside memory, and no time but this clock's: it needs no closing. */
  readonly engine: Engine;
  readonly clock: FakeClock;
  readonly hands: Hands;
  readonly written: { readonly events: number };
}

class Walker {
  readonly shadows: Shadows = new Shadows();
  readonly #seed: number;
  readonly #main: string;
  readonly #random: Random;
  readonly #engine: Engine;
  readonly #clock: FakeClock;
  readonly #hands: Hands;
  readonly #written: World["written"];
  readonly #steps: Step[] = [];

  private constructor(seed: number, { main, engine, clock, hands, written }: World) {
    this.#written = written;
    this.#seed = seed;
    this.#main = main;
    this.#random = new Random(seedOf(seed, 9));
    this.#engine = engine;
    this.#clock = clock;
    this.#hands = hands;
  }

  static async begin(seed: number, documents: readonly ProgramDocument[]): Promise<Walker> {
    const clock = new FakeClock({ now: epoch });
    const written = { events: 0 };
    const store = counted(await openMemoryStore(), written);
    const opened = createEmbeddedEngine({ store, host: testHost, clock });
    await clock.settle();
    const engine = await opened;
    const hands = new Hands();
    const ready = Promise.all([engine.deploy(documents), hands.work(engine)]);
    await clock.settle();
    await ready;
    return new Walker(seed, { main: documents.at(-1)?.id ?? "", engine, clock, hands, written });
  }

  async go(stepsLeft: number): Promise<{ readonly end: Path["end"] | "again"; readonly steps: readonly Step[] }> {
    const steps = this.#steps;
    for (;;) {
      if (steps.length >= stepsLeft) return { end: stepsLeft === stepsMax ? "long" : "cut", steps };
      const action = this.#choose();
      if (action === undefined) return { end: "ended", steps };
      if (!(await this.#step(action))) return { end: "again", steps };
    }
  }

  /** False: another engine may have another order, or there is no end. */
  async #step(action: Action): Promise<boolean> {
    const clock = this.#clock;
    const before = clock.now();
    let answer: Promise<Json> = Promise.resolve(null);
    let started = 1;
    if (action.type === "pass") {
      started = this.#dueAt(action.to);
      clock.jump(action.to - before);
    } else answer = perform(action, { engine: this.#engine, hands: this.#hands });
    const events = await this.#settled();
    if (events === undefined) return false;
    if (action.type === "job") this.#hands.settled(action.name);
    if (this.shadows.take(events, started).mayDiffer) return false;
    const all = [...this.shadows.byId.values()];
    if (all.length === 0 || all.some(({ state }) => state.head.continuing)) return false;
    for (const shadow of all) {
      for (const { key, attempt } of shadow.jobs(clock.now())) shadow.offered.add(`${key}#${attempt}`);
    }
    const lengths = new Map([...this.shadows.byId].map(([id, shadow]) => [id, shadow.events.length]));
    this.#steps.push({ action, answer: await answer, lengths });
    return true;
  }

  /** What has happened once nothing more does; undefined: too much, or without an end. */
  async #settled(): Promise<readonly RecordedEvent[] | undefined> {
    // Promises may need a while before the next step can run.
    for (let steps = 0, idle = 0; idle < idleRounds; ) {
      const before = this.#written.events;
      if ((await this.#clock.run(1)) === 0) idle = this.#written.events === before ? idle + 1 : 0;
      else [steps, idle] = [steps + 1, 0];
      if (steps > settleStepsMax || this.#written.events > eventsMax) return undefined;
    }
    const events: RecordedEvent[] = [];
    for await (const event of this.#engine.history({ after: this.shadows.cursor })) events.push(event);
    return events;
  }

  /** How many timers fire at that time: each its own beginning. */
  #dueAt(to: number): number {
    return this.#open().reduce(
      (sum, [, { state }]) => sum + [...state.timers.values()].filter(({ due }) => due <= to).length,
      0,
    );
  }

  #open(): [string, Shadow][] {
    return [...this.shadows.byId].filter(([, { isOpen }]) => isOpen);
  }

  #choose(): Action | undefined {
    if (this.#steps.length === 0) return { type: "start", process: this.#main, instanceId: rootOf(this.#seed) };
    const random = this.#random;
    const now = this.#clock.now();
    const open = this.#open();
    if (open.length === 0) return undefined;
    const jobs = open.flatMap(([instanceId, shadow]) =>
      shadow.jobs(now).map(({ key, attempt }) => ({ instanceId, key, attempt })),
    );
    const dues = open.flatMap(([, shadow]) => shadow.nextDue(now) ?? []);
    const heard = open.flatMap(([, { state }]) => [...state.subscriptions.values()]);
    const [instanceId, { state }] = random.pick(open);
    const say = (command: InstanceCommand): Action => ({ type: "command", instanceId, command });
    const choices: (readonly [number, () => Action])[] = [[2, () => say(likelyCommand(random, state))]];
    for (const { key } of state.incidents.values()) {
      choices.push([1, () => say({ type: "resolve-incident", key, action: "retry", reason, actor })]);
    }
    if (choices.length > 1) choices.push([1, () => say(told({ missing: 1, n: random.below(5) }))]);
    for (const { key } of state.tasks.values()) {
      choices.push([3, () => say({ type: "complete-task", key, result: { n: random.below(5) }, actor })]);
    }
    for (const { body: key } of state.adHocs.values()) {
      choices.push([3, () => say({ type: "activate-elements", key, elements: [], complete: true, actor })]);
    }
    if (jobs.length > 0) {
      choices.push([10, () => ({ type: "job", name: random.pick(jobs), outcome: randomOutcome(random) })]);
    }
    if (dues.length > 0) choices.push([3, () => ({ type: "pass", to: Math.min(...dues) })]);
    if (heard.some(({ kind }) => kind === "message")) choices.push([3, () => this.#publish(heard)]);
    if (heard.some(({ kind }) => kind === "signal")) choices.push([2, () => this.#broadcast()]);
    // Where nothing can happen but commands, soon nothing does.
    if (choices.length === 1 && random.chance(0.4)) return undefined;
    return random.weighted(choices)();
  }

  #publish(heard: readonly { readonly kind: string; readonly correlationKey: string | null }[]): Action {
    const random = this.#random;
    const { correlationKey } = random.pick(heard.filter(({ kind }) => kind === "message"));
    const key = random.chance(0.1) ? "7" : correlationKey;
    const id = `m-${this.#seed}-${this.#steps.length}`;
    const message = { id, name: messageName(this.#seed), variables: { n: random.below(5) } };
    return { type: "publish", message: key === null ? message : { ...message, correlationKey: key } };
  }

  #broadcast(): Action {
    const id = `s-${this.#seed}-${this.#steps.length}`;
    return {
      type: "broadcast",
      signal: { id, name: signalName(this.#seed), variables: { n: this.#random.below(5) } },
    };
  }
}

function counted(store: Store, written: { events: number }): Store {
  return {
    ...store,
    commit(turn) {
      for (const { events } of turn.rows) written.events += events.length;
      return store.commit(turn);
    },
  };
}

function told(values: JsonObject): InstanceCommand {
  return { type: "set-variables", scope: 0, values, reason, actor };
}

function randomOutcome(random: Random): JobOutcome {
  const code = random.pick(["E1", "E2"]);
  return random.weighted<() => JobOutcome>([
    [6, () => ({ type: "completed", result: random.pick([{}, { n: random.below(5) }, { n: "no number" }]) })],
    [1, () => ({ type: "error", code, message: "it broke" })],
    [2, () => ({ type: "failed", code, message: "it broke", retryable: random.chance(0.7) })],
  ])();
}
