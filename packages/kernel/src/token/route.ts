import type { Element, Flow, FlowId } from "../program.ts";
import { evaluateCondition, failure, type Names, type Result } from "../scope.ts";
import type { Turn } from "../turn.ts";

/** What a flow without a condition is: one that `holds`, one that is taken `besides` the others, or `none`. */
type Unconditional = "holds" | "besides" | "none";

/** The flows out of an element whose conditions hold, in the order of the definition; the default one if none does. */
export function flowsThatHold(
  turn: Turn,
  element: Element & { readonly defaultFlow?: FlowId },
  options: { readonly names: Names; readonly unconditional: Unconditional },
): Result<readonly Flow[]> {
  const { names, unconditional } = options;
  const taken: Flow[] = [];
  let fallback: Flow | undefined;
  let holds = false;
  for (const flow of turn.program.outgoing.get(element.id) ?? []) {
    if (flow.id === element.defaultFlow) {
      fallback = flow;
      continue;
    }
    if (flow.condition === undefined) {
      if (unconditional !== "none") taken.push(flow);
      if (unconditional === "holds") holds = true;
      continue;
    }
    const answer = evaluateCondition(turn, flow.condition, names);
    if (!answer.ok) return answer;
    if (!answer.value) continue;
    taken.push(flow);
    holds = true;
  }
  if (!holds && fallback !== undefined) taken.push(fallback);
  return { ok: true, value: taken };
}

export function noRoute(element: Element): Result<never> {
  return failure("no-route", `Expected a condition at '${element.id}' to hold or a default flow, but none does`);
}

/** As `flowsThatHold`, where a token that has ways on must take one. */
export function someFlow(
  turn: Turn,
  element: Element & { readonly defaultFlow?: FlowId },
  options: { readonly names: Names; readonly unconditional: Unconditional },
): Result<readonly Flow[]> {
  const chosen = flowsThatHold(turn, element, options);
  const stays = chosen.ok && chosen.value.length === 0 && turn.program.outgoing.has(element.id);
  return stays ? noRoute(element) : chosen;
}
