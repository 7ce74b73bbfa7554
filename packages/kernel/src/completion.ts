import type { FailureInfo } from "./command.ts";
import { packFailedWork, packWork } from "./evolve/completed-work.ts";
import { variableKey } from "./evolve/variable.ts";
import type { Json } from "./json.ts";
import { release } from "./lifecycle.ts";
import type { State } from "./state/state.ts";
import type { Turn } from "./turn.ts";
import type { CompletedWork } from "./undoable.ts";

/** What a called instance hands to its caller to undo has at most so many characters as JSON: it travels in one message. */
export const undoableCharsMax = 524_288;

/** Nothing in the process can move, and nothing is awaited. */
export function completeInstance(turn: Turn): void {
  const { state, program } = turn;
  release(turn, 0);
  const isUndoable = isCalled(state) && (state.compensationsIn.count(0) > 0 || program.handlerOf.has(null));
  const undoable = isUndoable ? { undoable: isSmallEnough(packWork(state)) } : {};
  turn.emit({ type: "instance-completed", result: resultOf(turn), at: turn.at, ...undoable });
}

/** The process ends with an error; `failed` of the handlers that undid what it did failed for good, and nobody else can. */
export function endFailed(turn: Turn, error: FailureInfo, failed: number): void {
  const { state } = turn;
  const isUndoable = isCalled(state) && failed === 0;
  const undoable = isUndoable ? { undoable: isSmallEnough(packFailedWork(state)) } : {};
  turn.emit({ type: "instance-failed", error, at: turn.at, ...undoable });
}

function resultOf(turn: Turn): { readonly [name: string]: Json } {
  const result: { [name: string]: Json } = {};
  for (const name of turn.program.document.outputs) {
    result[name] = turn.state.variables.get(variableKey(0, name))?.value ?? null;
  }
  return result;
}

/** Whether whoever called it could have it undone. What undoes something is not undone itself. */
export function isCalled({ head }: State): boolean {
  return head.parent !== null && head.undoes === undefined;
}

function isSmallEnough(work: CompletedWork): boolean {
  return JSON.stringify(work).length <= undoableCharsMax;
}
