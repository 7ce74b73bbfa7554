import type {
  BoundaryEvent,
  CatchTrigger,
  Element,
  ElementId,
  EndEvent,
  IntermediateCatchEvent,
  IntermediateThrowEvent,
  Mapping,
  StartEvent,
} from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import { baseOf, type Context, tolerate } from "./context.ts";
import { attribute, childrenOf, flag, kindOf, textOf } from "./file.ts";
import { mappingsOf } from "./mapping.ts";
import { catchTrigger, standIn, throwTrigger } from "./trigger.ts";
import type { XmlNode } from "./xml.ts";

/** The event definitions of an event: its own, and those it refers to. */
export function definitionsOf(context: Context, node: XmlNode): readonly XmlNode[] {
  const referred = childrenOf(node, "bpmn:eventDefinitionRef").flatMap((inner) => {
    return context.file.resolve(inner, textOf(inner)) ?? [];
  });
  return [...node.children.filter((inner) => inner.name.endsWith("EventDefinition")), ...referred];
}

/** A boundary event that only says which activity undoes another: it is no element of the program. */
export function marksCompensation(context: Context, node: XmlNode): boolean {
  const isMark = (definition: XmlNode) => definition.name === "bpmn:compensateEventDefinition";
  return node.name === "bpmn:boundaryEvent" && definitionsOf(context, node).some(isMark);
}

/** Each kind of event as an element; undefined when it cannot be one, and that was reported. */
export const events: Readonly<
  Record<string, (context: Context, node: XmlNode, parent: ElementId | null) => Element | undefined>
> = {
  "bpmn:startEvent": startEvent,
  "bpmn:endEvent": endEvent,
  "bpmn:intermediateCatchEvent": intermediateCatchEvent,
  "bpmn:intermediateThrowEvent": intermediateThrowEvent,
  "bpmn:boundaryEvent": boundaryEvent,
};

function startEvent(context: Context, node: XmlNode, parent: ElementId | null): StartEvent | undefined {
  const drawn = triggerOf(context, node);
  if (drawn === undefined) return undefined;
  const inside = parent === null ? undefined : context.draft.get(parent);
  const handles = inside?.kind === "sub-process" && inside.triggeredByEvent === true;
  const trigger = handles ? orStandIn(context, node, drawn) : drawn;
  if (trigger.type === "none" && handles) {
    context.file.report(
      "bpmn-invalid",
      "Expected a trigger at the start of an event sub-process, but there is none",
      node,
    );
  }
  const misplaced = !handles && parent !== null && trigger.type !== "none";
  if (misplaced) {
    const fault = "Expected a plain start inside of a sub-process, but it has a trigger";
    tolerate(context, node, { fault, here: "it is a plain start" });
  }
  const interrupting = handles && !flag(node, "isInterrupting", true) && trigger.type !== "error" ? false : undefined;
  if (handles && trigger.type === "error" && !flag(node, "isInterrupting", true)) {
    const fault = "Expected an interrupting event for error, but isInterrupting is false";
    tolerate(context, node, { fault, here: "it interrupts" });
  }
  if (parent === null && trigger.type === "conditional") {
    const id = context.file.idOf(node);
    const message = `Expected something that looks at the condition of ${id}, but before an instance there is no data: it begins one when whoever starts the process names it`;
    context.file.warn("bpmn-invalid", message, node);
  }
  if (misplaced) return { ...baseOf(context, node, parent), kind: "start-event", trigger: { type: "none" } };
  return {
    ...baseOf(context, node, parent),
    kind: "start-event",
    trigger,
    ...defined({ interrupting, outputs: outputsOf(context, node, trigger) }),
  };
}

/** An event that must wait for something, in a drawing that does not say for what. */
function orStandIn(
  context: Context,
  node: XmlNode,
  drawn: { readonly type: "none" } | CatchTrigger,
): { readonly type: "none" } | CatchTrigger {
  return drawn.type === "none" && context.plain ? standIn(context, node, "an event definition") : drawn;
}

function intermediateCatchEvent(
  context: Context,
  node: XmlNode,
  parent: ElementId | null,
): IntermediateCatchEvent | undefined {
  const drawn = triggerOf(context, node);
  if (drawn === undefined) return undefined;
  const trigger = orStandIn(context, node, drawn);
  const strange = ["none", "error", "escalation", "compensation", "cancel"].includes(trigger.type);
  if (strange) {
    const found =
      trigger.type === "none" ? "nothing" : `${trigger.type}, which is caught at the boundary of an activity`;
    context.file.report("bpmn-invalid", `Expected an event that waits for something, but it waits for ${found}`, node);
    return undefined;
  }
  return {
    ...baseOf(context, node, parent),
    kind: "intermediate-catch-event",
    trigger: trigger as IntermediateCatchEvent["trigger"],
    ...defined({ outputs: outputsOf(context, node, trigger) }),
  };
}

function boundaryEvent(context: Context, node: XmlNode, parent: ElementId | null): BoundaryEvent | undefined {
  const { file } = context;
  const attached = file.resolve(node, attribute(node, "attachedToRef"));
  if (attached === undefined) {
    if (attribute(node, "attachedToRef") === undefined)
      file.report("bpmn-invalid", "Expected attachedToRef, but there is none", node);
    return undefined;
  }
  const drawn = triggerOf(context, node);
  if (drawn === undefined) return undefined;
  const trigger = orStandIn(context, node, drawn);
  if (trigger.type === "none" || trigger.type === "link" || trigger.type === "compensation") {
    const found = trigger.type === "none" ? "nothing" : `a ${trigger.type}`;
    file.report("bpmn-invalid", `Expected a boundary event that catches something, but it catches ${found}`, node);
    return undefined;
  }
  const always = trigger.type === "error" || trigger.type === "cancel";
  const wanted = flag(node, "cancelActivity", true);
  if (always && !wanted) {
    const fault = `Expected an interrupting event for ${trigger.type}, but cancelActivity is false`;
    tolerate(context, node, { fault, here: "it interrupts" });
  }
  return {
    ...baseOf(context, node, parent),
    kind: "boundary-event",
    attachedTo: file.idOf(attached),
    interrupting: always || wanted,
    trigger: trigger as BoundaryEvent["trigger"],
    ...defined({ outputs: outputsOf(context, node, trigger) }),
  };
}

function endEvent(context: Context, node: XmlNode, parent: ElementId | null): EndEvent | undefined {
  const trigger = thrownBy(context, node);
  return trigger === undefined
    ? undefined
    : { ...baseOf(context, node, parent), kind: "end-event", trigger: trigger as EndEvent["trigger"] };
}

function intermediateThrowEvent(
  context: Context,
  node: XmlNode,
  parent: ElementId | null,
): IntermediateThrowEvent | undefined {
  const trigger = thrownBy(context, node);
  if (trigger === undefined) return undefined;
  if (trigger.type === "error" || trigger.type === "terminate" || trigger.type === "cancel") {
    context.file.report(
      "bpmn-invalid",
      `Expected an end event for ${trigger.type}, but it is an intermediate one`,
      node,
    );
    return undefined;
  }
  return {
    ...baseOf(context, node, parent),
    kind: "intermediate-throw-event",
    trigger: trigger as IntermediateThrowEvent["trigger"],
  };
}

function triggerOf(context: Context, node: XmlNode): { readonly type: "none" } | CatchTrigger | undefined {
  const definitions = definitionsOf(context, node);
  const [first, ...others] = definitions;
  if (first === undefined) return { type: "none" };
  if (others.length === 0) return catchTrigger(context, first, node);
  const triggers = definitions.map((definition) => catchTrigger(context, definition, node));
  if (triggers.includes(undefined)) return undefined;
  return { type: "multiple", parallel: flag(node, "parallelMultiple", false), triggers: triggers as CatchTrigger[] };
}

function thrownBy(context: Context, node: XmlNode) {
  const definitions = definitionsOf(context, node);
  const [first, ...others] = definitions;
  if (first === undefined) return { type: "none" as const };
  if (others.length === 0) return throwTrigger(context, first, node);
  const triggers = definitions.map((definition) => throwTrigger(context, definition, node));
  if (triggers.includes(undefined)) return undefined;
  return { type: "multiple" as const, triggers };
}

/** What a triggered event writes. One that carries data and says nothing may write every variable of the process. */
function outputsOf(
  context: Context,
  node: XmlNode,
  trigger: { readonly type: string },
): readonly Mapping[] | undefined {
  const { outputs } = mappingsOf(context, node);
  if (outputs !== undefined) return outputs;
  const named = definitionsOf(context, node).flatMap((definition) => {
    const part = (name: string, from: string): Mapping[] => {
      const target = attribute(definition, `camunda:${name}`);
      const text = `${kindOf(definition).replace("EventDefinition", "")}.${from}`;
      const position = definition.position;
      return target === undefined ? [] : [{ target, source: { language: "cel", text, position } }];
    };
    return [
      ...part("errorCodeVariable", "code"),
      ...part("errorMessageVariable", "message"),
      ...part("escalationCodeVariable", "code"),
    ];
  });
  if (named.length > 0) return named;
  const carries = trigger.type === "message" || trigger.type === "signal" || trigger.type === "multiple";
  if (carries) context.open.set(context.file.idOf(node), { inputs: false, outputs: true });
  return undefined;
}
