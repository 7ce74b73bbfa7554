import { completeAwaited } from "../bpmn-event/trigger.ts";
import { armWaits, prepareWaits } from "../bpmn-event/wait.ts";
import type { ReceiveTask } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const receiveTask: ElementBehavior<ReceiveTask> = {
  prepare: (turn, visit, names) => {
    const waits = prepareWaits(turn, visit.element, names);
    return waits.ok ? { ok: true, value: () => armWaits(turn, visit.key, waits.value) } : waits;
  },
  onTrigger: completeAwaited,
};
