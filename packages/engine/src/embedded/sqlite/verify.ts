import type { DatabaseSync } from "node:sqlite";
import { AppError } from "@tutti/kernel";
import { chainHash, chainStart } from "../codec.ts";
import { explain, openForReading } from "./open.ts";

/**
 * Checks positions and hashes of all rows after `after` and gives the hash of the last one; undefined for an empty
 * log. Throws `database-damaged` at the first row that was changed, removed or put in.
 */
export function verifyChain(db: DatabaseSync, after: number): string | undefined {
  const anchor = db.prepare("SELECT hash FROM log WHERE position = ?").get(after)?.["hash"] as string | undefined;
  if (after > 0 && anchor === undefined) throw damaged(after, "is missing");
  let chain = anchor ?? chainStart;
  let position = after;
  const rows = db
    .prepare("SELECT position, instance, sequence, at, events, hash FROM log WHERE position > ? ORDER BY position")
    .iterate(after);
  for (const row of rows) {
    const found = {
      position: row["position"] as number,
      instance: row["instance"] as number,
      sequence: row["sequence"] as number,
      at: row["at"] as number,
    };
    position++;
    if (found.position !== position) throw damaged(position, "is missing");
    chain = chainHash(chain, found, row["events"] as string);
    if (chain !== row["hash"]) throw damaged(position, "was changed after it was written");
  }
  return position === 0 ? undefined : chain;
}

/** Checks the whole log of a database, with or without an owner, and gives the number of its rows. */
export function verifyLog(path: string): number {
  const db = openForReading(path);
  try {
    verifyChain(db, 0);
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
