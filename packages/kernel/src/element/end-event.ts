import { planCompensation } from "../compensation-plan.ts";
import { failInstance, pass, terminateContent, throwError } from "../lifecycle.ts";
import { assert } from "../problem.ts";
import type { EndEvent } from "../program.ts";
import { resolve } from "../scope.ts";
import type { ElementBehavior } from "./behavior.ts";
import { beginCompensation } from "./intermediate-throw-event.ts";

export const endEvent: ElementBehavior<EndEvent> = {
  arrive: (turn, element, scope) => {
    switch (element.trigger.type) {
      case "none":
        pass(turn, element, scope);
        return true;
      case "terminate":
        turn.emit({ type: "element-passed", element: element.id, scope, at: turn.at });
        terminateContent(turn, scope);
        turn.touched.add(scope);
        return true;
      default:
        return false;
    }
  },
  prepare: (turn, visit, names) => {
    const { trigger, id } = visit.element;
    if (trigger.type === "compensation") {
      return {
        ok: true,
        value: () => beginCompensation(turn, visit, planCompensation(turn.state, visit.scope, trigger.activity)),
      };
    }
    assert(trigger.type === "error", `'${id}' passes tokens on`);
    const { code, message: said } = trigger;
    const text =
      said === undefined ? { ok: true as const, value: `'${id}' was reached` } : resolve(turn.program, said, names);
    if (!text.ok) return text;
    const message = typeof text.value === "string" ? text.value : JSON.stringify(text.value);
    return {
      ok: true,
      value: () => {
        if (!throwError(turn, visit.key, { code, message })) failInstance(turn, { code, message });
      },
    };
  },
};
