import { createHost } from "@tutti/definition";
import { type EngineReader, openReader, openSqliteReader } from "@tutti/engine";
import type { StateFolder } from "./state.ts";

/** Reads the database beside its owner, or without one. Throws `database-missing` when nothing has ever run there. */
export function openStateReader(state: StateFolder): EngineReader {
  return openReader({ store: openSqliteReader(state.database), host: createHost() });
}
