import { Heap } from "@tutti/kernel";
import type { Clock } from "../clock.ts";

interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * A clock that moves only when told. What was deferred runs before time moves on; between two steps all promises that
 * can settle do, so a run depends on nothing but the calls made.
 */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #deferred: (() => void)[] = [];
  readonly #appointments: Heap<Appointment> = new Heap((a, b) => a.at - b.at || a.order - b.order);

  readonly #realDefer: boolean;
  readonly #busy: () => boolean;

  /**
   * With `realDefer` only time is faked: what is deferred runs by itself, on the real event loop. While something is
   * `busy` that takes real time, such as a database, no time passes.
   */
  constructor(options: { readonly now?: number; readonly realDefer?: boolean; readonly busy?: () => boolean } = {}) {
    this.#now = options.now ?? 1_700_000_000_000;
    this.#realDefer = options.realDefer ?? false;
    this.#busy = options.busy ?? (() => false);
  }

  now(): number {
    return this.#now;
  }

  schedule(at: number, run: () => void): () => void {
    const appointment: Appointment = { at, order: this.#order++, run, cancelled: false };
    this.#appointments.push(appointment);
    return () => {
      appointment.cancelled = true;
    };
  }

  defer(run: () => void): void {
    if (this.#realDefer) setImmediate(run);
    else this.#deferred.push(run);
  }

  /** The next instant at which something is due; undefined when nothing is. */
  nextAt(): number | undefined {
    while (this.#appointments.peek()?.cancelled === true) this.#appointments.pop();
    return this.#appointments.peek()?.at;
  }

  /** Runs what can run without time passing, at most `stepsMax` steps of it. Gives the number of steps. */
  async settle(stepsMax = 100_000): Promise<number> {
    const steps = await this.run(stepsMax);
    if (steps < stepsMax) return steps;
    throw new Error(`Expected everything to come to rest within ${stepsMax} steps, but it did not.`);
  }

  /** The same, but stops after `stepsMax` steps, whether or not more can run. */
  async run(stepsMax: number): Promise<number> {
    for (let step = 0; step < stepsMax; step++) {
      await (this.#realDefer ? settleLoop(this.#busy) : settlePromises());
      const run = this.#deferred.shift() ?? this.#due();
      if (run === undefined) return step;
      run();
    }
    return stepsMax;
  }

  /** Lets `ms` pass, stopping at every appointment on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let at = this.nextAt(); at !== undefined && at <= until; at = this.nextAt()) {
      this.#now = Math.max(this.#now, at);
      await this.settle();
    }
    this.#now = until;
    await this.settle();
  }

  /** The wall clock is set, forwards or back: nothing passes meanwhile. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Forgets everything planned, as the end of a process does. */
  forget(): void {
    this.#deferred.length = 0;
    this.#appointments.replace([]);
  }

  #due(): (() => void) | undefined {
    const at = this.nextAt();
    return at === undefined || at > this.#now ? undefined : this.#appointments.pop()?.run;
  }
}

/** Longer chains of promises than any between two decisions of the engine and its handlers in tests. */
const promiseSteps = 64;

/** Rounds of the real event loop: a turn that waits for another to end needs a few. */
async function settleLoop(busy: () => boolean): Promise<void> {
  for (let round = 0; round < 6; round = busy() ? 0 : round + 1) await new Promise((resolve) => setImmediate(resolve));
}

async function settlePromises(): Promise<void> {
  for (let step = 0; step < promiseSteps; step++) await Promise.resolve();
}
