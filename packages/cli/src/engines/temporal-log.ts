import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  openPostgresLog,
  openPostgresReader,
  openSqliteReader,
  openSqliteStore,
  type SharedLog,
  type Store,
  type StoreReader,
} from "@tutti/engine";
import { codeOf } from "../problem.ts";
import type { StateFolder } from "../state.ts";

/**
 * Where what happens on Temporal is told: beside the log of the embedded engine. In a PostgreSQL any number of processes
 * tell it at once.
 */
export async function openTemporalLog(state: StateFolder): Promise<SharedLog | Store> {
  const { store } = state;
  return store === undefined ? openSqliteStore(fileOf(state)) : openPostgresLog(schemaBeside(store));
}

/** Undefined when nothing has ever run on Temporal here. */
export async function readTemporalLog(state: StateFolder): Promise<StoreReader | undefined> {
  const { store } = state;
  if (store === undefined) return existsSync(fileOf(state)) ? openSqliteReader(fileOf(state)) : undefined;
  try {
    return await openPostgresReader(schemaBeside(store));
  } catch (error) {
    if (codeOf(error) === "database-missing") return undefined;
    throw error;
  }
}

function fileOf({ path }: StateFolder): string {
  return join(path, "temporal.sqlite");
}

function schemaBeside(store: string): string {
  const url = new URL(store);
  url.searchParams.set("schema", `${url.searchParams.get("schema") ?? "tutti"}_temporal`);
  return url.href;
}
