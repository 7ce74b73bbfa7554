import type { Key } from "../command.ts";
import { planCompensation } from "../compensation-plan.ts";
import { complete, pass } from "../lifecycle.ts";
import { assert } from "../problem.ts";
import type { IntermediateThrowEvent } from "../program.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

/** Undoes the targets one after the other and completes the element after the last; at once when there are none. */
export function beginCompensation(turn: Turn, visit: Visit, targets: readonly Key[]): void {
  if (targets.length === 0) return complete(turn, visit.key);
  const { key, scope } = visit;
  turn.emit({ type: "compensation-started", owner: key, scope, targets, at: turn.at });
  turn.undoing.add(key);
}

export const intermediateThrowEvent: ElementBehavior<IntermediateThrowEvent> = {
  arrive: (turn, element, scope) => {
    if (element.trigger.type !== "none") return false;
    pass(turn, element, scope);
    return true;
  },
  prepare: (turn, visit) => {
    const { trigger } = visit.element;
    assert(trigger.type === "compensation", `'${visit.element.id}' passes tokens on`);
    const targets = planCompensation(turn.state, visit.scope, trigger.activity);
    return { ok: true, value: () => beginCompensation(turn, visit, targets) };
  },
};
