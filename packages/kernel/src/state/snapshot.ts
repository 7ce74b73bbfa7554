import type { Json, JsonObject } from "../json.ts";
import { AppError } from "../problem.ts";
import type { SmallMap } from "./small-map.ts";
import { type Head, indexNames, newState, type State, tableNames, writable } from "./state.ts";
import type { MapIndex, WritableIndex, WritableTable } from "./table.ts";

/**
 * A snapshot is a contract like an event: a state written by this version can be read by every later one. A change of
 * the records' shape raises this number and adds an upcaster from the one before.
 */
const snapshotVersion = 1;

interface Snapshot {
  readonly version: number;
  readonly head: Head;
  readonly tables: { readonly [name: string]: readonly (readonly [string | number, unknown])[] };
  readonly indexes: { readonly [name: string]: readonly (readonly [string | number, readonly (string | number)[]])[] };
}

/** Who waits for which signal is told by the subscriptions: that index came after states had been written without it. */
const keptIndexes = indexNames.filter((name) => name !== "signalWaiters");

/** The whole state as plain JSON, order included. */
export function snapshotState(state: State): JsonObject {
  const tables: { [name: string]: unknown } = {};
  for (const name of tableNames) {
    const records = state[name] as unknown as SmallMap<string | number, unknown>;
    if (records.size > 0) tables[name] = [...records];
  }
  const indexes: { [name: string]: unknown } = {};
  for (const name of keptIndexes) {
    const { sets } = state[name] as unknown as MapIndex<string | number, string | number>;
    if (sets.size > 0) indexes[name] = [...sets].map(([key, values]) => [key, [...values.values()]]);
  }
  return { version: snapshotVersion, head: { ...state.head }, tables, indexes } as unknown as JsonObject & Json;
}

/** Throws AppError `snapshot-unreadable` for a version this kernel does not know. */
export function restoreState(json: JsonObject): State {
  const snapshot = json as unknown as Snapshot;
  if (snapshot.version !== snapshotVersion) {
    throw new AppError(
      "snapshot-unreadable",
      `Expected a state of version ${snapshotVersion}, but it has version ${snapshot.version}.`,
    );
  }
  const state = newState();
  Object.assign(state.head, snapshot.head);
  for (const name of tableNames) {
    for (const [key, value] of snapshot.tables[name] ?? []) {
      (writable(state, name) as WritableTable<string | number, unknown>).set(key, value);
    }
  }
  for (const name of keptIndexes) {
    for (const [key, values] of snapshot.indexes[name] ?? []) {
      const index = writable(state, name) as WritableIndex<string | number, string | number>;
      for (const value of values) index.add(key, value);
    }
  }
  indexSignals(state);
  return state;
}

function indexSignals(state: State): void {
  for (const { key, kind, name } of state.subscriptions.values()) {
    if (kind === "signal") writable(state, "signalWaiters").add(name, key);
  }
}
