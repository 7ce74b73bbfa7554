import { createHost } from "@tutti/definition";
import {
  type CrashPoint,
  createEmbeddedEngine,
  type Engine,
  openMemoryStore,
  type RecordedEvent,
  type Store,
} from "@tutti/engine";
import { FakeClock, FaultyDisk } from "@tutti/engine/testing";
import { AppError, Heap, queueClasses, slotsMax } from "@tutti/kernel";

/** A durable write is about to happen, or has happened and nobody was told. */
export type CrashSide = "before-write" | "after-write";

/** The engine dies at its n-th durable write, counted from 1 over the whole trial. */
export interface PlannedCrash {
  readonly write: number;
  readonly side: CrashSide;
}

export interface MachineOptions {
  /** Epoch ms; ignored when time is real. */
  readonly now: number;
  /** Time passes as it does outside; else it jumps to the next thing that is due. */
  readonly realTime: boolean;
  /** Absent: in memory, on a disk that survives crashes. */
  readonly openStore?: (() => Promise<Store>) | undefined;
  readonly crashes: readonly PlannedCrash[];
  /** Called for each engine that is opened: the first, and one after every crash. */
  readonly onOpen: (engine: Engine) => void;
  readonly onEvent: (event: RecordedEvent) => void;
  /** Nobody wants to see more: a process that never comes to rest is left as it is. */
  readonly isOver: () => boolean;
}

interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** One engine between its opening and its end. */
interface Life {
  /** It does nothing more. */
  dead: boolean;
  /** It writes nothing more. */
  abandoned: boolean;
}

/** Steps of the engine between two looks at what happened: a process may go round without ever waiting. */
const stepsPerRound = 10;
/** Rounds of "everything moved that can" without time passing. A process that never comes to rest is cut off here. */
const roundsMax = 100_000;

const sides: { readonly [P in CrashPoint]?: CrashSide } = {
  "before-commit": "before-write",
  "after-commit": "after-write",
};
const died: unique symbol = Symbol("died");

/**
 * The embedded engine in a world where nothing happens by itself: time stands still between two steps, what others will
 * do is on an agenda, and everything that can move without time passing has moved before time goes on. So a trial is the
 * same every time. With real time it waits for the next instant instead of jumping there.
 */
export class Machine {
  readonly #options: MachineOptions;
  readonly #clock: FakeClock;
  readonly #disk: FaultyDisk = new FaultyDisk();
  readonly #agenda: Heap<Appointment> = new Heap((a, b) => a.at - b.at || a.order - b.order);
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #engine: Engine | undefined;
  #life: Life = { dead: false, abandoned: false };
  #opened: PromiseWithResolvers<Engine> = Promise.withResolvers();
  #died: PromiseWithResolvers<typeof died> = Promise.withResolvers();
  #ready = false;
  #writes = 0;
  #order = 0;
  #cursor: RecordedEvent["cursor"] = { position: 0, index: 0 };
  #failure: unknown;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#clock = new FakeClock({ now: options.realTime ? Date.now() : options.now });
  }

  /** Epoch ms. */
  get now(): number {
    return this.#clock.now();
  }

  /** Durable writes so far. */
  get writes(): number {
    return this.#writes;
  }

  /** Opens an engine on what is durable. */
  async open(): Promise<void> {
    const life: Life = { dead: false, abandoned: false };
    this.#life = life;
    const first = this.#engine === undefined;
    const engine = await this.#create(life);
    // What an engine does while it opens for the first time is not part of the story: it cannot be crashed there.
    if (first) {
      // In a trial workers are not what is scarce.
      for (const queue of queueClasses) await this.#answered(engine.adjustQueue(queue, slotsMax));
      this.#ready = true;
    }
    this.#engine = engine;
    this.#options.onOpen(engine);
    this.#opened.resolve(engine);
  }

  /** Ends the engine as the end of its process would; the next step opens another on what is durable. */
  kill(): void {
    this.#life.dead = true;
    this.#opened = Promise.withResolvers();
    this.#died.resolve(died);
    this.#died = Promise.withResolvers();
  }

  /** Does it later, after everything that was asked for the same instant before. */
  at(instant: number, run: () => void): void {
    this.#agenda.push({ at: instant, order: this.#order++, run });
  }

  /** Asks the engine, and another one again when it dies before it answers: every request must be repeatable. */
  async ask<T>(request: (engine: Engine) => Promise<T>): Promise<T> {
    return this.#answered(this.#repeated(request));
  }

  /** The same, from within a step; what goes wrong ends the step that is under way. */
  send(request: (engine: Engine) => Promise<void>): void {
    this.watch(this.#repeated(request));
  }

  /** A step is not over before this is. */
  watch(work: Promise<unknown>): void {
    const settled = work
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** Everything that can move without time passing does. */
  async settle(): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      if (this.#options.realTime) this.#clock.jump(Date.now() - this.#clock.now());
      const steps = await this.#clock.run(stepsPerRound);
      if (this.#life.dead) {
        await this.open();
        continue;
      }
      const moved = (await this.#read()) + this.#runDue();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#options.isOver()) return;
      if (moved > 0 || steps === stepsPerRound) continue;
      if (this.#underWay.size === 0) return;
      await Promise.race([...this.#underWay, this.#died.promise]);
    }
    throw new AppError(
      "trial-limit",
      `Expected the process to come to rest within ${roundsMax} rounds, but it did not`,
    );
  }

  /** The next instant at which something is due. */
  nextAt(): number | undefined {
    const [mine, engines] = [this.#agenda.peek()?.at, this.#clock.nextAt()];
    return mine === undefined || engines === undefined ? (mine ?? engines) : Math.min(mine, engines);
  }

  /** Time goes on to this instant, at most; with real time it may be woken earlier by `signal`. */
  async moveTo(instant: number, signal?: AbortSignal): Promise<void> {
    const ms = instant - this.#clock.now();
    if (ms <= 0) return;
    if (this.#options.realTime) await sleep(ms, signal);
    else this.#clock.jump(ms);
  }

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine === undefined || this.#life.dead) return;
    // One that goes round for ever would wait for its own rest.
    this.#life.abandoned = this.#options.isOver();
    await this.#answered(engine.close({ graceMs: 0 }));
  }

  async #create(life: Life): Promise<Engine> {
    const { openStore = () => openMemoryStore({ disk: this.#disk }) } = this.#options;
    const alive = (run: () => void) => (): void => {
      if (!life.dead) run();
    };
    return createEmbeddedEngine({
      store: await openStore(),
      host: createHost(),
      clock: {
        now: () => this.#clock.now(),
        schedule: (at, run) => this.#clock.schedule(at, alive(run)),
        defer: (run) => this.#clock.defer(alive(run)),
      },
      crashPoint: (point) => {
        if (life.dead || life.abandoned) throw new Error("the engine is dead");
        if (!this.#ready) return;
        if (point === "before-commit") this.#writes++;
        const side = sides[point];
        if (!this.#options.crashes.some((crash) => crash.write === this.#writes && crash.side === side)) return;
        this.kill();
        throw new Error("the engine died");
      },
    });
  }

  async #repeated<T>(request: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const engine = await this.#opened.promise;
      const answer = await Promise.race([request(engine), this.#died.promise]);
      if (answer !== died) return answer as T;
    }
  }

  /** The engine answers only while its clock is being moved on. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    let open = true;
    const settled = answer.finally(() => {
      open = false;
    });
    settled.catch(() => undefined);
    for (let round = 0; open && round < roundsMax; round++) {
      await this.#clock.run(stepsPerRound);
      if (this.#life.dead) await this.open();
      if (open) await new Promise((resolve) => setImmediate(resolve));
    }
    return settled;
  }

  async #read(): Promise<number> {
    let count = 0;
    const engine = this.#engine;
    if (engine === undefined) return 0;
    for await (const event of engine.history({ after: this.#cursor })) {
      this.#cursor = event.cursor;
      this.#options.onEvent(event);
      count++;
    }
    return count;
  }

  #runDue(): number {
    let count = 0;
    for (let next = this.#agenda.peek(); next !== undefined && next.at <= this.now; next = this.#agenda.peek()) {
      this.#agenda.pop();
      next.run();
      count++;
    }
    return count;
  }
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, 2_147_483_647));
    signal?.addEventListener("abort", end);
    if (signal?.aborted === true) end();
  });
}
