import { Heap, type Key } from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import type { ArmedTimer, InstanceNumber, Store } from "../store.ts";
import { Alarm } from "./alarm.ts";

interface Near extends ArmedTimer {
  readonly name: string;
  dead: boolean;
}

export interface TimersOptions {
  readonly store: Pick<Store, "timers">;
  readonly clock: Clock;
  readonly nearMax: number;
  /** Sends the command. False when enough is waiting already: then `fire` is called again after the next turn. */
  readonly due: (timer: ArmedTimer) => boolean;
  readonly failed: (error: unknown) => void;
}

/**
 * Wakes instances. All armed timers are in the store; the nearest ones are also here, so memory does not depend on
 * how many there are. Every timer up to and including `#upTo` is here; none after it.
 */
export class Timers {
  readonly #options: TimersOptions;
  readonly #alarm: Alarm;
  readonly #heap: Heap<Near> = new Heap<Near>(compare);
  readonly #near: Map<string, Near> = new Map();
  /** Undefined: all of them are here. */
  #upTo: ArmedTimer | undefined;
  #refilling = false;
  #generation = 0;

  constructor(options: TimersOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.fire());
  }

  /** Forgets what is here and reads the nearest timers from the store. */
  async reset(): Promise<void> {
    this.#generation++;
    this.#alarm.stop();
    this.#heap.replace([]);
    this.#near.clear();
    this.#upTo = { due: Number.MIN_SAFE_INTEGER, instance: 0, key: 0 };
    await this.#refill();
  }

  /** To be called once the timer is durable. */
  arm(timer: ArmedTimer): void {
    // A refill under way may have read the table before this timer was in it, and is about to move the limit past it.
    if (!this.#refilling && this.#upTo !== undefined && compare(timer, this.#upTo) > 0) return;
    this.#put(timer);
    if (this.#heap.size > 2 * this.#options.nearMax) this.#trim();
    this.#alarm.wakeAt(timer.due);
  }

  cancel(instance: InstanceNumber, key: Key): void {
    const name = nameOf(instance, key);
    const near = this.#near.get(name);
    if (near === undefined) return;
    near.dead = true;
    this.#near.delete(name);
    this.#heap.forget((each) => each.dead);
  }

  /** Sends what is due, as far as it is taken. */
  fire(): void {
    const now = this.#options.clock.now();
    for (let head = this.#heap.peek(); head !== undefined; head = this.#heap.peek()) {
      if (!head.dead && head.due > now) break;
      if (!head.dead && !this.#options.due(head)) return;
      this.#heap.pop();
      if (!head.dead) this.#near.delete(head.name);
    }
    this.#alarm.wakeAt(this.#heap.peek()?.due);
    if (this.#upTo !== undefined && this.#heap.size <= this.#options.nearMax / 2) {
      this.#refill().catch(this.#options.failed);
    }
  }

  stop(): void {
    this.#generation++;
    this.#alarm.stop();
  }

  async #refill(): Promise<void> {
    if (this.#refilling) return;
    this.#refilling = true;
    const generation = this.#generation;
    try {
      const timers = await this.#options.store.timers(this.#upTo, this.#options.nearMax);
      if (generation !== this.#generation) return;
      for (const timer of timers) this.#put(timer);
      this.#upTo = timers.length < this.#options.nearMax ? undefined : timers.at(-1);
      this.#alarm.wakeAt(this.#heap.peek()?.due);
    } finally {
      this.#refilling = false;
    }
  }

  #put(timer: ArmedTimer): void {
    const name = nameOf(timer.instance, timer.key);
    if (this.#near.get(name)?.due === timer.due) return;
    this.cancel(timer.instance, timer.key);
    const near: Near = { due: timer.due, instance: timer.instance, key: timer.key, name, dead: false };
    this.#near.set(name, near);
    this.#heap.push(near);
  }

  /** Leaves the further half to the store again. */
  #trim(): void {
    const alive = this.#heap.drain().filter((each) => !each.dead);
    const kept = alive.slice(0, this.#options.nearMax);
    for (const each of alive.slice(kept.length)) this.#near.delete(each.name);
    if (kept.length < alive.length) this.#upTo = kept.at(-1);
    this.#heap.replace(kept);
  }
}

function nameOf(instance: InstanceNumber, key: Key): string {
  return `${instance}.${key}`;
}

function compare(a: ArmedTimer, b: ArmedTimer): number {
  return a.due - b.due || a.instance - b.instance || a.key - b.key;
}
