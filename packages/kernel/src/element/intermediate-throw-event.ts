import { retryJob } from "../activity/offer.ts";
import { prepareThrow } from "../bpmn-event/throw-event.ts";
import { complete, pass } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { IntermediateThrowEvent } from "../program.ts";
import { goesOnAtOnce } from "../program-check.ts";
import type { ElementBehavior } from "./behavior.ts";

export const intermediateThrowEvent: ElementBehavior<IntermediateThrowEvent> = {
  arrive: (turn, element, scope) => {
    switch (element.trigger.type) {
      case "none":
        pass(turn, element, scope);
        return true;
      case "link":
        turn.emit({ type: "element-passed", element: element.id, scope, at: turn.at });
        turn.arrivals.push({ element: must(turn.program.links.get(element.id), "a link leads somewhere"), scope });
        return true;
      default:
        return false;
    }
  },
  prepare: prepareThrow,
  retry: retryJob,
  onUndone: (turn, visit) => complete(turn, visit.key),
  route: (turn, element) => {
    const flows = goesOnAtOnce(element) ? [] : (turn.program.outgoing.get(element.id) ?? []);
    return { ok: true, value: flows };
  },
};
