import type { Key } from "../command.ts";
import { flowKey } from "../evolve/element.ts";
import type { Json } from "../json.ts";
import { leave, start, takeFlows, visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { ComplexGateway, FlowId } from "../program.ts";
import { evaluateCondition, Names } from "../scope.ts";
import { isExpected, isResting, waitingAt } from "../token/join.ts";
import type { Join } from "../token/reach.ts";
import { flowsThatHold, someFlow } from "../token/route.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior } from "./behavior.ts";

function joinAt(turn: Turn, element: ComplexGateway): Join {
  const found = turn.program.joins.get(element.parent)?.find((join) => join.element === element.id);
  return must(found, `no flow leads to '${element.id}'`);
}

/** The gateway that was activated in this scope and waits for the rest. */
function instanceIn(turn: Turn, element: ComplexGateway, scope: Key): Key | undefined {
  for (const key of turn.state.children.of(scope)) {
    if (turn.state.elements.get(key)?.element === element.id) return key;
  }
  return undefined;
}

/** What the activation condition sees besides the variables. */
function counts(turn: Turn, join: Join, scope: Key): { readonly [name: string]: Json } {
  const tokens: { [flow: FlowId]: number } = {};
  for (const flow of join.incoming) tokens[flow] = turn.state.waitingFlows.get(flowKey(scope, flow)) ?? 0;
  const activationCount = Object.values(tokens).reduce((sum, count) => sum + count, 0);
  return { tokens, activationCount, arrived: waitingAt(turn, join, scope).length, expected: join.incoming.length };
}

/** Waiting for start: goes on with the tokens there are once the activation condition holds. */
function activate(turn: Turn, element: ComplexGateway, at: { readonly scope: Key; readonly join: Join }): boolean {
  const { scope, join } = at;
  const flows = waitingAt(turn, join, scope);
  if (flows.length === 0) return false;
  const names = new Names(turn.program, turn.state, { scope, extra: counts(turn, join, scope) });
  const holds = evaluateCondition(turn, element.activation, names);
  if (!holds.ok) {
    turn.raiseOnce({ owner: scope, element: element.id, kind: "flow", error: holds.error });
    return false;
  }
  if (!holds.value) return false;
  const key = turn.nextKey();
  turn.emit({ type: "tokens-joined", element: element.id, scope, flows, key, at: turn.at });
  start(turn, { element, key, scope });
  return true;
}

/** Waiting for reset: takes what came after the activation, once no more of it can come. */
function reset(turn: Turn, key: Key, join: Join): boolean {
  const visit = visitOf(turn, key);
  const { scope } = visit;
  const before = new Set(turn.state.joining.get(key)?.flows);
  if (!isResting(turn.state, key) || isExpected(turn, join, { scope, full: before })) return false;
  const flows = waitingAt(turn, join, scope).filter((flow) => !before.has(flow));
  if (flows.length > 0) turn.emit({ type: "tokens-joined", element: join.element, scope, flows, at: turn.at });
  leave(turn, visit, null);
  return true;
}

export const complexGateway: ElementBehavior<ComplexGateway> = {
  synchronises: () => true,
  arrive: (turn, element, scope) => {
    // Where its scope begins with it no token comes, now or later: it splits.
    if (!turn.program.incoming.has(element.id)) return false;
    if (instanceIn(turn, element, scope) === undefined) activate(turn, element, { scope, join: joinAt(turn, element) });
    return true;
  },
  release: (turn, element, at) => {
    const key = instanceIn(turn, element, at.scope);
    return key === undefined ? activate(turn, element, at) : reset(turn, key, at.join);
  },
  prepare: (turn, visit) => {
    const { element, key, scope } = visit;
    const extra = { waitingForStart: true };
    const names = new Names(turn.program, turn.state, { scope: key, within: scope, extra });
    const chosen = someFlow(turn, element, { names, unconditional: "holds" });
    if (!chosen.ok) return chosen;
    return {
      ok: true,
      value: () => {
        takeFlows(turn, chosen.value, scope);
        // With one flow into it, or none, there is nothing to wait for, and so no second phase.
        if ((turn.program.incoming.get(element.id)?.length ?? 0) > 1) return;
        turn.emit({ type: "element-completed", key, element: element.id, at: turn.at });
      },
    };
  },
  /** Resetting, it may give no token at all; a flow without a condition had its token when it was activated. */
  route: (turn, element, scope) => {
    const names = new Names(turn.program, turn.state, { scope, extra: { waitingForStart: false } });
    return flowsThatHold(turn, element, { names, unconditional: "none" });
  },
};
