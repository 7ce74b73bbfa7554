import { assert } from "../problem.ts";
import { SmallMap } from "./small-map.ts";
import { indexNames, type State, tableNames } from "./state.ts";
import { type Index, MapIndex, OverlayIndex, OverlayTable, type Table } from "./table.ts";

function overTable(base: Table<unknown, unknown>): Table<unknown, unknown> {
  assert(base instanceof SmallMap, "an overlay stands on a state, not on another overlay");
  return new OverlayTable(base);
}

function overIndex(base: Index<unknown, unknown>): Index<unknown, unknown> {
  assert(base instanceof MapIndex, "an overlay stands on a state, not on another overlay");
  return new OverlayIndex(base);
}

/** A state that starts as `base` and keeps its changes to itself: what `decide` works on. */
export function overlay(base: State): State {
  const parts: { [name: string]: unknown } = { head: { ...base.head } };
  for (const name of tableNames) parts[name] = overTable(base[name] as unknown as Table<unknown, unknown>);
  for (const name of indexNames) parts[name] = overIndex(base[name] as unknown as Index<unknown, unknown>);
  return parts as unknown as State;
}
