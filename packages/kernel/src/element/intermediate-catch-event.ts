import { completeAwaited } from "../bpmn-event/trigger.ts";
import { armWaits, prepareWaits } from "../bpmn-event/wait.ts";
import { pass } from "../lifecycle.ts";
import type { IntermediateCatchEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const intermediateCatchEvent: ElementBehavior<IntermediateCatchEvent> = {
  arrive: (turn, element, scope) => {
    if (element.trigger.type !== "link") return false;
    pass(turn, element, scope);
    return true;
  },
  prepare: (turn, visit, names) => {
    const waits = prepareWaits(turn, visit.element, names);
    return waits.ok ? { ok: true, value: () => armWaits(turn, visit.key, waits.value) } : waits;
  },
  onTrigger: completeAwaited,
};
