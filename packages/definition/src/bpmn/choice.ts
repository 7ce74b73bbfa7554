import type { ExclusiveGateway, Flow } from "@tutti/kernel";
import { activities } from "./activity.ts";
import { type Context, tolerate } from "./context.ts";
import { variableName } from "./data.ts";
import { feel } from "./expression.ts";
import type { XmlNode } from "./xml.ts";

/**
 * Flows out of exclusive gateways that have no condition where others are to have a chance. Drawings made for people
 * write only names on them, such as "yes" and "no": there the name is what a variable called like the gateway must be,
 * so that whoever runs the drawing chooses. In a process that is executable the first such flow is always taken.
 */
export function completeChoices(context: Context, container: XmlNode): void {
  const outgoing = Map.groupBy(context.draft.flows(), (flow) => flow.from);
  const visit = (node: XmlNode): void => {
    for (const inner of node.children) {
      if (inner.name in activities) visit(inner);
      const gateway = inner.name === "bpmn:exclusiveGateway" ? context.draft.get(context.file.idOf(inner)) : undefined;
      if (gateway?.kind !== "exclusive-gateway") continue;
      const flows = outgoing.get(gateway.id) ?? [];
      const unsaid = flows.filter(({ id, condition }) => condition === undefined && id !== gateway.defaultFlow);
      if (unsaid.length > (gateway.defaultFlow === undefined ? 1 : 0))
        complete(context, { gateway, unsaid, node: inner });
    }
  };
  visit(container);
}

interface Choice {
  readonly gateway: ExclusiveGateway;
  /** Not empty. */
  readonly unsaid: readonly Flow[];
  readonly node: XmlNode;
}

function complete(context: Context, { gateway, unsaid, node }: Choice): void {
  const fault = `Expected a condition on every flow out of ${gateway.id} but the default, but ${unsaid.map(({ id }) => id).join(", ")} ${unsaid.length === 1 ? "has" : "have"} none`;
  const names = unsaid.flatMap(({ name }) => name ?? []);
  if (!context.plain || new Set(names).size < unsaid.length) {
    context.file.warn("bpmn-invalid", `${fault}: ${unsaid[0]?.id} is taken before those behind it`, node);
    return;
  }
  const variable = variableName(gateway.name ?? gateway.id);
  const here = `the variable ${variable} chooses, by the name of a flow: ${names.map((name) => JSON.stringify(name)).join(", ")}`;
  tolerate(context, node, { fault, here });
  for (const flow of unsaid) {
    context.draft.putFlow({ ...flow, condition: feel(`${variable} = ${JSON.stringify(flow.name)}`, node) });
  }
}
