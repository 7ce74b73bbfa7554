import type { CatchTrigger, EndEvent, IntermediateThrowEvent, Source } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import { nameOf } from "../value.ts";
import type { Context } from "./context.ts";
import { conditionOf, fixedText, sourceOf, timerOf } from "./expression.ts";
import { attribute, child, extension, filled, flag, kindOf, textOf } from "./file.ts";
import { declaredJob } from "./job.ts";
import { mappingsOf } from "./mapping.ts";
import { messageOf } from "./message.ts";
import type { XmlNode } from "./xml.ts";

type ThrowTrigger = EndEvent["trigger"] | IntermediateThrowEvent["trigger"];

/** What one event definition waits for. */
export function catchTrigger(context: Context, definition: XmlNode, event: XmlNode): CatchTrigger | undefined {
  switch (definition.name) {
    case "bpmn:timerEventDefinition": {
      if (context.plain && definition.children.every((node) => textOf(node) === undefined)) {
        return standIn(context, event, "a time");
      }
      const timer = timerOf(context.file, definition);
      return timer === undefined ? undefined : { type: "timer", timer };
    }
    case "bpmn:messageEventDefinition": {
      const message = messageOf(context, definition, { element: event });
      return message === undefined ? undefined : { type: "message", message };
    }
    case "bpmn:signalEventDefinition": {
      const name = signalName(context, definition, event);
      return name === undefined ? undefined : { type: "signal", signal: { name } };
    }
    case "bpmn:conditionalEventDefinition":
      if (context.plain && filled(definition, "bpmn:condition") === undefined) {
        return standIn(context, event, "a condition");
      }
      return conditional(context, definition);
    case "bpmn:errorEventDefinition":
      return { type: "error", ...defined({ code: caughtCode(context, definition, "error") }) };
    case "bpmn:escalationEventDefinition":
      return { type: "escalation", ...defined({ code: caughtCode(context, definition, "escalation") }) };
    case "bpmn:compensateEventDefinition":
      return { type: "compensation" };
    case "bpmn:cancelEventDefinition":
      return { type: "cancel" };
    case "bpmn:linkEventDefinition":
      return { type: "link", name: linkName(context, definition, event) };
    default:
      context.file.refuse(`an event that catches ${kindOf(definition)}`, placeIn(context, definition, event));
      return undefined;
  }
}

/** Where to report a definition: one that stands beside the process and is referred to, at what refers to it. */
export function placeIn(context: Context, definition: XmlNode, at: XmlNode): XmlNode {
  return context.inside.has(definition) ? definition : at;
}

/** What an event waits for whose drawing leaves that out: a message of its own name, so that somebody can say "now". */
export function standIn(context: Context, event: XmlNode, missing: string): CatchTrigger {
  const { file } = context;
  const name = attribute(event, "name") ?? file.idOf(event);
  const message = `Expected ${missing}, but the drawing leaves it out: here ${file.idOf(event)} waits for the message ${JSON.stringify(name.slice(0, 80))}`;
  file.warn("bpmn-invalid", message, event);
  return { type: "message", message: { name: { literal: name } } };
}

/** What one event definition throws. */
export function throwTrigger(context: Context, definition: XmlNode, event: XmlNode): ThrowTrigger | undefined {
  const { file } = context;
  const payload = () => mappingsOf(context, event).inputs;
  switch (definition.name) {
    case "bpmn:terminateEventDefinition":
      return { type: "terminate" };
    case "bpmn:cancelEventDefinition":
      return { type: "cancel" };
    // One that names nothing is thrown all the same, for whoever catches everything.
    case "bpmn:errorEventDefinition":
      return { type: "error", ...thrownCode(context, definition, "error") };
    case "bpmn:escalationEventDefinition":
      return {
        type: "escalation",
        ...thrownCode(context, definition, "escalation"),
        ...defined({ payload: payload() }),
      };
    case "bpmn:compensateEventDefinition":
      return {
        type: "compensation",
        ...defined({ activity: activityOf(context, definition) }),
        ...(!flag(definition, "waitForCompletion", true) &&
          event.name === "bpmn:intermediateThrowEvent" && { waits: false as const }),
      };
    case "bpmn:signalEventDefinition": {
      const name = signalName(context, definition, event);
      return name === undefined ? undefined : { type: "signal", signal: { name, ...defined({ payload: payload() }) } };
    }
    case "bpmn:linkEventDefinition":
      return { type: "link", name: linkName(context, definition, event) };
    case "bpmn:messageEventDefinition":
      return thrownMessage(context, definition, event);
    default:
      file.refuse(`an event that throws ${kindOf(definition)}`, placeIn(context, definition, event));
      return undefined;
  }
}

/** With a job, a worker sends it; a message is then only a name. */
function thrownMessage(context: Context, definition: XmlNode, event: XmlNode): ThrowTrigger | undefined {
  const job = declaredJob(context.file, event) ?? declaredJob(context.file, definition);
  const unnamed =
    attribute(definition, "messageRef") === undefined && child(definition, "bpmn:operationRef") === undefined;
  const { inputs } = mappingsOf(context, event);
  const message =
    job !== undefined && unnamed
      ? { name: { literal: job.type }, ...defined({ payload: inputs }) }
      : messageOf(context, definition, { element: event, payload: inputs });
  return message === undefined ? undefined : { type: "message", message, ...defined({ job }) };
}

function conditional(context: Context, definition: XmlNode): CatchTrigger | undefined {
  const node = child(definition, "bpmn:condition");
  if (node === undefined) {
    context.file.report("bpmn-invalid", "Expected a condition, but there is none", definition);
    return undefined;
  }
  const condition = conditionOf(context.file, node);
  const filter =
    attribute(extension(definition, "zeebe:conditionalFilter"), "variableNames") ??
    attribute(definition, "camunda:variableName");
  const variables = filter
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return condition === undefined ? undefined : { type: "conditional", condition, ...defined({ variables }) };
}

type Coded = "error" | "escalation";

/**
 * The code of an error or escalation; without one, its name, else its id, so that throwing and catching it agree. Those do
 * without a declaration, too.
 */
function codeOf(context: Context, definition: XmlNode, kind: Coded): { text: string; at: XmlNode } | undefined {
  const { file } = context;
  const reference = attribute(definition, `${kind}Ref`);
  if (reference !== undefined && file.find(reference) === undefined) {
    const found = JSON.stringify(reference.slice(0, 80));
    file.warn("bpmn-invalid", `Expected ${kind} with the id ${found}, but there is none: that is its code`, definition);
    return { text: reference, at: definition };
  }
  const at = file.resolve(definition, reference, [`bpmn:${kind}`]);
  if (at === undefined) return undefined;
  return { text: attribute(at, `${kind}Code`) ?? attribute(at, "name") ?? file.idOf(at), at };
}

/** What is thrown may be computed as it is thrown. */
function thrownCode(context: Context, definition: XmlNode, kind: Coded): { code: string; codeFrom?: Source } {
  const said = codeOf(context, definition, kind);
  if (said === undefined) return { code: kind };
  const { fixed, from } = nameOf(sourceOf(said.text, said.at));
  return { code: fixed, ...defined({ codeFrom: from }) };
}

/** Whoever catches says what beforehand: nothing is evaluated while an error is looking for whoever takes it. */
function caughtCode(context: Context, definition: XmlNode, kind: Coded): string | undefined {
  const said = codeOf(context, definition, kind);
  if (said === undefined) return undefined;
  const instead = `let the event catch every ${kind} (without ${kind}Ref), and choose behind it by ${kind}.code`;
  return fixedText(context.file, { of: `${kind} code to catch`, instead }, { text: said.text, at: definition });
}

/** A drawing that names no signal still means one: it is called like the event. */
function signalName(context: Context, definition: XmlNode, event: XmlNode): Source | undefined {
  const { file } = context;
  const reference = attribute(definition, "signalRef");
  const signal = file.resolve(definition, reference, ["bpmn:signal"]);
  if (signal !== undefined) return sourceOf(attribute(signal, "name") ?? file.idOf(signal), signal);
  if (reference !== undefined) return undefined;
  const name = attribute(event, "name") ?? file.idOf(event);
  file.warn(
    "bpmn-invalid",
    `Expected a signal (signalRef), but none is named: it is called ${JSON.stringify(name.slice(0, 80))}`,
    definition,
  );
  return { literal: name };
}

/** Links meet by name: their own, else that of the event. A pair may also name each other. */
function linkName(context: Context, definition: XmlNode, event: XmlNode): string {
  const { file } = context;
  const target = file.find(textOf(child(definition, "bpmn:target")));
  return attribute(definition, "name") ?? attribute(target, "name") ?? attribute(event, "name") ?? file.idOf(event);
}

function activityOf(context: Context, definition: XmlNode): string | undefined {
  const activity = context.file.resolve(definition, attribute(definition, "activityRef"));
  return activity === undefined ? undefined : context.file.idOf(activity);
}
