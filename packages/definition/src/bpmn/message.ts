import type { Mapping, MessageDefinition, Source } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import type { Context } from "./context.ts";
import { expressionSource, sourceOf } from "./expression.ts";
import { attribute, child, childrenOf, extension, textOf } from "./file.ts";
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
  return { name, ...defined({ correlationKey: correlationKeyOf(context, message), payload }) };
}

/** Zeebe's subscription of the message, else BPMN's own correlation subscription of the process. */
function correlationKeyOf(context: Context, message: XmlNode): Source | undefined {
  const { file } = context;
  const subscription = extension(message, "zeebe:subscription");
  const key = attribute(subscription, "correlationKey");
  if (subscription !== undefined && key !== undefined) return sourceOf(key, subscription);
  const properties = file.roots("bpmn:correlationProperty").filter((property) => {
    const retrievals = childrenOf(property, "bpmn:correlationPropertyRetrievalExpression");
    return retrievals.some((retrieval) => file.find(attribute(retrieval, "messageRef")) === message);
  });
  const bindings = childrenOf(context.process, "bpmn:correlationSubscription").flatMap((inner) =>
    childrenOf(inner, "bpmn:correlationPropertyBinding"),
  );
  const bound = bindings.filter((binding) =>
    properties.some((property) => property === file.find(attribute(binding, "correlationPropertyRef"))),
  );
  const [first, second] = bound.flatMap((binding) => child(binding, "bpmn:dataPath") ?? []);
  if (second !== undefined) file.refuse("a correlation by more than one property", second);
  return first === undefined ? undefined : expressionSource(file, first);
}
