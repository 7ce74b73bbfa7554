import { complete } from "../lifecycle.ts";
import type { IntermediateCatchEvent } from "../program.ts";
import { armTimer, computeTimer } from "../timer.ts";
import type { ElementBehavior } from "./behavior.ts";

export const intermediateCatchEvent: ElementBehavior<IntermediateCatchEvent> = {
  prepare: (turn, visit, names) => {
    const { id, trigger } = visit.element;
    const timer = computeTimer(turn, { element: id, definition: trigger.timer }, names);
    return timer.ok ? { ok: true, value: () => armTimer(turn, visit.key, timer.value) } : timer;
  },
  onTimer: (turn, visit) => complete(turn, visit.key),
};
