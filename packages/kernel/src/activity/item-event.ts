import { prepareEscalation, prepareSending } from "../bpmn-event/message.ts";
import type { Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import type { JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import type { ItemEvent, MultiInstance } from "../program.ts";
import { evaluateCondition, Names, type Result } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { itemOf } from "./item.ts";

/** What a collection throws because one of its items completed: worked out, so that throwing it cannot fail. */
export type ItemThrow =
  | { readonly body: Key; readonly send: () => void }
  | { readonly body: Key; readonly escalation: { readonly code: string; readonly payload: JsonObject } };

const nothing: Result<readonly never[]> = { ok: true, value: [] };

/** The events that are thrown as an item completes, as the behaviour of its collection says. */
export function prepareItemEvents(turn: Turn, visit: Visit, result: JsonObject): Result<readonly ItemThrow[]> {
  const { element, key } = visit;
  const loop = "loop" in element && element.loop !== undefined && "behavior" in element.loop ? element.loop : undefined;
  const ref = loop === undefined ? undefined : itemOf(turn.state, key);
  if (loop === undefined || ref === undefined) return nothing;
  const { counts, total } = must(turn.state.collections.get(ref.body), "an item belongs to a collection");
  const [completed, expected] = [counts.completed + 1, total - counts.withdrawn];
  const extra = { ...result, completed, failed: counts.failed, skipped: counts.skipped, total: expected };
  const names = new Names(turn.program, turn.state, { scope: key, extra });
  const events = chosenEvents(turn, loop, { names, isFirst: counts.completed === 0 });
  if (!events.ok) return events;
  const thrown: ItemThrow[] = [];
  for (const event of events.value) {
    const prepared = prepareOne(turn, { event, body: ref.body, element: element.id }, names);
    if (!prepared.ok) return prepared;
    thrown.push(prepared.value);
  }
  return { ok: true, value: thrown };
}

function chosenEvents(
  turn: Turn,
  loop: MultiInstance,
  at: { readonly names: Names; readonly isFirst: boolean },
): Result<readonly ItemEvent[]> {
  const { behavior, event, events = [] } = loop;
  if (behavior !== "complex") {
    const throws = behavior === "none" || (behavior === "one" && at.isFirst);
    return { ok: true, value: throws && event !== undefined ? [event] : [] };
  }
  const chosen: ItemEvent[] = [];
  for (const each of events) {
    const holds = evaluateCondition(turn, each.condition, at.names);
    if (!holds.ok) return holds;
    if (holds.value) chosen.push(each.event);
  }
  return { ok: true, value: chosen };
}

function prepareOne(
  turn: Turn,
  { event, body, element }: { readonly event: ItemEvent; readonly body: Key; readonly element: string },
  names: Names,
): Result<ItemThrow> {
  if (event.type !== "escalation") {
    const send = prepareSending(turn, { element, trigger: event }, names);
    return send.ok ? { ok: true, value: { body, send: send.value } } : send;
  }
  const escalation = prepareEscalation(turn, event, names);
  return escalation.ok ? { ok: true, value: { body, escalation: escalation.value } } : escalation;
}
