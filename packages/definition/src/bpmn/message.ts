import type { Mapping, MessageDefinition } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import type { Context } from "./context.ts";
import { correlationKeyOf, sends } from "./correlation.ts";
import { sourceOf } from "./expression.ts";
import { attribute, type BpmnFile } from "./file.ts";
import { ownReference, partnerOf, referenceOf, sentTo } from "./partner.ts";
import type { XmlNode } from "./xml.ts";

/**
 * The message that a task or an event's definition names. A drawing that names none still means one: that of the
 * message flow at the element, so that both ends agree, else one called like the task or event itself. What is sent to an
 * element of the same file is the message that it waits for, with the data under the names that it reads.
 */
export function messageOf(
  context: Context,
  node: XmlNode,
  at: { readonly element: XmlNode; readonly payload?: readonly Mapping[] | undefined },
): MessageDefinition | undefined {
  const { file } = context;
  const flow = file.messageFlowAt(at.element);
  const partner = partnerOf(file, at.element);
  const own = ownReference(file, node);
  const theirs = partner === undefined ? undefined : referenceOf(file, partner);
  const agreed = attribute(flow, "messageRef");
  // Who waits has the name that others know, too: who sends to it takes that.
  const sending = sends(at.element);
  const reference = sending && partner !== undefined ? (theirs ?? agreed ?? own) : (own ?? agreed ?? theirs);
  const message = file.resolve(node, reference, ["bpmn:message"]);
  const payload =
    sending && partner !== undefined && at.payload !== undefined
      ? sentTo(context, { element: at.element, partner }, at.payload)
      : at.payload;
  if (message === undefined) {
    if (reference !== undefined) return undefined;
    return { name: { literal: unnamed(file, node, { element: at.element, flow }) }, ...defined({ payload }) };
  }
  const said = own === undefined ? undefined : file.find(own);
  if (sending && said !== undefined && said !== message) tellOtherName(file, node, [said, message]);
  const exchange = { message: said ?? message, element: at.element, payload: at.payload };
  return {
    name: sourceOf(attribute(message, "name") ?? file.idOf(message), message),
    ...defined({ correlationKey: correlationKeyOf(context, exchange), payload }),
  };
}

function unnamed(
  file: BpmnFile,
  node: XmlNode,
  { element, flow }: { readonly element: XmlNode; readonly flow: XmlNode | undefined },
): string {
  if (flow !== undefined) return attribute(flow, "name") ?? attribute(flow, "id") ?? "";
  const name = attribute(element, "name") ?? file.idOf(element);
  const called = JSON.stringify(name.slice(0, 80));
  file.warn("bpmn-invalid", `Expected a message (messageRef), but none is named: it is called ${called}`, node);
  return name;
}

/** Both ends of a flow mean one message: what is sent under another name would reach nobody. */
function tellOtherName(file: BpmnFile, node: XmlNode, [sent, awaited]: readonly [XmlNode, XmlNode]): void {
  const [ours, theirs] = [sent, awaited].map((each) => attribute(each, "name") ?? file.idOf(each));
  if (ours === theirs) return;
  const message = `Expected one message at both ends of the flow, but ${ours} is sent and ${theirs} is awaited: it is sent as ${theirs}`;
  file.warn("bpmn-invalid", message, node);
}
