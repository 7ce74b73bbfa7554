import { evolve, newState, type Program, recordCount, restoreState, type State } from "@tutti/kernel";
import { numberIn } from "../instance-id.ts";
import { NumberMap } from "../number-map.ts";
import type { InstanceNumber, InstanceRecord, StoredInstance } from "../store.ts";

/** An instance in memory. Between turns its state is exactly what the log says. */
export interface Live {
  readonly record: InstanceRecord;
  readonly state: State;
  program: Program;
  /** Events in the last snapshot. */
  snapshotSequence: number;
  /** Records in the state when last counted, and how many events it had then. */
  records: number;
  countedSequence: number;
  /** The last turn that used it. */
  usedTurn: number;
}

/** Counting costs as much as deciding a small command, and few events change the count by as many. */
const recountEvents = 32;

/** The instances in memory, by number and by id, within a bound of records. */
export class Instances {
  readonly #byNumber: NumberMap<Live> = new NumberMap();
  /** Those whose ids do not say their numbers. */
  readonly #byChosenId: Map<string, Live> = new Map();
  readonly #recordsMax: number;
  #records = 0;

  constructor(recordsMax: number) {
    this.#recordsMax = recordsMax;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  number(number: InstanceNumber): Live | undefined {
    return this.#byNumber.get(number);
  }

  id(instanceId: string): Live | undefined {
    const chosen = this.#byChosenId.size === 0 ? undefined : this.#byChosenId.get(instanceId);
    if (chosen !== undefined) return chosen;
    const live = this.#byNumber.get(numberIn(instanceId));
    return live?.record.instanceId === instanceId ? live : undefined;
  }

  add(live: Live): void {
    const { number, instanceId } = live.record;
    this.#byNumber.set(number, live);
    if (numberIn(instanceId) !== number) this.#byChosenId.set(instanceId, live);
    this.#records += live.records;
  }

  drop(live: Live): void {
    if (!this.#byNumber.delete(live.record.number)) return;
    if (this.#byChosenId.size > 0) this.#byChosenId.delete(live.record.instanceId);
    this.#records -= live.records;
  }

  clear(): void {
    this.#byNumber.clear();
    this.#byChosenId.clear();
    this.#records = 0;
  }

  /** Counts anew once enough has happened to matter. */
  recount(live: Live): void {
    const { sequence } = live.state.head;
    if (sequence - live.countedSequence < recountEvents) return;
    live.countedSequence = sequence;
    const records = recordCount(live.state);
    this.#records += records - live.records;
    live.records = records;
  }

  /** Lets the least recently used go once there are too many, a quarter at once, never those of the current turn. */
  trim(turn: number): void {
    if (this.#records <= this.#recordsMax) return;
    const oldestFirst = this.#byNumber.values().sort((a, b) => a.usedTurn - b.usedTurn);
    for (const live of oldestFirst) {
      if (this.#records <= this.#recordsMax * 0.75 || live.usedTurn === turn) return;
      this.drop(live);
    }
  }
}

/** The state of a stored instance: its snapshot, then every event after it. */
export function rebuild(stored: StoredInstance): State {
  const state = stored.snapshot === undefined ? newState() : restoreState(stored.snapshot.state);
  for (const row of stored.rows) for (const event of row.events) evolve(state, event);
  return state;
}

export function revive(stored: StoredInstance, program: Program): Live {
  const state = rebuild(stored);
  return {
    record: stored.record,
    state,
    program,
    snapshotSequence: stored.snapshot?.sequence ?? 0,
    records: recordCount(state),
    countedSequence: state.head.sequence,
    usedTurn: 0,
  };
}
