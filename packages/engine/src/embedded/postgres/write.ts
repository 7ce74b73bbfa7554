import { lookup, type ProgramDocument } from "@tutti/kernel";
import type { ChainedRow } from "../log/chain.ts";
import { chainHash, type Blob as Payload, writeHead, writeRow } from "../log/codec.ts";
import { JsonBytes } from "../log/json-bytes.ts";
import type {
  OpenSubscription,
  Refusal,
  StoredMessage,
  StoredRollout,
  StoredSchedule,
} from "../message/coordination.ts";
import type {
  ArmedTimer,
  Change,
  InstanceRecord,
  LogRow,
  OpenJob,
  OutboxEntry,
  StoredFigures,
  Turn,
} from "../store.ts";
import { Pending, type Table } from "./bulk.ts";
import type { Statement } from "./session.ts";
import {
  definitions,
  holders,
  incidents,
  instances,
  jobs,
  log,
  messages,
  type Of,
  outbox,
  refusals,
  rollouts,
  schedules,
  subscriptions,
  tasks,
  timers,
} from "./tables.ts";

type Keyed = { readonly instance: number; readonly key: number };
type Writers = { readonly [K in Change["type"]]: (batch: Batch, change: Of<K>) => void };

/** The changes of a turn, by table. */
class Batch {
  readonly created: InstanceRecord[] = [];
  readonly updated: Set<InstanceRecord> = new Set();
  readonly moved: Set<InstanceRecord> = new Set();
  readonly jobs: Pending<OpenJob, Keyed, Of<"job-move">> = new Pending();
  readonly timers: Pending<ArmedTimer, Keyed> = new Pending();
  readonly tasks: Pending<Of<"task-put">["task"], Keyed> = new Pending();
  readonly incidents: Pending<Of<"incident-put">["incident"], Keyed> = new Pending();
  readonly outbox: Pending<OutboxEntry, { readonly id: number }> = new Pending();
  readonly snapshots: Map<number, Of<"snapshot-put">> = new Map();
  readonly programs: ProgramDocument[] = [];
  readonly deployments: Map<string, Of<"deployment-put">> = new Map();
  readonly figures: Map<string, StoredFigures> = new Map();
  readonly slots: Map<string, Of<"slots-put">> = new Map();
  readonly subscriptions: Pending<OpenSubscription, Keyed, Of<"subscription-taken">> = new Pending();
  readonly messages: Pending<StoredMessage, never, Of<"message-received">> = new Pending();
  readonly holders: Pending<Of<"holder-put">, Of<"holder-delete">> = new Pending();
  readonly schedules: Pending<StoredSchedule, Of<"schedule-delete">> = new Pending();
  readonly rollouts: Pending<StoredRollout, { readonly process: string }> = new Pending();
  refusals: Refusal[] = [];
  readonly retried: Set<string> = new Set();
  messagesUntil: number | undefined;
  refusalsKept: number | undefined;

  /** In an order in which each finds what those before it wrote. */
  statements(): Statement[] {
    const { created } = this;
    return [
      ...instances.put(created),
      // What is new is written as it is at the end of the turn.
      ...instances.update(without(this.updated, created)),
      ...instances.move(without(this.moved, created)),
      ...pending(this.jobs, jobs),
      ...pending(this.timers, timers),
      ...pending(this.tasks, tasks),
      ...pending(this.incidents, incidents),
      ...pending(this.outbox, outbox),
      ...log.snapshots([...this.snapshots.values()]),
      ...definitions.programs(this.programs),
      ...definitions.deployments([...this.deployments.values()]),
      ...definitions.figures([...this.figures.values()]),
      ...definitions.slots([...this.slots.values()]),
      ...pending(this.subscriptions, subscriptions),
      ...messages.put([...this.messages.puts.values()]),
      ...messages.patch([...this.messages.patches.values()]),
      ...(this.messagesUntil === undefined ? [] : [messages.forget(this.messagesUntil)]),
      ...pending(this.holders, holders),
      ...(this.retried.size === 0 ? [] : [refusals.retry([...this.retried])]),
      ...refusals.put(this.refusals),
      ...(this.refusalsKept === undefined ? [] : [refusals.forget(this.refusalsKept)]),
      ...pending(this.schedules, schedules),
      ...pending(this.rollouts, rollouts),
    ];
  }
}

function without(records: ReadonlySet<InstanceRecord>, created: readonly InstanceRecord[]): InstanceRecord[] {
  if (records.size === 0) return [];
  const fresh = new Set(created);
  return [...records].filter((record) => !fresh.has(record));
}

function pending<Row, Key, Patch>(
  { deletes, puts, patches }: Pending<Row, Key, Patch>,
  table: Table<Row, Key, Patch>,
): Statement[] {
  return [
    ...table.delete([...deletes.values()]),
    ...table.put([...puts.values()]),
    ...(table.patch?.([...patches.values()]) ?? []),
  ];
}

function idOf({ instance, key }: Keyed): string {
  return `${instance}.${key}`;
}

const writers: Writers = lookup({
  "instance-put": ({ created }, { record }) => void created.push(record),
  "instance-update": ({ updated }, { record }) => void updated.add(record),
  "instance-move": ({ moved }, { record }) => void moved.add(record),
  "job-put": (batch, { job }) => batch.jobs.put(idOf(job), job),
  "job-move": (batch, change) => batch.jobs.patch(idOf(change), change, (job) => ({ ...job, element: change.element })),
  "job-delete": (batch, key) => batch.jobs.delete(idOf(key), key),
  "timer-put": (batch, { timer }) => batch.timers.put(idOf(timer), timer),
  "timer-delete": (batch, key) => batch.timers.delete(idOf(key), key),
  "task-put": (batch, { task }) => batch.tasks.put(idOf(task), task),
  "task-delete": (batch, key) => batch.tasks.delete(idOf(key), key),
  "incident-put": (batch, { incident }) => batch.incidents.put(idOf(incident), incident),
  "incident-delete": (batch, key) => batch.incidents.delete(idOf(key), key),
  "outbox-put": (batch, { entry }) => batch.outbox.put(entry.id, entry),
  "outbox-delete": (batch, key) => batch.outbox.delete(key.id, key),
  "snapshot-put": (batch, snapshot) => void batch.snapshots.set(snapshot.instance, snapshot),
  "deployment-put": (batch, change) => {
    batch.programs.push(...change.documents);
    batch.deployments.set(change.deployment.id, change);
  },
  "figures-put": (batch, figures) => void batch.figures.set(figures.hash, figures),
  "slots-put": (batch, change) => void batch.slots.set(change.queue, change),
  "subscription-put": (batch, { subscription }) => {
    const before = batch.subscriptions.puts.get(idOf(subscription));
    const { position, since, taken } = before ?? subscription;
    batch.subscriptions.put(idOf(subscription), { ...subscription, position, since, taken });
  },
  "subscription-taken": (batch, change) =>
    batch.subscriptions.patch(idOf(change), change, (before) => ({ ...before, taken: change.taken })),
  "subscription-delete": (batch, key) => batch.subscriptions.delete(idOf(key), key),
  "message-put": (batch, { message }) => batch.messages.put(message.number, message),
  "message-received": (batch, change) =>
    batch.messages.patch(change.number, change, (before) => ({ ...before, receivers: change.receivers })),
  "messages-forget": (batch, { until }) => {
    batch.messagesUntil = until;
  },
  "holder-put": (batch, change) => batch.holders.put(JSON.stringify([change.channel, change.process]), change),
  "holder-delete": (batch, change) => batch.holders.delete(JSON.stringify([change.channel, change.process]), change),
  "refusal-put": (batch, { refusal }) => void batch.refusals.push(refusal),
  "refusals-forget": (batch, { keep }) => {
    batch.refusalsKept = keep;
  },
  "refusals-retry": (batch, { process }) => {
    batch.retried.add(process);
    batch.refusals = batch.refusals.map((each) => (each.process === process ? { ...each, message: null } : each));
  },
  "schedule-put": (batch, { schedule }) => batch.schedules.put(placeOf(schedule), schedule),
  "schedule-delete": (batch, change) => batch.schedules.delete(placeOf(change), change),
  "rollout-put": (batch, { rollout }) => batch.rollouts.put(rollout.process, rollout),
  "rollout-delete": (batch, change) => batch.rollouts.delete(change.process, change),
});

function placeOf({ process, element, trigger = 0 }: { process: string; element: string; trigger?: number }): string {
  return JSON.stringify([process, element, trigger]);
}

function changesOf(changes: readonly Change[]): Statement[] {
  const batch = new Batch();
  for (const change of changes) {
    // Indexing by a union loses which writer belongs to which change; the type of `writers` has proven the pairing.
    const write = writers[change.type] as (batch: Batch, change: Change) => void;
    write(batch, change);
  }
  return batch.statements();
}

/** Puts turns into statements. Keeps the end of the hash chain, which moves on once a turn is durable. */
export class TurnWriter {
  readonly #hashed: JsonBytes = new JsonBytes();
  #chain: string;

  constructor(chain: string) {
    this.#chain = chain;
  }

  /** Somebody else has written meanwhile: the chain goes on from there. */
  goOnFrom(chain: string): void {
    this.#chain = chain;
  }

  /** `done` is to be called once the statements are committed. */
  write(turn: Turn): { readonly statements: readonly Statement[]; readonly done: () => void } {
    const blobs: Payload[] = [];
    const { rows, chain } = this.#encode(turn.rows, blobs);
    return {
      statements: [...log.put(rows), ...log.blobs(blobs), ...changesOf(turn.changes)],
      done: () => {
        this.#chain = chain;
      },
    };
  }

  /** The rows stand one after the other in one buffer, so that one hash covers a turn and reads each byte once. */
  #encode(rows: readonly LogRow[], blobs: Payload[]): { readonly rows: ChainedRow[]; readonly chain: string } {
    const hashed = this.#hashed;
    hashed.cut();
    hashed.raw(this.#chain).raw("\n");
    let chain = this.#chain;
    const written = rows.map((row, index) => {
      const { position, instance, sequence, at, cause = 0 } = row;
      writeHead(hashed, row);
      const begin = hashed.length;
      blobs.push(...writeRow(hashed, row.events, at));
      const text = hashed.textFrom(begin);
      hashed.raw("\n");
      const isLast = index === rows.length - 1;
      if (isLast) chain = chainHash(hashed.bytes);
      return { position, instance, sequence, at, cause, text, hash: isLast ? chain : null };
    });
    return { rows: written, chain };
  }
}
