import type { Key } from "../command.ts";
import { start, takeFlows } from "../lifecycle.ts";
import type { InclusiveGateway } from "../program.ts";
import { Names } from "../scope.ts";
import { isExpected, waitingAt } from "../token/join.ts";
import { someFlow } from "../token/route.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior } from "./behavior.ts";

/** One token on every flow whose condition holds. False when there is none, or a condition cannot be evaluated. */
function split(turn: Turn, element: InclusiveGateway, scope: Key): boolean {
  const names = new Names(turn.program, turn.state, { scope });
  const chosen = someFlow(turn, element, { names, unconditional: "holds" });
  if (!chosen.ok) return false;
  turn.emit({ type: "element-passed", element: element.id, scope, at: turn.at });
  takeFlows(turn, chosen.value, scope);
  return true;
}

function goOn(turn: Turn, element: InclusiveGateway, scope: Key): void {
  if (!split(turn, element, scope)) start(turn, { element, key: turn.nextKey(), scope });
}

const nothing: ReadonlySet<never> = new Set();

export const inclusiveGateway: ElementBehavior<InclusiveGateway> = {
  synchronises: (incoming) => incoming > 1,
  // At a join the token waits until nothing in the scope can move: only then is it known what can still come.
  arrive: (turn, element, scope) => {
    const incoming = turn.program.incoming.get(element.id) ?? [];
    return incoming.length > 1 || split(turn, element, scope);
  },
  release: (turn, element, { scope, join }) => {
    if (turn.state.waitingIn.count(scope) === 0 || isExpected(turn, join, { scope, full: nothing })) return false;
    const flows = waitingAt(turn, join, scope);
    if (flows.length === 0) return false;
    turn.emit({ type: "tokens-joined", element: element.id, scope, flows, at: turn.at });
    goOn(turn, element, scope);
    return true;
  },
  activate: goOn,
  prepare: (turn, visit, names) => {
    const { element, key, scope } = visit;
    const chosen = someFlow(turn, element, { names, unconditional: "holds" });
    if (!chosen.ok) return chosen;
    return {
      ok: true,
      value: () => {
        turn.emit({ type: "element-completed", key, element: element.id, at: turn.at });
        takeFlows(turn, chosen.value, scope);
      },
    };
  },
};
