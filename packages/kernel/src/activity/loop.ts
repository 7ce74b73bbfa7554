import { armWaits, boundaryWaits } from "../bpmn-event/wait.ts";
import type { Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import { complete, isAtWork, refuseActivation, start, visitOf } from "../lifecycle.ts";
import { assert, must } from "../problem.ts";
import type { StandardLoop } from "../program.ts";
import { evaluateCondition, Names, type Result } from "../scope.ts";
import { hasIncident, type Turn } from "../turn.ts";

/** Opens a standard loop: one body, and inside it an instance of the activity per round, one after the other. */
export function openLoop(turn: Turn, visit: Visit): void {
  const { element, key, scope } = visit;
  const names = new Names(turn.program, turn.state, { scope: key, within: scope });
  const waits = boundaryWaits(turn, element, names);
  if (!waits.ok) return refuseActivation(turn, visit, waits.error);
  turn.emit({ type: "element-activated", key, element: element.id, scope, at: turn.at });
  armWaits(turn, key, waits.value);
  turn.emit({ type: "loop-opened", body: key, at: turn.at });
  turn.stirred.add(key);
}

/** Starts the next round of a loop, unless one runs, or ends it. */
export function iterate(turn: Turn, body: Key): void {
  if (!isAtWork(turn, body) || turn.state.children.count(body) > 0) return;
  const { element } = visitOf(turn, body);
  const { counter } = must(turn.state.loops.get(body), `there is no loop ${body}`);
  assert("loop" in element && element.loop?.mode === "standard", `'${element.id}' has no rounds`);
  const again = goesOn(turn, element.loop, { body, counter });
  if (!again.ok) return turn.raiseOnce({ owner: body, element: element.id, kind: "loop", error: again.error });
  if (!again.value) return complete(turn, body);
  if (turn.isFull()) return;
  turn.countActivation();
  const key = turn.nextKey();
  turn.emit({ type: "loop-iterated", body, counter: counter + 1, key, at: turn.at });
  start(turn, { element, key, scope: body });
}

/** Whether the limit keeps the next round from starting. */
export function isRoundHeld(turn: Turn, body: Key): boolean {
  return isAtWork(turn, body) && turn.state.children.count(body) === 0 && !hasIncident(turn.state, body, "loop");
}

function goesOn(turn: Turn, loop: StandardLoop, at: { readonly body: Key; readonly counter: number }): Result<boolean> {
  const { body, counter } = at;
  if (loop.maximum !== undefined && counter >= loop.maximum) return { ok: true, value: false };
  if (counter === 0 && !loop.testBefore) return { ok: true, value: true };
  const names = new Names(turn.program, turn.state, { scope: body, extra: { loopCounter: counter } });
  return evaluateCondition(turn, loop.condition, names);
}
