import { prepareMappedJob, retryJob } from "../activity/offer.ts";
import type { ServiceTask } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

export const serviceTask: ElementBehavior<ServiceTask> = {
  prepare: (turn, visit, names) => prepareMappedJob(turn, visit, { mappings: visit.element.inputs, names }),
  retry: retryJob,
};
