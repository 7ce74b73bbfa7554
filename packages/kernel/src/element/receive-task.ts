import type { ReceiveTask } from "../program.ts";
import { completeAwaited } from "../trigger.ts";
import { armWaits, prepareWaits } from "../wait.ts";
import type { ElementBehavior } from "./behavior.ts";

export const receiveTask: ElementBehavior<ReceiveTask> = {
  prepare: (turn, visit, names) => {
    const waits = prepareWaits(turn, visit.element, names);
    return waits.ok ? { ok: true, value: () => armWaits(turn, visit.key, waits.value) } : waits;
  },
  onTrigger: completeAwaited,
};
