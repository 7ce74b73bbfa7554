import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "@tutti/kernel";
import { applicationId, migrations } from "./schema.ts";

const busyTimeoutMs = 5_000;
/** After a checkpoint the write-ahead log is cut back to this. */
const walKeptBytes = 67_108_864;

export interface SqliteOptions {
  /** The database grows no larger; what would is refused as a full disk refuses it. Read at every opening. */
  readonly bytesMax?: number;
}

/** Opens for writing: creates an empty database, migrates an older one, refuses everything else unchanged. */
export function openForWriting(path: string, options: SqliteOptions = {}): DatabaseSync {
  const db = connect(path, false);
  try {
    const version = checkIdentity(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${walKeptBytes}; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY`);
    migrate(db, version);
    assertDurable(db, path);
    if (options.bytesMax !== undefined) {
      db.exec(`PRAGMA max_page_count = ${Math.floor(options.bytesMax / pragma(db, "page_size"))}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw explain(error, path);
  }
}

/** Opens beside the owner, or without one. Writes nothing. */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw new AppError("database-missing", `Expected a database at ${path}, but there is none.`);
  const db = connect(path, true);
  try {
    if (checkIdentity(db, path) !== migrations.length) {
      throw new AppError("database-missing", `Expected a database at ${path}, but it is empty or not migrated yet.`);
    }
    return db;
  } catch (error) {
    db.close();
    throw explain(error, path);
  }
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs });
  } catch (error) {
    throw explain(error, path);
  }
}

/** The schema's version; 0 is an empty file. */
function checkIdentity(db: DatabaseSync, path: string): number {
  const application = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  if (application === 0 && version === 0 && tables === 0) return 0;
  if (application !== applicationId) {
    throw new AppError(
      "database-foreign",
      `Expected a database of Tutti at ${path}, but it belongs to something else.`,
    );
  }
  if (version > migrations.length) {
    throw new AppError(
      "database-newer",
      `Expected a database of schema ${migrations.length} or older at ${path}, but it has schema ${version}.`,
      { details: { found: version, known: migrations.length } },
    );
  }
  checkSound(db, path);
  return version;
}

/** A larger file is checked for its length alone: reading all of it would take longer than a recovery may. */
const quickCheckBytesMax = 67_108_864;

function checkSound(db: DatabaseSync, path: string): void {
  const size = statSync(path).size;
  const damaged = (what: string): AppError =>
    new AppError("database-damaged", `Expected a sound database at ${path}, but ${what}.`);
  if (size <= quickCheckBytesMax) {
    const check = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (check !== "ok") throw damaged(String(check));
  } else if (!existsSync(`${path}-wal`) || statSync(`${path}-wal`).size === 0) {
    const expected = pragma(db, "page_count") * pragma(db, "page_size");
    if (size < expected) throw damaged(`${expected - size} bytes are missing at its end`);
  }
}

function migrate(db: DatabaseSync, from: number): void {
  for (let version = from + 1; version <= migrations.length; version++) {
    db.exec(`BEGIN IMMEDIATE; ${migrations[version - 1]}
      PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`);
  }
}

/** Durability is what everything rests on, so it is read back, not only asked for. */
function assertDurable(db: DatabaseSync, path: string): void {
  const synchronous = pragma(db, "synchronous");
  const mode = db.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
  if (synchronous !== 2 || mode !== "wal") {
    throw new AppError(
      "database-unwritable",
      `Expected synchronous=FULL on a write-ahead log at ${path}, but it is synchronous=${synchronous}, journal=${String(mode)}.`,
    );
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

const resultCodes: { readonly [code: number]: readonly [code: string, what: string] } = {
  3: ["database-unwritable", "it may not be accessed"],
  5: ["state-owned", "another process is writing it"],
  8: ["database-unwritable", "it is read-only"],
  10: ["storage-failed", "the disk reported an error"],
  11: ["database-damaged", "it is damaged"],
  13: ["storage-failed", "the disk is full"],
  14: ["database-unwritable", "it cannot be opened"],
  26: ["database-damaged", "it is not a database"],
};

/** SQLite's errors in our words; everything else unchanged. */
export function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  const extended = Number(error.errcode);
  const [code, what] = resultCodes[extended & 0xff] ?? ["storage-failed", "writing failed"];
  return new AppError(code, `Expected to use the database at ${path}, but ${what} (${error.message}).`, {
    cause: error,
    details: { sqlite: extended },
  });
}
