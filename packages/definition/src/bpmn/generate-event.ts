import type { CatchTrigger, Element, EndEvent, IntermediateThrowEvent } from "@tutti/kernel";
import { expressionNode, fixed, type Roots, timerNode } from "./generate-part.ts";
import { node, type OutNode } from "./write.ts";

type Trigger = CatchTrigger | EndEvent["trigger"] | IntermediateThrowEvent["trigger"];

/** The event definitions of an event; nothing for other elements. */
export function definitionsFor(element: Element, roots: Roots): OutNode[] {
  return "trigger" in element ? definitionsOf(element.trigger as Trigger, roots) : [];
}

/** One for each trigger. */
export function definitionsOf(trigger: Trigger, roots: Roots): OutNode[] {
  switch (trigger.type) {
    case "none":
      return [];
    case "timer":
      return [timerNode(trigger.timer)];
    case "message":
      return [node("bpmn:messageEventDefinition", { messageRef: roots.message(trigger.message) })];
    case "signal":
      return [node("bpmn:signalEventDefinition", { signalRef: roots.signal(trigger.signal.name) })];
    case "conditional":
      return [
        node("bpmn:conditionalEventDefinition", {}, [
          filter(trigger.variables),
          expressionNode("bpmn:condition", trigger.condition),
        ]),
      ];
    case "error":
    case "escalation": {
      const { type, code } = trigger;
      const from = "codeFrom" in trigger ? trigger.codeFrom : undefined;
      return [
        node(`bpmn:${type}EventDefinition`, {
          [`${type}Ref`]: code === undefined ? undefined : roots.coded(type, code, from),
        }),
      ];
    }
    case "compensation": {
      const activity = "activity" in trigger ? trigger.activity : undefined;
      return [
        node("bpmn:compensateEventDefinition", {
          activityRef: activity === undefined ? undefined : roots.elementId(activity),
          waitForCompletion: "waits" in trigger && trigger.waits === false ? "false" : undefined,
        }),
      ];
    }
    case "link":
      return [node("bpmn:linkEventDefinition", { name: fixed(trigger.name) })];
    case "multiple":
      return trigger.triggers.flatMap((inner) => definitionsOf(inner, roots));
    case "terminate":
    case "cancel":
      return [node(`bpmn:${trigger.type}EventDefinition`)];
  }
}

function filter(variables: readonly string[] | undefined): OutNode | undefined {
  if (variables === undefined) return undefined;
  return node("bpmn:extensionElements", {}, [node("zeebe:conditionalFilter", { variableNames: variables.join(", ") })]);
}
