import type { ItemDefinition, ItemEdge, Key } from "../command.ts";
import { itemKey } from "../evolve/variable.ts";
import { findCycle } from "../graph.ts";
import type { VariableScope } from "../host.ts";
import { isJsonObject, type Json } from "../json.ts";
import { must } from "../problem.ts";
import type { EdgePolicy, FailurePolicy, MultiInstance, QueueClass, Source } from "../program.ts";
import { failure, type Result, resolve } from "../scope.ts";
import type { Turn } from "../turn.ts";

export const itemsMax = 100_000;
const edgesPerItemMax = 1_000;
const locksPerItemMax = 100;
const keyLengthMax = 200;

interface Reading {
  readonly loop: MultiInstance;
  readonly names: VariableScope;
  readonly values: Json;
  /** The collection they are added to; undefined while it opens. */
  readonly existing: Key | undefined;
}

const queueNames: ReadonlyMap<string, QueueClass> = new Map([
  ["light", "light"],
  ["lightweight", "light"],
  ["standard", "standard"],
  ["medium", "standard"],
  ["heavy", "heavy"],
  ["heavyweight", "heavy"],
]);
const edgePolicies: readonly Json[] = ["all-success", "all-done", "any-success"];
const failurePolicies: readonly Json[] = ["fail", "continue", "skip-dependents"];

type Field = keyof NonNullable<MultiInstance["fields"]>;

const unsaid: Result<Json> = { ok: true, value: null };

/** Reads the declared fields of one item; each gives null when neither the definition nor the item says anything. */
class FieldReader {
  readonly #turn: Turn;
  readonly #loop: MultiInstance;
  readonly #value: Json;
  readonly #names: VariableScope;

  constructor(turn: Turn, reading: Reading, value: Json) {
    this.#turn = turn;
    this.#loop = reading.loop;
    this.#value = value;
    const item = reading.loop.item;
    this.#names = {
      get: (name) => (name === item ? value : reading.names.get(name)),
      isInteger: (name) => name !== item && reading.names.isInteger(name),
    };
  }

  read(field: Field): Result<Json> {
    const source: Source | undefined = this.#loop.fields?.[field];
    if (source !== undefined) return resolve(this.#turn, source, this.#names);
    // Only a graph's items are descriptions of work; an item of a plain loop is any value.
    if (this.#loop.mode !== "graph" || !isJsonObject(this.#value)) return unsaid;
    const own = field === "key" ? (this.#value["key"] ?? this.#value["id"]) : this.#value[field];
    return own === undefined ? unsaid : { ok: true, value: own };
  }
}

function readKey(raw: Json, index: number): Result<string> {
  if (raw === null) return { ok: true, value: String(index) };
  const key = typeof raw === "number" ? String(raw) : raw;
  // The one name that cannot be a property of the output.
  const usable = key !== "__proto__";
  if (typeof key === "string" && usable && key.length > 0 && key.length <= keyLengthMax)
    return { ok: true, value: key };
  return failure(
    "item-invalid",
    `Expected item ${index} to have a key of 1 to ${keyLengthMax} characters, but it is ${JSON.stringify(raw)?.slice(0, 100)}`,
  );
}

function readEdge(raw: Json, loop: MultiInstance): ItemEdge | undefined {
  const standard = loop.edgePolicy ?? "all-success";
  if (typeof raw === "string") return { key: raw, policy: standard };
  if (!isJsonObject(raw) || typeof raw["key"] !== "string") return undefined;
  const policy = raw["policy"] ?? standard;
  return edgePolicies.includes(policy) ? { key: raw["key"], policy: policy as EdgePolicy } : undefined;
}

/** Most items name neither dependencies nor locks: one empty list does for all of them, as long as they are kept. */
const none: Result<readonly never[]> = { ok: true, value: [] };

function readEdges(raw: Json, key: string, loop: MultiInstance): Result<readonly ItemEdge[]> {
  if (raw === null) return none;
  if (!Array.isArray(raw) || raw.length > edgesPerItemMax) {
    return failure(
      "item-invalid",
      `Expected dependsOn of '${key}' to be a list of at most ${edgesPerItemMax} keys, but it is ${JSON.stringify(raw).slice(0, 100)}`,
    );
  }
  const edges: ItemEdge[] = [];
  const seen = new Set<string>();
  for (const entry of raw as readonly Json[]) {
    const edge = readEdge(entry, loop);
    if (edge === undefined) {
      return failure(
        "item-invalid",
        `Expected dependsOn of '${key}' to hold keys or {key, policy}, but one is ${JSON.stringify(entry)}`,
      );
    }
    if (edge.key === key)
      return failure("item-invalid", `Expected '${key}' to depend on others, but it depends on itself`);
    if (seen.has(edge.key))
      return failure(
        "item-invalid",
        `Expected '${key}' to name each dependency once, but '${edge.key}' stands there twice`,
      );
    seen.add(edge.key);
    edges.push(edge);
  }
  return { ok: true, value: edges };
}

function readLocks(raw: Json, key: string): Result<readonly string[]> {
  if (raw === null) return none;
  const isList = Array.isArray(raw) && raw.length <= locksPerItemMax && raw.every((lock) => typeof lock === "string");
  if (isList) return { ok: true, value: [...new Set(raw as readonly string[])] };
  return failure(
    "item-invalid",
    `Expected locks of '${key}' to be a list of at most ${locksPerItemMax} names, but it is ${JSON.stringify(raw)?.slice(0, 100)}`,
  );
}

interface Settings {
  queue: QueueClass | undefined;
  priority: number;
  onFailure: FailurePolicy;
  attemptsMax: number;
}

function readSettings(
  raw: { [F in "queue" | "priority" | "onFailure" | "attempts"]: Json },
  key: string,
  loop: MultiInstance,
): Result<Settings> {
  const wrong = (field: string, expected: string, value: Json): Result<never> =>
    failure("item-invalid", `Expected ${field} of '${key}' to be ${expected}, but it is ${JSON.stringify(value)}`);
  const queue = typeof raw.queue === "string" ? queueNames.get(raw.queue) : undefined;
  if (raw.queue !== null && queue === undefined) return wrong("queue", "light, standard or heavy", raw.queue);
  const priority = raw.priority ?? 3;
  if (typeof priority !== "number" || !Number.isInteger(priority) || priority < 1 || priority > 5) {
    return wrong("priority", "an integer from 1 to 5", priority);
  }
  const onFailure = raw.onFailure ?? loop.onFailure ?? (loop.mode === "graph" ? "skip-dependents" : "fail");
  if (!failurePolicies.includes(onFailure)) return wrong("onFailure", "fail, continue or skip-dependents", onFailure);
  const attemptsMax = raw.attempts ?? loop.attempts ?? 1;
  if (typeof attemptsMax !== "number" || !Number.isInteger(attemptsMax) || attemptsMax < 1 || attemptsMax > 1_000) {
    return wrong("attempts", "an integer from 1 to 1000", attemptsMax);
  }
  return { ok: true, value: { queue, priority, onFailure: onFailure as FailurePolicy, attemptsMax } };
}

function readItem(
  turn: Turn,
  reading: Reading,
  at: { readonly value: Json; readonly index: number },
): Result<ItemDefinition> {
  const reader = new FieldReader(turn, reading, at.value);
  const raw: { [F in Field]?: Json } = {};
  for (const field of ["key", "dependsOn", "locks", "queue", "priority", "onFailure", "attempts"] as const) {
    const result = reader.read(field);
    if (!result.ok) return result;
    raw[field] = result.value;
  }
  const key = readKey(raw.key ?? null, at.index);
  if (!key.ok) return key;
  const edges = readEdges(raw.dependsOn ?? null, key.value, reading.loop);
  if (!edges.ok) return edges;
  const locks = readLocks(raw.locks ?? null, key.value);
  if (!locks.ok) return locks;
  const { queue = null, priority = null, onFailure = null, attempts = null } = raw;
  const settings = readSettings({ queue, priority, onFailure, attempts }, key.value, reading.loop);
  if (!settings.ok) return settings;
  const { queue: queueClass, ...others } = settings.value;
  const definition = { key: key.value, value: at.value, dependsOn: edges.value, locks: locks.value, ...others };
  return { ok: true, value: queueClass === undefined ? definition : { ...definition, queue: queueClass } };
}

function checkGraph(turn: Turn, items: readonly ItemDefinition[], existing: Key | undefined): string | undefined {
  const known = (key: string): boolean =>
    existing !== undefined && turn.state.items.get(itemKey(existing, key)) !== undefined;
  const added = new Map<string, ItemDefinition>();
  for (const item of items) {
    if (added.has(item.key) || known(item.key))
      return `Expected every item to have a key of its own, but '${item.key}' stands there twice`;
    added.set(item.key, item);
  }
  for (const item of items) {
    for (const edge of item.dependsOn) {
      if (!added.has(edge.key) && !known(edge.key)) {
        return `Expected '${item.key}' to depend on items of its collection, but there is no '${edge.key}'`;
      }
    }
  }
  const linked = items.filter((item) => item.dependsOn.length > 0).map((item) => item.key);
  const cycle = findCycle(linked, (key) => added.get(key)?.dependsOn.map((edge) => edge.key) ?? []);
  return cycle === undefined ? undefined : `Expected dependencies without a cycle, but ${cycle.join(" → ")}`;
}

/** Reads and checks the items of a collection, as they stand in its collection value. Refused as a whole. */
export function readItems(turn: Turn, reading: Reading): Result<readonly ItemDefinition[]> {
  const { loop, values, existing } = reading;
  if (!Array.isArray(values)) {
    return failure(
      "collection-invalid",
      `Expected the collection to be a list, but it is ${JSON.stringify(values)?.slice(0, 100)}`,
    );
  }
  const before = existing === undefined ? 0 : must(turn.state.collections.get(existing), "it is open").total;
  if (before + values.length > itemsMax) {
    return failure(
      "collection-too-large",
      `Expected at most ${itemsMax} items, but there would be ${before + values.length}`,
    );
  }
  // Items that nothing is read from differ in their values and in the keys that they are given: one is read for all.
  const areAlike = loop.mode !== "graph" && loop.fields === undefined;
  const items: ItemDefinition[] = [];
  for (const value of values as readonly Json[]) {
    const [alike] = items;
    const index = before + items.length;
    if (areAlike && alike !== undefined) {
      items.push({ ...alike, key: String(index), value });
      continue;
    }
    const item = readItem(turn, reading, { value, index });
    if (!item.ok) return item;
    items.push(item.value);
  }
  if (areAlike && existing === undefined) return { ok: true, value: items };
  const problem = checkGraph(turn, items, existing);
  return problem === undefined ? { ok: true, value: items } : failure("item-invalid", problem);
}
