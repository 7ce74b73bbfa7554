import {
  type Command,
  type Effect,
  type Event,
  effectsOf,
  evolve,
  must,
  newState,
  type Program,
  type Rejection,
  recordCount,
  snapshotState,
  step,
} from "@tutti/kernel";
import { closeOpen } from "../../moving.ts";
import { project, projectOpen } from "../log/projection.ts";
import type { Begin } from "../message/begin.ts";
import type { StoredSchedule, Unmatched } from "../message/coordination.ts";
import { Exchange, type ExchangeMark } from "../message/exchange.ts";
import {
  type Change,
  type InstanceRecord,
  type LogRow,
  type Message,
  type NamedLogRow,
  type OutboxEntry,
  quarantineKey,
  type Turn,
} from "../store.ts";
import { type Counted, countedOf, countedReturn } from "../version/figures.ts";
import type { Planned } from "../version/rollouts.ts";
import { each } from "./each.ts";
import { recordEffect } from "./effects.ts";
import type { Item, TimelessCommand } from "./inbox.ts";
import type { Instances, Live } from "./instances.ts";

/** Where the numbers of a turn start; given back changed once the turn is durable. */
export interface Numbers {
  position: number;
  instance: number;
  /** The highest that an instance has; `instance` may be ahead of it. */
  created: number;
  outbox: number;
  deployment: number;
}

/** What a new instance counts for until it is counted. */
const newRecords = 5;

export interface Performed {
  readonly record: InstanceRecord;
  readonly effect: Effect;
}

/** For what comes in the very turn in which the instance is given up. */
const hasMoved: Rejection = { code: "instance-not-found", reason: "Expected an instance, but it has moved" };

/** Lengths of a draft's lists. */
interface Mark {
  readonly rows: number;
  readonly changes: number;
  readonly effects: number;
  readonly deliveries: number;
  readonly touched: number;
  readonly exchange: ExchangeMark;
  readonly counted: number;
}

/**
 * One turn while it is put together: what will be written in one transaction, and what is owed once it is. States are
 * changed as it goes; if it is not written, every instance it touched has to be dropped from memory.
 */
export class Draft implements Turn {
  readonly rows: NamedLogRow[] = [];
  readonly changes: Change[] = [];
  readonly effects: Performed[] = [];
  readonly deliveries: OutboxEntry[] = [];
  readonly answers: (() => void)[] = [];
  readonly touched: Live[] = [];
  /** Instances whose recovered jobs wait for what is in their states. */
  readonly loaded: Live[] = [];
  readonly exchange: Exchange = new Exchange();
  /** Who waits for what is kept, and has to wait for the next turn. */
  readonly matches: Unmatched[] = [];
  /** Processes whose new instances get another version, or may begin with what was refused. */
  readonly began: Set<string> = new Set();
  /** What is left of those that came to begin with a message. */
  readonly begins: Begin[] = [];
  /** Items that the next turn has to take up, before all others. */
  readonly later: Item[] = [];
  /** What happened to instances that the figures of their versions count. */
  readonly counted: Counted[] = [];
  readonly plans: Planned[] = [];
  /** What became of schedules, by their places; undefined: dropped. */
  readonly schedules: Map<string, StoredSchedule | undefined> = new Map();
  /** Messages are forgotten in it. */
  forgets = false;
  /** The command under way asks for what is open already. */
  asksAgain = false;
  readonly numbers: Numbers;
  /** Epoch ms, the same for the whole turn. */
  readonly now: number;
  readonly #turn: number;
  /** Whose command is being decided. */
  #moving: { readonly live: Live; readonly command: TimelessCommand } | undefined;

  constructor(options: {
    readonly numbers: Numbers;
    readonly now: number;
    readonly turn: number;
  }) {
    this.numbers = { ...options.numbers };
    this.now = options.now;
    this.#turn = options.turn;
  }

  get isEmpty(): boolean {
    return this.rows.length === 0 && this.changes.length === 0;
  }

  /** A new instance; nothing is known of it until its first command has been accepted. */
  create(
    program: Program,
    names: Omit<InstanceRecord, "status" | "held" | "incidents" | "startedAt" | "endedAt">,
  ): Live {
    // Each by its name: as a spread it cost more than all else here.
    const record: InstanceRecord = {
      number: names.number,
      instanceId: names.instanceId,
      rootId: names.rootId,
      parentId: names.parentId,
      process: names.process,
      version: names.version,
      hash: names.hash,
      deployment: names.deployment,
      businessKey: names.businessKey,
      requestId: names.requestId,
      startedBy: names.startedBy,
      copied: names.copied,
      status: "running",
      held: false,
      incidents: 0,
      startedAt: this.now,
      endedAt: null,
    };
    return {
      record,
      state: newState(),
      program,
      snapshotSequence: 0,
      records: newRecords,
      countedSequence: 0,
      usedTurn: 0,
    };
  }

  touch(live: Live): void {
    if (live.usedTurn === this.#turn) return;
    live.usedTurn = this.#turn;
    this.touched.push(live);
  }

  /** The effect behind it happens in a later turn, which deletes the entry in the same transaction. */
  send({ instanceId, rootId, deployment }: OutboxEntry["from"], message: Message): void {
    const entry = { id: ++this.numbers.outbox, from: { instanceId, rootId, deployment }, message };
    this.changes.push({ type: "outbox-put", entry });
    this.deliveries.push(entry);
  }

  /**
   * Decides and applies one command. Gives the rejection, if it was one. Throws when an invariant
   * broke: then nothing of this command is left in the turn, and the state in memory is no longer to be used.
   */
  run(live: Live, command: TimelessCommand): Rejection | undefined {
    this.touch(live);
    const { record, state } = live;
    const { exchange } = this;
    if (record.status === "moved") return hasMoved;
    const mark = this.mark();
    const { status, held, incidents, endedAt } = record;
    this.asksAgain = command.type === "resume-instance";
    try {
      // Time never runs backwards within an instance, whatever the clock does.
      const at = Math.max(this.now, state.head.at);
      const sequence = state.head.sequence + 1;
      this.#moving = { live, command };
      const decision = step(live, { ...command, at } as Command, this.#applied);
      if ("rejection" in decision) return decision.rejection;
      if (decision.events.length === 0) return undefined;
      record.status = state.head.status ?? record.status;
      record.endedAt = state.head.endedAt;
      if (record.endedAt !== null && record.startedBy !== null) {
        exchange.hold({ channel: record.startedBy, process: record.process, held: false });
      }
      if (sequence === 1) this.numbers.created = Math.max(this.numbers.created, record.number);
      this.#count(record, { isNew: sequence === 1, incidents });
      this.#addRow(record, { sequence, at, events: decision.events });
      if (record.status !== status || record.held !== held || record.incidents !== incidents) {
        this.changes.push({ type: "instance-update", record });
      }
      return undefined;
    } catch (error) {
      Object.assign(record, { status, held, incidents, endedAt });
      this.undo(mark);
      throw error;
    }
  }

  /** How far it has come: what is added from here on can be taken out again. */
  mark(): Mark {
    return {
      rows: this.rows.length,
      changes: this.changes.length,
      effects: this.effects.length,
      deliveries: this.deliveries.length,
      touched: this.touched.length,
      counted: this.counted.length,
      exchange: this.exchange.mark(),
    };
  }

  undo(mark: Mark): void {
    this.numbers.position -= this.rows.length - mark.rows;
    this.rows.length = mark.rows;
    this.changes.length = mark.changes;
    this.effects.length = mark.effects;
    this.deliveries.length = mark.deliveries;
    this.touched.length = mark.touched;
    this.counted.length = mark.counted;
    this.exchange.undo(mark.exchange);
  }

  /**
   * Begins an instance with rows of another one, or of another engine, as they were. What they asked of the world is not
   * asked again.
   */
  copy(
    live: Live,
    rows: readonly Pick<LogRow, "sequence" | "at" | "events">[],
    { isBack = false }: { readonly isBack?: boolean } = {},
  ): void {
    const { record, state } = live;
    this.touch(live);
    for (const row of rows) {
      for (const event of row.events) evolve(state, event);
      this.#addRow(record, row);
    }
    this.numbers.created = Math.max(this.numbers.created, record.number);
    projectOpen(live, this.changes);
    record.status = state.head.status ?? record.status;
    record.endedAt = state.head.endedAt;
    record.startedAt = state.head.startedAt;
    if (isBack) this.counted.push(countedReturn(record));
    else this.#count(record, { isNew: true, incidents: 0 });
  }

  /** Another engine goes on with it: nothing of it is open here any more. Its rows stay. */
  release(live: Live): void {
    this.touch(live);
    const { record, state } = live;
    const { incidents, startedBy: channel, process, number } = record;
    this.changes.push(...closeOpen(state, number));
    if (channel !== null) this.exchange.hold({ channel, process, held: false });
    Object.assign(record, { status: "moved", held: false, incidents: 0, endedAt: this.now });
    this.#count(record, { isNew: false, incidents });
    this.changes.push({ type: "instance-update", record });
  }

  #count(record: InstanceRecord, before: Parameters<typeof countedOf>[1]): void {
    const counted = countedOf(record, before);
    if (counted !== undefined) this.counted.push(counted);
  }

  /** Shows the quarantine in the list of incidents, under a key that no incident of the process has. */
  quarantine(record: InstanceRecord): void {
    const { incidents } = record;
    record.incidents++;
    this.#count(record, { isNew: false, incidents });
    this.changes.push(
      {
        type: "incident-put",
        incident: {
          instance: record.number,
          key: quarantineKey,
          element: null,
          kind: "quarantine",
          code: "instance-quarantined",
          message: "An invariant of Tutti broke in this instance; it does not go on. The log says more.",
          details: null,
          at: this.now,
        },
      },
      { type: "instance-update", record },
    );
  }

  /** It is tried again: until it breaks once more, nothing is wrong with it. */
  acquit(record: InstanceRecord): void {
    const { incidents } = record;
    record.incidents--;
    this.#count(record, { isNew: false, incidents });
    this.changes.push(
      { type: "incident-delete", instance: record.number, key: quarantineKey },
      { type: "instance-update", record },
    );
  }

  /** What an event changes in the tables, and what is owed because of it. Made once a turn, not for each command. */
  readonly #applied = (event: Event): void => {
    const { live, command } = must(this.#moving, "an event is applied within a command");
    const { record, state } = live;
    if (event.type === "instance-migrated" && command.type === "migrate-instance") live.program = command.to;
    project(live, event, this.changes);
    const effects = effectsOf(state, event);
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index] as Effect;
      recordEffect(this, live, effect);
      this.effects.push({ record, effect });
    }
  };

  #addRow(record: InstanceRecord, { sequence, at, events }: Pick<LogRow, "sequence" | "at" | "events">): void {
    this.rows.push({
      position: ++this.numbers.position,
      instance: record.number,
      sequence,
      at,
      events,
      instanceId: record.instanceId,
      rootId: record.rootId,
      copied: record.copied,
    });
  }

  /** Snapshots what has grown by as much as it weighs, so that their cost stays in proportion to the log's. */
  snapshot(eventsMin: number): void {
    for (const live of this.touched) {
      const { record, state } = live;
      const grown = state.head.sequence - live.snapshotSequence;
      if (grown < eventsMin || record.endedAt !== null || grown < recordCount(state)) continue;
      this.changes.push({
        type: "snapshot-put",
        instance: record.number,
        sequence: state.head.sequence,
        position: this.numbers.position,
        state: snapshotState(state),
      });
      live.snapshotSequence = state.head.sequence;
    }
  }

  /** After the commit: counts what is in memory, and lets go of what has ended. */
  settle(instances: Instances): void {
    each(this.touched, (live) => {
      if (live.record.endedAt !== null) instances.drop(live);
      else if (instances.number(live.record.number) === live) instances.recount(live);
    });
    instances.trim(this.#turn);
  }
}
