import type { Mapping, MessageDefinition } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import type { Context } from "./context.ts";
import { correlationKeyOf } from "./correlation.ts";
import { sourceOf } from "./expression.ts";
import { attribute, child, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/**
 * The message that a task or an event's definition names. A drawing that names none still means one: that of the
 * message flow at the element, so that both ends agree, else one called like the task or event itself.
 */
export function messageOf(
  context: Context,
  node: XmlNode,
  at: { readonly element: XmlNode; readonly payload?: readonly Mapping[] | undefined },
): MessageDefinition | undefined {
  const { file } = context;
  const way = node.name === "bpmn:sendTask" ? "bpmn:outMessageRef" : "bpmn:inMessageRef";
  const operationRef = attribute(node, "operationRef") ?? textOf(child(node, "bpmn:operationRef"));
  const operation =
    attribute(node, "messageRef") === undefined ? file.resolve(node, operationRef, ["bpmn:operation"]) : undefined;
  const flow = file.messageFlowAt(at.element);
  const reference =
    attribute(node, "messageRef") ??
    textOf(child(operation, way)) ??
    textOf(child(operation, "bpmn:inMessageRef")) ??
    attribute(flow, "messageRef");
  const message = file.resolve(node, reference, ["bpmn:message"]);
  const { payload } = at;
  if (message === undefined) {
    if (reference !== undefined) return undefined;
    if (flow !== undefined) {
      const name = attribute(flow, "name") ?? attribute(flow, "id") ?? "";
      return { name: { literal: name }, ...defined({ payload }) };
    }
    const name = attribute(at.element, "name") ?? file.idOf(at.element);
    file.warn(
      "bpmn-invalid",
      `Expected a message (messageRef), but none is named: it is called ${JSON.stringify(name.slice(0, 80))}`,
      node,
    );
    return { name: { literal: name }, ...defined({ payload }) };
  }
  const name = sourceOf(attribute(message, "name") ?? file.idOf(message), message);
  return {
    name,
    ...defined({ correlationKey: correlationKeyOf(context, { message, element: at.element, payload }), payload }),
  };
}
