import { lookup } from "../state/lookup.ts";
import { adHocSubProcess } from "./ad-hoc-sub-process.ts";
import type { Behaviors } from "./behavior.ts";
import { boundaryEvent } from "./boundary-event.ts";
import { businessRuleTask } from "./business-rule-task.ts";
import { callActivity } from "./call-activity.ts";
import { complexGateway } from "./complex-gateway.ts";
import { endEvent } from "./end-event.ts";
import { eventBasedGateway } from "./event-based-gateway.ts";
import { exclusiveGateway } from "./exclusive-gateway.ts";
import { inclusiveGateway } from "./inclusive-gateway.ts";
import { intermediateCatchEvent } from "./intermediate-catch-event.ts";
import { intermediateThrowEvent } from "./intermediate-throw-event.ts";
import { manualTask } from "./manual-task.ts";
import { parallelGateway } from "./parallel-gateway.ts";
import { receiveTask } from "./receive-task.ts";
import { scriptTask } from "./script-task.ts";
import { sendTask } from "./send-task.ts";
import { serviceTask } from "./service-task.ts";
import { startEvent } from "./start-event.ts";
import { subProcess } from "./sub-process.ts";
import { userTask } from "./user-task.ts";

/** Every kind of element; a new kind does not compile until it stands here. */
export const behaviors: Behaviors = lookup({
  "ad-hoc-sub-process": adHocSubProcess,
  "boundary-event": boundaryEvent,
  "business-rule-task": businessRuleTask,
  "call-activity": callActivity,
  "complex-gateway": complexGateway,
  "end-event": endEvent,
  "event-based-gateway": eventBasedGateway,
  "exclusive-gateway": exclusiveGateway,
  "inclusive-gateway": inclusiveGateway,
  "intermediate-catch-event": intermediateCatchEvent,
  "intermediate-throw-event": intermediateThrowEvent,
  "manual-task": manualTask,
  "parallel-gateway": parallelGateway,
  "receive-task": receiveTask,
  "script-task": scriptTask,
  "send-task": sendTask,
  "service-task": serviceTask,
  "start-event": startEvent,
  "sub-process": subProcess,
  "user-task": userTask,
});
