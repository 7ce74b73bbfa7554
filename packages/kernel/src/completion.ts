import { packWork } from "./evolve/completed-work.ts";
import { variableKey } from "./evolve/variable.ts";
import type { Json } from "./json.ts";
import { release } from "./lifecycle.ts";
import type { Turn } from "./turn.ts";

/** What a called instance hands to its caller to undo has at most so many characters as JSON: it travels in one message. */
export const undoableCharsMax = 524_288;

/** Nothing in the process can move, and nothing is awaited. */
export function completeInstance(turn: Turn): void {
  release(turn, 0);
  const undoable = leavesUndoable(turn) ? { undoable: isSmallEnough(turn) } : {};
  turn.emit({ type: "instance-completed", result: resultOf(turn), at: turn.at, ...undoable });
}

function resultOf(turn: Turn): { readonly [name: string]: Json } {
  const result: { [name: string]: Json } = {};
  for (const name of turn.program.document.outputs) {
    result[name] = turn.state.variables.get(variableKey(0, name))?.value ?? null;
  }
  return result;
}

/** Whether a caller could have any of it undone. What undoes something is not undone itself. */
function leavesUndoable({ state, program }: Turn): boolean {
  const { parent, undoes } = state.head;
  if (parent === null || undoes !== undefined) return false;
  return state.compensationsIn.count(0) > 0 || program.handlerOf.has(null);
}

function isSmallEnough({ state }: Turn): boolean {
  return JSON.stringify(packWork(state)).length <= undoableCharsMax;
}
