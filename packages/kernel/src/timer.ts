import type { Key } from "./command.ts";
import type { Json } from "./json.ts";
import type { Element, ElementId, TimerDefinition } from "./program.ts";
import { type Names, type Result, resolve } from "./scope.ts";
import type { Turn } from "./turn.ts";

/** A timer whose due instant is known and only has to be armed. */
export interface DueTimer {
  readonly element: ElementId;
  readonly due: number;
  readonly remaining: number | null;
  readonly value: Json;
  readonly rule?: number;
}

export function computeTimer(
  turn: Turn,
  timer: { readonly element: ElementId; readonly definition: TimerDefinition },
  names: Names,
): Result<DueTimer> {
  const value = resolve(turn.program, timer.definition.value, names);
  if (!value.ok) return value;
  const next = turn.program.host.nextDue(timer.definition, value.value, turn.at);
  if (!next.ok) return { ok: false, error: { code: next.code, message: next.message } };
  return { ok: true, value: { element: timer.element, due: next.due, remaining: next.remaining, value: value.value } };
}

/** The timers of the boundary events on an activity; none when one of them cannot be computed. */
export function boundaryTimers(turn: Turn, element: Element, names: Names): Result<readonly DueTimer[]> {
  const timers: DueTimer[] = [];
  for (const boundary of turn.program.boundaries.get(element.id) ?? []) {
    if (boundary.trigger.type !== "timer") continue;
    const timer = computeTimer(turn, { element: boundary.id, definition: boundary.trigger.timer }, names);
    if (!timer.ok) return timer;
    timers.push(timer.value);
  }
  return { ok: true, value: timers };
}

export function armTimer(turn: Turn, owner: Key, timer: DueTimer): void {
  turn.emit({ type: "timer-armed", key: turn.nextKey(), owner, ...timer, at: turn.at });
}

export function cancelTimers(turn: Turn, owner: Key): void {
  if (turn.state.timersOf.count(owner) === 0) return;
  for (const key of [...turn.state.timersOf.of(owner)]) turn.emit({ type: "timer-cancelled", key });
}
