import { startEventSubProcess } from "../event-sub-process.ts";
import { pass } from "../lifecycle.ts";
import type { StartEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const startEvent: ElementBehavior<StartEvent> = {
  arrive: (turn, element, scope) => {
    pass(turn, element, scope);
    return true;
  },
  /** Of an event sub-process: what is triggered waited in the scope around it. */
  onTrigger: (turn, { element, owner, payload }) => startEventSubProcess(turn, element, { scope: owner, payload }),
};
