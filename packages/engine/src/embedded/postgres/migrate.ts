import { AppError } from "@tutti/kernel";
import type { Client, ClientBase, Pool } from "pg";
import type { Place } from "./connect.ts";
import { migrations } from "./schema.ts";
import { ask } from "./session.ts";

/** "Tutt" in ASCII: the first half of the keys of our advisory locks. */
export const lockClass = 0x54757474;

/**
 * Creates the schema or brings it up to date. Whoever comes at the same time waits and finds it done. Refuses a newer
 * one, and a schema that holds other things, unchanged.
 */
export async function migrate(client: Client, place: Place): Promise<void> {
  const { schema } = place;
  await client.query("BEGIN");
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${lockClass}, hashtext('migrate ' || $1))`, [schema]);
    const found = await schemaVersion(client, place);
    if (found < migrations.length) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      for (const migration of migrations.slice(found)) await client.query(migration);
      await client.query("CREATE TABLE IF NOT EXISTS tutti_schema (version integer NOT NULL)");
      await client.query("DELETE FROM tutti_schema");
      await client.query("INSERT INTO tutti_schema VALUES ($1)", [migrations.length]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** For those who only read: throws `database-missing` when nothing has ever run there. */
export async function requireSchema(on: ClientBase | Pool, place: Place): Promise<void> {
  const found = await schemaVersion(on, place);
  if (found === migrations.length) return;
  const what = found === 0 ? "it is empty" : "it is not migrated yet";
  throw new AppError("database-missing", `Expected a database of Tutti at ${place.shown}, but ${what}.`);
}

/** 0: there is nothing of ours, and nothing of anybody else. */
async function schemaVersion(on: ClientBase | Pool, { schema, shown }: Place): Promise<number> {
  const tables = await on.query(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'",
    [schema],
  );
  if (tables.rows.length === 0) return 0;
  if (!tables.rows.some((row) => row["relname"] === "tutti_schema")) {
    throw new AppError("database-foreign", `Expected a schema of Tutti at ${shown}, but it belongs to something else.`);
  }
  const { rows } = await on.query("SELECT version FROM tutti_schema");
  const found = Number(rows[0]?.["version"]);
  if (found > migrations.length) {
    throw new AppError(
      "database-newer",
      `Expected schema ${migrations.length} or older at ${shown}, but it has schema ${found}.`,
      { details: { found, known: migrations.length } },
    );
  }
  return found;
}

/** Marks whose log this is. What another engine writes stays its own: throws `database-foreign`. */
export async function claimFor(client: Client, { shown }: Place, engine: "embedded" | "temporal"): Promise<void> {
  const text = "UPDATE owner SET engine = $1 WHERE engine IS NULL OR engine = $1 RETURNING engine";
  if ((await client.query(text, [engine])).rows.length > 0) return;
  throw new AppError(
    "database-foreign",
    `Expected a log of the ${engine} engine at ${shown}, but another one writes it.`,
  );
}

/** Durability is what everything rests on, so it is read back, not only asked for. */
export async function assertDurable(client: Client, { shown }: Place): Promise<void> {
  const needed = ["fsync", "full_page_writes", "synchronous_commit"];
  for (const name of needed) {
    const [row] = await ask(client, { text: "SELECT current_setting($1) AS value", values: [name] });
    if (row?.["value"] === "on") continue;
    throw new AppError(
      "database-unwritable",
      `Expected a server with ${name}=on at ${shown}, but it is ${String(row?.["value"])}: it could lose what it has acknowledged.`,
    );
  }
}
