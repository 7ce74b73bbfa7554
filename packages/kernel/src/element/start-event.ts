import { startEventSubProcess } from "../bpmn-event/event-sub-process.ts";
import { completeAwaited } from "../bpmn-event/trigger.ts";
import { pass } from "../lifecycle.ts";
import type { StartEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const startEvent: ElementBehavior<StartEvent> = {
  arrive: (turn, element, scope) => {
    pass(turn, element, scope);
    return true;
  },
  /** Of an event sub-process: it was awaited by the scope around it. Of a process that needs several: by itself. */
  onTrigger: (turn, triggered) => {
    const { element, owner, payload } = triggered;
    if (element.parent === null) completeAwaited(turn, triggered);
    else startEventSubProcess(turn, element, { scope: owner, payload });
  },
};
