import { AppError, must, type ProgramDocument } from "@tutti/kernel";
import {
  type ArmedTimer,
  type Counters,
  type Found,
  type InstanceRecord,
  type LogRow,
  type NamedLogRow,
  type OpenJob,
  quarantineKey,
  type RowsRequest,
  type Standing,
  type StandingWanted,
  type Store,
  type StoredInstance,
  type Wanted,
} from "../store.ts";
import { type Disk, decodeEntries, encodeEntry, type JournalEntry } from "./journal.ts";
import {
  listIncidents,
  listInstances,
  listJobs,
  listMessages,
  listRefusals,
  listSubscriptions,
  listTasks,
} from "./list.ts";
import { type InstanceTables, MemoryTables } from "./tables.ts";

/**
 * The store in memory. With a `disk` every turn is also journalled there and `reopen`, or opening again, reads it back;
 * without one it forgets everything with the process.
 */
export async function openMemoryStore(options: { readonly disk?: Disk } = {}): Promise<Store> {
  const { disk } = options;
  let tables = new MemoryTables();
  /** How much of the journal is known to be synced. */
  let durableBytes = 0;
  if (disk !== undefined) ({ tables, length: durableBytes } = await readBack(disk));
  let closed = false;

  const journal = async (entry: JournalEntry): Promise<void> => {
    if (disk === undefined) return;
    if (closed) throw new AppError("engine-closed", "Expected an open store, but it was closed.");
    try {
      const bytes = encodeEntry(entry);
      await disk.append(bytes);
      await disk.sync();
      durableBytes += bytes.length;
    } catch (cause) {
      throw new AppError("storage-failed", "Expected the disk to take a turn, but it refused.", { cause });
    }
  };

  return {
    async claimEpoch() {
      await journal({ type: "epoch" });
      tables.epoch++;
      return tables.epoch;
    },
    counters: async () => counters(tables),
    standing: async (wanted) => standing(tables, wanted),
    async commit(turn) {
      if (disk !== undefined) await journal({ type: "turn", turn: { rows: turn.rows, changes: turn.changes } });
      tables.apply(turn);
    },
    async reopen() {
      if (disk === undefined) return;
      try {
        // After a failed sync nobody knows what of it is on the disk, whatever reading shows and a later sync says. So
        // it is cut off and written anew by whoever repeats it.
        await disk.truncate(durableBytes);
        ({ tables, length: durableBytes } = await readBack(disk));
        await disk.sync();
      } catch (cause) {
        throw new AppError("storage-failed", "Expected the disk to be usable again, but it is not.", { cause });
      }
    },
    ...readsOf(() => tables),
    idle: () => undefined,
    close: async () => {
      closed = true;
    },
  };
}

type Reads = Omit<Store, "claimEpoch" | "counters" | "standing" | "commit" | "reopen" | "idle" | "close">;

/** Reopening puts other tables in the place of those that are there, so every read asks for them. */
function readsOf(tables: () => MemoryTables): Reads {
  return {
    find: async (wanted) => find(tables(), wanted),
    rows: async (request) => rows(tables(), request),
    program: async (hash): Promise<ProgramDocument | undefined> => tables().programs.get(hash),
    slots: async () => new Map(tables().slots),
    deployments: async () => [...tables().deployments.values()].sort((a, b) => a.number - b.number),
    openJobs: async (after, limit) => openJobs(tables(), after, limit),
    heldInstances: async () => heldInstances(tables()),
    quarantined: async () =>
      [...tables().instances.values()]
        .filter(({ incidents }) => incidents?.get(quarantineKey) !== undefined)
        .map(({ record }) => record.number),
    timers: async (after, limit) => armedTimers(tables(), after, limit),
    channels: async (wanted) => wanted.map((each) => tables().coordination.channel(each)),
    beginning: async (wanted) => tables().coordination.beginning(wanted),
    queued: async (wanted) => tables().coordination.queued(wanted),
    signalled: async (wanted) => tables().coordination.signalled(wanted),
    unmatched: async (now) =>
      tables().coordination.unmatched(now, (number) => tables().record(number)?.endedAt !== null),
    messageCounts: async () => tables().coordination.counts(),
    instanceIds: async (numbers) =>
      new Map(
        numbers.flatMap((number) => {
          const record = tables().record(number);
          return record === undefined ? [] : [[number, record.instanceId]];
        }),
      ),
    schedules: async () => [...tables().coordination.schedules.values()],
    rollouts: async () => [...tables().coordination.rollouts.values()],
    outbox: async () => [...tables().outbox.values()].sort((a, b) => a.id - b.id),
    listInstances: async (filter, page) => listInstances(tables(), filter, page),
    listJobs: async (filter, page) => listJobs(tables(), filter, page),
    listTasks: async (filter, page) => listTasks(tables(), filter, page),
    listIncidents: async (filter, page) => listIncidents(tables(), filter, page),
    listSubscriptions: async (filter, page) => listSubscriptions(tables(), filter, page),
    listMessages: async (filter, page) => listMessages(tables(), filter, page),
    listRefusals: async (filter, page) => listRefusals(tables(), filter, page),
    versionFigures: async (process) =>
      [...tables().figures.values()].filter((each) => process === undefined || each.process === process),
  };
}

function counters(tables: MemoryTables): Counters {
  return {
    position: tables.log.length,
    instance: tables.lastNumber,
    outbox: Math.max(0, ...tables.outbox.keys()),
    deployment: Math.max(0, ...[...tables.deployments.values()].map((each) => each.number)),
  };
}

function standing(tables: MemoryTables, { instances, requestIds, hashes }: StandingWanted): Standing {
  const found = new Map<string, { readonly record: InstanceRecord; readonly rows: readonly LogRow[] }>();
  for (const { instanceId, sequence } of instances) {
    const number = tables.numberOf(instanceId);
    if (number === undefined) continue;
    const record = { ...must(tables.record(number), "a number has its record") };
    found.set(instanceId, { record, rows: tables.log.rowsFrom(number, sequence) });
  }
  return {
    counters: counters(tables),
    instances: found,
    requests: requestsOf(tables, requestIds),
    rollouts: [...tables.coordination.rollouts.values()],
    schedules: [...tables.coordination.schedules.values()],
    figures: new Map(
      hashes.flatMap((hash) => {
        const stored = tables.figures.get(hash);
        return stored === undefined ? [] : [[hash, stored.figures]];
      }),
    ),
  };
}

function requestsOf(tables: MemoryTables, requestIds: readonly string[]): Map<string, string> {
  const requests = new Map<string, string>();
  for (const requestId of requestIds) {
    const instanceId = tables.startedBy(requestId);
    if (instanceId !== undefined) requests.set(requestId, instanceId);
  }
  return requests;
}

function openJobs(
  tables: MemoryTables,
  after: Pick<OpenJob, "instance" | "key"> | undefined,
  limit: number,
): OpenJob[] {
  const found: OpenJob[] = [];
  for (const { record, jobs } of inOrder(tables, after?.instance ?? 0)) {
    for (const job of [...(jobs?.values() ?? [])].sort((a, b) => a.key - b.key)) {
      if (after !== undefined && record.number === after.instance && job.key <= after.key) continue;
      if (found.push(job) === limit) return found;
    }
  }
  return found;
}

function heldInstances(tables: MemoryTables): number[] {
  return [...tables.instances.values()]
    .filter(({ record, jobs }) => record.held && record.endedAt === null && (jobs?.size ?? 0) > 0)
    .map(({ record }) => record.number);
}

function armedTimers(tables: MemoryTables, after: ArmedTimer | undefined, limit: number): ArmedTimer[] {
  const all = [...tables.instances.values()].flatMap(({ timers }) => [...(timers?.values() ?? [])]);
  const later = after === undefined ? all : all.filter((timer) => byDue(timer, after) > 0);
  return later.sort(byDue).slice(0, limit);
}

function byDue(a: ArmedTimer, b: ArmedTimer): number {
  return a.due - b.due || a.instance - b.instance || a.key - b.key;
}

async function readBack(disk: Disk): Promise<{ readonly tables: MemoryTables; readonly length: number }> {
  const { entries, length } = decodeEntries(await disk.read());
  // A torn line would stand between the next turn and its reader.
  await disk.truncate(length);
  const tables = new MemoryTables();
  for (const entry of entries) {
    if (entry.type === "epoch") tables.epoch++;
    else tables.apply(entry.turn);
  }
  return { tables, length };
}

function* inOrder(tables: MemoryTables, from: number): Generator<InstanceTables> {
  const later = [...tables.instances.values()].filter((of) => of.record.number >= from);
  yield* later.sort((a, b) => a.record.number - b.record.number);
}

function find(tables: MemoryTables, wanted: Wanted): Found {
  const instances: StoredInstance[] = [];
  const load = (number: number | undefined): void => {
    const record = number === undefined ? undefined : tables.record(number);
    if (record === undefined) return;
    const snapshot = tables.instances.get(record.number)?.snapshot;
    instances.push({
      record: { ...record },
      snapshot,
      rows: tables.log.rowsOf(record.number, snapshot?.position ?? 0),
    });
  };
  for (const id of wanted.instanceIds) load(tables.numberOf(id));
  for (const number of wanted.numbers) load(number);
  return { instances, requests: requestsOf(tables, wanted.requestIds) };
}

function rows(tables: MemoryTables, request: RowsRequest): NamedLogRow[] {
  const { after, instanceId, rootId, limit } = request;
  const found: NamedLogRow[] = [];
  for (let position = after + 1; position <= tables.log.length && found.length < limit; position++) {
    const record = must(tables.record(tables.log.instanceOf(position)), "a row has its instance");
    if (instanceId !== undefined && record.instanceId !== instanceId) continue;
    if (rootId !== undefined && record.rootId !== rootId) continue;
    const { instanceId: id, rootId: root, copied } = record;
    found.push({ ...tables.log.row(position), instanceId: id, rootId: root, copied });
  }
  return found;
}
