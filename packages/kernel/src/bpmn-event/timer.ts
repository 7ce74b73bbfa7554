import type { Key } from "../command.ts";
import type { Json } from "../json.ts";
import type { ElementId, TimerDefinition } from "../program.ts";
import { type Names, type Result, resolve } from "../scope.ts";
import type { Turn } from "../turn.ts";

/** A timer whose due instant is known and only has to be armed. */
export interface DueTimer {
  readonly element: ElementId;
  readonly due: number;
  readonly remaining: number | null;
  readonly value: Json;
  readonly rule?: number;
  /** Which of the triggers of a multiple event. */
  readonly trigger?: number;
}

export function computeTimer(
  turn: Turn,
  timer: { readonly element: ElementId; readonly trigger?: number; readonly definition: TimerDefinition },
  names: Names,
): Result<DueTimer> {
  const value = resolve(turn, timer.definition.value, names);
  if (!value.ok) return value;
  const next = turn.program.host.nextDue(timer.definition, value.value, turn.at);
  if (!next.ok) return { ok: false, error: { code: next.code, message: next.message } };
  const { due, remaining } = next;
  const place = timer.trigger === undefined ? {} : { trigger: timer.trigger };
  return { ok: true, value: { element: timer.element, due, remaining, value: value.value, ...place } };
}

export function armTimer(turn: Turn, owner: Key, timer: DueTimer): void {
  turn.emit({ type: "timer-armed", key: turn.nextKey(), owner, ...timer, at: turn.at });
}
