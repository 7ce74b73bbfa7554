import type { FailureInfo, Key } from "../command.ts";
import { completeInstance } from "../completion.ts";
import { childName } from "../evolve/instance.ts";
import { release, visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { CompensationRecord, CompensationRun, State } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import type { Undoable, Undoing } from "../undoable.ts";
import { planCompensation } from "./compensation-plan.ts";
import { enter } from "./enter.ts";
import { inheritedSettings } from "./offer.ts";

/** Starts the next handler of a running compensation, or ends it after the last. Owner 0 is the process. */
export function undoNext(turn: Turn, owner: Key): void {
  const run = turn.state.compensationRuns.get(owner);
  // The one that asked for it may have been ended in the meantime, and its compensation with it.
  if (run === undefined || turn.isFull()) return;
  const target = run.targets[0];
  if (target === undefined) return finish(turn, run);
  const record = must(turn.state.compensations.get(target), `nothing is recorded to undo ${target}`);
  turn.countActivation();
  if (record.called !== undefined) return undoCall(turn, run, { record, called: record.called });
  const key = turn.nextKey();
  const element = turn.element(must(record.handler, `'${record.element}' has no handler`));
  turn.emit({ type: "compensation-taken", owner, target, key });
  enter(turn, { element, key, scope: run.scope });
}

/** Has an instance of the called process undo what the one that completed did: its handlers are that process's. */
function undoCall(
  turn: Turn,
  { owner, scope }: CompensationRun,
  { record, called }: { readonly record: CompensationRecord; readonly called: Undoable },
): void {
  const { key: target, element } = record;
  const key = turn.nextKey();
  if (called.work === null) {
    turn.emit({ type: "compensation-taken", owner, target, key });
    const message = `Expected to undo '${called.instanceId}', but what it did is too large to be handed on`;
    turn.emit({ type: "compensation-failed", owner, target, error: { code: "work-too-large", message }, at: turn.at });
    turn.undoing.add(owner);
    return;
  }
  const { queue, priority } = inheritedSettings(turn.state, scope);
  turn.emit({ type: "element-activated", key, element, scope, at: turn.at });
  turn.emit({
    type: "child-requested",
    key,
    element,
    childId: childName(turn.state.head.instanceId, { key, attempt: 1 }),
    process: called.process,
    binding: "deployment",
    variables: {},
    ...(queue === null ? {} : { queue }),
    ...(priority === null ? {} : { priority }),
    at: turn.at,
    undoes: target,
  });
  turn.emit({ type: "compensation-taken", owner, target, key });
}

export function isRunning(state: State, run: CompensationRun): boolean {
  return run.running !== null && state.elements.get(run.running.key) !== undefined;
}

/** The instance has begun with nothing but what another one did, which it undoes. */
export function undoWork(turn: Turn, { work }: Undoing): void {
  const handler = turn.program.handlerOf.get(null);
  const key = work.records.reduce((last, record) => Math.max(last, record.key), 0) + 1;
  turn.emit({ type: "compensation-restored", work, ...(handler === undefined ? {} : { whole: { key, handler } }) });
  const targets = planCompensation(turn.state, 0);
  turn.emit({ type: "compensation-started", owner: 0, scope: 0, targets, at: turn.at });
  turn.undoing.add(0);
}

function finish(turn: Turn, { owner, failed }: CompensationRun): void {
  turn.emit({ type: "compensation-finished", owner, at: turn.at });
  if (owner !== 0) {
    const visit = visitOf(turn, owner);
    return must(turn.behavior(visit.element).onUndone, `'${visit.element.id}' undoes nothing`)(turn, visit);
  }
  const error = turn.state.head.failure ?? notUndone(turn, failed);
  if (error === undefined) return completeInstance(turn);
  // A handler may have been stopped for going round for ever, and ended since.
  release(turn, 0);
  turn.emit({ type: "instance-failed", error, at: turn.at });
}

/** Why an instance fails that only undoes another one; undefined once all of that is undone. */
function notUndone({ state }: Turn, failed: number): FailureInfo | undefined {
  if (failed === 0) return undefined;
  const message = `Expected all that '${state.head.undoes}' did to be undone, but ${failed} could not be`;
  return { code: "work-not-undone", message };
}
