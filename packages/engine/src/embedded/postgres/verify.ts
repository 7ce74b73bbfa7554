import { ChainCheck } from "../log/chain.ts";
import { chainedRow } from "../sql/rows.ts";
import { connect, explain, placeOf } from "./connect.ts";
import { requireSchema } from "./migrate.ts";
import { ask, type Connection } from "./session.ts";

const pageRows = 1_000;

/** As for the SQLite store: checks at least the `newest` rows, and gives the hash of the last one. */
export async function verifyChain(on: Connection, newest: number): Promise<string | undefined> {
  const [counted] = await ask(on, { text: "SELECT max(position) AS last FROM log", values: [] });
  const last = Number(counted?.["last"] ?? 0);
  const ended = `SELECT position, instance, sequence, at, events, hash FROM log
    WHERE position <= $1 AND hash IS NOT NULL ORDER BY position DESC LIMIT 1`;
  const [anchor] = await ask(on, { text: ended, values: [Math.max(0, last - newest)] });
  const check = new ChainCheck(anchor === undefined ? undefined : chainedRow(anchor));
  let position = Number(anchor?.["position"] ?? 0);
  for (;;) {
    const text = `SELECT position, instance, sequence, at, events, hash FROM log
      WHERE position > $1 ORDER BY position LIMIT ${pageRows}`;
    const rows = await ask(on, { text, values: [position] });
    for (const row of rows) check.add(chainedRow(row));
    if (rows.length < pageRows) return check.end();
    position = rows.at(-1)?.["position"] as number;
  }
}

/** Checks the whole log of a database, with or without an owner, and gives the number of its rows. */
export async function verifyPostgresLog(url: string): Promise<number> {
  const place = placeOf(url);
  const client = await connect(place);
  try {
    await requireSchema(client, place);
    // One view of the log, whatever its owner writes meanwhile.
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await verifyChain(client, Number.MAX_SAFE_INTEGER);
    const [row] = await ask(client, { text: "SELECT count(*) AS rows FROM log", values: [] });
    return row?.["rows"] as number;
  } catch (error) {
    throw explain(error, place);
  } finally {
    await client.end();
  }
}
