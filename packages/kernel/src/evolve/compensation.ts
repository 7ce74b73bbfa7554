import type { Event } from "../event.ts";
import { must } from "../problem.ts";
import { type CompensationRecord, type State, useKey, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";
import { unpackRecords } from "./completed-work.ts";
import { writeVariable } from "./variable.ts";

type CompensationEvent = Extract<Event["type"], `compensation-${string}`>;

export const compensationAppliers: Appliers<CompensationEvent> = {
  "compensation-recorded": (state, event) => {
    writable(state, "compensations").set(event.key, {
      key: event.key,
      scope: event.scope,
      element: event.element,
      handler: event.handler,
      variables: event.variables,
      ...(event.keepsContent === undefined ? {} : { keepsContent: event.keepsContent }),
      ...(event.handler === null ? calledFrom(state, event.key) : {}),
    });
    writable(state, "compensationsIn").add(event.scope, event.key);
  },
  "compensation-restored": (state, { work, whole }) => {
    if (whole !== undefined) {
      const { key, handler } = whole;
      restore(state, { key, scope: 0, element: handler, handler, variables: {}, keepsContent: true });
    }
    for (const record of unpackRecords(work)) {
      restore(state, record.scope === 0 && whole !== undefined ? { ...record, scope: whole.key } : record);
    }
  },
  "compensation-started": (state, event) => {
    writable(state, "compensationRuns").set(event.owner, {
      owner: event.owner,
      scope: event.scope,
      targets: event.targets,
      running: null,
      failed: state.compensationRuns.get(event.owner)?.failed ?? 0,
    });
    state.head.at = event.at;
  },
  "compensation-taken": (state, event) => {
    const run = state.compensationRuns.get(event.owner);
    const record = state.compensations.get(event.target);
    if (run === undefined || record === undefined) return;
    for (const name in record.variables) {
      const value = record.variables[name] ?? null;
      writeVariable(state, { scope: event.key, name, value, author: "kernel", at: state.head.at });
    }
    if (record.keepsContent) moveContent(state, event.target, event.key);
    forgetUndone(state, event.target);
    useKey(state, event.key);
    const targets = run.targets.filter((target) => target !== event.target);
    writable(state, "compensationRuns").set(event.owner, {
      ...run,
      targets,
      running: { target: event.target, key: event.key },
    });
  },
  "compensation-failed": (state, event) => {
    const run = state.compensationRuns.get(event.owner);
    if (run !== undefined) writable(state, "compensationRuns").set(event.owner, { ...run, failed: run.failed + 1 });
  },
  "compensation-finished": (state, event) => {
    const run = state.compensationRuns.get(event.owner);
    if (run === undefined) return;
    state.compensationRuns.delete(event.owner);
    state.head.at = event.at;
  },
};

/** What the instance did that was called from here. */
function calledFrom(state: State, key: number): Pick<CompensationRecord, "called"> {
  const called = state.calls.get(key)?.undoable;
  return called === undefined ? {} : { called };
}

function restore(state: State, record: CompensationRecord): void {
  writable(state, "compensations").set(record.key, record);
  writable(state, "compensationsIn").add(record.scope, record.key);
  useKey(state, record.key);
}

/** A container's record goes once nothing inside it is left to undo. */
function forgetUndone(state: State, key: number): void {
  const record = must(state.compensations.get(key), "what was undone has a record");
  state.compensations.delete(key);
  state.compensationsIn.remove(record.scope, key);
  if (state.compensationsIn.count(record.scope) === 0 && state.compensations.get(record.scope)?.handler === null) {
    forgetUndone(state, record.scope);
  }
}

/** What completed in a sub-process can be undone from the event sub-process that undoes it. */
function moveContent(state: State, from: number, to: number): void {
  for (const key of [...state.compensationsIn.of(from)]) {
    const record = must(state.compensations.get(key), "the index names what is recorded");
    writable(state, "compensations").set(key, { ...record, scope: to });
    writable(state, "compensationsIn").add(to, key);
  }
  state.compensationsIn.drop(from);
}

/** Nothing that completed in a scope can be undone any more. */
export function forgetContent(state: State, scope: number): void {
  if (state.compensationsIn.count(scope) === 0) return;
  for (const key of [...state.compensationsIn.of(scope)]) {
    forgetContent(state, key);
    state.compensations.delete(key);
  }
  state.compensationsIn.drop(scope);
}
