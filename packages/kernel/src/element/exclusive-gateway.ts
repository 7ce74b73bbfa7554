import { takeFlow } from "../lifecycle.ts";
import type { ExclusiveGateway, Flow } from "../program.ts";
import { evaluateCondition, Names, type Result } from "../scope.ts";
import { noRoute } from "../token/route.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior } from "./behavior.ts";

/** The first flow, in the order of the definition, whose condition holds; else the default one. Null: none leads on. */
function choose(turn: Turn, element: ExclusiveGateway, names: Names): Result<Flow | null> {
  const flows = turn.program.outgoing.get(element.id);
  if (flows === undefined) return { ok: true, value: null };
  let fallback: Flow | undefined;
  for (const flow of flows) {
    if (flow.id === element.defaultFlow) {
      fallback = flow;
      continue;
    }
    if (flow.condition === undefined) return { ok: true, value: flow };
    const holds = evaluateCondition(turn, flow.condition, names);
    if (!holds.ok) return holds;
    if (holds.value) return { ok: true, value: flow };
  }
  if (fallback !== undefined) return { ok: true, value: fallback };
  return noRoute(element);
}

export const exclusiveGateway: ElementBehavior<ExclusiveGateway> = {
  arrive: (turn, element, scope) => {
    const chosen = choose(turn, element, new Names(turn.program, turn.state, { scope }));
    if (!chosen.ok) return false;
    turn.emit({ type: "element-passed", element: element.id, scope, at: turn.at });
    if (chosen.value !== null) takeFlow(turn, chosen.value, scope);
    turn.touched.add(scope);
    return true;
  },
  prepare: (turn, visit, names) => {
    const { element, key, scope } = visit;
    const chosen = choose(turn, element, names);
    if (!chosen.ok) return chosen;
    return {
      ok: true,
      value: () => {
        turn.emit({ type: "element-completed", key, element: element.id, at: turn.at });
        if (chosen.value !== null) takeFlow(turn, chosen.value, scope);
        turn.touched.add(scope);
      },
    };
  },
};
