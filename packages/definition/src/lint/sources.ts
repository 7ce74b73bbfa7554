import type {
  Element,
  EndEvent,
  Expression,
  Flow,
  IntermediateThrowEvent,
  Mapping,
  MessageDefinition,
  MultiInstance,
  Source,
  StandardLoop,
  StartEvent,
  TimerDefinition,
} from "@tutti/kernel";

/** One place in an element that reads values, and which extra names it sees there. */
export interface Read {
  readonly source: Source;
  readonly element: Element;
  /** `result`: fields nobody can know beforehand are visible, so unknown names are no mistake. */
  readonly sees: "variables" | "result" | "counts" | "item";
  readonly optional: boolean;
}

/** Everything an element reads, flows out of it included. */
export function readsOf(element: Element, flows: readonly Flow[]): Read[] {
  const reads: Read[] = [];
  const add = (source: Source | undefined, sees: Read["sees"] = "variables", optional = false) => {
    if (source !== undefined) reads.push({ source, element, sees, optional });
  };
  const addAll = (mappings: readonly Mapping[] | undefined, sees: Read["sees"] = "variables") => {
    for (const mapping of mappings ?? []) add(mapping.source, sees, mapping.optional === true);
  };
  if ("inputs" in element) addAll(element.inputs, "item");
  if ("outputs" in element) addAll(element.outputs, "result");
  if ("loop" in element && element.loop !== undefined) addLoop(element.loop, add);
  if ("job" in element) add(element.job?.typeFrom, "item");
  for (const flow of flows) add(flow.condition, element.kind === "complex-gateway" ? "counts" : "variables");
  switch (element.kind) {
    case "script-task":
      addAll(element.assignments, "item");
      break;
    case "call-activity":
      add(element.processFrom, "item");
      break;
    case "user-task":
      add(element.title, "item");
      for (const source of element.candidatesFrom ?? []) add(source, "item");
      add(element.assignee, "item");
      add(element.priority, "item");
      add(timer(element.due), "item");
      add(timer(element.followUp), "item");
      for (const { after, action } of element.sla ?? []) {
        add(timer(after), "item");
        if (action.type === "notify") add(action.message, "item");
      }
      break;
    case "business-rule-task":
      add(element.decision?.expression, "item");
      break;
    case "ad-hoc-sub-process":
      add(element.activate, "item");
      add(element.completion, "counts");
      add(element.output?.source, "result");
      break;
    case "complex-gateway":
      add(element.activation, "counts");
      break;
    case "intermediate-catch-event":
    case "boundary-event":
    case "start-event":
      addCaught(element.trigger, add);
      break;
    case "receive-task":
      addCaught({ type: "message", message: element.message }, add);
      break;
    case "send-task":
      if (element.message !== undefined) addThrown({ type: "message", message: element.message }, add);
      break;
    case "intermediate-throw-event":
    case "end-event":
      addThrown(element.trigger, add);
      break;
    default:
  }
  return reads;
}

type Add = (source: Source | undefined, sees?: Read["sees"], optional?: boolean) => void;

function addCaught(trigger: StartEvent["trigger"], add: Add): void {
  if (trigger.type === "multiple") for (const each of trigger.triggers) addCaught(each, add);
  if (trigger.type === "timer") add(timer(trigger.timer));
  if (trigger.type === "conditional") add(trigger.condition);
  if (trigger.type === "signal") add(trigger.signal.name);
  if (trigger.type !== "message") return;
  add(trigger.message.name);
  add(trigger.message.correlationKey);
}

function addThrown(trigger: EndEvent["trigger"] | IntermediateThrowEvent["trigger"], add: Add): void {
  if (trigger.type === "multiple") for (const each of trigger.triggers) addThrown(each, add);
  if (trigger.type === "error") add(trigger.message);
  if (trigger.type === "error" || trigger.type === "escalation") add(trigger.codeFrom);
  if (trigger.type === "message" && "job" in trigger) add(trigger.job?.typeFrom);
  const sent: Partial<MessageDefinition> | undefined =
    trigger.type === "message" ? trigger.message : trigger.type === "signal" ? trigger.signal : undefined;
  add(sent?.name);
  add(sent?.correlationKey);
  const payload = trigger.type === "escalation" ? trigger.payload : sent?.payload;
  for (const mapping of payload ?? []) add(mapping.source, "variables", mapping.optional === true);
}

function addLoop(loop: MultiInstance | StandardLoop, add: Add): void {
  if (loop.mode === "standard") return add(loop.condition, "item");
  add(loop.collection);
  add(loop.maxParallel);
  for (const source of Object.values(loop.fields ?? {})) add(source as Source, "item");
  add(loop.completion as Expression | undefined, "counts");
  add(loop.accept as Expression | undefined, "counts");
  add(loop.output?.source, "result");
  for (const { condition } of loop.events ?? []) add(condition, "counts");
  const thrown = [loop.event, ...(loop.events ?? []).map(({ event }) => event)];
  for (const event of thrown) if (event !== undefined) addThrown(event, (source) => add(source, "result"));
}

function timer(definition: TimerDefinition | undefined): Source | undefined {
  return definition?.value;
}

/** Variables an element writes where others see them. */
export function writesOf(element: Element): string[] {
  const targets: string[] = [];
  const loop = "loop" in element ? element.loop : undefined;
  if (element.kind === "script-task") targets.push(...element.assignments.map((assignment) => assignment.target));
  if (element.kind === "business-rule-task" && element.decision !== undefined && element.outputs === undefined)
    targets.push(element.decision.result);
  if (element.kind === "ad-hoc-sub-process" && element.output !== undefined) targets.push(element.output.target);
  // What an item writes stays with the item.
  if (loop !== undefined && loop.mode !== "standard")
    targets.push(...(loop.output === undefined ? [] : [loop.output.target]));
  else if ("outputs" in element) targets.push(...(element.outputs ?? []).map((mapping) => mapping.target));
  return targets;
}
