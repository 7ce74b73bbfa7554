import { complete, needsInstance, pass } from "../lifecycle.ts";
import type { ManualTask } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

/** Work that nothing here knows of: the process goes on at once. */
export const manualTask: ElementBehavior<ManualTask> = {
  arrive: (turn, element, scope) => {
    if (needsInstance(turn, element, scope) || element.outputs !== undefined) return false;
    pass(turn, element, scope);
    return true;
  },
  prepare: (turn, visit) => ({ ok: true, value: () => complete(turn, visit.key) }),
};
