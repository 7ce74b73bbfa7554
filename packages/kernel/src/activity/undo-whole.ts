import type { Actor, FailureInfo, Key } from "../command.ts";
import { endFailed, isCalled } from "../completion.ts";
import { holdsUndoable, instanceAt, release, terminateContent } from "../lifecycle.ts";
import type { Turn } from "../turn.ts";
import { awaitsCalls, planCompensation } from "./compensation-plan.ts";

/* What is undone as a whole, also what completed in parts of it that are still open: a transaction or an instance. */

/** Why an instance ends before it was done: it fails, or somebody cancelled it, and the error tells why. */
export interface WhyEnded {
  readonly error: FailureInfo;
  readonly cancelledBy?: Actor;
}

/** Ends everything in the instance, undoes all that completed, and then ends it. A pause ends with it. */
export function undoWhole(turn: Turn, why: WhyEnded): void {
  endForUndoing(turn, 0, { scope: 0 });
  release(turn, 0);
  const targets = planCompensation(turn.state, 0);
  if (targets.length === 0 && !awaitsCalls(turn.state, 0)) return endWhole(turn, why);
  turn.emit({ type: "instance-failing", ...why, at: turn.at });
  turn.emit({ type: "compensation-started", owner: 0, scope: 0, targets, at: turn.at });
  turn.undoing.add(0);
}

/** Nothing is left in the instance, or it all ends with it; `failed` handlers could not undo what they were to. */
export function endWhole(turn: Turn, { error, cancelledBy }: WhyEnded, failed = 0): void {
  release(turn, 0);
  if (cancelledBy === undefined) endFailed(turn, error, failed);
  else turn.emit({ type: "instance-cancelled", reason: error.message, actor: cancelledBy, at: turn.at });
}

/** The process fails and undoes nothing. What completed in one that was called, whoever called it may have undone. */
export function failAtOnce(turn: Turn, error: FailureInfo): void {
  if (isCalled(turn.state)) recordOpenWork(turn, 0);
  terminateContent(turn, 0);
  endWhole(turn, { error });
}

/**
 * Ends what is open in a scope that is undone, and keeps what completed in it. Of `whole`, which is that scope or holds
 * its items, calls that are open go on in the scope, and undo themselves; `except` goes on as it is.
 */
export function endForUndoing(turn: Turn, whole: Key, at: { readonly scope: Key; readonly except?: Key }): void {
  undoOpenCalls(turn, whole, at.scope);
  recordOpenWork(turn, whole);
  const { state } = turn;
  terminateContent(turn, at.scope, (key) => key === at.except || state.calls.get(key)?.undoesItself === true);
}

/** The child of an open call is told to undo itself; one that undoes a call already only goes on with that. */
function undoOpenCalls(turn: Turn, within: Key, scope: Key): void {
  for (const key of [...turn.state.children.of(within)]) {
    const call = turn.state.calls.get(key);
    if (call === undefined) undoOpenCalls(turn, key, scope);
    else if (!call.ended && (call.unasked === undefined || call.undoes !== undefined)) {
      release(turn, key);
      turn.emit({ type: "child-undoing", key, childId: call.childId, scope, at: turn.at });
    }
  }
}

/** What completed inside a container that is still open would be forgotten with it; it is to be undone, too. */
function recordOpenWork(turn: Turn, scope: Key): void {
  for (const key of [...turn.state.children.of(scope)]) {
    recordOpenWork(turn, key);
    // A transaction that is being cancelled has said so already.
    if (!holdsUndoable(turn.state, key) || turn.state.compensations.get(key) !== undefined) continue;
    const { element } = instanceAt(turn, key);
    turn.emit({ type: "compensation-recorded", scope, key, element, handler: null, variables: {} });
  }
}
