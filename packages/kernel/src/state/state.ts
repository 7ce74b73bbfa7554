import type { Actor, Chosen, FailureInfo, InstanceOutcome, ItemDefinition, Key, ParentLink } from "../command.ts";
import type { SlaPlan } from "../element/task-event.ts";
import type { IncidentKind } from "../event.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ElementId, FlowId, QueueClass } from "../program.ts";
import type { Undoable, Undoing } from "../undoable.ts";
import type { InstanceStatus, ItemStatus } from "../view/view.ts";
import { SmallMap } from "./small-map.ts";
import { type Index, MapIndex, type Table, type WritableIndex, type WritableTable } from "./table.ts";

/** What there is one of. Unlike the records in tables it is edited in place, by `evolve` alone. */
export interface Head {
  instanceId: string;
  rootId: string;
  process: string;
  version: string;
  hash: string;
  parent: ParentLink | null;
  businessKey: string | null;
  queue: QueueClass | null;
  priority: number | null;
  /** Null until the instance exists. */
  status: InstanceStatus | null;
  outcome: InstanceOutcome | null;
  /** Why it is failing, while completed work is being undone. */
  failure: FailureInfo | null;
  /** It does not fail, but is cancelled by whom this says. */
  cancelledBy?: Actor;
  startedAt: number;
  endedAt: number | null;
  /** Events so far, and the time of the newest command. */
  sequence: number;
  at: number;
  nextKey: Key;
  /** A `continue` command is owed. */
  continuing: boolean;
  /** How many the step that goes on has had; absent: none. */
  rounds?: number;
  /** The instance that it undoes: that is all it does. */
  undoes?: string;
  /** What it did and its caller may have undone. */
  undoable?: Undoable;
}

export interface ElementInstance {
  readonly key: Key;
  readonly element: ElementId;
  /** The element instance it runs in; 0 is the process. */
  readonly scope: Key;
  readonly state: "activating" | "active" | "completing";
  readonly at: number;
  /** What it will complete with once its incident is resolved. */
  readonly result: JsonObject | null;
}

export interface Variable {
  readonly name: string;
  readonly value: Json;
  /** 1 on the first write. */
  readonly version: number;
  readonly author: string;
  readonly at: number;
}

export interface JobRecord {
  readonly key: Key;
  readonly element: ElementId;
  readonly jobType: string;
  readonly queue: QueueClass;
  readonly priority: number;
  /** The attempt that is offered now, from 1. */
  readonly attempt: number;
  /** Failures so far without a retry by a person in between. */
  readonly failures: number;
  readonly attemptsMax: number;
  readonly timeoutMs: number | null;
  readonly input: JsonObject;
  readonly headers: JsonObject;
  readonly retryAt: number | null;
  /** Its last attempt failed and a person must decide. */
  readonly parked: boolean;
  readonly at: number;
}

export interface TimerRecord {
  readonly key: Key;
  readonly owner: Key;
  readonly element: ElementId;
  readonly due: number;
  readonly remaining: number | null;
  readonly value: Json;
  /** Only of a user task's SLA: which rule. */
  readonly rule?: number;
  /** Which of the triggers of a multiple event. */
  readonly trigger?: number;
}

/** What waits for a message, a signal or a condition. */
export interface SubscriptionRecord {
  readonly key: Key;
  /** The element instance that closes it when it ends, or 0 for the process. */
  readonly owner: Key;
  /** The event or task that is triggered. */
  readonly element: ElementId;
  /** `met`: one of several that are all needed; it is there already, and nothing is awaited under this key. */
  readonly kind: "message" | "signal" | "condition" | "met";
  readonly name: string;
  readonly correlationKey: string | null;
  /** What it brought, once it is met. */
  readonly payload?: JsonObject;
  /** Which of the triggers of a multiple event. */
  readonly trigger: number | null;
  /** A condition that looks at changes of these variables only. */
  readonly variables: readonly string[] | null;
  /** The message it was triggered by last: a second delivery is refused. */
  readonly messageId: string | null;
  /** Whether a condition held when it was last looked at: it triggers when it comes to hold. */
  readonly holds: boolean;
  /** What a condition was not sure of, as it was said last. */
  readonly doubt?: readonly string[];
}

export interface TaskRecord {
  readonly key: Key;
  readonly element: ElementId;
  readonly title: string;
  readonly assignee: string | null;
  readonly candidates: readonly string[];
  readonly dueAt: number | null;
  readonly form: JsonObject | null;
  readonly input: JsonObject;
  readonly at: number;
  // Absent as long as there is nothing to say: most tasks need none of them.
  /** 0 to 100; absent: 50. */
  readonly priority?: number;
  readonly followUpAt?: number | null;
  /** Who delegated it to the assignee. */
  readonly owner?: string;
  /** When work on it began. */
  readonly startedAt?: number;
  readonly escalations?: number;
  readonly notifications?: number;
  readonly sla?: readonly SlaPlan[];
}

export interface CallRecord {
  readonly key: Key;
  readonly element: ElementId;
  readonly childId: string;
  readonly process: string;
  readonly binding: "deployment" | "latest" | { readonly version: string };
  readonly variables: JsonObject;
  readonly queue: QueueClass | null;
  readonly priority: number | null;
  /** It has ended, and a person must decide about its failure. */
  readonly ended: boolean;
  readonly attempt: number;
  /** The last of its escalations that was received. */
  readonly escalation?: number;
  /** What the child did and can be undone, once it has completed. */
  readonly undoable?: Undoable;
  /** The child only undoes this. */
  readonly undoes?: Undoing;
  /** The child was told to undo what it did and end, and what undoes the scope of the call waits for that. */
  readonly undoesItself?: true;
  /** It came up while the instance was paused: the child has never been started. */
  readonly unasked?: true;
}

export interface IncidentRecord {
  readonly key: Key;
  /** Element instance, or 0 for the process. */
  readonly owner: Key;
  readonly element: ElementId | null;
  readonly kind: IncidentKind;
  readonly error: FailureInfo;
  readonly at: number;
}

export interface Collection {
  readonly body: Key;
  readonly itemName: string;
  readonly graph: boolean;
  readonly maxParallel: number | null;
  readonly closing: "completion" | "failure" | "cancel" | null;
  readonly counts: { readonly [S in ItemStatus]: number };
  readonly total: number;
  /** Failed items somebody answers for: by their own policy or by acceptance. */
  readonly accepted: boolean;
}

/** An item of a collection, by name. */
export interface ItemRef {
  readonly body: Key;
  readonly item: string;
}

export interface Item {
  /** The collection it belongs to. */
  readonly body: Key;
  readonly definition: ItemDefinition;
  readonly index: number;
  readonly status: ItemStatus;
  readonly attempt: number;
  /** Attempts that failed since it was last retried by a person. */
  readonly failures: number;
  /** Edges that must still end before it may start. */
  readonly openEdges: number;
  /** Of its `any-success` edges: how many have not ended, and whether one succeeded. */
  readonly openAny: number;
  readonly anySucceeded: boolean;
  /** The lock it is waiting in line for. */
  readonly blockedOn: string | null;
  readonly instanceKey: Key | null;
  /** What its last attempt builds on: completed items, whose results do not change any more. */
  readonly predecessors: readonly string[];
  readonly result: Json;
  readonly error: FailureInfo | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

export interface CompensationRecord {
  readonly key: Key;
  readonly scope: Key;
  readonly element: ElementId;
  /** Null for a container or call whose content is compensated instead. */
  readonly handler: ElementId | null;
  readonly variables: JsonObject;
  /** What completed inside is kept for the handler to have undone. */
  readonly keepsContent?: true;
  /** The content of a call. */
  readonly called?: Undoable;
}

/** A running compensation; `targets` are left to do, next first. */
export interface CompensationRun {
  readonly owner: Key;
  readonly scope: Key;
  readonly targets: readonly Key[];
  /** The handler now running and what it undoes. */
  readonly running: { readonly target: Key; readonly key: Key } | null;
  readonly failed: number;
}

export interface AdHocRecord {
  readonly body: Key;
  /** Not started yet, next first. */
  readonly chosen: readonly Chosen[];
  /** Activities that completed in it. */
  readonly ended: number;
  /** Nothing else will be chosen. */
  readonly done: boolean;
  readonly closing: boolean;
}

export interface LoopRecord {
  readonly body: Key;
  /** Rounds that were started. */
  readonly counter: number;
}

/** A gateway that went on with the tokens of some flows and waits for those of the others. */
export interface Joining {
  readonly key: Key;
  readonly flows: readonly FlowId[];
}

export interface HeldFlow {
  readonly flow: FlowId;
  readonly scope: Key;
  readonly count: number;
}

/** The tables by name: one list, so that an overlay, a snapshot and a count never forget one. */
export interface Tables {
  readonly elements: Table<Key, ElementInstance>;
  readonly variables: Table<string, Variable>;
  readonly waitingFlows: Table<string, number>;
  readonly heldFlows: Table<string, HeldFlow>;
  readonly joining: Table<Key, Joining>;
  readonly jobs: Table<Key, JobRecord>;
  readonly timers: Table<Key, TimerRecord>;
  readonly subscriptions: Table<Key, SubscriptionRecord>;
  readonly tasks: Table<Key, TaskRecord>;
  readonly calls: Table<Key, CallRecord>;
  readonly incidents: Table<Key, IncidentRecord>;
  readonly loops: Table<Key, LoopRecord>;
  readonly adHocs: Table<Key, AdHocRecord>;
  /** `<body>/<n>` → what came of the n-th activity that completed in it. */
  readonly adHocResults: Table<string, { readonly element: ElementId; readonly result: Json }>;
  readonly collections: Table<Key, Collection>;
  readonly items: Table<string, Item>;
  /** Element instance of an item → the item. */
  readonly itemOf: Table<Key, ItemRef>;
  /** `<body>/<lock>` → the item that holds it; and the one that completed last while it held it. */
  readonly lockHolders: Table<string, string>;
  readonly lockPredecessors: Table<string, string>;
  readonly compensations: Table<Key, CompensationRecord>;
  readonly compensationRuns: Table<Key, CompensationRun>;
}

export interface Indexes {
  /** Scope → element instances in it. */
  readonly children: Index<Key, Key>;
  /** Scope → names of its variables. */
  readonly variableNames: Index<Key, string>;
  /** Scope → flows that wait at a join in it. */
  readonly waitingIn: Index<Key, FlowId>;
  readonly heldIn: Index<Key, FlowId>;
  readonly timersOf: Index<Key, Key>;
  readonly subscriptionsOf: Index<Key, Key>;
  /** `<scope>/<variable>` → conditions that look at it; `<scope>/` → those that look at all they can see. */
  readonly watchers: Index<string, Key>;
  /** Name of a signal → subscriptions that wait for it. */
  readonly signalWaiters: Index<string, Key>;
  readonly incidentsOf: Index<Key, Key>;
  /** Collection → item keys, in the order they were added. */
  readonly itemsOf: Index<Key, string>;
  /** `<body>/<priority>` → items that could start, oldest first. */
  readonly ready: Index<string, string>;
  /** `<body>/<item>` → items that depend on it. */
  readonly dependents: Index<string, string>;
  /** `<body>/<lock>` → items in line for it. */
  readonly lockWaiters: Index<string, string>;
  /** Scope → completed activities that can be undone, oldest first. */
  readonly compensationsIn: Index<Key, Key>;
}

export const tableNames: readonly (keyof Tables)[] = [
  "elements",
  "variables",
  "waitingFlows",
  "heldFlows",
  "joining",
  "jobs",
  "timers",
  "subscriptions",
  "tasks",
  "calls",
  "incidents",
  "loops",
  "adHocs",
  "adHocResults",
  "collections",
  "items",
  "itemOf",
  "lockHolders",
  "lockPredecessors",
  "compensations",
  "compensationRuns",
];

export const indexNames: readonly (keyof Indexes)[] = [
  "children",
  "variableNames",
  "waitingIn",
  "heldIn",
  "timersOf",
  "subscriptionsOf",
  "watchers",
  "signalWaiters",
  "incidentsOf",
  "itemsOf",
  "ready",
  "dependents",
  "lockWaiters",
  "compensationsIn",
];

/** One process instance. Only `evolve` writes it. */
export interface State extends Tables, Indexes {
  readonly head: Head;
}

/**
 * Stand in a state for whatever was never written: it has 35 tables and indexes, most instances write five of them, and
 * making the others cost more than deciding what happens first.
 */
const noTable: SmallMap<never, never> = new SmallMap();
const noIndex: MapIndex<never, never> = new MapIndex();

export function newState(): State {
  return {
    head: {
      instanceId: "",
      rootId: "",
      process: "",
      version: "",
      hash: "",
      parent: null,
      businessKey: null,
      queue: null,
      priority: null,
      status: null,
      outcome: null,
      failure: null,
      startedAt: 0,
      endedAt: null,
      sequence: 0,
      at: 0,
      nextKey: 1,
      continuing: false,
    },
    elements: noTable,
    variables: noTable,
    waitingFlows: noTable,
    heldFlows: noTable,
    joining: noTable,
    jobs: noTable,
    timers: noTable,
    subscriptions: noTable,
    tasks: noTable,
    calls: noTable,
    incidents: noTable,
    loops: noTable,
    adHocs: noTable,
    adHocResults: noTable,
    collections: noTable,
    items: noTable,
    itemOf: noTable,
    lockHolders: noTable,
    lockPredecessors: noTable,
    compensations: noTable,
    compensationRuns: noTable,
    children: noIndex,
    variableNames: noIndex,
    waitingIn: noIndex,
    heldIn: noIndex,
    timersOf: noIndex,
    subscriptionsOf: noIndex,
    watchers: noIndex,
    signalWaiters: noIndex,
    incidentsOf: noIndex,
    itemsOf: noIndex,
    ready: noIndex,
    dependents: noIndex,
    lockWaiters: noIndex,
    compensationsIn: noIndex,
  };
}

type Writable<T> =
  T extends Table<infer K, infer V>
    ? WritableTable<K, V>
    : T extends Index<infer K, infer V>
      ? WritableIndex<K, V>
      : never;

/** One of the tables or indexes to write to: the state's own, made when it is first asked for. */
export function writable<N extends keyof Tables | keyof Indexes>(state: State, name: N): Writable<State[N]> {
  const found: unknown = state[name];
  if (found !== noTable && found !== noIndex) return found as Writable<State[N]>;
  const made = found === noTable ? new SmallMap() : new MapIndex();
  (state as { -readonly [M in keyof State]: unknown })[name] = made;
  return made as unknown as Writable<State[N]>;
}

/** Element instances, timers and incidents draw their keys from one counter. */
export function useKey(state: State, key: Key): void {
  state.head.nextKey = Math.max(state.head.nextKey, key + 1);
}

export function isEnded(state: State): boolean {
  const { status } = state.head;
  return status === "completed" || status === "failed" || status === "cancelled";
}

export function recordCount(state: State): number {
  let count = 0;
  for (const name of tableNames) count += (state[name] as unknown as SmallMap<unknown, unknown>).size;
  return count;
}
