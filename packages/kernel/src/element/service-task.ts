import { offerJob, retryJob } from "../activity/offer.ts";
import type { ServiceTask } from "../program.ts";
import { resolveMappings } from "../scope.ts";
import type { ElementBehavior } from "./behavior.ts";

export const serviceTask: ElementBehavior<ServiceTask> = {
  prepare: (turn, visit, names) => {
    const input = resolveMappings(turn, visit.element.inputs, names);
    return input.ok ? { ok: true, value: () => offerJob(turn, visit, input.value) } : input;
  },
  retry: retryJob,
};
