import type { Key } from "../command.ts";
import type { Event } from "../event.ts";
import { type State, type SubscriptionRecord, useKey, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";
import { variableKey } from "./variable.ts";

type SubscriptionEvent = Extract<
  Event["type"],
  | `subscription-${string}`
  | `condition-${string}`
  | "trigger-met"
  | "message-published"
  | "signal-broadcast"
  | "escalation-thrown"
>;

/** Stands for every name: a variable always has one. */
const anyName = "";

/** The conditions that look at a variable of one scope. */
export function* watchersOf(state: State, scope: Key, name: string): IterableIterator<Key> {
  yield* state.watchers.of(variableKey(scope, anyName));
  yield* state.watchers.of(variableKey(scope, name));
}

/** Calls back with each name under which a condition looks at variables: those of its own scope and of all around it. */
function eachWatched(state: State, record: SubscriptionRecord, visit: (name: string) => void): void {
  for (let scope = record.owner; ; scope = state.elements.get(scope)?.scope ?? 0) {
    for (const name of record.variables ?? [anyName]) visit(variableKey(scope, name));
    if (scope === 0) return;
  }
}

function drop(state: State, key: Key): void {
  const record = state.subscriptions.get(key);
  if (record === undefined) return;
  if (record.kind === "condition") eachWatched(state, record, (name) => state.watchers.remove(name, key));
  if (record.kind === "signal") state.signalWaiters.remove(record.name, key);
  state.subscriptions.delete(key);
  state.subscriptionsOf.remove(record.owner, key);
}

export const subscriptionAppliers: Appliers<SubscriptionEvent> = {
  "subscription-opened": (state, event) => {
    const record: SubscriptionRecord = {
      key: event.key,
      owner: event.owner,
      element: event.element,
      kind: event.kind,
      name: event.name,
      correlationKey: event.correlationKey,
      trigger: event.trigger ?? null,
      variables: event.variables ?? null,
      messageId: null,
      holds: false,
    };
    writable(state, "subscriptions").set(event.key, record);
    writable(state, "subscriptionsOf").add(event.owner, event.key);
    if (event.kind === "condition")
      eachWatched(state, record, (name) => writable(state, "watchers").add(name, event.key));
    if (event.kind === "signal") writable(state, "signalWaiters").add(event.name, event.key);
    useKey(state, event.key);
    state.head.at = event.at;
  },
  "subscription-triggered": (state, event) => {
    const record = state.subscriptions.get(event.key);
    if (record === undefined) return;
    if (!event.stays) drop(state, event.key);
    else
      writable(state, "subscriptions").set(event.key, {
        ...record,
        messageId: event.messageId ?? null,
        holds: record.kind === "condition",
      });
    state.head.at = event.at;
  },
  "subscription-closed": (state, event) => drop(state, event.key),
  "condition-lapsed": (state, event) => {
    const record = state.subscriptions.get(event.key);
    if (record !== undefined) writable(state, "subscriptions").set(event.key, { ...record, holds: false });
  },
  "trigger-met": (state, event) => {
    const { key, owner, element, payload } = event;
    const nothing = { name: "", correlationKey: null, trigger: null, variables: null, messageId: null, holds: false };
    writable(state, "subscriptions").set(key, { key, owner, element, kind: "met", payload, ...nothing });
    writable(state, "subscriptionsOf").add(owner, key);
    useKey(state, key);
    state.head.at = event.at;
  },
  "message-published": (state, event) => {
    useKey(state, event.key);
    state.head.at = event.at;
  },
  "signal-broadcast": (state, event) => {
    useKey(state, event.key);
    state.head.at = event.at;
  },
  "escalation-thrown": (state, event) => {
    const call = state.calls.get(event.key);
    if (call !== undefined && event.source !== undefined) {
      writable(state, "calls").set(event.key, { ...call, escalation: event.source });
    }
    state.head.at = event.at;
  },
};
