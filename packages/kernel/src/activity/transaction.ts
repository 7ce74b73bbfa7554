import { mostPrecise } from "../bpmn-event/event-sub-process.ts";
import { failHandler, recordOpenWork } from "../bpmn-event/throw.ts";
import { passEvent } from "../bpmn-event/trigger.ts";
import type { Visit } from "../element/behavior.ts";
import { instanceAt, isInner, release, terminate, terminateContent } from "../lifecycle.ts";
import type { Turn } from "../turn.ts";
import { planCompensation } from "./compensation-plan.ts";
import { failItem, itemOf } from "./item.ts";

/** A cancel end event was reached: all else in its transaction ends, and what completed there is undone. */
export function cancelTransaction(turn: Turn, visit: Visit): void {
  const { key, scope } = visit;
  recordOpenWork(turn, scope);
  terminateContent(turn, scope, key);
  // Nothing may interrupt what undoes the work, and nothing start beside it.
  release(turn, scope);
  const targets = planCompensation(turn.state, scope);
  if (targets.length === 0) return leaveTransaction(turn, visit);
  turn.emit({ type: "compensation-started", owner: key, scope, targets, at: turn.at });
  turn.undoing.add(key);
}

/** All is undone: the transaction ends, and goes on at its cancel event; without one its token ends there. */
export function leaveTransaction(turn: Turn, visit: Visit): void {
  const transaction = instanceAt(turn, visit.scope);
  // The boundary events stand on the whole activity, not on its items and rounds.
  const owner = isInner(turn, transaction.element, transaction.scope) ? transaction.scope : transaction.key;
  const boundaries = turn.program.boundaries.get(transaction.element) ?? [];
  const boundary = mostPrecise(boundaries, (trigger) => (trigger.type === "cancel" ? 1 : 0));
  const { scope } = instanceAt(turn, owner);
  if (boundary !== undefined) {
    terminate(turn, owner);
    return passEvent(turn, boundary, { scope, payload: {} });
  }
  const error = { code: "transaction-cancelled", message: `'${transaction.element}' was cancelled` };
  const item = itemOf(turn.state, transaction.key);
  if (item !== undefined) {
    terminate(turn, transaction.key);
    return failItem(turn, item, error);
  }
  if (failHandler(turn, owner, error)) return;
  terminate(turn, owner);
  turn.touched.add(scope);
}
