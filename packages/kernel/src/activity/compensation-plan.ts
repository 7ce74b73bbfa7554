import type { Key } from "../command.ts";
import { variablesIn } from "../evolve/variable.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ElementId } from "../program.ts";
import { scopeChain } from "../scope.ts";
import type { State } from "../state/state.ts";

/** Whether an element instance is no call that goes on, but one that is being undone: it has no events and no flows. */
export function isUndoing(state: State, key: Key): boolean {
  return state.calls.get(key)?.undoes !== undefined;
}

/** Everything a handler will see: the variables visible from an element instance as it completes. */
export function snapshotVariables(state: State, from: Key): JsonObject {
  const values: { [name: string]: Json } = {};
  for (const scope of scopeChain(state, from)) {
    for (const [name, value] of Object.entries(variablesIn(state, scope))) {
      if (!Object.hasOwn(values, name)) values[name] = value;
    }
  }
  return values;
}

/**
 * What is to be undone in a scope, in strict reverse order of completion; a container gives its content in its place.
 * With `activity`, only the completions of that element. What is being undone already is not undone twice.
 */
export function planCompensation(state: State, scope: Key, activity?: ElementId): Key[] {
  const targets: Key[] = [];
  const taken = new Set<Key>();
  for (const run of state.compensationRuns.values()) for (const target of run.targets) taken.add(target);
  for (const key of [...state.compensationsIn.of(scope)].reverse()) {
    const record = state.compensations.get(key);
    if (record === undefined || (activity !== undefined && record.element !== activity)) continue;
    if (record.handler === null && record.called === undefined) targets.push(...planCompensation(state, key));
    else if (!taken.has(key)) targets.push(key);
  }
  return targets;
}
