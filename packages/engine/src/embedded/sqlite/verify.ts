import type { DatabaseSync } from "node:sqlite";
import { ChainCheck } from "../log/chain.ts";
import { chainedRow } from "../sql/rows.ts";
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
  const check = new ChainCheck(
    anchor === undefined ? undefined : { position: anchor["position"] as number, hash: anchor["hash"] as string },
  );
  const rows = db
    .prepare("SELECT position, instance, sequence, at, events, hash FROM log WHERE position > ? ORDER BY position")
    .iterate(Number(anchor?.["position"] ?? 0));
  for (const row of rows) check.add(chainedRow(row));
  return check.end();
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
