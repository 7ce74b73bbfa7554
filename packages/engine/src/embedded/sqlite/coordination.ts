import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type ChannelName, expiresAt, forgottenAt } from "@tutti/kernel";
import {
  type BeginWanted,
  type ChannelRows,
  type ChannelWanted,
  type CoordinationChange,
  channelId,
  channelNamed,
  type MessageCounts,
  type OpenSubscription,
  type QueueWanted,
  type SignalWanted,
  type StoredMessage,
  type StoredRollout,
  type StoredSchedule,
  type Unmatched,
} from "../message/coordination.ts";
import { message, subscription } from "../sql/rows.ts";
import type { InstanceNumber } from "../store.ts";

/** At most so many messages are forgotten at once: a commit must not take long. */
const forgottenMax = 10_000;

/** Reads of what happens between instances. `IS` also finds the null key. */
export class CoordinationReader {
  readonly #db: DatabaseSync;
  readonly #nextProcess: StatementSync;
  readonly #waiting: StatementSync;
  readonly #held: StatementSync;
  readonly #remembered: StatementSync;
  readonly #numbered: StatementSync;
  readonly #queued: StatementSync;
  readonly #beginning: StatementSync;
  readonly #signalled: StatementSync;
  readonly #names: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const there = "name = ? AND correlation_key IS ? AND kind = ?";
    this.#nextProcess = db.prepare(
      `SELECT process FROM subscriptions WHERE ${there} AND process > ? ORDER BY process LIMIT 1`,
    );
    this.#waiting = db.prepare(
      `SELECT * FROM subscriptions WHERE ${there} AND process = ? AND (taken = 0 OR repeats = 1)
       ORDER BY taken, instance, key LIMIT ?`,
    );
    this.#held = db.prepare("SELECT process FROM holders WHERE channel = ?");
    this.#remembered = db.prepare(`SELECT * FROM messages WHERE ${there} AND id = ?`);
    this.#numbered = db.prepare("SELECT * FROM messages WHERE number = ?");
    this.#queued = db.prepare(
      `SELECT * FROM messages WHERE ${there} AND number > ? AND expires_at > ? AND NOT ${received}
       AND NOT (? AND ${refused}) ORDER BY number LIMIT ?`,
    );
    this.#beginning = db.prepare(
      `SELECT DISTINCT correlation_key FROM messages WHERE name = ? AND kind = 'message' AND expires_at > ?
       AND NOT ${received} AND NOT ${refused} ORDER BY correlation_key`,
    );
    this.#signalled = db.prepare(
      `SELECT * FROM subscriptions WHERE ${there} AND position <= ? AND (instance, key) > (?, ?)
       ORDER BY instance, key LIMIT ?`,
    );
    this.#names = db.prepare(
      "SELECT i.number, i.id FROM json_each(?) AS wanted CROSS JOIN instances i ON i.number = wanted.value",
    );
  }

  channel(wanted: ChannelWanted): ChannelRows {
    const { name, correlationKey, kind, ids, numbers, limit } = wanted;
    const waiting: OpenSubscription[] = [];
    // A signal has no window: who waits for it is read in pages of its own.
    if (kind === "message") {
      for (const process of this.#processes(wanted)) {
        const rows = this.#waiting.all(name, correlationKey, kind, process, limit);
        for (const row of rows) waiting.push(subscription(row));
      }
    }
    const held = this.#held.all(channelId(wanted)).map((row) => row["process"] as string);
    const byId = ids.flatMap((id) => this.#remembered.all(name, correlationKey, kind, id).map(message));
    const byNumber = numbers.flatMap((number) => this.#numbered.all(number).map(message));
    const remembered = [...byId, ...byNumber];
    return { kind, name, correlationKey, waiting, held, remembered };
  }

  queued({ name, correlationKey, process, now, after, limit, toStart }: QueueWanted): StoredMessage[] {
    const isFor = [process, toStart ? 1 : 0, process] as const;
    return this.#queued.all(name, correlationKey, "message", after, now, ...isFor, limit).map(message);
  }

  beginning({ process, name, now }: BeginWanted): ChannelName[] {
    return this.#beginning
      .all(name, now, process, process)
      .map((row) => ({ name, correlationKey: row["correlation_key"] as string | null }))
      .filter((each) => !this.#isHeld(each, process));
  }

  #isHeld(channel: ChannelName, process: string): boolean {
    return this.#held.all(channelId(channel)).some((row) => row["process"] === process);
  }

  signalled({ name, openAt, after, limit }: SignalWanted): OpenSubscription[] {
    return this.#signalled.all(name, null, "signal", openAt, after.instance, after.key, limit).map(subscription);
  }

  unmatched(now: number): Unmatched[] {
    const waiting = this.#db
      .prepare(
        `SELECT s.* FROM subscriptions s WHERE s.kind = 'message' AND s.taken = 0 AND EXISTS
           (SELECT 1 FROM messages m WHERE m.name = s.name AND m.correlation_key IS s.correlation_key
             AND m.kind = s.kind AND m.expires_at > ?
             AND NOT EXISTS (SELECT 1 FROM json_each(m.receivers) WHERE value ->> 'process' = s.process))
         ORDER BY s.instance, s.key`,
      )
      .all(now)
      .map((row) => {
        const found = subscription(row);
        const { name, correlationKey, process } = found;
        return { name, correlationKey, process, waiting: found };
      });
    const ended = this.#db
      .prepare("SELECT h.* FROM holders h JOIN instances i ON i.number = h.instance WHERE i.ended_at IS NOT NULL")
      .all()
      .map((row) => ({ ...channelNamed(row["channel"] as string), process: row["process"] as string }));
    return [...waiting, ...ended];
  }

  instanceIds(numbers: readonly InstanceNumber[]): Map<InstanceNumber, string> {
    const rows = this.#names.all(JSON.stringify(numbers));
    return new Map(rows.map((row) => [row["number"] as InstanceNumber, row["id"] as string]));
  }

  counts(): MessageCounts {
    const row = this.#db
      .prepare(
        `SELECT count(*) AS kept, min(forgotten_at) AS next,
           max(CASE kind WHEN 'message' THEN expires_at ELSE 0 END) AS until FROM messages`,
      )
      .get();
    return {
      kept: row?.["kept"] as number,
      until: Number(row?.["until"] ?? 0),
      nextForgotten: (row?.["next"] ?? null) as number | null,
    };
  }

  schedules(): StoredSchedule[] {
    return this.#rows("schedules") as StoredSchedule[];
  }

  rollouts(): StoredRollout[] {
    return this.#rows("rollouts") as StoredRollout[];
  }

  #rows(table: "schedules" | "rollouts"): unknown[] {
    const rows = this.#db.prepare(`SELECT row FROM ${table} ORDER BY process`).all();
    return rows.map((row) => JSON.parse(row["row"] as string) as unknown);
  }

  /** The processes with a subscription there, each found by one step in the index. */
  *#processes({ name, correlationKey, kind }: ChannelWanted): Generator<string> {
    let process = "";
    for (;;) {
      const row = this.#nextProcess.get(name, correlationKey, kind, process);
      if (row === undefined) return;
      process = row["process"] as string;
      yield process;
    }
  }
}

const received = "EXISTS (SELECT 1 FROM json_each(receivers) WHERE value ->> 'process' = ?)";
const refused = "EXISTS (SELECT 1 FROM refusals r WHERE r.message = messages.number AND r.process = ?)";

type Statements = { readonly [K in CoordinationChange["type"]]: StatementSync };
type Writers = {
  readonly [K in CoordinationChange["type"]]: (
    statement: StatementSync,
    change: Extract<CoordinationChange, { readonly type: K }>,
  ) => void;
};

const sql: { readonly [K in CoordinationChange["type"]]: string } = {
  // Asking twice opens one: when it was opened, and what it was given, stays.
  "subscription-put": `INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    kind = excluded.kind, name = excluded.name, correlation_key = excluded.correlation_key,
    process = excluded.process, element = excluded.element, repeats = excluded.repeats`,
  "subscription-taken": "UPDATE subscriptions SET taken = ? WHERE instance = ? AND key = ?",
  "subscription-delete": "DELETE FROM subscriptions WHERE instance = ? AND key = ?",
  "message-put": "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  "message-received": "UPDATE messages SET receivers = ? WHERE number = ?",
  "messages-forget": `DELETE FROM messages WHERE number IN
    (SELECT number FROM messages WHERE forgotten_at <= ? ORDER BY forgotten_at, number LIMIT ${forgottenMax})`,
  "holder-put": "INSERT OR REPLACE INTO holders VALUES (?, ?, ?)",
  "holder-delete": "DELETE FROM holders WHERE channel = ? AND process = ?",
  "refusal-put": "INSERT INTO refusals (process, message, row) VALUES (?, ?, ?)",
  "refusals-forget": "DELETE FROM refusals WHERE number <= (SELECT max(number) FROM refusals) - ?",
  "refusals-retry": "UPDATE refusals SET message = NULL WHERE process = ? AND message IS NOT NULL",
  "schedule-put": "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?)",
  "schedule-delete": "DELETE FROM schedules WHERE process = ? AND element = ? AND place = ?",
  "rollout-put": "INSERT OR REPLACE INTO rollouts VALUES (?, ?)",
  "rollout-delete": "DELETE FROM rollouts WHERE process = ?",
};

const writers: Writers = {
  "subscription-put": (statement, { subscription: s }) => {
    const { instance, key, kind, name, correlationKey, process, element, position, since, repeats, taken } = s;
    const place = [instance, key, kind, name, correlationKey, process, element] as const;
    statement.run(...place, position, since, repeats ? 1 : 0, taken ? 1 : 0);
  },
  "subscription-taken": (statement, { instance, key, taken }) => {
    statement.run(taken ? 1 : 0, instance, key);
  },
  "subscription-delete": (statement, { instance, key }) => {
    statement.run(instance, key);
  },
  "message-put": (statement, { message: m }) => {
    const said = [m.number, m.kind, m.name, m.correlationKey, m.id, JSON.stringify(m.payload)] as const;
    const times = [m.publishedAt, m.ttlMs, expiresAt(m), forgottenAt(m)] as const;
    statement.run(...said, ...times, JSON.stringify(m.receivers));
  },
  "message-received": (statement, { number, receivers }) => {
    statement.run(JSON.stringify(receivers), number);
  },
  "messages-forget": (statement, { until }) => {
    statement.run(until);
  },
  "holder-put": (statement, { channel, process, instance }) => {
    statement.run(channel, process, instance);
  },
  "holder-delete": (statement, { channel, process }) => {
    statement.run(channel, process);
  },
  "refusal-put": (statement, { refusal: { message, ...row } }) => {
    statement.run(row.process, message, JSON.stringify(row));
  },
  "refusals-forget": (statement, { keep }) => {
    statement.run(keep);
  },
  "refusals-retry": (statement, { process }) => {
    statement.run(process);
  },
  "schedule-put": (statement, { schedule }) => {
    const { process, element, trigger = 0 } = schedule;
    statement.run(process, element, trigger, JSON.stringify(schedule));
  },
  "schedule-delete": (statement, { process, element, trigger }) => {
    statement.run(process, element, trigger);
  },
  "rollout-put": (statement, { rollout }) => {
    statement.run(rollout.process, JSON.stringify(rollout));
  },
  "rollout-delete": (statement, { process }) => {
    statement.run(process);
  },
};

/** Writes the changes of what happens between instances, inside the transaction of a turn. */
export class CoordinationWriter {
  readonly #statements: Statements;

  constructor(db: DatabaseSync) {
    const prepared = Object.entries(sql).map(([type, text]) => [type, db.prepare(text)]);
    this.#statements = Object.fromEntries(prepared) as Statements;
  }

  write(change: CoordinationChange): void {
    // Indexing by a union loses which writer belongs to which change; the type of `writers` has proven the pairing.
    const write = writers[change.type] as (statement: StatementSync, change: CoordinationChange) => void;
    write(this.#statements[change.type], change);
  }
}
