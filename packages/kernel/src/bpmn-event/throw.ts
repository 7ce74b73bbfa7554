import { isUndoing, undoneBy } from "../activity/compensation-plan.ts";
import { failItem, itemOf } from "../activity/item.ts";
import { failAtOnce, undoWhole } from "../activity/undo-whole.ts";
import type { FailureInfo, Key } from "../command.ts";
import type { JsonObject } from "../json.ts";
import { instanceAt, isInner, terminate } from "../lifecycle.ts";
import type { BoundaryEvent, CatchTrigger, ElementId } from "../program.ts";
import { scopeChain } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { findEventSubProcess, isCancelling, mostPrecise, startEventSubProcess } from "./event-sub-process.ts";
import { passEvent } from "./trigger.ts";

/** How well an event fits what is thrown: with its code, for any code, or (0) not at all. */
function precisionFor(type: "error" | "escalation", code: string): (trigger: CatchTrigger) => number {
  return (trigger) => {
    if (trigger.type !== type) return 0;
    if (trigger.code === code) return 2;
    return trigger.code === undefined ? 1 : 0;
  };
}

function findBoundary(turn: Turn, key: Key, precision: ReturnType<typeof precisionFor>): BoundaryEvent | undefined {
  const { element, scope } = instanceAt(turn, key);
  if (isInner(turn, element, scope) || isCancelling(turn, key) || isUndoing(turn.state, key)) return undefined;
  return mostPrecise(turn.program.boundaries.get(element) ?? [], precision);
}

/** Whether an element instance, or one it runs in, is a running compensation handler; then which. */
export function handlerAround(turn: Turn, from: Key): Key | undefined {
  for (const scope of scopeChain(turn.state, from)) {
    for (const run of turn.state.compensationRuns.values()) if (run.running?.key === scope) return scope;
  }
  return undefined;
}

/** A handler failed for good: recorded, and the others still run. False when the element is no running handler. */
export function failHandler(turn: Turn, handler: Key, error: FailureInfo): boolean {
  const found = undoneBy(turn.state, handler);
  if (found === undefined) return false;
  const { owner } = found.run;
  turn.emit({ type: "compensation-failed", owner, target: found.target, error, at: turn.at });
  terminate(turn, handler);
  turn.undoing.add(owner);
  return true;
}

/**
 * Throws an error from an element instance, outwards: to the nearest event sub-process or boundary event that catches
 * its code, to the collection whose item it is, to the compensation whose handler it is, or to the process. False when
 * nothing caught it, and nothing was changed.
 */
export function throwError(turn: Turn, from: Key, error: FailureInfo): boolean {
  const precision = precisionFor("error", error.code);
  const payload = { error: { ...error } };
  for (let [key, through] = [from, from]; ; [key, through] = [instanceAt(turn, key).scope, key]) {
    const start = key === from ? undefined : findEventSubProcess(turn, key, { through, precision });
    if (start !== undefined) {
      startEventSubProcess(turn, start, { scope: key, payload });
      return true;
    }
    if (key === 0) return false;
    const item = itemOf(turn.state, key);
    if (item !== undefined) {
      terminate(turn, key);
      failItem(turn, item, error);
      return true;
    }
    if (failHandler(turn, key, error)) return true;
    const boundary = findBoundary(turn, key, precision);
    if (boundary !== undefined) {
      const { scope } = instanceAt(turn, key);
      terminate(turn, key);
      passEvent(turn, boundary, { scope, payload });
      return true;
    }
  }
}

/**
 * Work ended with an error. One that reaches the process ends a called instance, whose caller may catch it; else a person
 * decides.
 */
export function throwFromWork(turn: Turn, key: Key, error: FailureInfo): void {
  if (throwError(turn, key, error)) return;
  const { parent } = turn.state.head;
  if (parent !== null || turn.program.document.onError === "compensate") failInstance(turn, error);
  else turn.raise({ owner: key, element: instanceAt(turn, key).element, kind: "error", error });
}

/** Throws an escalation from an element instance. Caught by none, it is recorded, and goes on to a caller. */
export function throwEscalation(turn: Turn, from: Key, escalation: Escalation): void {
  if (!catchEscalation(turn, from, escalation)) recordEscalation(turn, from, { ...escalation, caughtBy: null });
}

interface Escalation {
  readonly code: string;
  readonly payload: JsonObject;
  /** Of a called instance: which of its escalations it is. */
  readonly source?: number;
}

function recordEscalation(
  turn: Turn,
  key: Key,
  escalation: Escalation & { readonly caughtBy: ElementId | null },
): void {
  const { element } = instanceAt(turn, key);
  turn.emit({ type: "escalation-thrown", key, element, ...escalation, at: turn.at });
}

/**
 * Takes an escalation outwards to the nearest event sub-process or boundary event that catches its code. If that one
 * does not interrupt, whoever threw it goes on. False when nothing caught it, and nothing was changed.
 */
function catchEscalation(turn: Turn, from: Key, escalation: Escalation): boolean {
  const { code } = escalation;
  const precision = precisionFor("escalation", code);
  const payload = { escalation: { ...escalation.payload, code } };
  for (let [key, through] = [from, from]; ; [key, through] = [instanceAt(turn, key).scope, key]) {
    const start = key === from ? undefined : findEventSubProcess(turn, key, { through, precision });
    if (start !== undefined) {
      recordEscalation(turn, from, { ...escalation, caughtBy: start.id });
      startEventSubProcess(turn, start, { scope: key, payload });
      return true;
    }
    if (key === 0) return false;
    const boundary = findBoundary(turn, key, precision);
    if (boundary !== undefined) {
      const { scope } = instanceAt(turn, key);
      recordEscalation(turn, from, { ...escalation, caughtBy: boundary.id });
      if (boundary.interrupting) terminate(turn, key);
      passEvent(turn, boundary, { scope, payload });
      return true;
    }
  }
}

/** The process ends with an error that nothing caught; completed work is undone first where the definition says so. */
export function failInstance(turn: Turn, error: FailureInfo): void {
  if (turn.program.document.onError === "compensate") undoWhole(turn, { error });
  else failAtOnce(turn, error);
}
