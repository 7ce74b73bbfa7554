import type { Key } from "../command.ts";
import { visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { CompensationRun, State } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import { enter } from "./enter.ts";

/** Starts the next handler of a running compensation, or ends it after the last. Owner 0 is the failing process. */
export function undoNext(turn: Turn, owner: Key): void {
  const run = turn.state.compensationRuns.get(owner);
  // The one that asked for it may have been ended in the meantime, and its compensation with it.
  if (run === undefined || turn.isFull()) return;
  const target = run.targets[0];
  if (target === undefined) return finish(turn, owner);
  const record = must(turn.state.compensations.get(target), `nothing is recorded to undo ${target}`);
  const key = turn.nextKey();
  const element = turn.element(must(record.handler, `'${record.element}' has no handler`));
  turn.countActivation();
  turn.emit({ type: "compensation-taken", owner, target, key });
  enter(turn, { element, key, scope: run.scope });
}

export function isRunning(state: State, run: CompensationRun): boolean {
  return run.running !== null && state.elements.get(run.running.key) !== undefined;
}

function finish(turn: Turn, owner: Key): void {
  turn.emit({ type: "compensation-finished", owner, at: turn.at });
  if (owner !== 0) {
    const visit = visitOf(turn, owner);
    return must(turn.behavior(visit.element).onUndone, `'${visit.element.id}' undoes nothing`)(turn, visit);
  }
  const error = must(turn.state.head.failure, "a failing process has a failure");
  // A handler may have been stopped for going round for ever, and ended since.
  turn.dropIncidents(0, "The process has ended.");
  turn.emit({ type: "instance-failed", error, at: turn.at });
}
