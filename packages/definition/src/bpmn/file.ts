import type { DefinitionErrorCode } from "../errors.ts";
import type { Problems } from "../problem.ts";
import type { XmlNode } from "./xml.ts";

/** The local part of a name: `bpmn:userTask` is a userTask. */
export function kindOf(node: XmlNode): string {
  return node.name.replace(/^.*[:}]/, "");
}

export function child(node: XmlNode | undefined, name: string): XmlNode | undefined {
  return node?.children.find((inner) => inner.name === name);
}

export function childrenOf(node: XmlNode | undefined, name: string): readonly XmlNode[] {
  return node?.children.filter((inner) => inner.name === name) ?? [];
}

/** An element of the vendor's own inside `extensionElements`. */
export function extension(node: XmlNode | undefined, name: string): XmlNode | undefined {
  return child(child(node, "bpmn:extensionElements"), name);
}

export function extensions(node: XmlNode | undefined, name: string): readonly XmlNode[] {
  return childrenOf(child(node, "bpmn:extensionElements"), name);
}

/** An attribute's text; an empty one counts as absent, as modelers leave them behind. */
export function attribute(node: XmlNode | undefined, name: string): string | undefined {
  const value = node?.attributes.get(name)?.trim();
  return value === "" ? undefined : value;
}

export function flag(node: XmlNode | undefined, name: string, absent: boolean): boolean {
  const value = attribute(node, name);
  return value === undefined ? absent : value === "true" || value === "1";
}

export function textOf(node: XmlNode | undefined): string | undefined {
  const text = node?.text.trim();
  return text === undefined || text === "" ? undefined : text;
}

/** A child that holds a text: modelers leave empty ones behind. */
export function filled(node: XmlNode | undefined, name: string): XmlNode | undefined {
  const found = child(node, name);
  return textOf(found) === undefined ? undefined : found;
}

const containers: ReadonlySet<string> = new Set(
  ["definitions", "collaboration", "process", "subProcess", "transaction", "adHocSubProcess"].map(
    (kind) => `bpmn:${kind}`,
  ),
);
/** What stands in a container and says something of it. */
const about =
  /(?:Elements|documentation|Specification|Set|property|Characteristics|Condition|incoming|outgoing|Binding|putAssociation|Owner|[pP]erformer|Role|auditing|monitoring|supports|Subscription|rendering)$/;

function isElement(node: XmlNode, parent: XmlNode): boolean {
  return containers.has(parent.name) && node.name.startsWith("bpmn:") && !about.test(node.name);
}

function withElement(message: string, id: string | undefined): string {
  if (id === undefined) return message;
  const words = message.split(/[\s'"(),:;]+/).map((word) => word.replace(/\.$/, ""));
  return words.includes(id) ? message : `${message} (in ${id})`;
}

/** A BPMN file: its tree, its ids, and where problems go. */
export class BpmnFile {
  readonly root: XmlNode;
  readonly problems: Problems;
  readonly #byId = new Map<string, XmlNode>();
  readonly #ids = new Map<XmlNode, string>();
  /** The element that each node is a part of, itself included. */
  readonly #elements = new Map<XmlNode, XmlNode>();

  constructor(root: XmlNode, problems: Problems) {
    this.root = root;
    this.problems = problems;
    this.#register(root, true);
  }

  /** Reports an error at its line, with the element that it is in: its message says the id if it does not already. */
  report(code: DefinitionErrorCode, message: string, at: XmlNode): void {
    const element = this.elementAt(at);
    this.problems.error(code, withElement(message, element), { ...at.position, element });
  }

  refuse(what: string, at: XmlNode): void {
    this.report("element-unsupported", `Expected what Tutti can run, but found ${what}`, at);
  }

  warn(code: DefinitionErrorCode, message: string, at: XmlNode): void {
    const element = this.elementAt(at);
    this.problems.warn(code, withElement(message, element), { ...at.position, element });
  }

  /** The id of the element that a node is, or is a part of; undefined outside of all. */
  elementAt(node: XmlNode): string | undefined {
    const element = this.#elements.get(node);
    return element === undefined ? undefined : this.idOf(element);
  }

  /** What an element is called in the program: what it was exported from, else its id, else its kind and number. */
  idOf(node: XmlNode): string {
    return this.#ids.get(node) ?? node.name;
  }

  /**
   * The element that a reference names, a prefix before a colon being ignored. One that leads nowhere, or to another
   * kind of element, is reported at the element that refers.
   */
  resolve(from: XmlNode, reference: string | undefined, kinds?: readonly string[]): XmlNode | undefined {
    if (reference === undefined) return undefined;
    const found = this.find(reference);
    if (found !== undefined && (kinds === undefined || kinds.includes(found.name))) return found;
    const wanted = kinds === undefined ? "an element" : kinds.map((kind) => kind.replace("bpmn:", "")).join(" or ");
    const what = found === undefined ? "there is none" : `it is a ${kindOf(found)}`;
    this.report("bpmn-invalid", `Expected ${wanted} with the id ${reference.slice(0, 80)}, but ${what}`, from);
    return undefined;
  }

  /** The element that a reference names, when it is there: for references that change nothing when they lead nowhere. */
  find(reference: string | undefined): XmlNode | undefined {
    if (reference === undefined) return undefined;
    return this.#byId.get(reference) ?? this.#byId.get(reference.replace(/^[^:]*:/, ""));
  }

  /** The message flow that an element sends or receives, between the parties of a collaboration. */
  messageFlowAt(node: XmlNode): XmlNode | undefined {
    const flows = this.roots("bpmn:collaboration").flatMap((collaboration) =>
      childrenOf(collaboration, "bpmn:messageFlow"),
    );
    return flows.find((flow) => ["sourceRef", "targetRef"].some((end) => this.find(attribute(flow, end)) === node));
  }

  /** Roots of one kind, such as messages. */
  roots(name: string): readonly XmlNode[] {
    return childrenOf(this.root, name);
  }

  #register(node: XmlNode, semantic: boolean): void {
    const id = node.attributes.get("id");
    if (id !== undefined && semantic) {
      const before = this.#byId.get(id);
      if (before === undefined) this.#byId.set(id, node);
      else {
        const message = `Expected every id once, but ${id} is there twice (first in line ${before.position.line})`;
        this.report("element-duplicate", message, node);
      }
    }
    const numbers = new Map<string, number>();
    for (const inner of node.children) {
      const number = (numbers.get(inner.name) ?? 0) + 1;
      numbers.set(inner.name, number);
      const given = inner.attributes.get("tutti:id") ?? inner.attributes.get("id");
      const around = this.#elements.get(node);
      const element = isElement(inner, node) ? inner : around;
      if (element !== undefined) this.#elements.set(inner, element);
      this.#ids.set(inner, given ?? `${this.#ids.get(node) ?? "file"}.${kindOf(inner)}${number}`);
      // Diagrams and extensions have ids of their own, which nothing here refers to.
      this.#register(inner, semantic && inner.name.startsWith("bpmn:") && inner.name !== "bpmn:extensionElements");
    }
  }
}
