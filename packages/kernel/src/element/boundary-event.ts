import { passEvent } from "../bpmn-event/trigger.ts";
import { instanceAt, terminate } from "../lifecycle.ts";
import type { BoundaryEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

/** It never starts by a token, but by what happens to the activity it stands on. */
export const boundaryEvent: ElementBehavior<BoundaryEvent> = {
  onTrigger: (turn, { element, owner, payload }) => {
    const { scope } = instanceAt(turn, owner);
    if (element.interrupting) terminate(turn, owner);
    passEvent(turn, element, { scope, payload });
  },
};
