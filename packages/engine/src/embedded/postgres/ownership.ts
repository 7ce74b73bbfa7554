import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Json } from "@tutti/kernel";
import type { Client } from "pg";
import type { Owner } from "../sqlite/ownership.ts";
import { connect, explain, type Place, placeOf } from "./connect.ts";
import { lockClass, requireSchema } from "./migrate.ts";
import { ask } from "./session.ts";

/** How often a standby looks whether the owner is still there. */
const lookEveryMs = 500;

export interface Waiting {
  readonly signal: AbortSignal;
  /** Somebody else owns it: called once, and again when the database was away in between. */
  readonly onWaiting?: (owner: Owner | undefined) => void;
}

/**
 * A session that holds the schema's lock, which the server frees with the session. Whoever writes does it in this
 * session: so nothing is written by one who has lost the lock. Throws `database-owned`, or waits until the lock is free.
 */
export async function takeOwnership(place: Place, waiting?: Waiting): Promise<Client> {
  let told = false;
  for (;;) {
    let client: Client | undefined;
    try {
      client = await connect(place);
      for (;;) {
        if (await tryLock(client, place)) return client;
        const owner = await describedOwner(client, place);
        if (waiting === undefined) throw owned(place, owner);
        if (!told) waiting.onWaiting?.(owner);
        told = true;
        // A statement that waits for the lock would hold back the server's upkeep for as long.
        await sleep(lookEveryMs, undefined, { signal: waiting.signal });
      }
    } catch (error) {
      await client?.end().catch(() => undefined);
      if (waiting?.signal.aborted) throw waiting.signal.reason;
      const explained = explain(error, place);
      const isAway = explained instanceof AppError && explained.code === "database-away";
      if (waiting === undefined || !isAway) throw explained;
      told = false;
    }
    await sleep(lookEveryMs, undefined, { signal: waiting.signal });
  }
}

/** Throws `database-owned` while somebody owns the schema; nobody can come to until the end of this session. */
export async function refuseOwner(client: Client, place: Place): Promise<void> {
  const text = `SELECT pg_try_advisory_lock_shared(${lockClass}, hashtext($1)) AS taken`;
  const [row] = await ask(client, { text, values: [`own ${place.schema}`] });
  if (row?.["taken"] !== true) throw owned(place, await describedOwner(client, place));
}

async function tryLock(client: Client, { schema }: Place): Promise<boolean> {
  const text = `SELECT pg_try_advisory_lock(${lockClass}, hashtext($1)) AS taken`;
  const [row] = await ask(client, { text, values: [`own ${schema}`] });
  return row?.["taken"] === true;
}

async function describedOwner(client: Client, { schema }: Place): Promise<Owner | undefined> {
  const [table] = await ask(client, {
    text: "SELECT to_regclass($1) IS NOT NULL AS there",
    values: [`${schema}.owner`],
  });
  if (table?.["there"] !== true) return undefined;
  const [row] = await ask(client, { text: "SELECT description FROM owner", values: [] });
  const description = row?.["description"];
  return typeof description === "string" ? (JSON.parse(description) as Owner) : undefined;
}

function owned({ shown }: Place, owner: Owner | undefined): AppError {
  const who = owner
    ? `process ${owner.pid} on ${owner.host} has owned it since ${new Date(owner.since).toISOString()}`
    : "another process is just taking it";
  return new AppError("database-owned", `Expected the database at ${shown} to be free, but ${who}.`, {
    details: owner === undefined ? {} : { owner: owner as unknown as Json },
  });
}

/** This process, as whoever finds the database owned is told. `note` says how it can be reached. */
export function thisOwner(now: number, note: Json | undefined): Owner {
  return { pid: process.pid, host: hostname(), since: now, ...(note === undefined ? {} : { note }) };
}

/** The owner of a database, or undefined when nobody holds its lock now. Throws as a reader does. */
export async function currentPostgresOwner(url: string): Promise<Owner | undefined> {
  const place = placeOf(url);
  const client = await connect(place);
  try {
    await requireSchema(client, place);
    const text = `SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = ${lockClass}::oid AND objid = hashtext($1)::oid`;
    const [row] = await ask(client, { text, values: [`own ${place.schema}`] });
    return row?.["held"] === 0 ? undefined : await describedOwner(client, place);
  } catch (error) {
    throw explain(error, place);
  } finally {
    await client.end();
  }
}
