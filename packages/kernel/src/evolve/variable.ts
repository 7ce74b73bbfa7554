import type { Key } from "../command.ts";
import type { Json } from "../json.ts";
import type { State } from "../state.ts";

/** Scope and name as one table key. Scope keys are numbers, so the first slash ends them. */
export function variableKey(scope: Key, name: string): string {
  return `${scope}/${name}`;
}

export function writeVariable(
  state: State,
  write: { scope: Key; name: string; value: Json; author: string; at: number },
): void {
  const { scope, name, value, author, at } = write;
  const key = variableKey(scope, name);
  const before = state.variables.get(key);
  state.variables.set(key, { name, value, version: (before?.version ?? 0) + 1, author, at });
  if (before === undefined) state.variableNames.add(scope, name);
}

export function dropVariables(state: State, scope: Key): void {
  if (state.variableNames.count(scope) === 0) return;
  for (const name of state.variableNames.of(scope)) state.variables.delete(variableKey(scope, name));
  state.variableNames.drop(scope);
}
