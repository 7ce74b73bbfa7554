import type { Key } from "../command.ts";
import type { Event } from "../event.ts";
import { type ElementInstance, type State, useKey, writable } from "../state/state.ts";
import { dropAdHoc } from "./ad-hoc.ts";
import type { Appliers } from "./applier.ts";
import { forgetContent } from "./compensation.ts";
import { dropCollection } from "./item.ts";
import { dropVariables } from "./variable.ts";

type ElementEvent = Extract<Event["type"], `element-${string}` | `flow-${string}` | "tokens-joined">;
type Entered = Extract<Event, { readonly type: "element-activating" | "element-activated" }>;

export function flowKey(scope: Key, flow: string): string {
  return `${scope}/${flow}`;
}

function enter(state: State, event: Entered): void {
  const phase: ElementInstance["state"] = event.type === "element-activated" ? "active" : "activating";
  if (state.elements.get(event.key) === undefined) writable(state, "children").add(event.scope, event.key);
  writable(state, "elements").set(event.key, {
    key: event.key,
    element: event.element,
    scope: event.scope,
    state: phase,
    at: event.at,
    result: null,
  });
  useKey(state, event.key);
  state.head.at = event.at;
}

/** Forgets an element instance and all that belonged to its inside; what it waited for has events of its own. */
function leave(state: State, key: Key, at: number): void {
  const instance = state.elements.get(key);
  if (instance === undefined) return;
  state.elements.delete(key);
  state.children.remove(instance.scope, key);
  state.itemOf.delete(key);
  state.calls.delete(key);
  state.joining.delete(key);
  state.loops.delete(key);
  dropVariables(state, key);
  if (state.waitingIn.count(key) > 0) {
    for (const flow of state.waitingIn.of(key)) state.waitingFlows.delete(flowKey(key, flow));
    state.waitingIn.drop(key);
  }
  if (state.heldIn.count(key) > 0) {
    for (const flow of state.heldIn.of(key)) state.heldFlows.delete(flowKey(key, flow));
    state.heldIn.drop(key);
  }
  dropCollection(state, key);
  dropAdHoc(state, key);
  // What it contained can be undone later only by way of its own record; without one nobody saw it complete.
  const record = state.compensations.get(key);
  if (record?.handler !== null && !record?.keepsContent) forgetContent(state, key);
  state.head.at = at;
}

function wait(state: State, scope: Key, flow: string): void {
  const key = flowKey(scope, flow);
  const count = state.waitingFlows.get(key) ?? 0;
  writable(state, "waitingFlows").set(key, count + 1);
  if (count === 0) writable(state, "waitingIn").add(scope, flow);
}

function consume(state: State, scope: Key, flow: string): void {
  const key = flowKey(scope, flow);
  const count = state.waitingFlows.get(key) ?? 0;
  if (count > 1) {
    writable(state, "waitingFlows").set(key, count - 1);
  } else {
    state.waitingFlows.delete(key);
    state.waitingIn.remove(scope, flow);
  }
}

function hold(state: State, scope: Key, flow: string): void {
  const key = flowKey(scope, flow);
  const count = (state.heldFlows.get(key)?.count ?? 0) + 1;
  writable(state, "heldFlows").set(key, { flow, scope, count });
  if (count === 1) writable(state, "heldIn").add(scope, flow);
}

function release(state: State, scope: Key, flow: string): void {
  const key = flowKey(scope, flow);
  const held = state.heldFlows.get(key);
  if (held === undefined) return;
  if (held.count > 1) {
    writable(state, "heldFlows").set(key, { ...held, count: held.count - 1 });
  } else {
    state.heldFlows.delete(key);
    state.heldIn.remove(scope, flow);
  }
}

export const elementAppliers: Appliers<ElementEvent> = {
  "element-activating": enter,
  "element-activated": enter,
  "element-completing": (state, event) => {
    const instance = state.elements.get(event.key);
    if (instance !== undefined)
      writable(state, "elements").set(event.key, { ...instance, state: "completing", result: event.result });
  },
  "element-completed": (state, event) => leave(state, event.key, event.at),
  "element-terminated": (state, event) => {
    state.compensationRuns.delete(event.key);
    leave(state, event.key, event.at);
  },
  "element-passed": (state, event) => {
    for (const flow of event.consumed ?? []) consume(state, event.scope, flow);
    state.head.at = event.at;
  },
  "tokens-joined": (state, event) => {
    for (const flow of event.flows) consume(state, event.scope, flow);
    if (event.key !== undefined) {
      writable(state, "joining").set(event.key, { key: event.key, flows: event.flows });
      useKey(state, event.key);
    }
    state.head.at = event.at;
  },
  "flow-taken": (state, event) => {
    if (event.arrives === "waits") wait(state, event.scope, event.flow);
    else if (event.arrives === "held") hold(state, event.scope, event.flow);
  },
  "flow-dropped": (state, event) => {
    state.waitingFlows.delete(flowKey(event.scope, event.flow));
    state.waitingIn.remove(event.scope, event.flow);
    state.heldFlows.delete(flowKey(event.scope, event.flow));
    state.heldIn.remove(event.scope, event.flow);
  },
  "flow-released": (state, event) => release(state, event.scope, event.flow),
};
