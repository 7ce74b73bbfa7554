import type { OrderedSet } from "../state/ordered-set.ts";
import type { SmallMap } from "../state/small-map.ts";
import { indexNames, type State, tableNames } from "../state/state.ts";
import type { MapIndex } from "../state/table.ts";

/** Whether two values have the same JSON, the order of names included; at a fraction of the cost of writing it. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  const others = Object.keys(b);
  if (names.length !== others.length) return false;
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as keyof typeof a;
    if (name !== others[index] || !sameJson(a[name], b[name as keyof typeof b])) return false;
  }
  return true;
}

/** What an iteration gives must be the same, and in the same order. */
function sameOrder<T>(a: Iterable<T>, b: Iterable<T>, same: (one: T, other: T) => boolean): boolean {
  const others = b[Symbol.iterator]();
  for (const one of a) {
    const other = others.next();
    if (other.done === true || !same(one, other.value)) return false;
  }
  return others.next().done === true;
}

type Line = readonly [key: unknown, set: OrderedSet<unknown>];

/** Whether two states have the same snapshot, the order of records included. */
export function sameState(a: State, b: State): boolean {
  if (!sameJson(a.head, b.head)) return false;
  for (const name of tableNames) {
    const one = a[name] as unknown as SmallMap<unknown, unknown>;
    const other = b[name] as unknown as SmallMap<unknown, unknown>;
    if (one.size !== other.size) return false;
    if (one.size > 0 && !sameOrder<readonly [unknown, unknown]>(one, other, sameJson)) return false;
  }
  for (const name of indexNames) {
    const one = (a[name] as unknown as MapIndex<unknown, unknown>).sets;
    const other = (b[name] as unknown as MapIndex<unknown, unknown>).sets;
    if (one.size !== other.size) return false;
    if (one.size > 0 && !sameOrder<Line>(one, other, sameLine)) return false;
  }
  return true;
}

function sameLine([key, values]: Line, [otherKey, others]: Line): boolean {
  return key === otherKey && values.size === others.size && sameOrder(values.values(), others.values(), Object.is);
}
