import type { Element, ElementId } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import { baseOf, type Context, tolerate } from "./context.ts";
import { conditionOf, feel } from "./expression.ts";
import { attribute, childrenOf, filled, flag } from "./file.ts";
import type { XmlNode } from "./xml.ts";

type Build = (context: Context, node: XmlNode, parent: ElementId | null) => Element | undefined;

export const gateways: Readonly<Record<string, Build>> = {
  "bpmn:exclusiveGateway": (context, node, parent) => ({
    ...baseOf(context, node, parent),
    kind: "exclusive-gateway",
    ...defined({ defaultFlow: defaultFlowOf(context, node) }),
  }),
  "bpmn:inclusiveGateway": (context, node, parent) => ({
    ...baseOf(context, node, parent),
    kind: "inclusive-gateway",
    ...defined({ defaultFlow: defaultFlowOf(context, node) }),
  }),
  "bpmn:complexGateway": complexGateway,
  "bpmn:eventBasedGateway": eventBasedGateway,
  "bpmn:parallelGateway": (context, node, parent) => ({ ...baseOf(context, node, parent), kind: "parallel-gateway" }),
};

/** The flow that is taken when no condition holds. */
export function defaultFlowOf(context: Context, node: XmlNode): string | undefined {
  const { file } = context;
  const flow = file.resolve(node, attribute(node, "default"), ["bpmn:sequenceFlow"]);
  if (flow === undefined) return undefined;
  if (file.find(attribute(flow, "sourceRef")) === node) return file.idOf(flow);
  const fault = `Expected the default flow of ${file.idOf(node)} to lead out of it, but ${file.idOf(flow)} does not`;
  tolerate(context, node, { fault, here: "there is none" });
  return undefined;
}

/** Without a condition the first token activates it, which the standard leaves open. */
function complexGateway(context: Context, node: XmlNode, parent: ElementId | null): Element | undefined {
  const { file } = context;
  const condition = filled(node, "bpmn:activationCondition");
  const activation = condition === undefined ? feel("true", node) : conditionOf(file, condition);
  if (activation === undefined) return undefined;
  if (condition === undefined && childrenOf(node, "bpmn:incoming").length > 1) {
    const message = `Expected an activationCondition in ${file.idOf(node)}, but there is none: the first token activates it`;
    file.warn("bpmn-invalid", message, node);
  }
  return {
    ...baseOf(context, node, parent),
    kind: "complex-gateway",
    activation,
    ...defined({ defaultFlow: defaultFlowOf(context, node) }),
  };
}

function eventBasedGateway(context: Context, node: XmlNode, parent: ElementId | null): Element {
  const type = attribute(node, "eventGatewayType") === "Parallel" ? ("parallel" as const) : ("exclusive" as const);
  const instantiate = flag(node, "instantiate", false) ? type : undefined;
  if (type === "parallel" && instantiate === undefined) {
    const message = `Expected a parallel event-based gateway to begin the process, but ${context.file.idOf(node)} does not: the first event decides`;
    context.file.warn("bpmn-invalid", message, node);
  }
  return { ...baseOf(context, node, parent), kind: "event-based-gateway", ...defined({ instantiate }) };
}
