import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JsonObject, ProgramDocument, QueueClass } from "@tutti/kernel";
import { decodeEvents } from "../log/codec.ts";
import { checkSequence, instanceRecord, type SqlRow, storedDeployment, storedFigures } from "../sql/rows.ts";
import type {
  Found,
  LogRow,
  NamedLogRow,
  RowsRequest,
  Standing,
  StandingWanted,
  StoredDeployment,
  StoredInstance,
  Wanted,
} from "../store.ts";

/** Reads of the log and of instances. */
export class LogReader {
  readonly #db: DatabaseSync;
  readonly #byId: StatementSync;
  readonly #byNumber: StatementSync;
  readonly #byRequest: StatementSync;
  readonly #snapshot: StatementSync;
  readonly #rowsOf: StatementSync;
  readonly #rows: StatementSync;
  readonly #rowsOfOne: StatementSync;
  readonly #rowsOfRoot: StatementSync;
  readonly #blob: StatementSync;
  readonly #program: StatementSync;
  readonly #slots: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const named = "SELECT l.*, i.id, i.root_id, i.copied FROM log l JOIN instances i ON i.number = l.instance";
    // A turn's starts ask for hundreds of ids at once, nearly all in vain: one call for all costs a tenth of one for each.
    const wanted = "FROM json_each(?) AS wanted CROSS JOIN instances i";
    this.#byId = db.prepare(`SELECT i.* ${wanted} ON i.id = wanted.value`);
    this.#byNumber = db.prepare(`SELECT i.* ${wanted} ON i.number = wanted.value`);
    this.#byRequest = db.prepare(`SELECT i.request_id, i.id ${wanted} ON i.request_id = wanted.value`);
    this.#snapshot = db.prepare("SELECT * FROM snapshots WHERE instance = ?");
    this.#rowsOf = db.prepare("SELECT * FROM log WHERE instance = ? AND position > ? ORDER BY position");
    this.#rows = db.prepare(`${named} WHERE l.position > ? ORDER BY l.position LIMIT ?`);
    this.#rowsOfOne = db.prepare(
      `${named} WHERE l.instance = (SELECT number FROM instances WHERE id = ?) AND l.position > ? ORDER BY l.position LIMIT ?`,
    );
    // Positions are sorted before events are read, so that a page costs its own rows and not those of all children.
    this.#rowsOfRoot = db.prepare(
      `${named} WHERE l.position IN (SELECT position FROM log WHERE instance IN
         (SELECT number FROM instances WHERE id = ?1 UNION ALL
          SELECT number FROM instances WHERE root_id = ?1 AND parent_id IS NOT NULL)
         AND position > ?2 ORDER BY position LIMIT ?3) ORDER BY l.position`,
    );
    this.#blob = db.prepare("SELECT content FROM blobs WHERE digest = ?");
    this.#program = db.prepare("SELECT document FROM programs WHERE hash = ?");
    this.#slots = db.prepare("SELECT * FROM slots");
  }

  /** Read once an append, so nothing is prepared ahead but what finds instances. */
  standing({ instances, requestIds, hashes }: StandingWanted): Omit<Standing, "counters" | "rollouts" | "schedules"> {
    const from = this.#db.prepare("SELECT * FROM log WHERE instance = ? ORDER BY position DESC");
    const sequences = new Map(instances.map(({ instanceId, sequence }) => [instanceId, sequence]));
    const found = rowsFor(this.#byId, [...sequences.keys()]).map((row) => {
      const record = instanceRecord(row);
      const rows: LogRow[] = [];
      for (const each of from.iterate(record.number)) {
        if ((each["sequence"] as number) < (sequences.get(record.instanceId) ?? 0)) break;
        rows.push(this.#row(each));
      }
      return [record.instanceId, { record, rows: rows.reverse() }] as const;
    });
    const figures = this.#db.prepare(
      "SELECT hash, figures FROM version_figures WHERE hash IN (SELECT value FROM json_each(?))",
    );
    return {
      instances: new Map(found),
      requests: this.#requests(requestIds),
      figures: new Map(rowsFor(figures, hashes).map(storedFigures)),
    };
  }

  #requests(requestIds: readonly string[]): Map<string, string> {
    return new Map(
      rowsFor(this.#byRequest, requestIds).map((row) => [row["request_id"] as string, row["id"] as string]),
    );
  }

  find(wanted: Wanted): Found {
    const instances: StoredInstance[] = [];
    for (const row of rowsFor(this.#byId, wanted.instanceIds)) this.#load(row, instances);
    for (const row of rowsFor(this.#byNumber, wanted.numbers)) this.#load(row, instances);
    return { instances, requests: this.#requests(wanted.requestIds) };
  }

  rows(request: RowsRequest): NamedLogRow[] {
    const { after, limit, instanceId, rootId } = request;
    const rows =
      instanceId !== undefined
        ? this.#rowsOfOne.all(instanceId, after, limit)
        : rootId !== undefined
          ? this.#rowsOfRoot.all(rootId, after, limit)
          : this.#rows.all(after, limit);
    return rows.map((row) => ({
      ...this.#row(row),
      instanceId: row["id"] as string,
      rootId: row["root_id"] as string,
      copied: row["copied"] as number,
    }));
  }

  program(hash: string): ProgramDocument | undefined {
    const row = this.#program.get(hash);
    return row === undefined ? undefined : (JSON.parse(row["document"] as string) as ProgramDocument);
  }

  slots(): Map<QueueClass, number> {
    return new Map(this.#slots.all().map((row) => [row["queue"] as QueueClass, row["slots"] as number]));
  }

  deployments(): StoredDeployment[] {
    return this.#db.prepare("SELECT * FROM deployments ORDER BY number").all().map(storedDeployment);
  }

  blob(digest: string): string | undefined {
    return this.#blob.get(digest)?.["content"] as string | undefined;
  }

  #load(row: SqlRow, into: StoredInstance[]): void {
    const record = instanceRecord(row);
    const found = this.#snapshot.get(record.number);
    const snapshot =
      found === undefined
        ? undefined
        : {
            sequence: found["sequence"] as number,
            position: found["position"] as number,
            state: JSON.parse(found["state"] as string) as JsonObject,
          };
    const rows = this.#rowsOf.all(record.number, snapshot?.position ?? 0).map((each) => this.#row(each));
    checkSequence(record.number, snapshot?.sequence ?? 0, rows);
    into.push({ record, snapshot, rows });
  }

  #row(row: SqlRow): LogRow {
    const at = row["at"] as number;
    const encoded = { text: row["events"] as string, codec: row["codec"] as number, at };
    return {
      position: row["position"] as number,
      instance: row["instance"] as number,
      sequence: row["sequence"] as number,
      at,
      cause: row["cause"] as number,
      events: decodeEvents(encoded, (digest) => this.blob(digest)),
    };
  }
}

/** The statement takes its keys as one JSON list. */
function rowsFor(statement: StatementSync, keys: readonly (string | number)[]): SqlRow[] {
  return keys.length === 0 ? [] : statement.all(JSON.stringify(keys));
}
