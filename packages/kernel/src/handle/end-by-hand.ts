import { undoersIn } from "../activity/compensation-plan.ts";
import { itemAt, itemOf, skipDoomed, wakeLine } from "../activity/item.ts";
import { failHandler } from "../bpmn-event/throw.ts";
import type { Key } from "../command.ts";
import { release, terminate, terminateContent } from "../lifecycle.ts";
import { isEnded } from "../state/state.ts";
import type { Turn } from "../turn.ts";

/**
 * A person ends an element instance, and with it the scopes in which nothing is left: nothing in them completed, so they
 * do not either. Whatever runs several times goes on with the next.
 */
export function endByHand(turn: Turn, key: Key, reason: string): void {
  const { state } = turn;
  // It may have ended with another one.
  const scope = state.elements.get(key)?.scope;
  if (scope === undefined) return;
  const item = itemOf(state, key);
  if (failHandler(turn, key, { code: "terminated", message: reason })) return;
  const run = state.compensationRuns.get(key);
  // What it has undone at this moment ends with it.
  for (const undoer of run === undefined ? [] : undoersIn(state, run)) terminate(turn, undoer);
  terminate(turn, key);
  if (item !== undefined) {
    turn.emit({ type: "item-cancelled", ...item, at: turn.at });
    wakeLine(turn, itemAt(state, item));
    skipDoomed(turn, item);
  }
  if (item !== undefined) turn.stirred.add(scope);
  else endIfEmpty(turn, scope, reason);
}

/** A person took something out of a scope: it goes on with what is left, or ends because nothing is. */
export function endIfEmpty(turn: Turn, scope: Key, reason: string): void {
  const { state } = turn;
  if (isEnded(state) || (scope !== 0 && state.elements.get(scope) === undefined)) return;
  if (state.loops.get(scope) !== undefined || state.adHocs.get(scope) !== undefined) {
    turn.stirred.add(scope);
  } else if (!isEmpty(turn, scope)) {
    turn.touched.add(scope);
  } else if (scope === 0) {
    terminateContent(turn, 0);
    release(turn, 0);
    turn.emit({ type: "instance-cancelled", reason, at: turn.at });
  } else {
    endByHand(turn, scope, reason);
  }
}

function isEmpty(turn: Turn, scope: Key): boolean {
  const { children, waitingIn, heldIn } = turn.state;
  const open = children.count(scope) + waitingIn.count(scope) + heldIn.count(scope);
  return open === 0 && !turn.arrivals.some((arrival) => arrival.scope === scope);
}
