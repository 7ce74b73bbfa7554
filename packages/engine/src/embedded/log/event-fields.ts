import type { Event, EventType } from "@tutti/kernel";

type Of<K extends EventType> = Extract<Event, { readonly type: K }>;
type FieldNames<K extends EventType> = Exclude<keyof Of<K>, "type">;
type Presence<K extends EventType, F extends FieldNames<K>> = F extends "at"
  ? "row"
  : undefined extends Of<K>[F]
    ? "optional"
    : "always";
type Fields<K extends EventType> = { readonly [F in FieldNames<K>]-?: Presence<K, F> };

/** How an event is written: `[number, field, field …]`, its fields in the order they stand here. */
interface Layout<K extends EventType> {
  /** Stands for the type. Never given to another one. */
  readonly number: number;
  /** A new optional field goes to the end; an event that changes otherwise is a new type. */
  readonly fields: Fields<K>;
}

const always = "always";
const optional = "optional";
/** Not written: it is the row's. */
const row = "row";

/**
 * Rows of the log name neither types nor fields, which were three quarters of their bytes. What this says about a type
 * never changes once released. The mapped type sees to it that no type and no field is forgotten.
 */
const layouts: { readonly [K in EventType]: Layout<K> } = {
  "instance-created": {
    number: 1,
    fields: {
      instanceId: always,
      rootId: always,
      process: always,
      version: always,
      hash: always,
      actor: always,
      parent: optional,
      businessKey: optional,
      queue: optional,
      priority: optional,
      start: optional,
      at: row,
      undoes: optional,
    },
  },
  "instance-paused": { number: 2, fields: { stopRunning: always, reason: always, actor: always, at: row } },
  "instance-resumed": { number: 3, fields: { actor: always, at: row } },
  "instance-failing": { number: 4, fields: { error: always, at: row, cancelledBy: optional } },
  "instance-completed": { number: 5, fields: { result: always, at: row, undoable: optional } },
  "instance-failed": { number: 6, fields: { error: always, at: row, undoable: optional } },
  "instance-cancelled": { number: 7, fields: { reason: always, at: row, actor: optional } },
  "element-activating": { number: 8, fields: { key: always, element: always, scope: always, at: row } },
  "element-activated": { number: 9, fields: { key: always, element: always, scope: always, at: row } },
  "element-completing": { number: 10, fields: { key: always, result: always } },
  "element-completed": { number: 11, fields: { key: always, element: always, at: row } },
  "element-terminated": { number: 12, fields: { key: always, element: always, at: row } },
  "element-passed": { number: 13, fields: { element: always, scope: always, consumed: optional, at: row } },
  "flow-taken": { number: 14, fields: { flow: always, scope: always, arrives: always } },
  "flow-released": { number: 15, fields: { flow: always, scope: always } },
  "flow-dropped": { number: 16, fields: { flow: always, scope: always } },
  "continuation-requested": { number: 17, fields: { round: optional } },
  "continuation-started": { number: 18, fields: {} },
  "variables-set": { number: 19, fields: { scope: always, values: always, actor: always, reason: optional, at: row } },
  "job-created": {
    number: 20,
    fields: {
      key: always,
      element: always,
      jobType: always,
      queue: always,
      priority: always,
      attemptsMax: always,
      input: always,
      headers: always,
      timeoutMs: optional,
      at: row,
    },
  },
  "job-completed": { number: 21, fields: { key: always, actor: always, at: row } },
  "job-failed": { number: 22, fields: { key: always, attempt: always, error: always, retryAt: optional, at: row } },
  "job-error-thrown": { number: 23, fields: { key: always, error: always, at: row } },
  "job-cancelled": { number: 24, fields: { key: always, at: row } },
  "job-retried": { number: 25, fields: { key: always, at: row } },
  "timer-armed": {
    number: 26,
    fields: {
      key: always,
      owner: always,
      element: always,
      due: always,
      remaining: always,
      value: always,
      at: row,
      rule: optional,
      trigger: optional,
    },
  },
  "timer-fired": { number: 27, fields: { key: always, at: row } },
  "timer-cancelled": { number: 28, fields: { key: always } },
  "task-created": {
    number: 29,
    fields: {
      key: always,
      element: always,
      title: always,
      candidates: always,
      input: always,
      assignee: optional,
      dueAt: optional,
      form: optional,
      at: row,
      priority: optional,
      followUpAt: optional,
      sla: optional,
    },
  },
  "task-claimed": { number: 30, fields: { key: always, actor: always, at: row } },
  "task-released": { number: 31, fields: { key: always, actor: always, at: row } },
  "task-completed": {
    number: 32,
    fields: { key: always, actor: always, at: row, rationale: optional, late: optional },
  },
  "task-cancelled": { number: 33, fields: { key: always, at: row } },
  "child-requested": {
    number: 34,
    fields: {
      key: always,
      element: always,
      childId: always,
      process: always,
      binding: always,
      variables: always,
      queue: optional,
      priority: optional,
      at: row,
      undoes: optional,
    },
  },
  "child-ended": {
    number: 35,
    fields: { key: always, childId: always, outcome: always, at: row, undoable: optional },
  },
  "child-cancelled": { number: 36, fields: { key: always, childId: always, at: row } },
  "child-undoing": { number: 142, fields: { key: always, childId: always, scope: always, at: row } },
  "incident-created": {
    number: 37,
    fields: { key: always, owner: always, element: always, kind: always, error: always, at: row },
  },
  "incident-resolved": { number: 38, fields: { key: always, action: always, reason: always, actor: always, at: row } },
  "collection-opened": {
    number: 39,
    fields: { body: always, itemName: always, graph: always, maxParallel: always, at: row },
  },
  "items-added": { number: 40, fields: { body: always, items: always, actor: always } },
  "item-activated": {
    number: 41,
    fields: { body: always, item: always, key: always, attempt: always, predecessors: always, at: row },
  },
  "item-blocked": { number: 42, fields: { body: always, item: always, lock: always } },
  "item-unblocked": { number: 43, fields: { body: always, item: always } },
  "item-completed": { number: 44, fields: { body: always, item: always, result: always, at: row } },
  "item-failed": { number: 45, fields: { body: always, item: always, error: always, retry: always, at: row } },
  "item-skipped": { number: 46, fields: { body: always, item: always, cause: always, at: row } },
  "item-cancelled": { number: 47, fields: { body: always, item: always, at: row } },
  "item-withdrawn": { number: 48, fields: { body: always, item: always, actor: always, at: row } },
  "items-retried": { number: 49, fields: { body: always, items: always, at: row } },
  "items-accepted": { number: 50, fields: { body: always, items: always, by: always, reason: always, at: row } },
  "collection-closing": { number: 51, fields: { body: always, reason: always } },
  "concurrency-adjusted": { number: 52, fields: { body: always, maxParallel: always, actor: always, at: row } },
  "compensation-recorded": {
    number: 53,
    fields: { scope: always, key: always, element: always, handler: always, variables: always, keepsContent: optional },
  },
  "compensation-started": { number: 54, fields: { owner: always, scope: always, targets: always, at: row } },
  "compensation-taken": { number: 55, fields: { owner: always, target: always, key: always } },
  "compensation-failed": { number: 56, fields: { owner: always, target: always, error: always, at: row } },
  "compensation-finished": { number: 57, fields: { owner: always, at: row } },
  "instance-forked": {
    number: 108,
    fields: { instanceId: always, from: always, sequence: always, reason: always, actor: always, at: row },
  },
  "instance-migrated": {
    number: 107,
    fields: {
      process: always,
      version: always,
      hash: always,
      elements: always,
      flows: always,
      reason: always,
      actor: always,
      at: row,
    },
  },
  "task-started": { number: 100, fields: { key: always, actor: always, at: row } },
  "task-delegated": {
    number: 101,
    fields: { key: always, owner: always, to: always, actor: always, reason: optional, at: row },
  },
  "task-resolved": { number: 102, fields: { key: always, owner: always, actor: always, reason: optional, at: row } },
  "task-reassigned": {
    number: 103,
    fields: { key: always, assignee: always, actor: always, reason: always, candidates: optional, at: row },
  },
  "task-updated": { number: 104, fields: { key: always, changes: always, actor: always, reason: optional, at: row } },
  "task-escalated": {
    number: 105,
    fields: { key: always, actor: always, reason: always, to: optional, code: optional, at: row },
  },
  "task-notified": { number: 106, fields: { key: always, timer: always, to: always, message: always, at: row } },
  "subscription-opened": {
    number: 70,
    fields: {
      key: always,
      owner: always,
      element: always,
      kind: always,
      name: always,
      correlationKey: always,
      trigger: optional,
      variables: optional,
      at: row,
    },
  },
  "subscription-triggered": {
    number: 71,
    fields: { key: always, payload: always, actor: always, stays: always, messageId: optional, at: row },
  },
  "subscription-closed": { number: 72, fields: { key: always } },
  "trigger-met": { number: 77, fields: { key: always, owner: always, element: always, payload: always, at: row } },
  "condition-lapsed": { number: 73, fields: { key: always } },
  "message-published": {
    number: 74,
    fields: {
      key: always,
      element: always,
      name: always,
      correlationKey: always,
      ttlMs: always,
      payload: always,
      at: row,
    },
  },
  "signal-broadcast": { number: 75, fields: { key: always, element: always, name: always, payload: always, at: row } },
  "escalation-thrown": {
    number: 76,
    fields: {
      key: always,
      element: always,
      code: always,
      payload: always,
      caughtBy: always,
      source: optional,
      at: row,
    },
  },
  "loop-opened": { number: 131, fields: { body: always, at: row } },
  "loop-iterated": { number: 132, fields: { body: always, counter: always, key: always, at: row } },
  "ad-hoc-opened": { number: 133, fields: { body: always, at: row } },
  "ad-hoc-chosen": { number: 134, fields: { body: always, elements: always, done: always, actor: always, at: row } },
  "ad-hoc-activated": { number: 135, fields: { body: always, element: always, at: row } },
  "ad-hoc-ended": { number: 136, fields: { body: always, element: always, result: always, at: row } },
  "ad-hoc-closing": { number: 137, fields: { body: always } },
  "instance-modified": {
    number: 138,
    fields: { activate: always, terminate: always, reason: always, actor: always, at: row, withdraw: optional },
  },
  "task-error-thrown": {
    number: 140,
    fields: { key: always, error: always, actor: always, at: row, rationale: optional },
  },
  "expression-doubted": {
    number: 139,
    fields: { scope: always, expression: always, warnings: always, at: row, subscription: optional },
  },
  "compensation-restored": { number: 141, fields: { work: always, whole: optional } },
  "tokens-joined": { number: 130, fields: { element: always, scope: always, flows: always, key: optional, at: row } },
};

/** A layout as the codec uses it. */
export interface EventFields {
  readonly type: EventType;
  readonly number: number;
  /** What is written, in order. */
  readonly names: readonly string[];
  /** Null in one of these says that the event has no such field. */
  readonly optional: ReadonlySet<string>;
  /** It has a time, which is its row's. */
  readonly timed: boolean;
}

export const fieldsByType: ReadonlyMap<string, EventFields> = new Map(
  (Object.entries(layouts) as [EventType, { number: number; fields: { [name: string]: string } }][]).map(
    ([type, { number, fields }]) => {
      const names = Object.keys(fields).filter((name) => fields[name] !== row);
      const absentNames = names.filter((name) => fields[name] === optional);
      return [type, { type, number, names, optional: new Set(absentNames), timed: fields["at"] === row }];
    },
  ),
);

export const fieldsByNumber: ReadonlyMap<number, EventFields> = new Map(
  [...fieldsByType.values()].map((each) => [each.number, each]),
);
