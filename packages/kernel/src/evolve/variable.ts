import type { Key } from "../command.ts";
import type { Json, JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import { type State, writable } from "../state/state.ts";

/** Scope and name as one table key. Scope keys are numbers, so the first slash ends them. */
export function variableKey(scope: Key, name: string): string {
  return `${scope}/${name}`;
}

/** The name asked for last. A command asks a dozen times for its item's; a fresh string has to be hashed anew. */
const last = { body: 0, item: "", name: "0/" };

/** Names within a collection as table keys. The body's key is a number, so the first slash ends it. */
export function itemKey(body: Key, item: string): string {
  if (last.body !== body || last.item !== item) {
    last.body = body;
    last.item = item;
    last.name = `${body}/${item}`;
  }
  return last.name;
}

/** The line asked for last: nearly always the same one, and it must not stand in the way of the name. */
const lastLine = { body: 0, priority: 0, name: "0/0" };

/** The line of a collection's items of one priority, as a table key. */
export function lineKey(body: Key, priority: number): string {
  if (lastLine.body !== body || lastLine.priority !== priority) {
    lastLine.body = body;
    lastLine.priority = priority;
    lastLine.name = `${body}/${priority}`;
  }
  return lastLine.name;
}

/**
 * What a name is in one scope; undefined when it is not there. The instance of an item sees its item and `loop` there
 * without a record for either: there may be 100 000 of them, and most are read once.
 */
export function readVariable(state: State, scope: Key, name: string): Json | undefined {
  // Most scopes have none of their own: asking that by number costs less than making the key.
  const variable = state.variableNames.count(scope) === 0 ? undefined : state.variables.get(variableKey(scope, name));
  return variable === undefined ? itemVariables(state, scope)?.(name) : variable.value;
}

/** Looks up what the instance of an item sees by itself; undefined for any other scope. */
function itemVariables(state: State, scope: Key): ((name: string) => Json | undefined) | undefined {
  const ref = state.itemOf.get(scope);
  if (ref === undefined) return undefined;
  const { itemName } = must(state.collections.get(ref.body), "an item belongs to a collection");
  const item = must(state.items.get(itemKey(ref.body, ref.item)), "its instance ends with an item");
  return (name) => {
    if (name === itemName) return item.definition.value;
    if (name !== "loop") return undefined;
    const predecessors = item.predecessors.map((key) => ({
      key,
      result: must(state.items.get(itemKey(ref.body, key)), "a predecessor is an item").result,
    }));
    return { key: ref.item, index: item.index, attempt: item.attempt, predecessors };
  };
}

/** All that can be seen in one scope itself, without those around it. */
export function variablesIn(state: State, scope: Key): JsonObject {
  const values: { [name: string]: Json } = {};
  const names = new Set(state.variableNames.of(scope));
  const ref = state.itemOf.get(scope);
  if (ref !== undefined) {
    names.add(must(state.collections.get(ref.body), "an item belongs to a collection").itemName).add("loop");
  }
  for (const name of names) values[name] = readVariable(state, scope, name) ?? null;
  return values;
}

export function writeVariable(
  state: State,
  write: { scope: Key; name: string; value: Json; author: string; at: number },
): void {
  const { scope, name, value, author, at } = write;
  const key = variableKey(scope, name);
  const before = state.variables.get(key);
  writable(state, "variables").set(key, { name, value, version: (before?.version ?? 0) + 1, author, at });
  if (before === undefined) writable(state, "variableNames").add(scope, name);
}

export function dropVariables(state: State, scope: Key): void {
  if (state.variableNames.count(scope) === 0) return;
  for (const name of state.variableNames.of(scope)) state.variables.delete(variableKey(scope, name));
  state.variableNames.drop(scope);
}
