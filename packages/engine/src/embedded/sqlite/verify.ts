import type { DatabaseSync } from "node:sqlite";
import { AppError } from "@tutti/kernel";
import { chainHash, chainStart, writeHead } from "../log/codec.ts";
import { JsonBytes } from "../log/json-bytes.ts";
import { explain, openForReading } from "./open.ts";

/**
 * Checks positions and hashes of the newest rows, at least `newest` of them where there are as many, and gives the hash
 * of the last one; undefined for an empty log. Throws `database-damaged` where a row was changed, removed or put in.
 */
export function verifyChain(db: DatabaseSync, newest: number): string | undefined {
  const last = Number(db.prepare("SELECT max(position) AS last FROM log").get()?.["last"] ?? 0);
  // The hash to start from stands at the end of a turn.
  const anchor = db
    .prepare("SELECT position, hash FROM log WHERE position <= ? AND hash IS NOT NULL ORDER BY position DESC LIMIT 1")
    .get(last - newest);
  let chain = (anchor?.["hash"] as string | undefined) ?? chainStart;
  let position = Number(anchor?.["position"] ?? 0);
  const rows = db
    .prepare("SELECT position, instance, sequence, at, events, hash FROM log WHERE position > ? ORDER BY position")
    .iterate(position);
  const hashed = new JsonBytes();
  let first = position + 1;
  for (const row of rows) {
    const found = {
      position: row["position"] as number,
      instance: row["instance"] as number,
      sequence: row["sequence"] as number,
      at: row["at"] as number,
    };
    position++;
    if (found.position !== position) throw damaged(position, "is missing");
    if (hashed.length === 0) hashed.raw(chain).raw("\n");
    writeHead(hashed, found);
    hashed.raw(row["events"] as string).raw("\n");
    if (row["hash"] === null) continue;
    chain = chainHash(hashed.bytes);
    if (chain !== row["hash"]) throw damaged(first, whatChanged(first, position));
    hashed.cut();
    first = position + 1;
  }
  if (hashed.length > 0) throw damaged(position + 1, "is missing");
  return position === 0 ? undefined : chain;
}

function whatChanged(first: number, last: number): string {
  const what = "was changed after it was written";
  return first === last ? what : `or one of those after it up to ${last} ${what}`;
}

/** Checks the whole log of a database, with or without an owner, and gives the number of its rows. */
export function verifyLog(path: string): number {
  const db = openForReading(path);
  try {
    verifyChain(db, Number.POSITIVE_INFINITY);
    return Number(db.prepare("SELECT count(*) AS n FROM log").get()?.["n"]);
  } catch (error) {
    throw explain(error, path);
  } finally {
    db.close();
  }
}

function damaged(position: number, what: string): AppError {
  return new AppError("database-damaged", `Expected an unbroken log, but row ${position} ${what}.`, {
    details: { position },
  });
}
