import type { VariableDeclaration, VariableType } from "@tutti/kernel";
import { attribute, type BpmnFile, child, childrenOf, flag } from "./file.ts";
import type { XmlNode } from "./xml.ts";

const holders: readonly string[] = [
  "bpmn:dataObject",
  "bpmn:property",
  "bpmn:dataInput",
  "bpmn:dataOutput",
  "bpmn:inputDataItem",
  "bpmn:outputDataItem",
];

/** A name as BPMN allows it made a variable's: letters of any script, digits and underscores. */
export function variableName(text: string): string {
  const name = text
    .trim()
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{M}\p{N}_]+/gu, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 128);
  return /^[\p{L}_]/u.test(name) ? name : `_${name}`;
}

/**
 * What data objects, properties and data inputs are called as variables, by id. A data object has the name that its
 * references show when it has none itself, as modelers draw only these.
 */
export function dataNamesOf(root: XmlNode): Map<string, string> {
  const names = new Map<string, string>();
  const references: XmlNode[] = [];
  const visit = (node: XmlNode): void => {
    const id = attribute(node, "id");
    if (id !== undefined && holders.includes(node.name) && !isUnnamed(node, root))
      names.set(id, variableName(attribute(node, "name") ?? id));
    if (node.name === "bpmn:dataObjectReference") references.push(node);
    if (node.name === "bpmn:dataStoreReference" && id !== undefined)
      names.set(id, variableName(attribute(node, "name") ?? id));
    for (const inner of node.children) if (inner.name.startsWith("bpmn:")) visit(inner);
  };
  visit(root);
  const named = new Set<string>();
  for (const reference of references) {
    const target = attribute(reference, "dataObjectRef");
    const name = attribute(reference, "name");
    const object = target === undefined ? undefined : names.get(target);
    if (
      target !== undefined &&
      object !== undefined &&
      object === variableName(target) &&
      name !== undefined &&
      !named.has(target)
    ) {
      names.set(target, variableName(withoutState(name)));
      named.add(target);
    }
  }
  for (const reference of references) {
    const id = attribute(reference, "id") ?? "";
    const own = variableName(withoutState(attribute(reference, "name") ?? id));
    names.set(id, names.get(attribute(reference, "dataObjectRef") ?? "") ?? own);
  }
  return names;
}

/** `Invoice [paid]` is the invoice. */
function withoutState(name: string): string {
  return name.replace(/\s*\[.*\]$/, "");
}

/**
 * An input or output of a task that has no name, or one that bpmn.io makes up to have something to draw an arrow to, is
 * called like the data at the other end of its association. Those of the process itself are its interface.
 */
function isUnnamed(node: XmlNode, root: XmlNode): boolean {
  const name = attribute(node, "name");
  if (name === "__targetRef_placeholder") return true;
  const isPort = node.name === "bpmn:dataInput" || node.name === "bpmn:dataOutput";
  return isPort && name === undefined && child(root, "bpmn:ioSpecification")?.children.includes(node) !== true;
}

/** Data objects and properties of a process or sub-process, as its variables. */
export function declaredData(
  file: BpmnFile,
  container: XmlNode,
  names: ReadonlyMap<string, string>,
): VariableDeclaration[] {
  const found = new Map<string, VariableDeclaration>();
  const own = [...childrenOf(container, "bpmn:property"), ...childrenOf(container, "bpmn:dataObject")];
  const specification = child(container, "bpmn:ioSpecification");
  for (const node of [
    ...own,
    ...childrenOf(specification, "bpmn:dataInput"),
    ...childrenOf(specification, "bpmn:dataOutput"),
  ]) {
    const name = names.get(attribute(node, "id") ?? "") ?? variableName(file.idOf(node));
    found.set(name, { name, type: typeOf(file, node), initial: null });
  }
  return [...found.values()];
}

const types: Readonly<Record<string, VariableType>> = {
  string: "string",
  boolean: "boolean",
  int: "integer",
  integer: "integer",
  long: "integer",
  short: "integer",
  double: "number",
  float: "number",
  decimal: "number",
  number: "number",
  list: "list",
  map: "object",
  object: "any",
};

function typeOf(file: BpmnFile, node: XmlNode): VariableType {
  const item = file.find(attribute(node, "itemSubjectRef"));
  if (flag(node, "isCollection", false) || flag(item, "isCollection", false)) return "list";
  const structure =
    attribute(item, "structureRef")
      ?.replace(/^.*[:.]/, "")
      .toLowerCase() ?? "";
  return Object.hasOwn(types, structure) ? (types[structure] ?? "any") : "any";
}
