import type { ItemDefinition, Key } from "../command.ts";
import type { Event } from "../event.ts";
import type { Appliers } from "../evolve.ts";
import type { Collection, Item, State } from "../state.ts";
import type { ItemStatus } from "../view.ts";
import { writeVariable } from "./variable.ts";

type ItemEvent = Extract<
  Event["type"],
  `item-${string}` | `items-${string}` | `collection-${string}` | `concurrency-${string}`
>;

export const priorities: readonly number[] = [1, 2, 3, 4, 5];

/** Names within a collection as table keys. The body's key is a number, so the first slash ends it. */
export function itemKey(body: Key, item: string): string {
  return `${body}/${item}`;
}

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

function recount(state: State, body: Key, from: ItemStatus | null, to: ItemStatus): void {
  const collection = state.collections.get(body);
  if (collection === undefined || from === to) return;
  const counts = { ...collection.counts };
  if (from !== null) counts[from] -= 1;
  counts[to] += 1;
  state.collections.set(body, { ...collection, counts, total: collection.total + (from === null ? 1 : 0) });
}

function change(state: State, body: Key, key: string, changes: Partial<Item>): Item | undefined {
  const name = itemKey(body, key);
  const before = state.items.get(name);
  if (before === undefined) return undefined;
  const after = { ...before, ...changes };
  state.items.set(name, after);
  recount(state, body, before.status, after.status);
  return after;
}

function makeReady(state: State, body: Key, item: Item): void {
  change(state, body, item.definition.key, { status: "ready" });
  state.ready.add(itemKey(body, String(item.definition.priority)), item.definition.key);
}

function leaveLine(state: State, body: Key, item: Item): void {
  state.ready.remove(itemKey(body, String(item.definition.priority)), item.definition.key);
  if (item.blockedOn !== null) state.lockWaiters.remove(itemKey(body, item.blockedOn), item.definition.key);
}

function takeLocks(state: State, body: Key, item: Item): void {
  for (const lock of item.definition.locks) {
    state.lockHolders.set(itemKey(body, lock), item.definition.key);
    state.lockHistory.add(itemKey(body, lock), item.definition.key);
  }
}

function freeLocks(state: State, body: Key, item: Item): void {
  for (const lock of item.definition.locks) {
    const key = itemKey(body, lock);
    if (state.lockHolders.get(key) === item.definition.key) state.lockHolders.delete(key);
  }
}

/** Ends an item for now and tells those that depend on it. */
function settle(state: State, body: Key, key: string, changes: Partial<Item> & { readonly status: ItemStatus }): void {
  const before = state.items.get(itemKey(body, key));
  if (before === undefined) return;
  leaveLine(state, body, before);
  freeLocks(state, body, before);
  if (before.instanceKey !== null) state.itemOf.drop(before.instanceKey);
  const item = { ...before, ...changes, blockedOn: null, instanceKey: null };
  state.items.set(itemKey(body, key), item);
  recount(state, body, before.status, item.status);
  for (const dependentKey of state.dependents.of(itemKey(body, key))) {
    const dependent = state.items.get(itemKey(body, dependentKey));
    if (dependent?.status !== "waiting") continue;
    const edges = dependent.definition.dependsOn;
    const edge = edges.find((candidate) => candidate.key === key);
    if (edge === undefined) continue;
    const counts = closeEdge(dependent, edge.policy, item);
    const updated = change(state, body, dependentKey, counts);
    if (updated !== undefined && mayStart(updated, updated.definition)) makeReady(state, body, updated);
  }
}

function closeEdge(dependent: Item, policy: string, ended: Item): Partial<Item> {
  if (policy === "any-success") {
    return { openAny: dependent.openAny - 1, anySucceeded: dependent.anySucceeded || ended.status === "completed" };
  }
  const satisfied = policy === "all-done" || isSuccess(ended);
  return satisfied ? { openEdges: dependent.openEdges - 1 } : {};
}

function add(state: State, body: Key, definitions: readonly ItemDefinition[]): void {
  let index = state.collections.get(body)?.total ?? 0;
  for (const definition of definitions) {
    state.items.set(itemKey(body, definition.key), {
      definition,
      index,
      status: "waiting",
      attempt: 0,
      failures: 0,
      openEdges: 0,
      openAny: 0,
      anySucceeded: false,
      blockedOn: null,
      instanceKey: null,
      result: null,
      error: null,
      startedAt: null,
      endedAt: null,
    });
    index += 1;
    state.itemsOf.add(body, definition.key);
    for (const edge of definition.dependsOn) state.dependents.add(itemKey(body, edge.key), definition.key);
  }
  const collection = state.collections.get(body);
  if (collection === undefined) return;
  const counts = { ...collection.counts, waiting: collection.counts.waiting + definitions.length };
  state.collections.set(body, { ...collection, counts, total: collection.total + definitions.length });
  openEdges(
    state,
    body,
    definitions.map((definition) => definition.key),
  );
}

/** Works out afresh what the named waiting items still wait for. */
function openEdges(state: State, body: Key, keys: Iterable<string>): void {
  for (const key of keys) {
    const item = state.items.get(itemKey(body, key));
    if (item?.status !== "waiting") continue;
    const updated = change(state, body, key, countEdges(state, body, item.definition));
    if (updated !== undefined && mayStart(updated, item.definition)) makeReady(state, body, updated);
  }
}

/** Forgets a collection with everything in it, when its body ends. */
export function dropCollection(state: State, body: Key): void {
  if (state.collections.get(body) === undefined) return;
  state.collections.delete(body);
  for (const key of state.itemsOf.of(body)) {
    const name = itemKey(body, key);
    for (const lock of state.items.get(name)?.definition.locks ?? []) {
      state.lockHolders.delete(itemKey(body, lock));
      state.lockWaiters.drop(itemKey(body, lock));
      state.lockHistory.drop(itemKey(body, lock));
    }
    state.items.delete(name);
    state.dependents.drop(name);
  }
  state.itemsOf.drop(body);
  for (const priority of priorities) state.ready.drop(itemKey(body, String(priority)));
}

function changeCollection(state: State, body: Key, changes: Partial<Collection>): void {
  const collection = state.collections.get(body);
  if (collection !== undefined) state.collections.set(body, { ...collection, ...changes });
}

function activate(state: State, event: Extract<Event, { readonly type: "item-activated" }>): void {
  const item = state.items.get(itemKey(event.body, event.item));
  const collection = state.collections.get(event.body);
  if (item === undefined || collection === undefined) return;
  leaveLine(state, event.body, item);
  takeLocks(state, event.body, item);
  change(state, event.body, event.item, {
    status: "running",
    attempt: event.attempt,
    blockedOn: null,
    instanceKey: event.key,
    error: null,
    startedAt: event.at,
    endedAt: null,
  });
  if (event.key >= state.head.nextKey) state.head.nextKey = event.key + 1;
  state.itemOf.add(event.key, event.item);
  const write = { scope: event.key, author: "kernel", at: event.at };
  writeVariable(state, { ...write, name: collection.itemName, value: item.definition.value });
  const predecessors = event.predecessors.map((key) => ({
    key,
    result: state.items.get(itemKey(event.body, key))?.result ?? null,
  }));
  const loop = { key: event.item, index: item.index, attempt: event.attempt, predecessors };
  writeVariable(state, { ...write, name: "loop", value: loop });
}

export const itemAppliers: Appliers<ItemEvent> = {
  "collection-opened": (state, event) => {
    state.collections.set(event.body, {
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
    changeCollection(state, event.body, { accepted: false });
    add(state, event.body, event.items);
  },
  "item-blocked": (state, event) => {
    const item = state.items.get(itemKey(event.body, event.item));
    if (item === undefined) return;
    leaveLine(state, event.body, item);
    state.lockWaiters.add(itemKey(event.body, event.lock), event.item);
    change(state, event.body, event.item, { blockedOn: event.lock });
  },
  "item-unblocked": (state, event) => {
    const item = state.items.get(itemKey(event.body, event.item));
    if (item === undefined) return;
    leaveLine(state, event.body, item);
    const updated = change(state, event.body, event.item, { blockedOn: null });
    if (updated !== undefined) makeReady(state, event.body, updated);
  },
  "item-activated": activate,
  "item-completed": (state, event) =>
    settle(state, event.body, event.item, { status: "completed", result: event.result, endedAt: event.at }),
  "item-failed": (state, event) => {
    const item = state.items.get(itemKey(event.body, event.item));
    if (item === undefined) return;
    const failures = item.failures + 1;
    if (!event.retry) {
      settle(state, event.body, event.item, { status: "failed", failures, error: event.error, endedAt: event.at });
      return;
    }
    freeLocks(state, event.body, item);
    if (item.instanceKey !== null) state.itemOf.drop(item.instanceKey);
    const updated = change(state, event.body, event.item, { failures, error: event.error, instanceKey: null });
    if (updated !== undefined) makeReady(state, event.body, updated);
  },
  "item-skipped": (state, event) => {
    const error = { code: "skipped", message: `'${event.cause}' did not succeed`, details: { cause: event.cause } };
    settle(state, event.body, event.item, { status: "skipped", error, endedAt: event.at });
  },
  "item-cancelled": (state, event) => settle(state, event.body, event.item, { status: "cancelled", endedAt: event.at }),
  "item-withdrawn": (state, event) => settle(state, event.body, event.item, { status: "withdrawn", endedAt: event.at }),
  "items-retried": (state, event) => {
    for (const key of event.items) {
      change(state, event.body, key, { status: "waiting", failures: 0, error: null, endedAt: null });
    }
    const again = new Set(event.items);
    // Those that go on waiting must not count the end of a retried item twice.
    for (const key of event.items) {
      for (const dependent of state.dependents.of(itemKey(event.body, key))) again.add(dependent);
    }
    openEdges(state, event.body, again);
  },
  "items-accepted": (state, event) => changeCollection(state, event.body, { accepted: true }),
  "collection-closing": (state, event) => changeCollection(state, event.body, { closing: event.reason }),
  "concurrency-adjusted": (state, event) => changeCollection(state, event.body, { maxParallel: event.maxParallel }),
};
