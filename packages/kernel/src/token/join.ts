import { isUndoing } from "../activity/compensation-plan.ts";
import type { Key } from "../command.ts";
import { flowKey } from "../evolve/element.ts";
import { visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { FlowId } from "../program.ts";
import type { State } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import type { Join } from "./reach.ts";

/** Whether an element instance is a gateway that was activated and waits, itself no token that could go anywhere. */
export function isResting(state: State, key: Key): boolean {
  return state.joining.get(key) !== undefined && state.elements.get(key)?.state === "active";
}

/** Whether all that is left in a scope are such gateways. */
export function onlyRests(state: State, scope: Key): boolean {
  for (const key of state.children.of(scope)) if (!isResting(state, key)) return false;
  return true;
}

/** The incoming flows on which a token waits. */
export function waitingAt(turn: Turn, join: Join, scope: Key): FlowId[] {
  return turn.state.waitingIn.count(scope) === 0 ? [] : join.incoming.filter((flow) => isWaiting(turn, flow, scope));
}

function isWaiting(turn: Turn, flow: FlowId, scope: Key): boolean {
  return turn.state.waitingFlows.get(flowKey(scope, flow)) !== undefined;
}

/**
 * Whether a token elsewhere in the scope is to be waited for: it can come in by an empty flow, and by none that has a
 * token or is `full`. Stops at the first one: where many branches run, the oldest is nearly always such a one.
 */
export function isExpected(
  turn: Turn,
  join: Join,
  at: { readonly scope: Key; readonly full: ReadonlySet<FlowId> },
): boolean {
  const { scope } = at;
  const full = (flow: FlowId): boolean => at.full.has(flow) || isWaiting(turn, flow, scope);
  const blocks = (element: string): boolean => {
    const reached = join.reach.get(element);
    return reached !== undefined && !reached.some(full);
  };
  for (const key of turn.state.children.of(scope)) {
    const { element } = must(turn.state.elements.get(key), "a child is there");
    if (blocks(element) && !isResting(turn.state, key) && !isUndoing(turn.state, key)) return true;
  }
  for (const flow of turn.state.waitingIn.of(scope)) {
    const { to } = must(turn.program.flows.get(flow), `there is no flow '${flow}'`);
    if (blocks(to)) return true;
  }
  return false;
}

/** No token can come any more to the joins of a scope at which some wait. */
export function raiseStuckJoin(turn: Turn, scope: Key): void {
  const joins = new Set<string>();
  for (const flow of turn.state.waitingIn.of(scope)) {
    joins.add(must(turn.program.flows.get(flow), `there is no flow '${flow}'`).to);
  }
  const message = `Expected a token on every flow into '${[...joins].join("', '")}', but none can arrive any more`;
  const element = scope === 0 ? null : visitOf(turn, scope).element.id;
  turn.raiseOnce({ owner: scope, element, kind: "flow", error: { code: "join-stuck", message } });
}
