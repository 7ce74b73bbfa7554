import { assert, must } from "../problem.ts";
import type { QueueClass } from "../program.ts";
import { Heap } from "./heap.ts";

/**
 * Which job runs next. A pure data structure: the moment is always passed in, so that every engine orders alike.
 * The rules are Q1 … in SPEC-coordination.md.
 */
export interface QueuedJob {
  readonly jobType: string;
  readonly queue: QueueClass;
  /** 1 (first) to 5 (last). */
  readonly priority: number;
  /** Epoch ms from which it may start, and from which it grows older. */
  readonly eligibleAt: number;
  /** Jobs with one key share the limit declared for it. */
  readonly limitKey: string | undefined;
  /** The queue's mark while the job waits in it, and nobody else's: a table of them all costs as much as the heap. */
  waiting?: unknown;
}

/** `runningMax` at once; `startsMax` per sliding `windowMs`. Absent: no such limit. */
export interface KeyLimit {
  readonly runningMax?: number;
  readonly startsMax?: number;
  readonly windowMs?: number;
}

export interface JobQueueOptions {
  readonly slots?: Partial<Readonly<Record<QueueClass, number>>>;
  /** How much longer waiting is worth one level of priority. Default 60 000. */
  readonly agingMs?: number;
}

export interface QueueCounts {
  readonly slots: number;
  readonly running: number;
  /** Eligible or backing off. */
  readonly waiting: number;
}

export const queueClasses: readonly QueueClass[] = ["light", "standard", "heavy"];
export const defaultSlots: Readonly<Record<QueueClass, number>> = { light: 10, standard: 5, heavy: 2 };
export const slotsMax = 100_000;
const agingMsDefault = 60_000;

interface Waiting<J> {
  readonly job: J;
  /** Fixed at the offer: a job that waits `agingMs` longer is worth one level of priority more (Q4). */
  readonly rank: number;
  readonly order: number;
  withdrawn: boolean;
  ready: boolean;
}

/** Jobs of one class, type and limit key: they can start under the same conditions, so one heap orders them. */
interface Lane<J> {
  readonly name: string;
  readonly jobType: string;
  readonly limitKey: string | undefined;
  readonly heap: Heap<Waiting<J>>;
}

interface ClassState<J> {
  slots: number;
  running: number;
  waiting: number;
  readonly lanes: Map<string, Lane<J>>;
}

interface KeyState {
  limit: KeyLimit;
  running: number;
  /** Starts within the window, oldest first. */
  starts: number[];
}

export class JobQueue<J extends QueuedJob> {
  readonly #classes: Readonly<Record<QueueClass, ClassState<J>>>;
  readonly #backoff: Heap<Waiting<J>> = new Heap((a, b) => before(a, b, a.job.eligibleAt - b.job.eligibleAt));
  readonly #keys: Map<string, KeyState> = new Map();
  readonly #agingMs: number;
  #order = 0;

  constructor(options: JobQueueOptions = {}) {
    const slots = { ...defaultSlots, ...options.slots };
    this.#classes = {
      light: emptyClass(slots.light),
      standard: emptyClass(slots.standard),
      heavy: emptyClass(slots.heavy),
    };
    this.#agingMs = options.agingMs ?? agingMsDefault;
  }

  /** Adds a job. The same object twice is our own mistake. */
  offer(job: J, now: number): void {
    assert(job.waiting === undefined, "a job is offered to the queue once");
    const rank = job.eligibleAt + job.priority * this.#agingMs;
    const waiting: Waiting<J> = { job, rank, order: this.#order++, withdrawn: false, ready: job.eligibleAt <= now };
    job.waiting = waiting;
    this.#classes[job.queue].waiting++;
    if (waiting.ready) this.#lane(job).heap.push(waiting);
    else this.#backoff.push(waiting);
  }

  /** Takes a job out that has not been taken to run; false when it is not here. */
  withdraw(job: J): boolean {
    const waiting = job.waiting as Waiting<J> | undefined;
    if (waiting === undefined) return false;
    waiting.withdrawn = true;
    job.waiting = undefined;
    this.#classes[job.queue].waiting--;
    const heap = waiting.ready ? this.#lane(job).heap : this.#backoff;
    heap.forget((other) => other.withdrawn);
    return true;
  }

  /**
   * The job that starts now: it holds a slot until `release`. `accepts` says whether somebody would run that type.
   * Undefined when no waiting job may start.
   */
  take(now: number, accepts: (jobType: string) => boolean): J | undefined {
    this.#promote(now);
    for (const queue of queueClasses) {
      const state = this.#classes[queue];
      if (state.running >= state.slots || state.waiting === 0) continue;
      const lane = this.#best(state, now, accepts);
      if (lane === undefined) continue;
      const waiting = lane.heap.pop();
      assert(waiting !== undefined, "the best lane has a head");
      waiting.job.waiting = undefined;
      state.waiting--;
      state.running++;
      this.#started(lane.limitKey, now);
      return waiting.job;
    }
    return undefined;
  }

  /** A taken job has ended or was given back: its slot is free. */
  release(job: J): void {
    const state = this.#classes[job.queue];
    assert(state.running > 0, "a slot is released once");
    state.running--;
    const key = job.limitKey === undefined ? undefined : this.#keys.get(job.limitKey);
    if (key !== undefined && key.running > 0) key.running--;
  }

  /** Running jobs are not ended by fewer slots. */
  adjust(queue: QueueClass, slots: number): void {
    assert(Number.isInteger(slots) && slots >= 0 && slots <= slotsMax, "slots are checked by the caller");
    this.#classes[queue].slots = slots;
  }

  limit(key: string, limit: KeyLimit): void {
    const state = this.#keys.get(key);
    if (state === undefined) this.#keys.set(key, { limit, running: 0, starts: [] });
    else state.limit = limit;
  }

  /** Jobs that wait, eligible or backing off. */
  get waiting(): number {
    const { light, standard, heavy } = this.#classes;
    return light.waiting + standard.waiting + heavy.waiting;
  }

  /** When, by the passing of time alone, another job may become able to start; undefined when never. */
  nextAt(now: number): number | undefined {
    this.#skipWithdrawn(this.#backoff);
    let next = this.#backoff.peek()?.job.eligibleAt;
    for (const state of this.#keys.values()) {
      const { startsMax, windowMs } = state.limit;
      if (startsMax === undefined || windowMs === undefined || state.starts.length < startsMax) continue;
      const opens = must(state.starts.at(-startsMax), "a full window has a first start") + windowMs;
      if (opens > now && (next === undefined || opens < next)) next = opens;
    }
    return next;
  }

  counts(queue: QueueClass): QueueCounts {
    const { slots, running, waiting } = this.#classes[queue];
    return { slots, running, waiting };
  }

  #promote(now: number): void {
    for (let head = this.#backoff.peek(); head !== undefined; head = this.#backoff.peek()) {
      if (!head.withdrawn && head.job.eligibleAt > now) return;
      this.#backoff.pop();
      if (head.withdrawn) continue;
      head.ready = true;
      this.#lane(head.job).heap.push(head);
    }
  }

  #best(state: ClassState<J>, now: number, accepts: (jobType: string) => boolean): Lane<J> | undefined {
    let best: Lane<J> | undefined;
    let bestHead: Waiting<J> | undefined;
    for (const lane of state.lanes.values()) {
      this.#skipWithdrawn(lane.heap);
      const head = lane.heap.peek();
      if (head === undefined) {
        // Lanes of limit keys come and go; those of bare types stay, they are few.
        if (lane.limitKey !== undefined) state.lanes.delete(lane.name);
        continue;
      }
      if (bestHead !== undefined && before(bestHead, head, bestHead.rank - head.rank) < 0) continue;
      if (!accepts(lane.jobType) || !this.#keyOpen(lane.limitKey, now)) continue;
      best = lane;
      bestHead = head;
    }
    return best;
  }

  #keyOpen(key: string | undefined, now: number): boolean {
    const state = key === undefined ? undefined : this.#keys.get(key);
    if (state === undefined) return true;
    const { runningMax, startsMax, windowMs } = state.limit;
    if (runningMax !== undefined && state.running >= runningMax) return false;
    if (startsMax === undefined || windowMs === undefined) return true;
    const { starts } = state;
    for (let first = starts[0]; first !== undefined && first <= now - windowMs; first = starts[0]) starts.shift();
    return state.starts.length < startsMax;
  }

  #started(key: string | undefined, now: number): void {
    const state = key === undefined ? undefined : this.#keys.get(key);
    if (state === undefined) return;
    state.running++;
    if (state.limit.startsMax !== undefined) state.starts.push(now);
  }

  #skipWithdrawn(heap: Heap<Waiting<J>>): void {
    while (heap.peek()?.withdrawn === true) heap.pop();
  }

  #lane(job: J): Lane<J> {
    const lanes = this.#classes[job.queue].lanes;
    // A type never contains a line feed, so the two parts of the name cannot run into each other.
    const name = job.limitKey === undefined ? job.jobType : `${job.jobType}\n${job.limitKey}`;
    let lane = lanes.get(name);
    if (lane === undefined) {
      const heap = new Heap<Waiting<J>>((a, b) => before(a, b, a.rank - b.rank));
      lane = { name, jobType: job.jobType, limitKey: job.limitKey, heap };
      lanes.set(name, lane);
    }
    return lane;
  }
}

function emptyClass<J>(slots: number): ClassState<J> {
  return { slots, running: 0, waiting: 0, lanes: new Map() };
}

/** Equal ranks keep the order in which they were offered. */
function before<J>(a: Waiting<J>, b: Waiting<J>, difference: number): number {
  return difference !== 0 ? difference : a.order - b.order;
}
