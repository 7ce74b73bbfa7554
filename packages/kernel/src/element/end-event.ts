import { retryJob } from "../activity/offer.ts";
import { leaveTransaction } from "../activity/transaction.ts";
import { prepareThrow } from "../bpmn-event/throw-event.ts";
import { complete, pass, terminateContent } from "../lifecycle.ts";
import type { EndEvent } from "../program.ts";
import { cancels } from "../program-check.ts";
import type { ElementBehavior } from "./behavior.ts";

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
  prepare: prepareThrow,
  retry: retryJob,
  onUndone: (turn, visit) => (cancels(visit.element) ? leaveTransaction(turn, visit) : complete(turn, visit.key)),
};
