import type { DueResult, Host } from "../host.ts";
import type { Json } from "../json.ts";
import type { TimerDefinition } from "../program.ts";

/** When a process with a timer start event begins next. The rules are Q27 … in SPEC-coordination.md. */
export interface Schedule {
  readonly timer: Pick<TimerDefinition, "kind" | "timeZone">;
  /** The evaluated value. */
  readonly value: Json;
  /** Epoch ms. */
  readonly due: number;
  /** How often it fires after that; null: for ever. */
  readonly remaining: number | null;
}

/** So many missed instants are passed over one by one; then the schedule goes on from now. */
export const missedMax = 10_000;

/**
 * The firing after the one that is due, seen at `now`; undefined when it was the last. Instants that passed meanwhile
 * are passed over, and count as used: what slept for a week must not start a week's worth of instances at once.
 */
export function nextFiring(
  schedule: Schedule,
  now: number,
  host: Pick<Host, "nextDue">,
): Schedule | Extract<DueResult, { readonly ok: false }> | undefined {
  let { due, remaining } = schedule;
  for (let passed = 0; remaining !== 0; passed++) {
    const next = host.nextDue(schedule.timer, schedule.value, passed < missedMax ? due : now, remaining);
    if (!next.ok) return next;
    ({ due, remaining } = next);
    if (due > now) return { ...schedule, due, remaining };
  }
  return undefined;
}
