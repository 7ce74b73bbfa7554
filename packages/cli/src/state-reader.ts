import { createHost } from "@tutti/definition";
import { type EngineReader, openPostgresReader, openReader, openSqliteReader } from "@tutti/engine";
import type { StateFolder } from "./state.ts";

/** Reads the database beside its owner, or without one. Throws `database-missing` when nothing has ever run there. */
export async function openStateReader(state: StateFolder): Promise<EngineReader> {
  const store = state.store === undefined ? openSqliteReader(state.database) : await openPostgresReader(state.store);
  return openReader({ store, host: createHost() });
}
