import { type Key, lookup, must, type ProgramDocument, type QueueClass, SmallMap } from "@tutti/kernel";
import type { IncidentRow, TaskRow } from "../../port.ts";
import { numberIn } from "../instance-id.ts";
import type { CoordinationChange } from "../message/coordination.ts";
import { NumberMap } from "../number-map.ts";
import type {
  ArmedTimer,
  Change,
  InstanceNumber,
  InstanceRecord,
  OpenJob,
  OutboxEntry,
  Snapshot,
  StoredDeployment,
  StoredFigures,
  Turn,
} from "../store.ts";
import { each } from "../turn/each.ts";
import { CoordinationTables } from "./coordination.ts";
import { EndedInstances } from "./ended.ts";
import { MemoryLog } from "./log.ts";

/** What there is of one instance. Maps are made when first needed: most instances never have a timer or a task. */
export interface InstanceTables {
  readonly record: InstanceRecord;
  snapshot: Snapshot | undefined;
  jobs: SmallMap<Key, OpenJob> | undefined;
  timers: SmallMap<Key, ArmedTimer> | undefined;
  tasks: SmallMap<Key, Omit<TaskRow, "instanceId" | "rootId">> | undefined;
  incidents: SmallMap<Key, Omit<IncidentRow, "instanceId" | "rootId">> | undefined;
}

type OwnChange = Exclude<Change, CoordinationChange>;
type Appliers = {
  readonly [K in OwnChange["type"]]: (tables: MemoryTables, change: Extract<OwnChange, { readonly type: K }>) => void;
};

/** The tables of the store, in memory. The same content as the SQLite schema, by other means. */
export class MemoryTables {
  readonly log: MemoryLog = new MemoryLog();
  /** Those of which there is more than a record, or may be. */
  readonly instances: NumberMap<InstanceTables> = new NumberMap();
  readonly #ended: EndedInstances = new EndedInstances();
  /** By the ids that do not say it. */
  readonly #numbers: Map<string, InstanceNumber> = new Map();
  readonly #requests: Map<string, InstanceNumber> = new Map();
  readonly outbox: Map<number, OutboxEntry> = new Map();
  readonly deployments: Map<string, StoredDeployment> = new Map();
  readonly programs: Map<string, ProgramDocument> = new Map();
  readonly figures: Map<string, StoredFigures> = new Map();
  readonly slots: Map<QueueClass, number> = new Map();
  readonly coordination: CoordinationTables = new CoordinationTables();
  lastNumber = 0;
  epoch = 0;

  apply(turn: Turn): void {
    each(turn.changes, (change) => this.#applyOne(change));
    this.log.append(turn.rows);
  }

  #applyOne(change: Change): void {
    // Indexing by a union loses which applier belongs to which change; the type of `appliers` has proven the pairing.
    const apply = appliers[change.type as OwnChange["type"]] as
      | ((tables: MemoryTables, change: Change) => void)
      | undefined;
    if (apply === undefined) this.coordination.apply(change as CoordinationChange);
    else apply(this, change);
  }

  /** To change it. */
  of(number: InstanceNumber): InstanceTables {
    return this.instances.get(number) ?? this.#open(must(this.#ended.take(number), "there is no instance", number));
  }

  add(record: InstanceRecord): void {
    const { number, instanceId, requestId } = record;
    // A copy: the engine goes on changing its own between commits.
    this.#open({ ...record });
    if (numberIn(instanceId) !== number) this.#numbers.set(instanceId, number);
    // A turn may put them in another order than it numbered them.
    this.lastNumber = Math.max(this.lastNumber, number);
    if (requestId !== null) this.#requests.set(requestId, number);
  }

  /** After a change that may have been the last one. */
  settle(of: InstanceTables): void {
    const { record, snapshot, jobs, timers, tasks, incidents } = of;
    if (snapshot !== undefined) return;
    if (isOpen(jobs) || isOpen(timers) || isOpen(tasks) || isOpen(incidents)) return;
    if (this.#ended.add(record)) this.instances.delete(record.number);
  }

  record(number: InstanceNumber): InstanceRecord | undefined {
    return this.instances.get(number)?.record ?? this.#ended.get(number);
  }

  /** In no order. */
  *records(): IterableIterator<InstanceRecord> {
    for (const { record } of this.instances.values()) yield record;
    yield* this.#ended.values();
  }

  numberOf(instanceId: string): InstanceNumber | undefined {
    const chosen = this.#numbers.size === 0 ? undefined : this.#numbers.get(instanceId);
    if (chosen !== undefined) return chosen;
    const number = numberIn(instanceId);
    return this.record(number)?.instanceId === instanceId ? number : undefined;
  }

  /** The instance that a request has started. */
  startedBy(requestId: string): string | undefined {
    const number = this.#requests.get(requestId);
    return number === undefined ? undefined : this.record(number)?.instanceId;
  }

  #open(record: InstanceRecord): InstanceTables {
    const of: InstanceTables = {
      record,
      snapshot: undefined,
      jobs: undefined,
      timers: undefined,
      tasks: undefined,
      incidents: undefined,
    };
    this.instances.set(record.number, of);
    return of;
  }
}

function isOpen(table: { readonly size: number } | undefined): boolean {
  return table !== undefined && table.size > 0;
}

const appliers: Appliers = lookup({
  "instance-put": (tables, { record }) => tables.add(record),
  "instance-update": (tables, { record }) => {
    const of = tables.of(record.number);
    of.record.status = record.status;
    of.record.held = record.held;
    of.record.incidents = record.incidents;
    of.record.endedAt = record.endedAt;
    if (record.endedAt !== null) tables.settle(of);
  },
  "instance-move": (tables, { record }) => {
    const { process, version, hash, deployment, copied } = record;
    Object.assign(tables.of(record.number).record, { process, version, hash, deployment, copied });
  },
  "job-move": (tables, { instance, key, element }) => {
    const of = tables.of(instance);
    const job = of.jobs?.get(key);
    if (job !== undefined) of.jobs?.set(key, { ...job, element });
  },
  "job-put": (tables, { job }) => {
    const of = tables.of(job.instance);
    of.jobs ??= new SmallMap();
    of.jobs.set(job.key, job);
  },
  "job-delete": (tables, { instance, key }) => {
    const of = tables.of(instance);
    of.jobs?.delete(key);
    // Kept empty, it would stay as long as the instance does, which is for good.
    if (of.jobs?.size === 0) of.jobs = undefined;
  },
  "timer-put": (tables, { timer }) => {
    const of = tables.of(timer.instance);
    of.timers ??= new SmallMap();
    of.timers.set(timer.key, timer);
  },
  "timer-delete": (tables, { instance, key }) => {
    tables.of(instance).timers?.delete(key);
  },
  "task-put": (tables, { task: { instance, ...task } }) => {
    const of = tables.of(instance);
    of.tasks ??= new SmallMap();
    of.tasks.set(task.key, task);
  },
  "task-delete": (tables, { instance, key }) => {
    tables.of(instance).tasks?.delete(key);
  },
  "incident-put": (tables, { incident: { instance, ...incident } }) => {
    const of = tables.of(instance);
    of.incidents ??= new SmallMap();
    of.incidents.set(incident.key, incident);
  },
  "incident-delete": (tables, { instance, key }) => {
    tables.of(instance).incidents?.delete(key);
  },
  "outbox-put": (tables, { entry }) => {
    tables.outbox.set(entry.id, entry);
  },
  "outbox-delete": (tables, { id }) => {
    tables.outbox.delete(id);
  },
  "snapshot-put": (tables, { instance, sequence, position, state }) => {
    tables.of(instance).snapshot = { sequence, position, state };
  },
  "deployment-put": (tables, { deployment, number, documents, starts }) => {
    for (const each of documents) if (!tables.programs.has(each.hash)) tables.programs.set(each.hash, each);
    tables.deployments.set(deployment.id, { number, deployment, starts });
  },
  "figures-put": (tables, { hash, process, figures }) => {
    tables.figures.set(hash, { hash, process, figures });
  },
  "slots-put": (tables, { queue, slots }) => {
    tables.slots.set(queue, slots);
  },
});
