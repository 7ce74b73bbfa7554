import type { FailureInfo, Key } from "../command.ts";
import { isSettled, isSuccess } from "../evolve/item.ts";
import { itemKey } from "../evolve/variable.ts";
import type { Json } from "../json.ts";
import { must } from "../problem.ts";
import type { Item, ItemRef, State } from "../state/state.ts";
import type { Turn } from "../turn.ts";

export function itemAt(state: State, ref: ItemRef): Item {
  return must(state.items.get(itemKey(ref.body, ref.item)), "there is no item", ref.item);
}

/** The item that an element instance runs for, if it is one of a collection. */
export function itemOf(state: State, key: Key): ItemRef | undefined {
  return state.itemOf.get(key);
}

export function endItem(turn: Turn, ref: ItemRef, result: Json): void {
  turn.emit({ type: "item-completed", body: ref.body, item: ref.item, result, at: turn.at });
  wakeLine(turn, itemAt(turn.state, ref));
  // A success can doom nobody, but an edge that wanted the end of something else may now have no hope left.
  skipDoomed(turn, ref);
  turn.stirred.add(ref.body);
}

export function failItem(turn: Turn, ref: ItemRef, error: FailureInfo): void {
  const item = itemAt(turn.state, ref);
  const { definition, failures } = item;
  const retry = failures + 1 < definition.attemptsMax && error.details?.["retryable"] !== false;
  turn.emit({ type: "item-failed", ...ref, error, retry, at: turn.at });
  wakeLine(turn, item);
  if (!retry) {
    if (definition.onFailure === "fail") turn.collapsed.set(ref.body, error);
    skipDoomed(turn, ref);
  }
  turn.stirred.add(ref.body);
}

/** Whoever is first in line for a lock that is free now may try again. */
export function wakeLine(turn: Turn, { body, definition }: Item): void {
  const { state } = turn;
  for (const lock of definition.locks) {
    const name = itemKey(body, lock);
    if (state.lockHolders.get(name) !== undefined) continue;
    const first = state.lockWaiters.of(name).next();
    if (!first.done) turn.emit({ type: "item-unblocked", body, item: first.value });
  }
}

function isDoomed(dependent: Item, ended: Item): boolean {
  const edge = dependent.definition.dependsOn.find((candidate) => candidate.key === ended.definition.key);
  if (edge?.policy === "all-success") return !isSuccess(ended);
  return edge?.policy === "any-success" && dependent.openAny === 0 && !dependent.anySucceeded;
}

/** Skips those of some waiting items that can never start because of how others ended before. */
export function skipHopeless(turn: Turn, body: Key, keys: readonly string[]): void {
  for (const key of keys) {
    for (const edge of itemAt(turn.state, { body, item: key }).definition.dependsOn) {
      const item = itemAt(turn.state, { body, item: key });
      const cause = itemAt(turn.state, { body, item: edge.key });
      if (item.status !== "waiting" || !isSettled(cause.status) || !isDoomed(item, cause)) continue;
      turn.emit({ type: "item-skipped", body, item: key, cause: edge.key, at: turn.at });
      skipDoomed(turn, { body, item: key });
    }
  }
}

/** Skips what can never start because of how an item ended, and what depends on that in turn. */
export function skipDoomed(turn: Turn, ref: ItemRef): void {
  const { state } = turn;
  const ended = [ref.item];
  for (let item = ended.pop(); item !== undefined; item = ended.pop()) {
    // Most have nobody who depends on them.
    if (state.dependents.count(itemKey(ref.body, item)) === 0) continue;
    const cause = itemAt(state, { body: ref.body, item });
    for (const name of [...state.dependents.of(itemKey(ref.body, item))]) {
      const dependent = itemAt(state, { body: ref.body, item: name });
      if (dependent.status !== "waiting" || !isDoomed(dependent, cause)) continue;
      turn.emit({ type: "item-skipped", body: ref.body, item: name, cause: item, at: turn.at });
      ended.push(name);
    }
  }
}
