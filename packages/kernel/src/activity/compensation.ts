import { isCancelling } from "../bpmn-event/event-sub-process.ts";
import type { FailureInfo, Key } from "../command.ts";
import { completeInstance } from "../completion.ts";
import { childName } from "../evolve/instance.ts";
import { instanceAt, terminate, visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { CompensationRecord, CompensationRun, State } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import type { Undoable, Undoing } from "../undoable.ts";
import { awaitsCalls, planCompensation, undoneBy } from "./compensation-plan.ts";
import { enter } from "./enter.ts";
import { inheritedSettings } from "./offer.ts";
import { endWhole } from "./undo-whole.ts";

/** Starts the next handler of a running compensation, or ends it after the last. Owner 0 is the process. */
export function undoNext(turn: Turn, owner: Key): void {
  const run = turn.state.compensationRuns.get(owner);
  // The one that asked for it may have been ended in the meantime, and its compensation with it.
  if (run === undefined || turn.isFull()) return;
  // Nothing that completed came after a call that is still open. Only what is undone as a whole has such calls.
  const isWhole = owner === 0 || isCancelling(turn, run.scope);
  if (isWhole && awaitsCalls(turn.state, run.scope)) return;
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

/**
 * The child of a call that was to undo itself has ended. If it had completed or failed before it heard of that, what it
 * did is undone by another instance, before all the rest.
 */
export function endCallUndone(turn: Turn, key: Key): void {
  const { run } = must(undoneBy(turn.state, key), "something waits for it", key);
  const { owner, scope } = run;
  if (turn.state.calls.get(key)?.undoable !== undefined) {
    const { element } = instanceAt(turn, key);
    turn.emit({ type: "compensation-recorded", scope, key, element, handler: null, variables: {} });
    turn.emit({ type: "compensation-started", owner, scope, targets: [key, ...run.targets], at: turn.at });
  }
  terminate(turn, key);
  turn.undoing.add(owner);
}

export function isRunning(state: State, run: CompensationRun): boolean {
  return run.running !== null && state.elements.get(run.running.key) !== undefined;
}

/** The instance has begun with nothing but what another one did, which it undoes. */
export function undoWork(turn: Turn, { work }: Undoing): void {
  const handler = work.failed ? undefined : turn.program.handlerOf.get(null);
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
  const { failure, cancelledBy } = turn.state.head;
  const left = failure === null || cancelledBy !== undefined ? notUndone(turn, failed) : undefined;
  if (left !== undefined) endWhole(turn, { error: left }, failed);
  else if (failure === null) completeInstance(turn);
  else endWhole(turn, { error: failure, ...(cancelledBy === undefined ? {} : { cancelledBy }) }, failed);
}

/** Why an instance fails that only undoes another one or itself; undefined once all of that is undone. */
function notUndone({ state }: Turn, failed: number): FailureInfo | undefined {
  if (failed === 0) return undefined;
  const { undoes, instanceId } = state.head;
  const message = `Expected all that '${undoes ?? instanceId}' did to be undone, but ${failed} could not be`;
  return { code: "work-not-undone", message };
}
