import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { chainStart } from "../embedded/log/codec.ts";
import { openForWriting } from "../embedded/sqlite/open.ts";
import { checkpointWhenLarge, turnsPerLook } from "../embedded/sqlite/store.ts";
import { TurnWriter } from "../embedded/sqlite/write.ts";
import type { Turn } from "../embedded/store.ts";
import { databasePath } from "./workload.ts";

/** One statement with what is bound to it. */
export interface Write {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * Seconds for a loop that does nothing but write what the engine wrote: the same statements with the same bytes in the
 * same transactions, each synced. Encoding and hashing are done before, by `writesOf`, so this is the disk and SQLite.
 */
export function runFloor(
  folder: string,
  batches: readonly (readonly Write[])[],
): { readonly seconds: number; readonly commitMs: number[] } {
  const db = openForWriting(databasePath(folder, "floor"));
  const statements = new Map<string, StatementSync>();
  for (const { sql } of batches.flat()) if (!statements.has(sql)) statements.set(sql, db.prepare(sql));
  const prepared = batches.map((batch) =>
    batch.map(({ sql, values }) => ({ statement: statements.get(sql) as StatementSync, values })),
  );
  const commitMs: number[] = [];
  const begin = performance.now();
  let before = begin;
  for (const [turn, batch] of prepared.entries()) {
    for (const { statement, values } of batch) statement.run(...values);
    const now = performance.now();
    commitMs.push(now - before);
    if (turn % turnsPerLook === 0) checkpointWhenLarge(db);
    before = performance.now();
  }
  const seconds = (performance.now() - begin) / 1_000;
  db.close();
  return { seconds, commitMs };
}

/** The engine's own writer, writing to a list. */
export function writesOf(turn: Turn): Write[] {
  const writes: Write[] = [];
  const recorder = {
    isTransaction: false,
    prepare: (sql: string) => ({
      run: (...values: SQLInputValue[]) => {
        writes.push({ sql, values });
      },
    }),
  };
  new TurnWriter(recorder as unknown as DatabaseSync, chainStart).write(turn);
  return writes;
}
