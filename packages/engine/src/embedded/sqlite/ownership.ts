import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError, type Json } from "@tutti/kernel";
import { explain } from "./open.ts";

/** Who owns a state folder. `since` is epoch ms. `note` is the owner's own, such as where its socket is. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: number;
  readonly note?: Json;
}

export interface Ownership {
  readonly owner: Owner;
  /** Gives the folder free. The end of the process does the same, however it ends. */
  release(): void;
}

/** Locks that are held. One that nobody refers to would be collected as garbage, and the folder free. */
const held = new Set<DatabaseSync>();

/**
 * Takes the folder, which is created when missing, or throws `state-owned`, whose `details.owner` names the holder.
 * The lock is SQLite's own on a side file: the operating system frees it with the process, and the log's file stays
 * open to readers.
 */
export function ownFolder(folder: string, options: { readonly now: number; readonly note?: Json }): Ownership {
  const lockPath = join(folder, "owner.sqlite");
  const db = takeLock(folder, lockPath);
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    since: options.now,
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const namePath = join(folder, "owner.json");
  try {
    writeFileSync(namePath, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  } catch (cause) {
    db.close();
    throw new AppError("database-unwritable", `Expected to write ${namePath}, but could not.`, { cause });
  }
  held.add(db);
  return {
    owner,
    release() {
      if (!held.delete(db)) return;
      // The name goes first: a lock without a name says "starting", a name without a lock would be a lie.
      rmSync(namePath, { force: true });
      db.close();
    },
  };
}

function takeLock(folder: string, lockPath: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(lockPath, { timeout: 0 });
    db.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5) throw owned(folder);
    if (error instanceof Error && "errcode" in error) throw explain(error, lockPath);
    throw new AppError("database-unwritable", `Expected to create the state folder ${folder}, but could not.`, {
      cause: error,
    });
  }
}

function owned(folder: string): AppError {
  const owner = readOwnerFile(folder);
  const who = owner
    ? `process ${owner.pid} on ${owner.host} has owned it since ${new Date(owner.since).toISOString()}`
    : "another process is just taking it";
  return new AppError("state-owned", `Expected the state folder ${folder} to be free, but ${who}.`, {
    details: owner === undefined ? {} : { owner: owner as unknown as Json },
  });
}

/** The owner of a folder, or undefined when nobody holds its lock now. */
export function currentOwner(folder: string): Owner | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(join(folder, "owner.sqlite"), { readOnly: true, timeout: 0 });
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return undefined;
  } catch (error) {
    const busy = error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
    return busy ? readOwnerFile(folder) : undefined;
  } finally {
    db?.close();
  }
}

function readOwnerFile(folder: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")) as Owner;
  } catch {
    // Missing or half-written: the owner is between taking the lock and writing its name.
    return undefined;
  }
}
