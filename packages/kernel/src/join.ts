import type { Key } from "./command.ts";
import { flowKey } from "./evolve/element.ts";
import { must } from "./problem.ts";
import type { FlowId } from "./program.ts";
import type { Join } from "./reach.ts";
import type { Turn } from "./turn.ts";

/** The incoming flows on which a token waits. */
export function waitingAt(turn: Turn, join: Join, scope: Key): FlowId[] {
  return join.incoming.filter((flow) => turn.state.waitingFlows.get(flowKey(scope, flow)) !== undefined);
}

/**
 * Whether a token elsewhere in the scope is to be waited for: it can come in by a flow that is not `full`, and by none
 * that is. Stops at the first one: where many branches run, the oldest is nearly always such a one.
 */
export function isExpected(turn: Turn, join: Join, at: { readonly scope: Key; readonly full: Set<FlowId> }): boolean {
  const { scope, full } = at;
  const blocks = (element: string): boolean => {
    const reached = join.reach.get(element);
    return reached !== undefined && !reached.some((flow) => full.has(flow));
  };
  for (const key of turn.state.children.of(scope)) {
    if (blocks(must(turn.state.elements.get(key), "a child is there").element)) return true;
  }
  for (const flow of turn.state.waitingIn.of(scope)) {
    const { to } = must(turn.program.flows.get(flow), `there is no flow '${flow}'`);
    if (blocks(to)) return true;
  }
  return false;
}
