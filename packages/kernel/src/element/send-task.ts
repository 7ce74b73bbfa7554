import { prepareMappedJob, retryJob } from "../activity/offer.ts";
import { prepareSending } from "../bpmn-event/message.ts";
import { complete } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { SendTask } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const sendTask: ElementBehavior<SendTask> = {
  prepare: (turn, visit, names) => {
    const { element, key } = visit;
    if (element.job !== undefined) return prepareMappedJob(turn, visit, { mappings: element.inputs, names });
    const message = must(element.message, `'${element.id}' has neither a message nor a job`);
    const send = prepareSending(turn, { element: element.id, trigger: { type: "message", message } }, names);
    if (!send.ok) return send;
    return {
      ok: true,
      value: () => {
        send.value();
        complete(turn, key);
      },
    };
  },
  retry: retryJob,
};
