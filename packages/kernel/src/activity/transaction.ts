import { mostPrecise } from "../bpmn-event/event-sub-process.ts";
import { failHandler } from "../bpmn-event/throw.ts";
import { passEvent } from "../bpmn-event/trigger.ts";
import type { Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import { instanceAt, isInner, release, terminate } from "../lifecycle.ts";
import type { Turn } from "../turn.ts";
import { closeCollection } from "./collection.ts";
import { awaitsCalls, planCompensation } from "./compensation-plan.ts";
import { endForUndoing } from "./undo-whole.ts";

/**
 * A cancel end event was reached: all else in its transaction ends, other items of it included, and what completed there
 * is undone.
 */
export function cancelTransaction(turn: Turn, visit: Visit): void {
  const { key, scope } = visit;
  const whole = wholeOf(turn, scope);
  endForUndoing(turn, whole, { scope, except: key });
  // Nothing may interrupt what undoes the work, and nothing start beside it.
  release(turn, scope);
  if (whole !== scope) release(turn, whole);
  if (turn.state.collections.get(whole) !== undefined)
    closeCollection(turn, whole, { reason: "cancel", except: scope });
  const targets = planCompensation(turn.state, whole);
  if (targets.length === 0 && !awaitsCalls(turn.state, scope)) return leaveTransaction(turn, visit);
  turn.emit({ type: "compensation-started", owner: key, scope, targets, at: turn.at });
  turn.undoing.add(key);
}

/** All is undone: the transaction ends, and goes on at its cancel event; without one its token ends there. */
export function leaveTransaction(turn: Turn, visit: Visit): void {
  const owner = wholeOf(turn, visit.scope);
  const { element, scope } = instanceAt(turn, owner);
  const boundaries = turn.program.boundaries.get(element) ?? [];
  const boundary = mostPrecise(boundaries, (trigger) => (trigger.type === "cancel" ? 1 : 0));
  if (boundary !== undefined) {
    terminate(turn, owner);
    return passEvent(turn, boundary, { scope, payload: {} });
  }
  const error = { code: "transaction-cancelled", message: `'${element}' was cancelled` };
  if (failHandler(turn, owner, error)) return;
  terminate(turn, owner);
  turn.touched.add(scope);
}

/** The boundary events stand on the whole activity, not on its items and rounds; and as a whole it is cancelled. */
function wholeOf(turn: Turn, key: Key): Key {
  const { element, scope } = instanceAt(turn, key);
  return isInner(turn, element, scope) ? scope : key;
}
