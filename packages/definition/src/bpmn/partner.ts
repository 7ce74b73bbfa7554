import type { Mapping } from "@tutti/kernel";
import type { Context } from "./context.ts";
import { dataNamesOf } from "./data.ts";
import { attribute, type BpmnFile, child, childrenOf, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/** One end of a message flow, as the other end sees it. */
export interface Partner {
  readonly element: XmlNode;
  /** The process that it stands in. */
  readonly process: XmlNode;
}

/** The element at the other end of the message flow of an element, when it stands in a process of the same file. */
export function partnerOf(file: BpmnFile, element: XmlNode): Partner | undefined {
  const flow = file.messageFlowAt(element);
  const ends = ["sourceRef", "targetRef"].map((end) => file.find(attribute(flow, end)));
  const other = ends.find((end) => end !== undefined && end !== element);
  const process = other && file.roots("bpmn:process").find((each) => contains(each, other));
  return other === undefined || process === undefined ? undefined : { element: other, process };
}

function contains(node: XmlNode, wanted: XmlNode): boolean {
  return node.children.some((inner) => inner === wanted || contains(inner, wanted));
}

/** The reference to a message of a task, or of an event's definition: its own, or that of its operation. */
export function ownReference(file: BpmnFile, node: XmlNode): string | undefined {
  const own = attribute(node, "messageRef");
  if (own !== undefined) return own;
  const operation = file.find(attribute(node, "operationRef") ?? textOf(child(node, "bpmn:operationRef")));
  const way = node.name === "bpmn:sendTask" ? "bpmn:outMessageRef" : "bpmn:inMessageRef";
  return textOf(child(operation, way)) ?? textOf(child(operation, "bpmn:inMessageRef"));
}

/** The same of the other end of a flow. */
export function referenceOf(file: BpmnFile, { element }: Partner): string | undefined {
  const definition = child(element, "bpmn:messageEventDefinition");
  return ownReference(file, definition ?? element);
}

/** An input or output of an element: the variable it is, and of which item. */
interface Port {
  readonly name: string;
  readonly item: XmlNode | undefined;
}

/**
 * What is sent, under the names that the receiver reads it by: an output of the same item definition, else the only one
 * of each. Data that is given piece by piece has the names that its author gives it.
 */
export function sentTo(
  context: Context,
  { element, partner }: { readonly element: XmlNode; readonly partner: Partner },
  payload: readonly Mapping[],
): readonly Mapping[] {
  const { file, data } = context;
  const given = portsOf(file, childrenOf(element, "bpmn:dataInputAssociation"), { inner: "bpmn:targetRef", data });
  const theirs = dataNamesOf(partner.process);
  const outputs = childrenOf(partner.element, "bpmn:dataOutputAssociation");
  const read = portsOf(file, outputs, { inner: "bpmn:sourceRef", data: theirs });
  const names = new Map<string, string>();
  for (const port of given) {
    const same = read.filter(({ item }) => item !== undefined && item === port.item);
    const only = given.length === 1 && read.length === 1 ? read : [];
    const [meant] = same.length === 1 ? same : only;
    if (meant !== undefined) names.set(port.name, meant.name);
  }
  return payload.map((mapping) => ({ ...mapping, target: names.get(mapping.target) ?? mapping.target }));
}

function portsOf(
  file: BpmnFile,
  associations: readonly XmlNode[],
  at: { readonly inner: string; readonly data: ReadonlyMap<string, string> },
): Port[] {
  return associations.flatMap((association) => {
    if (child(association, "bpmn:assignment") !== undefined) return [];
    const ends = [textOf(child(association, at.inner))].concat(
      ["bpmn:targetRef", "bpmn:sourceRef"].map((end) => textOf(child(association, end))),
    );
    const name = ends.map((end) => at.data.get(end ?? "")).find((known) => known !== undefined);
    const item = file.find(attribute(file.find(ends[0]), "itemSubjectRef"));
    return name === undefined ? [] : [{ name, item }];
  });
}
