import type { Actor, Key } from "../command.ts";
import type { IncidentKind } from "../event.ts";
import type { JsonObject } from "../json.ts";
import { complete, pass, visitOf } from "../lifecycle.ts";
import { assert, must } from "../problem.ts";
import type { Element, ElementId } from "../program.ts";
import { Names } from "../scope.ts";
import type { SubscriptionRecord, TimerRecord } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import { armTimer } from "./timer.ts";
import { armWaits, disarm, needsAll, prepareWaits, staysArmed, staysOpen, triggerAt } from "./wait.ts";

/** An event that happened to something that waits: `owner` waited, and `element` says for what and what follows. */
export interface Triggered<E extends Element = Element> {
  readonly element: E;
  readonly owner: Key;
  readonly payload: JsonObject;
}

/** Enters and leaves an event that was triggered: its `outputs` are written from the payload, its flows taken. */
export function passEvent(
  turn: Turn,
  element: Element,
  triggered: { readonly scope: Key; readonly payload: JsonObject },
): void {
  const { scope, payload } = triggered;
  if (!("outputs" in element) || element.outputs === undefined) return pass(turn, element, scope);
  const key = turn.nextKey();
  turn.emit({ type: "element-activated", key, element: element.id, scope, at: turn.at });
  complete(turn, key, { result: payload });
}

/** What was awaited by an element itself completes it; awaited for the gateway before it, the gateway decides. */
export function completeAwaited(turn: Turn, triggered: Triggered): void {
  const { element, owner, payload } = triggered;
  const visit = visitOf(turn, owner);
  if (visit.element.id === element.id) return complete(turn, owner, { result: payload });
  must(turn.behavior(visit.element).onChosen, `'${visit.element.id}' chooses nothing`)(turn, visit, triggered);
}

/** Whatever a timer, a message, a signal or a condition triggers goes on here. */
export function trigger(turn: Turn, wait: Awaited, payload: JsonObject): void {
  const element = turn.element(wait.element);
  const all = needsAll(element) ? gather(turn, wait, payload) : payload;
  if (all === undefined) return;
  const { owner } = wait;
  must(turn.behavior(element).onTrigger, `'${element.id}' waits for nothing`)(turn, { element, owner, payload: all });
}

interface Awaited {
  readonly owner: Key;
  readonly element: ElementId;
}

/** What all triggers of an event brought, once the last one is there; then an event that stays waits for all anew. */
function gather(turn: Turn, wait: Awaited, payload: JsonObject): JsonObject | undefined {
  const { owner, element } = wait;
  const { state } = turn;
  const isMine = (record: { readonly element: ElementId } | undefined): boolean => record?.element === element;
  const mine = [...state.subscriptionsOf.of(owner)].map((key) => must(state.subscriptions.get(key), "it is open"));
  const timers = [...state.timersOf.of(owner)].some((key) => isMine(state.timers.get(key)));
  if (timers || mine.some((each) => isMine(each) && each.kind !== "met")) {
    turn.emit({ type: "trigger-met", key: turn.nextKey(), owner, element, payload, at: turn.at });
    // A condition among the others may read what this one brought.
    for (const { key, kind } of mine.filter(isMine)) if (kind === "condition") turn.lookAt(key);
    return undefined;
  }
  const met = mine.filter(isMine).map((each) => must(each.payload, "what is met brought something"));
  disarm(turn, owner, element);
  if (staysArmed(turn.element(element))) rearmAll(turn, wait, "trigger");
  return Object.assign({}, ...met, payload) as JsonObject;
}

/** Computes afresh all that an event waits for, as when its activity or scope started; a failure is an incident. */
export function rearmAll(turn: Turn, wait: Awaited, kind: IncidentKind): void {
  const { owner, element } = wait;
  const waits = prepareWaits(turn, turn.element(element), new Names(turn.program, turn.state, { scope: owner }));
  if (!waits.ok) return turn.raise({ owner, element, kind, error: waits.error });
  disarm(turn, owner, element);
  armWaits(turn, owner, waits.value);
}

/** A timer that an event waits for is due. */
export function triggerTimer(turn: Turn, timer: TimerRecord): void {
  const element = turn.element(timer.element);
  if (staysOpen(element) && timer.remaining !== 0) rearm(turn, element, timer);
  trigger(turn, timer, {});
}

/** The next firing counts from when this one was due, so that a late one does not shift those after it. */
function rearm(turn: Turn, element: Element, timer: TimerRecord): void {
  const definition = triggerAt(element, timer.trigger);
  assert(definition?.type === "timer", `'${element.id}' has no timer`);
  const next = turn.program.host.nextDue(definition.timer, timer.value, timer.due, timer.remaining);
  if (next.ok) {
    const place = timer.trigger === undefined ? {} : { trigger: timer.trigger };
    const { due, remaining } = next;
    armTimer(turn, timer.owner, { element: timer.element, due, remaining, value: timer.value, ...place });
  } else {
    const error = { code: next.code, message: next.message };
    turn.raise({ owner: timer.owner, element: element.id, kind: "timer", error });
  }
}

/** The message, signal or condition that an event waits for is there. */
export function triggerSubscription(
  turn: Turn,
  subscription: SubscriptionRecord,
  said: { readonly payload: JsonObject; readonly actor: Actor; readonly messageId?: string },
): void {
  const element = turn.element(subscription.element);
  const stays = staysOpen(element);
  turn.emit({ type: "subscription-triggered", key: subscription.key, ...said, stays, at: turn.at });
  trigger(turn, subscription, said.payload);
}
