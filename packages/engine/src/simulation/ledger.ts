import {
  type ElementId,
  type Event,
  evolve,
  type Job,
  loadProgram,
  newState,
  type Program,
  type State,
  snapshotState,
} from "@tutti/kernel";
import type { InstanceNumber, LogRow, Store, Turn } from "../embedded/store.ts";
import { rebuild } from "../embedded/turn/instances.ts";
import { Draft } from "../embedded/turn/turn.ts";
import { Post } from "./post.ts";
import { sameJson } from "./same.ts";
import type { World } from "./world.ts";

/** One instance as the durable log says it is: folded from the rows alone, one event after the other. */
export interface Shadow {
  readonly number: InstanceNumber;
  /** A fork's own once it is one. */
  instanceId: string;
  readonly program: Program;
  readonly state: State;
  /** What was begun in it. */
  readonly entered: Set<ElementId>;
  /** A fork begins with the rows of another instance: what they tell has happened once, and there. */
  copies: boolean;
}

/** An element is begun, or was passed. */
const begins: ReadonlySet<Event["type"]> = new Set([
  "element-activating",
  "element-activated",
  "element-passed",
  "tokens-joined",
]);

/** What is true of the log beside the engine: kept by the simulation across all lives, and compared with everything. */
export class Ledger {
  readonly shadows: Map<InstanceNumber, Shadow> = new Map();
  readonly byId: Map<string, Shadow> = new Map();
  /** Every row known to be durable, as JSON; the row of position n at n - 1. */
  readonly rows: string[] = [];
  /** The same, to be read. */
  readonly parsed: LogRow[] = [];
  readonly post: Post;
  /** The first thing that was found wrong. */
  violation: string | undefined;
  readonly #programs: Map<string, Program>;
  /** Handed to the store, and not yet answered by it: it may turn out to be there or not, but only as a whole. */
  #doubtful: readonly string[] = [];
  readonly #ended: Map<string, string> = new Map();
  readonly #finished: Set<string> = new Set();
  #token = 0;
  /** The latest moment that any life saw. */
  #latest = 0;

  constructor({ documents, host, correlationKeys }: World) {
    this.#programs = new Map(documents.map((each) => [each.hash, loadProgram(each, host)]));
    this.post = new Post(this, correlationKeys);
  }

  check(holds: boolean, what: string | (() => string)): void {
    if (!holds) this.violation ??= typeof what === "string" ? what : what();
  }

  /** The clock shows this. */
  sees(now: number): void {
    this.#latest = Math.max(this.#latest, now);
  }

  /** Before the store is given a turn. */
  offered(turn: Turn): void {
    this.#doubtful = turn.rows.map(encode);
  }

  /** The store says that the turn is durable. The states in memory must now be those that the log gives. */
  committed(turn: Turn): void {
    for (const text of this.#doubtful) this.#append(text);
    this.#doubtful = [];
    if (!(turn instanceof Draft)) return;
    for (const live of turn.touched) {
      const shadow = this.shadows.get(live.record.number);
      if (shadow === undefined) continue;
      this.#same(shadow, live.state, "in memory");
    }
  }

  /** After opening, or opening again: the log must be what was answered, and at most the doubtful turn more. */
  async recovered(store: Store): Promise<void> {
    const doubtful = this.#doubtful;
    this.#doubtful = [];
    const found = await store.rows({ after: 0, limit: 1_000_000 });
    const known = this.rows.length;
    for (const [index, row] of found.entries()) {
      const text = encode(row);
      if (index < known) this.check(sameJson(text, this.rows[index]), () => `row ${index + 1} of the log was changed`);
      else this.check(sameJson(text, doubtful[index - known]), () => `row ${index + 1} of the log was never written`);
      if (index >= known) this.#append(text);
    }
    this.check(found.length >= known, () => `${known - found.length} answered rows of the log are gone`);
    const more = found.length - known;
    this.check(more <= 0 || more === doubtful.length, "a turn is in the log in part");
    await this.#checkStored(store);
  }

  /** Snapshot and later rows together must give what all rows give. */
  async #checkStored(store: Store): Promise<void> {
    const numbers = [...this.shadows.keys()];
    const { instances } = await store.find({ numbers, instanceIds: [], requestIds: [] });
    this.check(instances.length === numbers.length, "an instance of the log is not found");
    for (const stored of instances) {
      const shadow = this.shadows.get(stored.record.number);
      if (shadow !== undefined) this.#same(shadow, rebuild(stored), "from its snapshot");
    }
  }

  /** A job begins: only what the log calls open may, once at a time, under a token that no job had before. */
  started(job: Job, now: number): void {
    const key = Number(job.id.slice(job.id.lastIndexOf("/") + 1));
    const state = this.byId.get(job.instanceId)?.state;
    const record = state?.jobs.get(key);
    const where = `job ${job.id} (attempt ${job.attempt})`;
    this.check(job.fencingToken > this.#token, () => `${where} has token ${job.fencingToken} after ${this.#token}`);
    this.#token = Math.max(this.#token, job.fencingToken);
    this.check(!this.#finished.has(job.id), () => `${where} is done again after its completion was recorded`);
    this.check(record !== undefined && !record.parked, () => `${where} is not open, but a worker got it`);
    this.check(record?.attempt === job.attempt, () => `${where} is given out, but attempt ${record?.attempt} is next`);
    this.check(state?.head.status !== "paused", () => `${where} starts although its instance is paused`);
    // Its time had come once; that the clock was set back since does not take it back.
    this.sees(now);
    const early = (record?.retryAt ?? 0) - this.#latest;
    this.check(early <= 0, () => `${where} starts ${early} ms before its backoff is over`);
    this.check(
      sameJson(JSON.stringify(record?.input), JSON.stringify(job.input)),
      () => `${where} has another's input`,
    );
  }

  #same(shadow: Shadow, other: State, which: string): void {
    const [expected, found] = [snapshotState(shadow.state), snapshotState(other)].map((each) => JSON.stringify(each));
    this.check(
      expected === found,
      () => `'${shadow.instanceId}' ${which} is not what the log says:\n${expected}\n${found}`,
    );
  }

  #append(text: string): void {
    const row = JSON.parse(text) as LogRow;
    const { position, instance, sequence, at, events } = row;
    this.rows.push(text);
    this.parsed.push(row);
    this.check(position === this.rows.length, () => `row ${this.rows.length} has position ${position}`);
    const first = events[0];
    let shadow = this.shadows.get(instance);
    if (shadow === undefined && first?.type === "instance-created") {
      shadow = this.#create(instance, first);
    }
    if (shadow === undefined) {
      this.check(false, () => `row ${position} is of the unknown instance ${instance}`);
      return;
    }
    const { state } = shadow;
    this.check(sequence === state.head.sequence + 1, () => `row ${position} does not follow in '${shadow.instanceId}'`);
    this.check(at >= state.head.at, () => `time runs backwards in '${shadow.instanceId}' at row ${position}`);
    for (const event of events) {
      evolve(state, event);
      if (begins.has(event.type) && "element" in event && event.element !== null) shadow.entered.add(event.element);
      // What forks a fork begins with the rows that made that one.
      const isOwn = event.type === "instance-forked" && !this.byId.has(event.instanceId);
      if (isOwn) this.#forked(shadow, event.instanceId);
      else if (!shadow.copies) this.#note(shadow, event);
    }
  }

  #forked(shadow: Shadow, instanceId: string): void {
    this.check(shadow.copies, () => `'${instanceId}' forked from nothing`);
    shadow.copies = false;
    shadow.instanceId = instanceId;
    this.byId.set(instanceId, shadow);
    this.post.forked(shadow);
  }

  #create(number: InstanceNumber, event: Extract<Event, { readonly type: "instance-created" }>): Shadow | undefined {
    const program = this.#programs.get(event.hash);
    const { instanceId } = event;
    if (program === undefined) return undefined;
    const copies = this.byId.has(instanceId);
    const shadow = { number, instanceId, program, state: newState(), entered: new Set<ElementId>(), copies };
    this.shadows.set(number, shadow);
    if (!copies) this.byId.set(instanceId, shadow);
    return shadow;
  }

  #note(shadow: Shadow, event: Event): void {
    const { instanceId } = shadow;
    this.post.note(shadow, event);
    if (event.type === "child-ended") {
      const before = this.#ended.get(event.childId);
      this.check(before === undefined, () => `the end of '${event.childId}' reached its caller twice`);
      this.#ended.set(event.childId, event.outcome);
      const child = this.byId.get(event.childId)?.state.head;
      const fits = child === undefined ? event.outcome === "failed" : child.status === event.outcome;
      this.check(fits, () => `'${event.childId}' is ${child?.status}, but its caller heard ${event.outcome}`);
    } else if (event.type === "job-completed") {
      const id = `${instanceId}/${event.key}`;
      this.check(!this.#finished.has(id), () => `the completion of ${id} was recorded twice`);
      this.#finished.add(id);
    }
  }
}

function encode({ position, instance, sequence, at, events }: LogRow): string {
  return JSON.stringify({ position, instance, sequence, at, events });
}
