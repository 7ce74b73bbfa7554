import type { DatabaseSync } from "node:sqlite";
import { AppError } from "@tutti/kernel";
import { chainStart } from "../log/codec.ts";
import { lists, type Query } from "../sql/list.ts";
import { armedTimer, openJob } from "../sql/rows.ts";
import { type Counters, type OutboxEntry, quarantineKey, type Store, type StoreReader } from "../store.ts";
import { CoordinationReader } from "./coordination.ts";
import { explain, openForReading, openForWriting, type SqliteOptions } from "./open.ts";
import { LogReader } from "./read.ts";
import { verifyChain } from "./verify.ts";
import { TurnWriter } from "./write.ts";

/** When nothing waits, a write-ahead log of this many pages of 4 KiB is moved into the database. */
const idleCheckpointPages = 1_000;
/** At this size it is moved even though commits wait: it must not grow without end. */
const forcedCheckpointPages = 8_000;
/** How many turns pass between two looks at its size. */
export const turnsPerLook = 32;
/** How many of the newest rows are checked against their hashes at every opening. */
const tailRows = 1_000;

interface Connection {
  readonly db: DatabaseSync;
  readonly log: LogReader;
  readonly coordination: CoordinationReader;
  readonly writer: TurnWriter;
}

/** The log in a SQLite file. Creates it when missing; refuses a newer, damaged or foreign one without a change. */
export function openSqliteStore(path: string, options: SqliteOptions = {}): Store {
  let connection = connect(path, options);
  const run = async <T>(work: (connection: Connection) => T): Promise<T> => {
    if (!connection.db.isOpen) throw new AppError("engine-closed", "Expected an open store, but it was closed.");
    try {
      return work(connection);
    } catch (error) {
      throw explain(error, path);
    }
  };
  const reader = readerOf(run, () => connection.db.close());
  let turnsUntilLook = turnsPerLook;
  return {
    ...reader,
    claimEpoch: () => run(({ db }) => nextEpoch(db)),
    counters: () => run(({ db }) => readCounters(db)),
    standing: (wanted) =>
      run(({ db, log, coordination }) => ({
        counters: readCounters(db),
        rollouts: coordination.rollouts(),
        schedules: coordination.schedules(),
        ...log.standing(wanted),
      })),
    commit: (turn) =>
      run(({ db, writer }) => {
        writer.write(turn);
        if (--turnsUntilLook > 0) return;
        turnsUntilLook = turnsPerLook;
        checkpointWhenLarge(db);
      }),
    reopen: async () => {
      if (connection.db.isOpen) connection.db.close();
      connection = connect(path, options);
      // A failed sync may have left pages that look written and are not: moving them all, synced, finds out.
      const result = connection.db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
      if (result?.["busy"] !== 0)
        throw new AppError("storage-failed", "Expected the log to be synced, but it is busy.");
    },
    ...recoveryOf(run),
    channels: (wanted) => run(({ coordination }) => wanted.map((each) => coordination.channel(each))),
    beginning: (wanted) => run(({ coordination }) => coordination.beginning(wanted)),
    queued: (wanted) => run(({ coordination }) => coordination.queued(wanted)),
    signalled: (wanted) => run(({ coordination }) => coordination.signalled(wanted)),
    unmatched: (now) => run(({ coordination }) => coordination.unmatched(now)),
    messageCounts: () => run(({ coordination }) => coordination.counts()),
    instanceIds: (numbers) => run(({ coordination }) => coordination.instanceIds(numbers)),
    idle: () => {
      if (connection.db.isOpen && walPages(connection.db) > idleCheckpointPages) checkpoint(connection.db);
    },
    close: async () => {
      if (!connection.db.isOpen) return;
      checkpoint(connection.db);
      connection.db.close();
    },
  };
}

type Recovery = Pick<Store, "openJobs" | "heldInstances" | "quarantined" | "timers" | "outbox">;

/** What recovery asks for. Read once an opening, so nothing is prepared ahead. */
function recoveryOf(run: Run): Recovery {
  return {
    openJobs: (after, limit) =>
      run(({ db }) =>
        db
          .prepare("SELECT * FROM jobs WHERE (instance, key) > (?, ?) ORDER BY instance, key LIMIT ?")
          .all(after?.instance ?? 0, after?.key ?? 0, limit)
          .map(openJob),
      ),
    heldInstances: () =>
      run(({ db }) =>
        db
          .prepare(
            "SELECT DISTINCT instance FROM jobs WHERE instance IN (SELECT number FROM instances WHERE held = 1 AND ended_at IS NULL)",
          )
          .all()
          .map((row) => row["instance"] as number),
      ),
    quarantined: () =>
      run(({ db }) =>
        db
          .prepare("SELECT instance FROM incidents WHERE key = ?")
          .all(quarantineKey)
          .map((row) => row["instance"] as number),
      ),
    timers: (after, limit) =>
      run(({ db }) =>
        db
          .prepare(
            "SELECT due, instance, key FROM timers WHERE (due, instance, key) > (?, ?, ?) ORDER BY due, instance, key LIMIT ?",
          )
          .all(after?.due ?? Number.MIN_SAFE_INTEGER, after?.instance ?? 0, after?.key ?? 0, limit)
          .map(armedTimer),
      ),
    outbox: () =>
      run(({ db }) =>
        db
          .prepare("SELECT * FROM outbox ORDER BY id")
          .all()
          .map((row) => JSON.parse(row["entry"] as string) as OutboxEntry),
      ),
  };
}

/** Reads a store that another process may own. */
export function openSqliteReader(path: string): StoreReader {
  const db = openForReading(path);
  const connection = connectionOf(db);
  const run = async <T>(work: (reading: typeof connection) => T): Promise<T> => {
    if (!connection.db.isOpen) throw new AppError("engine-closed", "Expected an open store, but it was closed.");
    try {
      return work(connection);
    } catch (error) {
      throw explain(error, path);
    }
  };
  return readerOf(run, () => db.close());
}

type Run = <T>(work: (connection: Omit<Connection, "writer">) => T) => Promise<T>;

function readerOf(run: Run, close: () => void): StoreReader {
  const ask = <T>(query: () => Query<T>): Promise<T> =>
    run(({ db }) => {
      const { text, values, read } = query();
      return read(db.prepare(text).all(...values));
    });
  return {
    find: (wanted) => run(({ log }) => log.find(wanted)),
    rows: (request) => run(({ log }) => log.rows(request)),
    program: (hash) => run(({ log }) => log.program(hash)),
    listInstances: (filter, page) => ask(() => lists.instances(filter, page)),
    listJobs: (filter, page) => ask(() => lists.jobs(filter, page)),
    listTasks: (filter, page) => ask(() => lists.tasks(filter, page)),
    listIncidents: (filter, page) => ask(() => lists.incidents(filter, page)),
    listSubscriptions: (filter, page) => ask(() => lists.subscriptions(filter, page)),
    listMessages: (filter, page) => ask(() => lists.messages(filter, page)),
    listRefusals: (filter, page) => ask(() => lists.refusals(filter, page)),
    versionFigures: (process) => ask(() => lists.versionFigures(process)),
    rollouts: () => run(({ coordination }) => coordination.rollouts()),
    schedules: () => run(({ coordination }) => coordination.schedules()),
    deployments: () => run(({ log }) => log.deployments()),
    slots: () => run(({ log }) => log.slots()),
    close: async () => close(),
  };
}

function connect(path: string, options: SqliteOptions): Connection {
  const db = openForWriting(path, options);
  try {
    const chain = verifyChain(db, tailRows);
    return { ...connectionOf(db), writer: new TurnWriter(db, chain ?? chainStart) };
  } catch (error) {
    db.close();
    throw explain(error, path);
  }
}

function connectionOf(db: DatabaseSync): Omit<Connection, "writer"> {
  return { db, log: new LogReader(db), coordination: new CoordinationReader(db) };
}

function nextEpoch(db: DatabaseSync): number {
  const row = db
    .prepare("INSERT INTO meta VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value")
    .get();
  return row?.["value"] as number;
}

function readCounters(db: DatabaseSync): Counters {
  const max = (sql: string): number => Number(db.prepare(sql).get()?.["n"] ?? 0);
  return {
    position: max("SELECT max(position) AS n FROM log"),
    instance: max("SELECT max(number) AS n FROM instances"),
    outbox: max("SELECT max(id) AS n FROM outbox"),
    deployment: max("SELECT max(number) AS n FROM deployments"),
  };
}

/** Keeps the write-ahead log from growing without end under a load that never rests. */
export function checkpointWhenLarge(db: DatabaseSync): void {
  if (walPages(db) > forcedCheckpointPages) checkpoint(db);
}

/** Never waits for readers: what they still need stays for the next time. */
function checkpoint(db: DatabaseSync): void {
  db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get();
}

/** Pages that a checkpoint has not moved yet. The mode that does nothing only reports. */
function walPages(db: DatabaseSync): number {
  const row = db.prepare("PRAGMA wal_checkpoint(NOOP)").get();
  return Number(row?.["log"] ?? 0) - Number(row?.["checkpointed"] ?? 0);
}
