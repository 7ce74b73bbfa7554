import type { Key } from "../command.ts";
import type { Event } from "../event.ts";
import { must } from "../problem.ts";
import type { CatchTrigger, Element, ElementId, WaitTrigger } from "../program.ts";
import type { Names, Result } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { addressOf } from "./message.ts";
import { armTimer, computeTimer, type DueTimer } from "./timer.ts";

/** Where a trigger stands: the event or task it belongs to, and which it is of a multiple event. */
export interface TriggerPlace {
  readonly element: ElementId;
  readonly trigger?: number;
}

type Subscription = TriggerPlace &
  Pick<Extract<Event, { readonly type: "subscription-opened" }>, "kind" | "name" | "correlationKey" | "variables">;

/** Something to wait for that is known in full and only has to be armed. */
export type Wait = { readonly timer: DueTimer } | { readonly subscription: Subscription };

export const noWaits: Result<readonly Wait[]> = { ok: true, value: [] };

/** What an element waits for; undefined for one that waits for no event. */
export function triggerOf(element: Element): CatchTrigger | undefined {
  switch (element.kind) {
    case "start-event":
      return element.trigger.type === "none" ? undefined : element.trigger;
    case "boundary-event":
    case "intermediate-catch-event":
      return element.trigger;
    case "receive-task":
      return { type: "message", message: element.message };
    default:
      return undefined;
  }
}

/** One of the triggers of an element, by its place in a multiple event. */
export function triggerAt(element: Element, place: number | null | undefined): CatchTrigger | undefined {
  const trigger = triggerOf(element);
  if (trigger?.type !== "multiple") return trigger;
  return trigger.triggers[must(place, `one of several triggers of '${element.id}' has a place`)];
}

/** Whether all triggers of an event are needed, not one of them. */
export function needsAll(element: Element): boolean {
  const trigger = triggerOf(element);
  return trigger?.type === "multiple" && trigger.parallel;
}

/** Whether an event goes on waiting for the next time after it was triggered. */
export function staysArmed(element: Element): boolean {
  return (element.kind === "boundary-event" || element.kind === "start-event") && element.interrupting === false;
}

/** Whether it goes on waiting when one of its triggers comes. */
export function staysOpen(element: Element): boolean {
  return staysArmed(element) && !needsAll(element);
}

/** Computes what an element is to wait for; triggers that nothing has to be armed for (an error) give nothing. */
export function prepareWaits(turn: Turn, element: Element, names: Names): Result<readonly Wait[]> {
  const trigger = must(triggerOf(element), `'${element.id}' waits for nothing`);
  if (trigger.type !== "multiple") return prepareOne(turn, { element: element.id }, { trigger, names });
  const waits: Wait[] = [];
  for (const [index, inner] of trigger.triggers.entries()) {
    const wait = prepareOne(turn, { element: element.id, trigger: index }, { trigger: inner, names });
    if (!wait.ok) return wait;
    waits.push(...wait.value);
  }
  return { ok: true, value: waits };
}

function prepareOne(
  turn: Turn,
  place: TriggerPlace,
  wanted: { readonly trigger: CatchTrigger; readonly names: Names },
): Result<readonly Wait[]> {
  const { trigger, names } = wanted;
  switch (trigger.type) {
    case "timer": {
      const timer = computeTimer(turn, { ...place, definition: trigger.timer }, names);
      return timer.ok ? { ok: true, value: [{ timer: timer.value }] } : timer;
    }
    case "message":
    case "signal":
    case "conditional": {
      const subscription = describe(turn, trigger, names);
      return subscription.ok
        ? { ok: true, value: [{ subscription: { ...place, ...subscription.value } }] }
        : subscription;
    }
    default:
      return noWaits;
  }
}

function describe(
  turn: Turn,
  trigger: Exclude<WaitTrigger, { readonly type: "timer" }>,
  names: Names,
): Result<Omit<Subscription, "element">> {
  if (trigger.type === "conditional") {
    const { condition, variables } = trigger;
    const only = variables === undefined ? {} : { variables: [...new Set(variables)] };
    return { ok: true, value: { kind: "condition", name: condition.text, correlationKey: null, ...only } };
  }
  const address = addressOf(turn, trigger.type === "message" ? trigger.message : trigger.signal, names);
  return address.ok ? { ok: true, value: { kind: trigger.type, ...address.value } } : address;
}

/** What the boundary events on an activity wait for; none when one of them cannot be computed. */
export function boundaryWaits(turn: Turn, element: Element, names: Names): Result<readonly Wait[]> {
  const boundaries = turn.program.boundaries.get(element.id);
  if (boundaries === undefined) return noWaits;
  const waits: Wait[] = [];
  for (const boundary of boundaries) {
    const prepared = prepareWaits(turn, boundary, names);
    if (!prepared.ok) return prepared;
    waits.push(...prepared.value);
  }
  return { ok: true, value: waits };
}

/** Arms what `owner` (0: the process) waits for until it ends. */
export function armWaits(turn: Turn, owner: Key, waits: readonly Wait[]): void {
  for (const wait of waits) {
    if ("timer" in wait) {
      armTimer(turn, owner, wait.timer);
      continue;
    }
    const key = turn.nextKey();
    turn.emit({ type: "subscription-opened", key, owner, ...wait.subscription, at: turn.at });
    // It may hold already.
    if (wait.subscription.kind === "condition") turn.lookAt(key);
  }
}

/** `owner` waits for an event no longer: what it waited for is closed, and what was wrong with that is gone. */
export function abandon(turn: Turn, owner: Key, { element, reason }: { element: ElementId; reason: string }): void {
  disarm(turn, owner, element);
  turn.dropIncidents(owner, reason, (incident) => incident.element === element);
}

/** Closes everything that `owner` waits for; with `element`, only what that one waits for. */
export function disarm(turn: Turn, owner: Key, element?: ElementId): void {
  const { state } = turn;
  if (state.timersOf.count(owner) > 0) {
    for (const key of [...state.timersOf.of(owner)]) {
      if (element === undefined || state.timers.get(key)?.element === element)
        turn.emit({ type: "timer-cancelled", key });
    }
  }
  if (!turn.program.subscribes || state.subscriptionsOf.count(owner) === 0) return;
  for (const key of [...state.subscriptionsOf.of(owner)]) {
    if (element === undefined || state.subscriptions.get(key)?.element === element) {
      turn.emit({ type: "subscription-closed", key });
    }
  }
}
