import type { Key } from "../command.ts";
import { variablesIn } from "../evolve/variable.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ElementId } from "../program.ts";
import { scopeChain } from "../scope.ts";
import type { CompensationRun, State } from "../state/state.ts";

/** Whether an element instance is no call that goes on, but one that is being undone: it has no events and no flows. */
export function isUndoing(state: State, key: Key): boolean {
  const call = state.calls.get(key);
  return call?.undoes !== undefined || call?.undoesItself === true;
}

/** Whether there are calls in a scope that were open as it came to be undone, and undo themselves before the rest is undone. */
export function awaitsCalls(state: State, scope: Key): boolean {
  for (const key of state.children.of(scope)) if (state.calls.get(key)?.undoesItself === true) return true;
  return false;
}

/** What a compensation waits for at this moment: its handler, unless the next is yet to start, and calls that undo themselves. */
export function undoersIn(state: State, { running, scope }: CompensationRun): Key[] {
  const open = [...state.children.of(scope)];
  return open.filter((key) => key === running?.key || state.calls.get(key)?.undoesItself === true);
}

/** The compensation that waits for an element instance to end, and what that one undoes. */
export function undoneBy(state: State, key: Key): { readonly run: CompensationRun; readonly target: Key } | undefined {
  const instance = state.elements.get(key);
  const scope = state.calls.get(key)?.undoesItself === true ? instance?.scope : undefined;
  for (const run of state.compensationRuns.values()) {
    if (run.running?.key === key) return { run, target: run.running.target };
    if (run.scope === scope) return { run, target: key };
  }
  return undefined;
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
