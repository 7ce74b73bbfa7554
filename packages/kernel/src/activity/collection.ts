import { failInstance, throwError } from "../bpmn-event/throw.ts";
import { armWaits, boundaryWaits } from "../bpmn-event/wait.ts";
import type { FailureInfo, Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import { isSettled, priorities } from "../evolve/item.ts";
import { itemKey, lineKey } from "../evolve/variable.ts";
import type { Json } from "../json.ts";
import { complete, isAtWork, placeWrites, refuseActivation, start, terminate, writeVariables } from "../lifecycle.ts";
import { assert, must } from "../problem.ts";
import type { Element, MultiInstance } from "../program.ts";
import { evaluateCondition, failure, Names, type Result, resolve } from "../scope.ts";
import type { Collection, Item, ItemRef } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import { itemAt, skipHopeless, wakeLine } from "./item.ts";
import { readItems } from "./item-definition.ts";

export function loopOf(element: Element): MultiInstance {
  assert("loop" in element && element.loop && element.loop.mode !== "standard", `'${element.id}' has no items`);
  return element.loop;
}

function parallelLimit(turn: Turn, loop: MultiInstance, names: Names): Result<number | null> {
  if (loop.mode === "sequential") return { ok: true, value: 1 };
  if (loop.maxParallel === undefined) return { ok: true, value: null };
  const limit = resolve(turn, loop.maxParallel, names);
  if (!limit.ok || limit.value === null) return limit as Result<null>;
  if (typeof limit.value === "number" && Number.isInteger(limit.value) && limit.value >= 1) {
    return { ok: true, value: limit.value };
  }
  return failure(
    "collection-invalid",
    `Expected maxParallel to be an integer of at least 1, but it is ${JSON.stringify(limit.value)}`,
  );
}

/** Opens a collection: one body, and an instance of the activity per item inside it. Also how a retried one opens. */
export function openCollection(turn: Turn, visit: Visit, loop: MultiInstance): void {
  const { element, key, scope } = visit;
  const names = new Names(turn.program, turn.state, { scope: key, within: scope });
  const limit = parallelLimit(turn, loop, names);
  if (!limit.ok) return refuseActivation(turn, visit, limit.error);
  const collection = resolve(turn, loop.collection, names);
  if (!collection.ok) return refuseActivation(turn, visit, collection.error);
  const items = readItems(turn, { loop, names, values: collection.value, existing: undefined });
  if (!items.ok) return refuseActivation(turn, visit, items.error);
  const waits = boundaryWaits(turn, element, names);
  if (!waits.ok) return refuseActivation(turn, visit, waits.error);
  turn.emit({ type: "element-activated", key, element: element.id, scope, at: turn.at });
  armWaits(turn, key, waits.value);
  const graph = loop.mode === "graph";
  turn.emit({
    type: "collection-opened",
    body: key,
    itemName: loop.item,
    graph,
    maxParallel: limit.value,
    at: turn.at,
  });
  turn.emit({ type: "items-added", body: key, items: items.value, actor: element.id });
  turn.stirred.add(key);
}

function collectionAt(turn: Turn, body: Key): Collection {
  return must(turn.state.collections.get(body), "there is no collection", body);
}

function countNames(collection: Collection): { readonly [name: string]: Json } {
  const { completed, failed, skipped } = collection.counts;
  return { completed, failed, skipped, total: collection.total - collection.counts.withdrawn };
}

/** Looks at a collection in which something changed: ends it, starts what may start, or closes it. */
export function stir(turn: Turn, body: Key): void {
  if (!isAtWork(turn, body)) return;
  const collapse = turn.collapsed.get(body);
  if (collapse !== undefined) {
    closeCollection(turn, body, { reason: "failure" });
    if (!throwError(turn, body, collapse)) failInstance(turn, collapse);
    return;
  }
  if (!completeEarly(turn, body)) return;
  dispatch(turn, body);
  if (isToSettle(turn, body)) return;
  const { counts } = collectionAt(turn, body);
  if (counts.waiting + counts.ready + counts.running === 0) close(turn, body);
}

/** Ends the rest once the completion condition says so. False when it cannot be evaluated: an incident waits then. */
function completeEarly(turn: Turn, body: Key): boolean {
  const visit = visitBody(turn, body);
  const condition = loopOf(visit.element).completion;
  const collection = collectionAt(turn, body);
  const ended = collection.counts.completed + collection.counts.failed + collection.counts.skipped;
  if (condition === undefined || collection.closing !== null || ended === 0) return true;
  const extra = countNames(collection);
  const names = new Names(turn.program, turn.state, { scope: body, extra });
  const done = evaluateCondition(turn, condition, names);
  if (!done.ok) {
    raiseOnce(turn, body, { kind: "collection", error: done.error });
    return false;
  }
  if (done.value) {
    closeCollection(turn, body, { reason: "completion" });
  }
  return true;
}

function raiseOnce(
  turn: Turn,
  body: Key,
  incident: { readonly kind: "collection" | "items-failed"; readonly error: FailureInfo },
): void {
  turn.raiseOnce({ owner: body, element: visitBody(turn, body).element.id, ...incident });
}

function visitBody(turn: Turn, body: Key): Visit {
  const instance = must(turn.state.elements.get(body), "there is no collection", body);
  return { element: turn.element(instance.element), key: body, scope: instance.scope };
}

/** Ends what is left of a collection; `except` is the item instance that goes on. */
export function closeCollection(
  turn: Turn,
  body: Key,
  how: { readonly reason: NonNullable<Collection["closing"]>; readonly except?: Key },
): void {
  turn.collapsed.delete(body);
  turn.emit({ type: "collection-closing", body, reason: how.reason });
  for (const item of [...turn.state.itemsOf.of(body)]) {
    const { status, instanceKey } = itemAt(turn.state, { body, item });
    if (isSettled(status) || instanceKey === how.except) continue;
    if (instanceKey !== null) terminate(turn, instanceKey);
    turn.emit({ type: "item-cancelled", body, item, at: turn.at });
  }
}

/** The lock that keeps an item from starting now. */
function heldLock(turn: Turn, { body, definition }: Item): string | undefined {
  return definition.locks.find((lock) => turn.state.lockHolders.get(itemKey(body, lock)) !== undefined);
}

/** Items are looked at in pieces of this size: the line changes meanwhile, and may be far longer than what may start. */
const pieceItems = 64;

function firstOf(turn: Turn, line: string): readonly string[] {
  const found: string[] = [];
  for (const item of turn.state.ready.of(line)) {
    if (found.push(item) === pieceItems) break;
  }
  return found;
}

function dispatch(turn: Turn, body: Key): void {
  // Each pass starts or blocks all of its items. One that was unblocked by that may be of a better priority.
  while (hasRoom(turn, body)) {
    const line = bestLine(turn, body);
    if (line === undefined || !dispatchItems(turn, body, firstOf(turn, line))) return;
  }
}

/** Asked after every outcome; most find that all have started, or as many as may. */
export function hasRoom(turn: Turn, body: Key): boolean {
  const { maxParallel, counts, closing } = collectionAt(turn, body);
  return closing === null && counts.ready > 0 && (maxParallel === null || counts.running < maxParallel);
}

/** The line of the best priority that anybody stands in. */
function bestLine(turn: Turn, body: Key): string | undefined {
  for (const priority of priorities) {
    const line = lineKey(body, priority);
    if (turn.state.ready.count(line) > 0) return line;
  }
  return undefined;
}

/** False when nothing more may start now. */
function dispatchItems(turn: Turn, body: Key, keys: readonly string[]): boolean {
  const { element } = visitBody(turn, body);
  for (const key of keys) {
    if (!hasRoom(turn, body) || turn.isFull()) return false;
    const item = itemAt(turn.state, { body, item: key });
    const lock = heldLock(turn, item);
    turn.countActivation();
    if (lock === undefined) {
      activate(turn, element, item);
      if (isToSettle(turn, body)) return false;
    } else {
      turn.emit({ type: "item-blocked", body, item: key, lock });
      // It may have been first in line for a lock that is free: whoever comes next must not wait for it.
      wakeLine(turn, item);
    }
  }
  return true;
}

/** An item ended as it began: what it throws, and whether the collection is complete with it, comes before the next. */
function isToSettle(turn: Turn, body: Key): boolean {
  if (!turn.stirred.has(body)) return false;
  return !turn.thrown.isEmpty || loopOf(visitBody(turn, body).element).completion !== undefined;
}

function activate(turn: Turn, element: Element, item: Item): void {
  const { body, definition } = item;
  const key = turn.nextKey();
  const attempt = item.attempt + 1;
  const predecessors = predecessorsOf(turn, item);
  turn.emit({ type: "item-activated", body, item: definition.key, key, attempt, predecessors, at: turn.at });
  start(turn, { element, key, scope: body });
}

/**
 * What an item builds on: its dependencies that completed, then for each of its locks whoever completed last holding
 * it; that one built on those before it in turn.
 */
function predecessorsOf(turn: Turn, { body, definition: { dependsOn, locks } }: Item): string[] {
  if (dependsOn.length + locks.length === 0) return [];
  const names = new Set(dependsOn.map((edge) => edge.key));
  for (const lock of locks) {
    const last = turn.state.lockPredecessors.get(itemKey(body, lock));
    if (last !== undefined) names.add(last);
  }
  return [...names].filter((item) => itemAt(turn.state, { body, item }).status === "completed");
}

/** Failed items that nobody has answered for. */
function unanswered(turn: Turn, body: Key): string[] {
  return [...turn.state.itemsOf.of(body)].filter((item) => {
    const { status, definition } = itemAt(turn.state, { body, item });
    return status === "failed" && definition.onFailure !== "continue";
  });
}

function close(turn: Turn, body: Key): void {
  const collection = collectionAt(turn, body);
  const failed = collection.counts.failed > 0 && collection.closing === null ? unanswered(turn, body) : [];
  if (failed.length > 0 && !collection.accepted && !acceptedByPolicy(turn, body, failed)) return;
  // What is closed runs nothing again: a retry would wait for ever if its result could not be written or led nowhere.
  const reason = "The failed items need no answer any more.";
  turn.dropIncidents(body, reason, (incident) => incident.kind === "items-failed");
  const output = gather(turn, body);
  if (!output.ok) {
    raiseOnce(turn, body, { kind: "collection", error: output.error });
    return;
  }
  writeVariables(turn, output.value, visitBody(turn, body).element.id);
  complete(turn, body);
}

/** Asks the definition whether a partial result will do; if not, an incident waits for a person. */
function acceptedByPolicy(turn: Turn, body: Key, failed: readonly string[]): boolean {
  const { element } = visitBody(turn, body);
  const accept = loopOf(element).accept;
  const collection = collectionAt(turn, body);
  if (accept !== undefined) {
    const names = new Names(turn.program, turn.state, { scope: body, extra: countNames(collection) });
    const answer = evaluateCondition(turn, accept, names);
    if (answer.ok && answer.value) {
      const reason = `'${accept.text}' holds`;
      turn.emit({ type: "items-accepted", body, items: failed, by: "policy", reason, at: turn.at });
      return true;
    }
  }
  const details = failed.map((item) => ({
    item,
    ...must(itemAt(turn.state, { body, item }).error, `'${item}' failed without an error`),
  }));
  const shown = failed.length > 10 ? `${failed.slice(0, 10).join(", ")}, …` : failed.join(", ");
  const message = `${failed.length} of ${collection.total} items failed: ${shown}`;
  raiseOnce(turn, body, {
    kind: "items-failed",
    error: { code: "items-failed", message, details: { items: details } },
  });
  return false;
}

/** What the collection yields, and where it belongs. */
function gather(turn: Turn, body: Key): ReturnType<typeof placeWrites> {
  const { element, scope } = visitBody(turn, body);
  const output = loopOf(element).output;
  if (output === undefined) return { ok: true, value: [] };
  const { graph } = collectionAt(turn, body);
  const list: Json[] = [];
  const byKey: { [item: string]: Json } = {};
  for (const item of turn.state.itemsOf.of(body)) {
    const { status, result } = itemAt(turn.state, { body, item });
    if (status === "withdrawn") continue;
    list.push(result);
    if (status === "completed") byKey[item] = result;
  }
  return placeWrites(turn, { [output.target]: graph ? byKey : list }, scope);
}

/** Failed items named (all when none is), and everything skipped because of them, wait again. */
export function retryItems(turn: Turn, body: Key, named: readonly string[]): void {
  const failed = named.length > 0 ? named : unanswered(turn, body);
  const again = new Set(failed);
  const queue = [...failed];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    for (const dependent of turn.state.dependents.of(itemKey(body, item))) {
      if (again.has(dependent) || itemAt(turn.state, { body, item: dependent }).status !== "skipped") continue;
      again.add(dependent);
      queue.push(dependent);
    }
  }
  const items = [...turn.state.itemsOf.of(body)].filter((item) => again.has(item));
  turn.emit({ type: "items-retried", body, items, at: turn.at });
  // What also depends on a failure that is not retried has no more hope than before.
  skipHopeless(turn, body, items);
  turn.stirred.add(body);
}

export function acceptItems(turn: Turn, body: Key, answer: { readonly by: string; readonly reason: string }): void {
  turn.emit({ type: "items-accepted", body, items: unanswered(turn, body), ...answer, at: turn.at });
  turn.stirred.add(body);
}

export function withdraw(turn: Turn, ref: ItemRef, actor: string): void {
  turn.emit({ type: "item-withdrawn", ...ref, actor, at: turn.at });
  wakeLine(turn, itemAt(turn.state, ref));
  turn.stirred.add(ref.body);
}
