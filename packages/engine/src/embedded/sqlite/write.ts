import type { DatabaseSync, StatementSync } from "node:sqlite";
import { lookup } from "@tutti/kernel";
import { chainHash, codecVersion, writeHead, writeRow } from "../log/codec.ts";
import { JsonBytes } from "../log/json-bytes.ts";
import type { CoordinationChange } from "../message/coordination.ts";
import type { Change, LogRow, Turn } from "../store.ts";
import { each } from "../turn/each.ts";
import { CoordinationWriter } from "./coordination.ts";

type OwnChange = Exclude<Change, CoordinationChange>;
type Statements = { readonly [K in OwnChange["type"] | "log" | "blob" | "program"]: StatementSync };
type Writers = {
  readonly [K in OwnChange["type"]]: (statements: Statements, change: Extract<OwnChange, { readonly type: K }>) => void;
};

/** Writes turns. Keeps the end of the hash chain; a failed turn leaves it where it was. */
export class TurnWriter {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #statements: Statements;
  readonly #hashed: JsonBytes = new JsonBytes();
  readonly #coordination: CoordinationWriter;
  #chain: string;

  constructor(db: DatabaseSync, chain: string) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#statements = prepare(db);
    this.#coordination = new CoordinationWriter(db);
    this.#chain = chain;
  }

  write(turn: Turn): void {
    const before = this.#chain;
    this.#begin.run();
    try {
      this.#writeRows(turn);
      each(turn.changes, (change) => this.#writeChange(change));
      this.#commit.run();
    } catch (error) {
      this.#chain = before;
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #writeChange(change: Change): void {
    // Indexing by a union loses which writer belongs to which change; the type of `writers` has proven the pairing.
    const write = writers[change.type as OwnChange["type"]] as
      | ((statements: Statements, change: Change) => void)
      | undefined;
    if (write === undefined) this.#coordination.write(change as CoordinationChange);
    else write(this.#statements, change);
  }

  /** The rows stand one after the other in one buffer, so that one hash covers a turn and reads each byte once. */
  #writeRows({ rows }: Turn): void {
    const { log, blob } = this.#statements;
    const hashed = this.#hashed;
    hashed.cut();
    hashed.raw(this.#chain).raw("\n");
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as LogRow;
      writeHead(hashed, row);
      const begin = hashed.length;
      for (const each of writeRow(hashed, row.events, row.at)) blob.run(each.digest, each.text);
      const text = hashed.textFrom(begin);
      hashed.raw("\n");
      const isLast = index === rows.length - 1;
      if (isLast) this.#chain = chainHash(hashed.bytes);
      const { position, instance, sequence, at, cause = 0 } = row;
      log.run(position, instance, sequence, at, codecVersion, text, isLast ? this.#chain : null, cause);
    }
  }
}

function prepare(db: DatabaseSync): Statements {
  return {
    log: db.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
    blob: db.prepare("INSERT OR IGNORE INTO blobs VALUES (?, ?)"),
    program: db.prepare("INSERT OR IGNORE INTO programs VALUES (?, ?, ?, ?)"),
    "instance-put": db.prepare("INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    "instance-update": db.prepare(
      "UPDATE instances SET status = ?, held = ?, incidents = ?, ended_at = ? WHERE number = ?",
    ),
    "instance-move": db.prepare(
      "UPDATE instances SET process = ?, version = ?, hash = ?, deployment = ?, copied = ? WHERE number = ?",
    ),
    "job-move": db.prepare("UPDATE jobs SET element = ? WHERE instance = ? AND key = ?"),
    "job-put": db.prepare("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    "job-delete": db.prepare("DELETE FROM jobs WHERE instance = ? AND key = ?"),
    "timer-put": db.prepare("INSERT OR REPLACE INTO timers VALUES (?, ?, ?)"),
    "timer-delete": db.prepare("DELETE FROM timers WHERE instance = ? AND key = ?"),
    "task-put": db.prepare("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?)"),
    "task-delete": db.prepare("DELETE FROM tasks WHERE instance = ? AND key = ?"),
    "incident-put": db.prepare("INSERT OR REPLACE INTO incidents VALUES (?, ?, ?)"),
    "incident-delete": db.prepare("DELETE FROM incidents WHERE instance = ? AND key = ?"),
    "outbox-put": db.prepare("INSERT INTO outbox VALUES (?, ?)"),
    "outbox-delete": db.prepare("DELETE FROM outbox WHERE id = ?"),
    "snapshot-put": db.prepare("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)"),
    "deployment-put": db.prepare("INSERT OR REPLACE INTO deployments VALUES (?, ?, ?, ?)"),
    "figures-put": db.prepare("INSERT OR REPLACE INTO version_figures VALUES (?, ?, ?)"),
    "slots-put": db.prepare("INSERT OR REPLACE INTO slots VALUES (?, ?)"),
  };
}

const writers: Writers = lookup({
  "instance-put": (statements, { record: r }) => {
    statements["instance-put"].run(
      ...[r.number, r.instanceId, r.rootId, r.parentId, r.process, r.version, r.hash, r.deployment, r.businessKey],
      ...[r.requestId, r.status, r.held ? 1 : 0, r.incidents, r.startedAt, r.endedAt, r.startedBy, r.copied],
    );
  },
  "instance-update": (statements, { record: r }) => {
    statements["instance-update"].run(r.status, r.held ? 1 : 0, r.incidents, r.endedAt, r.number);
  },
  "instance-move": (statements, { record: r }) => {
    statements["instance-move"].run(r.process, r.version, r.hash, r.deployment, r.copied, r.number);
  },
  "job-move": (statements, { instance, key, element }) => {
    statements["job-move"].run(element, instance, key);
  },
  "job-put": (statements, { job: j }) => {
    const { instance, key, element, jobType, queue, priority, attempt, notBefore, since, limitKey } = j;
    statements["job-put"].run(instance, key, element, jobType, queue, priority, attempt, notBefore, since, limitKey);
  },
  "job-delete": (statements, { instance, key }) => {
    statements["job-delete"].run(instance, key);
  },
  "timer-put": (statements, { timer }) => {
    statements["timer-put"].run(timer.instance, timer.key, timer.due);
  },
  "timer-delete": (statements, { instance, key }) => {
    statements["timer-delete"].run(instance, key);
  },
  "task-put": (statements, { task: { instance, assignee, ...row } }) => {
    statements["task-put"].run(instance, row.key, assignee, JSON.stringify(row));
  },
  "task-delete": (statements, { instance, key }) => {
    statements["task-delete"].run(instance, key);
  },
  "incident-put": (statements, { incident: { instance, ...row } }) => {
    statements["incident-put"].run(instance, row.key, JSON.stringify(row));
  },
  "incident-delete": (statements, { instance, key }) => {
    statements["incident-delete"].run(instance, key);
  },
  "outbox-put": (statements, { entry }) => {
    statements["outbox-put"].run(entry.id, JSON.stringify(entry));
  },
  "outbox-delete": (statements, { id }) => {
    statements["outbox-delete"].run(id);
  },
  "snapshot-put": (statements, { instance, sequence, position, state }) => {
    statements["snapshot-put"].run(instance, sequence, position, JSON.stringify(state));
  },
  "deployment-put": (statements, { deployment, number, documents, starts }) => {
    for (const each of documents) statements.program.run(each.hash, each.id, each.version, JSON.stringify(each));
    statements["deployment-put"].run(
      deployment.id,
      number,
      JSON.stringify(deployment.programs),
      JSON.stringify(starts),
    );
  },
  "figures-put": (statements, { hash, process, figures }) => {
    statements["figures-put"].run(hash, process, JSON.stringify(figures));
  },
  "slots-put": (statements, { queue, slots }) => {
    statements["slots-put"].run(queue, slots);
  },
});
