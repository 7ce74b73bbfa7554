import type { FailureInfo, Key } from "./command.ts";
import { complete, start, terminate } from "./lifecycle.ts";
import { must } from "./problem.ts";
import type { Turn } from "./turn.ts";

/** Starts the next handler of a running compensation, or ends it after the last. Owner 0 is the failing process. */
export function undoNext(turn: Turn, owner: Key): void {
  const run = must(turn.state.compensationRuns.get(owner), `no compensation runs for ${owner}`);
  const target = run.targets[0];
  if (target === undefined) return finish(turn, owner);
  const record = must(turn.state.compensations.get(target), `nothing is recorded to undo ${target}`);
  const key = turn.nextKey();
  const element = turn.element(must(record.handler, `'${record.element}' has no handler`));
  turn.countActivation();
  turn.emit({ type: "compensation-taken", owner, target, key });
  start(turn, { element, key, scope: run.scope });
}

function finish(turn: Turn, owner: Key): void {
  turn.emit({ type: "compensation-finished", owner, at: turn.at });
  if (owner !== 0) return complete(turn, owner);
  const error = must(turn.state.head.failure, "a failing process has a failure");
  turn.emit({ type: "instance-failed", error, at: turn.at });
}

/** A handler failed for good: recorded, and the others still run. False when the element is no running handler. */
export function failHandler(turn: Turn, handler: Key, error: FailureInfo): boolean {
  for (const run of turn.state.compensationRuns.values()) {
    if (run.running?.key !== handler) continue;
    const { owner } = run;
    turn.emit({ type: "compensation-failed", owner, target: run.running.target, error, at: turn.at });
    terminate(turn, handler);
    turn.undoing.add(owner);
    return true;
  }
  return false;
}
