import type { Mapping, Source } from "@tutti/kernel";
import { cel } from "../value.ts";
import type { Context } from "./context.ts";
import { feel, pathSource, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, flag, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

interface Exchange {
  readonly message: XmlNode;
  /** The task or event that sends or receives it. */
  readonly element: XmlNode;
  readonly payload?: readonly Mapping[] | undefined;
}

/** Stands between the values of a key of several properties: no text that people write has it. */
const separator = "\u241F";

/**
 * Which conversation a message belongs to. Zeebe's subscription says so in one expression. BPMN's correlation says for
 * each property of a key how it is read from each message: who sends evaluates that on what is sent; who receives
 * compares it with its subscription of the process's own data, else with what the first message of the conversation
 * had. What begins a process belongs to none yet.
 */
export function correlationKeyOf(context: Context, exchange: Exchange): Source | undefined {
  const { file } = context;
  const { message } = exchange;
  const subscription = extension(message, "zeebe:subscription");
  const key = attribute(subscription, "correlationKey");
  if (subscription !== undefined && key !== undefined) return sourceOf(key, subscription);
  const readable = propertiesOf(file, message);
  if (readable.length === 0) return undefined;
  if (sends(exchange.element)) return joined(file, partsSent(file, exchange, keyOf(file, readable)), message);
  if (begins(context, exchange.element)) return undefined;
  const bound = boundParts(context, readable);
  return joined(file, bound ?? partsBefore(context, exchange, keyOf(file, readable)), message);
}

/** Whether it sends, not waits. */
export function sends(element: XmlNode): boolean {
  return /:(?:sendTask|intermediateThrowEvent|endEvent|event|implicitThrowEvent)$/.test(element.name);
}

function begins(context: Context, element: XmlNode): boolean {
  if (!context.process.children.includes(element)) return false;
  return element.name === "bpmn:startEvent" || flag(element, "instantiate", false);
}

/** The correlation properties that can be read from a message, in the order of the file, so that both ends agree. */
function propertiesOf(file: BpmnFile, message: XmlNode): readonly XmlNode[] {
  return file.roots("bpmn:correlationProperty").filter((property) => pathIn(file, property, message) !== undefined);
}

function pathIn(file: BpmnFile, property: XmlNode, message: XmlNode): XmlNode | undefined {
  const retrievals = childrenOf(property, "bpmn:correlationPropertyRetrievalExpression");
  const retrieval = retrievals.find((each) => file.find(attribute(each, "messageRef")) === message);
  return child(retrieval, "bpmn:messagePath") ?? child(retrieval, "bpmn:formalExpression");
}

/** The properties of the first key of the collaboration that can be read as a whole; without any key, all of them. */
function keyOf(file: BpmnFile, readable: readonly XmlNode[]): readonly XmlNode[] {
  const holders = [...file.roots("bpmn:collaboration"), ...file.roots("bpmn:choreography")];
  const keys = holders.flatMap((holder) =>
    [holder, ...holder.children].flatMap((node) => childrenOf(node, "bpmn:correlationKey")),
  );
  const wanted = keys.map((key) => childrenOf(key, "bpmn:correlationPropertyRef").map((ref) => file.find(textOf(ref))));
  const first = wanted.find(
    (list) => list.length > 0 && list.every((property) => property !== undefined && readable.includes(property)),
  );
  return first === undefined ? readable : readable.filter((property) => first.includes(property));
}

/** What the first subscription of the process says whose properties can all be read from the message. */
function boundParts(context: Context, readable: readonly XmlNode[]): readonly Source[] | undefined {
  const { file, process } = context;
  for (const subscription of childrenOf(process, "bpmn:correlationSubscription")) {
    const bindings = childrenOf(subscription, "bpmn:correlationPropertyBinding").map((binding) => ({
      property: file.find(attribute(binding, "correlationPropertyRef")),
      path: child(binding, "bpmn:dataPath"),
    }));
    const fits = bindings.every(({ property }) => property !== undefined && readable.includes(property));
    if (bindings.length === 0 || !fits) continue;
    return readable.flatMap((property) => {
      const path = bindings.find((binding) => binding.property === property)?.path;
      return path === undefined ? [] : (pathSource(file, path) ?? []);
    });
  }
  return undefined;
}

/** What is sent under the name that is read, where the sender says so; else what the sender itself sees. */
function partsSent(file: BpmnFile, { message, payload = [] }: Exchange, key: readonly XmlNode[]): readonly Source[] {
  return key.flatMap((property) => {
    const path = pathIn(file, property, message);
    const source = path === undefined ? undefined : pathSource(file, path);
    const name = source !== undefined && "variable" in source ? source.variable : undefined;
    return payload.find(({ target }) => target === name)?.source ?? source ?? [];
  });
}

/** What the first message of the process that has a property had; none where this is the first. */
function partsBefore(context: Context, { message }: Exchange, key: readonly XmlNode[]): readonly Source[] {
  const { file, process } = context;
  const exchanged = messagesIn(file, process);
  return key.flatMap((property) => {
    const first = exchanged.find((other) => pathIn(file, property, other) !== undefined);
    const path = first === undefined || first === message ? undefined : pathIn(file, property, first);
    return path === undefined ? [] : (pathSource(file, path) ?? []);
  });
}

/** Messages that a process sends or receives, in the order of the file. */
function messagesIn(file: BpmnFile, node: XmlNode): XmlNode[] {
  return node.children.flatMap((inner) =>
    [file.find(attribute(inner, "messageRef")) ?? [], messagesIn(file, inner)].flat(),
  );
}

function joined(file: BpmnFile, parts: readonly Source[], message: XmlNode): Source | undefined {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first;
  const languages = new Set(parts.flatMap((part) => ("language" in part ? part.language : [])));
  if (languages.size > 1) {
    file.refuse("a correlation key whose properties are in several expression languages", message);
    return undefined;
  }
  const texts = parts.map((part) => {
    if ("literal" in part) return JSON.stringify(String(part.literal));
    return `string(${"variable" in part ? part.variable : part.text})`;
  });
  const text = texts.join(` + "${separator}" + `);
  return languages.has("cel") ? cel(text, message.position) : feel(text, message);
}
