import type { FailureInfo, ItemDefinition, Key } from "../command.ts";
import type { Event } from "../event.ts";
import type { Json } from "../json.ts";
import { must } from "../problem.ts";
import { type Collection, type Item, type ItemRef, type State, useKey, writable } from "../state/state.ts";
import type { ItemStatus } from "../view/view.ts";
import type { Appliers } from "./applier.ts";
import { itemKey, lineKey } from "./variable.ts";

type ItemEvent = Extract<
  Event["type"],
  `item-${string}` | `items-${string}` | `collection-${string}` | `concurrency-${string}`
>;

export const priorities: readonly number[] = [1, 2, 3, 4, 5];

export function isSettled(status: ItemStatus): boolean {
  return status !== "waiting" && status !== "ready" && status !== "running";
}

/** Whether an ended item satisfies an `all-success` edge: it completed, or its failure is nobody's concern. */
export function isSuccess(item: Item): boolean {
  return item.status === "completed" || (item.status === "failed" && item.definition.onFailure === "continue");
}

export interface EdgeCounts {
  readonly openEdges: number;
  readonly openAny: number;
  readonly anySucceeded: boolean;
}

function countEdges(state: State, body: Key, definition: ItemDefinition): EdgeCounts {
  let openEdges = 0;
  let openAny = 0;
  let anySucceeded = false;
  for (const edge of definition.dependsOn) {
    const target = state.items.get(itemKey(body, edge.key));
    const settled = target !== undefined && isSettled(target.status);
    if (edge.policy === "any-success") {
      if (!settled) openAny += 1;
      else if (target.status === "completed") anySucceeded = true;
    } else if (!settled || (edge.policy === "all-success" && !isSuccess(target))) {
      openEdges += 1;
    }
  }
  return { openEdges, openAny, anySucceeded };
}

function mayStart(item: EdgeCounts, definition: ItemDefinition): boolean {
  if (item.openEdges > 0) return false;
  return item.anySucceeded || !definition.dependsOn.some((edge) => edge.policy === "any-success");
}

/** Replaces an item, and keeps the count of its collection. */
function replace(state: State, before: Item, after: Item): void {
  writable(state, "items").set(itemKey(before.body, before.definition.key), after);
  if (after.status === before.status) return;
  const collection = must(state.collections.get(before.body), "an item belongs to a collection");
  const counts = { ...collection.counts };
  counts[before.status] -= 1;
  counts[after.status] += 1;
  writable(state, "collections").set(before.body, { ...collection, counts });
}

function readyLine(item: Item): string {
  return lineKey(item.body, item.definition.priority);
}

/** `item` with what else changes. */
function makeReady(state: State, before: Item, item: Item): void {
  replace(state, before, { ...item, status: "ready" });
  writable(state, "ready").add(readyLine(item), item.definition.key);
}

function leaveLine(state: State, item: Item): void {
  const { key } = item.definition;
  if (item.status === "ready" && item.blockedOn === null) state.ready.remove(readyLine(item), key);
  if (item.blockedOn !== null) state.lockWaiters.remove(itemKey(item.body, item.blockedOn), key);
}

function takeLocks(state: State, item: Item): void {
  for (const lock of item.definition.locks)
    writable(state, "lockHolders").set(itemKey(item.body, lock), item.definition.key);
}

function freeLocks(state: State, item: Item): void {
  for (const lock of item.definition.locks) {
    const name = itemKey(item.body, lock);
    if (state.lockHolders.get(name) === item.definition.key) state.lockHolders.delete(name);
  }
}

/** Whoever holds its locks next builds on it. */
function leaveLocks(state: State, item: Item): void {
  for (const lock of item.definition.locks) {
    writable(state, "lockPredecessors").set(itemKey(item.body, lock), item.definition.key);
  }
}

function leaveInstance(state: State, item: Item): void {
  if (item.instanceKey !== null) state.itemOf.delete(item.instanceKey);
}

function itemNamed(state: State, named: ItemRef): Item | undefined {
  return state.items.get(itemKey(named.body, named.item));
}

/** What an item ends with; the rest stays as it was. */
interface Ending {
  readonly status: ItemStatus;
  readonly endedAt: number;
  readonly result?: Json;
  readonly error?: FailureInfo;
  readonly failures?: number;
}

/** Ends an item for now and tells those that depend on it. */
function settle(state: State, named: ItemRef, ending: Ending): void {
  const before = itemNamed(state, named);
  if (before === undefined) return;
  leaveLine(state, before);
  freeLocks(state, before);
  if (ending.status === "completed") leaveLocks(state, before);
  leaveInstance(state, before);
  const { status, endedAt, result = before.result, error = before.error, failures = before.failures } = ending;
  // Each by its name: a second spread costs more than all the rest.
  const item: Item = { ...before, status, endedAt, result, error, failures, blockedOn: null, instanceKey: null };
  replace(state, before, item);
  const { body, definition } = item;
  for (const key of state.dependents.of(itemKey(body, definition.key))) {
    const dependent = itemNamed(state, { body, item: key });
    if (dependent?.status !== "waiting") continue;
    const edges = dependent.definition.dependsOn;
    const edge = must(
      edges.find((candidate) => candidate.key === definition.key),
      "a dependent has an edge",
    );
    const updated = { ...dependent, ...closeEdge(dependent, edge.policy, item) };
    replace(state, dependent, updated);
    if (mayStart(updated, updated.definition)) makeReady(state, updated, updated);
  }
}

function closeEdge(dependent: Item, policy: string, ended: Item): Partial<EdgeCounts> {
  if (policy === "any-success") {
    return { openAny: dependent.openAny - 1, anySucceeded: dependent.anySucceeded || ended.status === "completed" };
  }
  const satisfied = policy === "all-done" || isSuccess(ended);
  return satisfied ? { openEdges: dependent.openEdges - 1 } : {};
}

function newItem(body: Key, definition: ItemDefinition, index: number): Item {
  return {
    body,
    definition,
    index,
    status: definition.dependsOn.length === 0 ? "ready" : "waiting",
    attempt: 0,
    failures: 0,
    openEdges: 0,
    openAny: 0,
    anySucceeded: false,
    blockedOn: null,
    instanceKey: null,
    predecessors: [],
    result: null,
    error: null,
    startedAt: null,
    endedAt: null,
  };
}

function add(state: State, collection: Collection, definitions: readonly ItemDefinition[]): void {
  const { body } = collection;
  let index = collection.total;
  const dependent: string[] = [];
  for (const definition of definitions) {
    const { key, dependsOn } = definition;
    const item = newItem(body, definition, index);
    index += 1;
    writable(state, "itemsOf").add(body, key);
    for (const edge of dependsOn) writable(state, "dependents").add(itemKey(body, edge.key), key);
    writable(state, "items").set(itemKey(body, key), item);
    if (item.status === "ready") writable(state, "ready").add(readyLine(item), key);
    else dependent.push(key);
  }
  const { counts } = collection;
  const ready = definitions.length - dependent.length;
  writable(state, "collections").set(body, {
    ...collection,
    accepted: false,
    total: index,
    counts: { ...counts, waiting: counts.waiting + dependent.length, ready: counts.ready + ready },
  });
  openEdges(state, body, dependent);
}

/** Works out afresh what the named waiting items still wait for. */
function openEdges(state: State, body: Key, keys: Iterable<string>): void {
  for (const key of keys) {
    const item = itemNamed(state, { body, item: key });
    if (item?.status !== "waiting") continue;
    const edges = countEdges(state, body, item.definition);
    const counted = { ...item, ...edges };
    if (mayStart(edges, item.definition)) makeReady(state, item, counted);
    else replace(state, item, counted);
  }
}

/** Forgets a collection with everything in it, when its body ends. */
export function dropCollection(state: State, body: Key): void {
  if (state.collections.get(body) === undefined) return;
  state.collections.delete(body);
  for (const key of state.itemsOf.of(body)) {
    const name = itemKey(body, key);
    const { definition } = must(state.items.get(name), "the index names items that are there");
    state.items.delete(name);
    for (const edge of definition.dependsOn) state.dependents.drop(itemKey(body, edge.key));
    for (const lock of definition.locks) {
      state.lockHolders.delete(itemKey(body, lock));
      state.lockWaiters.drop(itemKey(body, lock));
      state.lockPredecessors.delete(itemKey(body, lock));
    }
  }
  state.itemsOf.drop(body);
  for (const priority of priorities) state.ready.drop(lineKey(body, priority));
}

function changeCollection(state: State, body: Key, changes: Partial<Collection>): void {
  const collection = state.collections.get(body);
  if (collection !== undefined) writable(state, "collections").set(body, { ...collection, ...changes });
}

function activate(state: State, event: Extract<Event, { readonly type: "item-activated" }>): void {
  const item = itemNamed(state, event);
  if (item === undefined) return;
  leaveLine(state, item);
  takeLocks(state, item);
  replace(state, item, {
    ...item,
    status: "running",
    attempt: event.attempt,
    blockedOn: null,
    instanceKey: event.key,
    predecessors: event.predecessors,
    error: null,
    startedAt: event.at,
    endedAt: null,
  });
  useKey(state, event.key);
  writable(state, "itemOf").set(event.key, { body: event.body, item: event.item });
}

function fail(state: State, event: Extract<Event, { readonly type: "item-failed" }>): void {
  const item = itemNamed(state, event);
  if (item === undefined) return;
  const failures = item.failures + 1;
  if (!event.retry) {
    // What was accepted before says nothing about a failure that came after.
    changeCollection(state, event.body, { accepted: false });
    settle(state, event, { status: "failed", failures, error: event.error, endedAt: event.at });
    return;
  }
  freeLocks(state, item);
  leaveInstance(state, item);
  makeReady(state, item, { ...item, failures, error: event.error, instanceKey: null });
}

function retryItems(state: State, event: Extract<Event, { readonly type: "items-retried" }>): void {
  const { body, items } = event;
  const again = new Set(items);
  for (const key of items) {
    const item = itemNamed(state, { body, item: key });
    if (item !== undefined) {
      replace(state, item, { ...item, status: "waiting", failures: 0, error: null, endedAt: null });
    }
    // Those that go on waiting must not count the end of a retried item twice.
    for (const dependent of state.dependents.of(itemKey(body, key))) again.add(dependent);
  }
  openEdges(state, body, again);
}

export const itemAppliers: Appliers<ItemEvent> = {
  "collection-opened": (state, event) => {
    writable(state, "collections").set(event.body, {
      body: event.body,
      itemName: event.itemName,
      graph: event.graph,
      maxParallel: event.maxParallel,
      closing: null,
      counts: { waiting: 0, ready: 0, running: 0, completed: 0, failed: 0, skipped: 0, cancelled: 0, withdrawn: 0 },
      total: 0,
      accepted: false,
    });
  },
  "items-added": (state, event) => {
    const collection = state.collections.get(event.body);
    if (collection !== undefined) add(state, collection, event.items);
  },
  "item-blocked": (state, event) => {
    const item = itemNamed(state, event);
    if (item === undefined) return;
    leaveLine(state, item);
    writable(state, "lockWaiters").add(itemKey(event.body, event.lock), event.item);
    replace(state, item, { ...item, blockedOn: event.lock });
  },
  "item-unblocked": (state, event) => {
    const item = itemNamed(state, event);
    if (item === undefined) return;
    leaveLine(state, item);
    makeReady(state, item, { ...item, blockedOn: null });
  },
  "item-activated": activate,
  "item-completed": (state, event) =>
    settle(state, event, { status: "completed", result: event.result, endedAt: event.at }),
  "item-failed": fail,
  "item-skipped": (state, event) => {
    const error = { code: "skipped", message: `'${event.cause}' did not succeed`, details: { cause: event.cause } };
    settle(state, event, { status: "skipped", error, endedAt: event.at });
  },
  "item-cancelled": (state, event) => settle(state, event, { status: "cancelled", endedAt: event.at }),
  "item-withdrawn": (state, event) => settle(state, event, { status: "withdrawn", endedAt: event.at }),
  "items-retried": retryItems,
  "items-accepted": (state, event) => changeCollection(state, event.body, { accepted: true }),
  "collection-closing": (state, event) => changeCollection(state, event.body, { closing: event.reason }),
  "concurrency-adjusted": (state, event) => changeCollection(state, event.body, { maxParallel: event.maxParallel }),
};
