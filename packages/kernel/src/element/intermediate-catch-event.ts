import { complete, pass } from "../lifecycle.ts";
import type { IntermediateCatchEvent } from "../program.ts";
import { armWaits, prepareWaits } from "../wait.ts";
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
  onTrigger: (turn, { owner, payload }) => complete(turn, owner, { result: payload }),
};
