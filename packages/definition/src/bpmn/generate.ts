import type { Activity, Element, ElementId, Flow, ProgramDocument } from "@tutti/kernel";
import { activityExtensions, activityParts } from "./generate-activity.ts";
import { definitionsFor } from "./generate-event.ts";
import { expressionNode, Roots } from "./generate-part.ts";
import { diagramOf } from "./layout.ts";
import { Names } from "./names.ts";
import { bpmnUri, tuttiUri, zeebeUri } from "./namespace.ts";
import { node, type OutNode } from "./write.ts";

/** A generated file, and where its elements, its flows and the process stand in it. */
export interface Generated {
  readonly root: OutNode;
  readonly process: OutNode;
  /** What shows an element, a flow, or that one activity undoes another. */
  readonly nodes: ReadonlyMap<string, readonly OutNode[]>;
  readonly names: Names;
}

const tags: { readonly [K in Element["kind"]]: string } = {
  "start-event": "startEvent",
  "end-event": "endEvent",
  "intermediate-catch-event": "intermediateCatchEvent",
  "intermediate-throw-event": "intermediateThrowEvent",
  "boundary-event": "boundaryEvent",
  "service-task": "serviceTask",
  "script-task": "scriptTask",
  "user-task": "userTask",
  "send-task": "sendTask",
  "receive-task": "receiveTask",
  "manual-task": "manualTask",
  "business-rule-task": "businessRuleTask",
  "event-based-gateway": "eventBasedGateway",
  "complex-gateway": "complexGateway",
  "ad-hoc-sub-process": "adHocSubProcess",
  "exclusive-gateway": "exclusiveGateway",
  "inclusive-gateway": "inclusiveGateway",
  "parallel-gateway": "parallelGateway",
  "sub-process": "subProcess",
  "call-activity": "callActivity",
};

/**
 * BPMN of a program: everything that the standard, or Zeebe's extensions, have words for. The rest is the exporter's,
 * which compares what this says with what the program says.
 */
export function generate(program: ProgramDocument, names: Names = new Names()): Generated {
  const roots = new Roots(names);
  const nodes = new Map<string, readonly OutNode[]>();
  const inside = Map.groupBy(program.elements, (element) => element.parent);
  const parents = new Map(program.elements.map((element) => [element.id, element.parent]));
  const flows = Map.groupBy(program.flows, (flow) => parents.get(flow.from) ?? null);
  const arrows = {
    incoming: Map.groupBy(program.flows, (flow) => flow.to),
    outgoing: Map.groupBy(program.flows, (flow) => flow.from),
  };
  // Ids first: references lead forwards.
  const processId = names.of("process", program.id);
  for (const element of program.elements) names.of("element", element.id);
  for (const flow of program.flows) names.of("flow", flow.id);
  const content = (parent: ElementId | null): OutNode[] => {
    const elements = (inside.get(parent) ?? []).flatMap((element) => {
      const made = elementNode(element, { names, roots, arrows, content });
      nodes.set(`element ${element.id}`, [made]);
      const marks = undoing(element, names);
      nodes.set(`undo ${element.id}`, marks);
      return [made, ...marks];
    });
    const lines = (flows.get(parent) ?? []).map((flow) => {
      const made = flowNode(flow, names);
      nodes.set(`flow ${flow.id}`, [made]);
      return made;
    });
    return [...elements, ...lines];
  };
  const process = node(
    "bpmn:process",
    {
      id: processId,
      "tutti:id": names.original(program.id, processId),
      name: program.name,
      isExecutable: "true",
      "tutti:mapped": "true",
    },
    [node("bpmn:extensionElements"), ...content(null)],
  );
  const root = node(
    "bpmn:definitions",
    { ...namespaces, id: names.fresh("Definitions"), targetNamespace: "urn:tutti", exporter: "Tutti" },
    [process, ...roots.nodes, diagramOf(process)],
  );
  return { root, process, nodes, names };
}

export const namespaces: Readonly<Record<string, string>> = {
  "xmlns:bpmn": bpmnUri,
  "xmlns:bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
  "xmlns:dc": "http://www.omg.org/spec/DD/20100524/DC",
  "xmlns:di": "http://www.omg.org/spec/DD/20100524/DI",
  "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
  "xmlns:zeebe": zeebeUri,
  "xmlns:tutti": tuttiUri,
};

export interface Making {
  readonly names: Names;
  readonly roots: Roots;
  readonly arrows: { readonly [way in "incoming" | "outgoing"]: ReadonlyMap<ElementId, readonly Flow[]> };
  readonly content: (parent: ElementId | null) => OutNode[];
}

function elementNode(element: Element, making: Making): OutNode {
  const { names } = making;
  const id = names.of("element", element.id);
  const { documentation } = element;
  return node(
    `bpmn:${element.kind === "sub-process" && element.transaction === true ? "transaction" : tags[element.kind]}`,
    { id, "tutti:id": names.original(element.id, id), name: element.name, ...attributesOf(element, making) },
    [
      documentation === undefined ? undefined : node("bpmn:documentation", {}, documentation),
      node("bpmn:extensionElements", {}, activityExtensions(element)),
      ...arrowsOf(element, making),
      ...activityParts(element, making.roots),
      ...definitionsFor(element, making.roots),
      ...(isContainer(element) ? making.content(element.id) : []),
      ...completionOf(element),
    ],
  );
}

function isContainer(element: Element): boolean {
  return element.kind === "sub-process" || element.kind === "ad-hoc-sub-process";
}

/** The schema wants it behind what the sub-process contains. */
function completionOf(element: Element): OutNode[] {
  if (element.kind !== "ad-hoc-sub-process" || element.completion === undefined) return [];
  return [expressionNode("bpmn:completionCondition", element.completion)];
}

/** What the flows say once more, as some tools draw only these. */
function arrowsOf(element: Element, making: Making): OutNode[] {
  return (["incoming", "outgoing"] as const).flatMap((way) =>
    (making.arrows[way].get(element.id) ?? []).map((flow) => node(`bpmn:${way}`, {}, making.names.of("flow", flow.id))),
  );
}

function attributesOf(element: Element, making: Making): Record<string, string | undefined> {
  const { names, roots } = making;
  switch (element.kind) {
    case "boundary-event":
      return {
        attachedToRef: names.of("element", element.attachedTo),
        cancelActivity: element.interrupting ? undefined : "false",
        ...parallel(element.trigger),
      };
    case "start-event":
      return { isInterrupting: element.interrupting === false ? "false" : undefined, ...parallel(element.trigger) };
    case "intermediate-catch-event":
      return parallel(element.trigger);
    case "event-based-gateway": {
      const { instantiate } = element;
      const eventGatewayType = instantiate === "parallel" ? "Parallel" : undefined;
      return { instantiate: instantiate === undefined ? undefined : "true", eventGatewayType };
    }
    case "send-task":
    case "receive-task": {
      const messageRef = element.message === undefined ? undefined : roots.message(element.message);
      const begins = element.kind === "receive-task" && element.instantiate;
      return { ...activityAttributes(element, names), messageRef, instantiate: begins ? "true" : undefined };
    }
    case "sub-process":
      return {
        ...activityAttributes(element, names),
        triggeredByEvent: element.triggeredByEvent === true ? "true" : undefined,
      };
    case "ad-hoc-sub-process":
      return {
        ...activityAttributes(element, names),
        ordering: element.ordering === "sequential" ? "Sequential" : "Parallel",
        cancelRemainingInstances: element.cancelRemaining ? undefined : "false",
      };
    case "script-task":
      return { ...activityAttributes(element, names), scriptFormat: "cel" };
    default:
      return activityAttributes(element, names);
  }
}

/** What activities, and in part gateways, have in common. */
function activityAttributes(element: Element, names: Names): Record<string, string | undefined> {
  const { defaultFlow, forCompensation, startQuantity, completionQuantity } = element as Partial<Activity>;
  return {
    default: defaultFlow === undefined ? undefined : names.of("flow", defaultFlow),
    isForCompensation: forCompensation === true ? "true" : undefined,
    startQuantity: startQuantity === undefined ? undefined : String(startQuantity),
    completionQuantity: completionQuantity === undefined ? undefined : String(completionQuantity),
  };
}

function parallel(trigger: { readonly type: string; readonly parallel?: boolean }): Record<string, string> {
  return trigger.type === "multiple" && trigger.parallel === true ? { parallelMultiple: "true" } : {};
}

/** The mark at an activity's boundary, and the association to what undoes it. */
function undoing(element: Element, names: Names): OutNode[] {
  if (!("compensation" in element) || element.compensation === undefined) return [];
  const mark = names.fresh("Undo");
  return [
    node("bpmn:boundaryEvent", { id: mark, attachedToRef: names.of("element", element.id) }, [
      node("bpmn:compensateEventDefinition", { id: names.fresh("CompensateEventDefinition") }),
    ]),
    node("bpmn:association", {
      id: names.fresh("Association"),
      associationDirection: "One",
      sourceRef: mark,
      targetRef: names.of("element", element.compensation),
    }),
  ];
}

function flowNode(flow: Flow, names: Names): OutNode {
  const id = names.of("flow", flow.id);
  return node(
    "bpmn:sequenceFlow",
    {
      id,
      "tutti:id": names.original(flow.id, id),
      name: flow.name,
      sourceRef: names.of("element", flow.from),
      targetRef: names.of("element", flow.to),
    },
    [
      node("bpmn:extensionElements"),
      flow.condition === undefined ? undefined : expressionNode("bpmn:conditionExpression", flow.condition),
    ],
  );
}
