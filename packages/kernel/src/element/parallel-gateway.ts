import { flowKey } from "../evolve/element.ts";
import { pass, takeOutgoing } from "../lifecycle.ts";
import type { ParallelGateway } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const parallelGateway: ElementBehavior<ParallelGateway> = {
  synchronises: (incoming) => incoming > 1,
  activate: pass,
  arrive: (turn, element, scope) => {
    const incoming = turn.program.incoming.get(element.id) ?? [];
    if (incoming.length <= 1) {
      pass(turn, element, scope);
      return true;
    }
    // One token is needed on each flow: two on one of them do not make up for a missing one.
    const complete = incoming.every((flow) => (turn.state.waitingFlows.get(flowKey(scope, flow.id)) ?? 0) > 0);
    if (complete) {
      const consumed = incoming.map((flow) => flow.id);
      turn.emit({ type: "element-passed", element: element.id, scope, consumed, at: turn.at });
      takeOutgoing(turn, element.id, scope);
    }
    return true;
  },
};
