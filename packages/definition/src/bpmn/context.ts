import type { ElementId, JsonObject, SourcePosition } from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import type { DefinitionErrorCode } from "../errors.ts";
import { defined } from "../form/parts.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, extensions, kindOf, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/** What the compilation of one process knows. */
export interface Context {
  readonly file: BpmnFile;
  readonly draft: Draft;
  readonly process: XmlNode;
  /** Everything that is written in it. */
  readonly inside: ReadonlySet<XmlNode>;
  /** Names of lanes by the ids of what stands in them. */
  readonly lanes: ReadonlyMap<ElementId, string>;
  /** Which activity undoes another, by the other's id. */
  readonly handlers: ReadonlyMap<ElementId, ElementId>;
  /** Variable names of data objects, properties, and references to them, by id. */
  readonly data: ReadonlyMap<string, string>;
  /** The activities that undo others, as the drawing connects them. */
  readonly undoing: ReadonlySet<ElementId>;
  /** The process does not say that it is executable: what its drawing leaves out is filled in, with a warning. */
  readonly plain: boolean;
  /** Ids of the processes of the same file. */
  readonly processes: ReadonlySet<string>;
  /** Elements that say nothing of what goes in or out: they see, and may write, every variable of the process. */
  readonly open: Map<ElementId, { readonly inputs: boolean; readonly outputs: boolean }>;
}

/** What a drawing may leave out or get wrong, unless its process says that it is executable: then it is an error. */
export function tolerate(context: Context, at: XmlNode, said: Tolerated): void {
  const { file, plain } = context;
  const { code = "bpmn-invalid", fault, here } = said;
  if (plain) file.warn(code, `${fault}: here ${here}`, at);
  else file.report(code, fault, at);
}

interface Tolerated {
  readonly code?: DefinitionErrorCode;
  /** "Expected X, but Y". */
  readonly fault: string;
  /** What it is taken for. */
  readonly here: string;
}

export interface Base {
  readonly id: ElementId;
  readonly parent: ElementId | null;
  readonly position: SourcePosition;
  readonly name?: string;
  readonly documentation?: string;
  readonly extension?: JsonObject;
}

/** What all elements share. Lanes and properties are kept for tools; the kernel does not read them. */
export function baseOf(context: Context, node: XmlNode, parent: ElementId | null): Base {
  const { file, lanes } = context;
  const id = file.idOf(node);
  const documentation = childrenOf(node, "bpmn:documentation").flatMap((inner) => textOf(inner) ?? []);
  const kept = defined({ lane: lanes.get(id), properties: propertiesOf(node) });
  return {
    id,
    parent,
    position: node.position,
    ...defined({
      name: attribute(node, "name"),
      documentation: documentation.length === 0 ? undefined : documentation.join("\n\n"),
      extension: Object.keys(kept).length === 0 ? undefined : kept,
    }),
  };
}

function propertiesOf(node: XmlNode): Record<string, string> | undefined {
  const list = ["zeebe", "camunda"].flatMap((vendor) =>
    childrenOf(extension(node, `${vendor}:properties`), `${vendor}:property`),
  );
  const entries = list.map((inner) => [attribute(inner, "name") ?? "", inner.attributes.get("value") ?? ""]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Lanes by what they contain, inner ones winning. */
export function lanesOf(process: XmlNode): Map<ElementId, string> {
  const lanes = new Map<ElementId, string>();
  const visit = (set: XmlNode): void => {
    for (const lane of childrenOf(set, "bpmn:lane")) {
      const name = attribute(lane, "name") ?? attribute(lane, "id") ?? "";
      for (const reference of childrenOf(lane, "bpmn:flowNodeRef")) lanes.set(textOf(reference) ?? "", name);
      const inner = child(lane, "bpmn:childLaneSet");
      if (inner !== undefined) visit(inner);
    }
  };
  for (const set of childrenOf(process, "bpmn:laneSet")) visit(set);
  return lanes;
}

const listeners: readonly string[] = [
  ...["zeebe:executionListeners", "zeebe:taskListeners", "camunda:executionListener", "camunda:taskListener"],
  ...["drools:onEntry-script", "drools:onExit-script"],
];

/** Listeners run code of another engine in the middle of a step. */
export function refuseListeners(file: BpmnFile, node: XmlNode): void {
  for (const name of listeners) {
    for (const listener of extensions(node, name)) file.refuse(`${kindOf(listener)} in ${file.idOf(node)}`, listener);
  }
}
