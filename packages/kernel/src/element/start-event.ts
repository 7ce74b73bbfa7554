import { pass } from "../lifecycle.ts";
import type { StartEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const startEvent: ElementBehavior<StartEvent> = {
  arrive: (turn, element, scope) => {
    pass(turn, element, scope);
    return true;
  },
};
