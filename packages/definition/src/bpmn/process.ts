import type { Element, ElementId, Expression } from "@tutti/kernel";
import { type CompiledProgram, Draft, type Head } from "../draft.ts";
import { defined } from "../form/parts.ts";
import { limits } from "../limits.ts";
import { activities, activityOf } from "./activity.ts";
import { completeChoices } from "./choice.ts";
import { type Context, lanesOf, refuseListeners, tolerate } from "./context.ts";
import { dataNamesOf, declaredData } from "./data.ts";
import { events, marksCompensation } from "./event.ts";
import { conditionOf, feel } from "./expression.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, flag, kindOf, textOf } from "./file.ts";
import { reportLooseFlow, warnOfFlow } from "./flow-rules.ts";
import { gateways } from "./gateway.ts";
import { fillOpen } from "./open.ts";
import { applyHeadPatch, applyPatches } from "./patch.ts";
import type { XmlNode } from "./xml.ts";

/** Children that are no elements of the process: read elsewhere, or drawn for people only. */
const silent: ReadonlySet<string> = new Set([
  "incoming",
  "outgoing",
  "documentation",
  "extensionElements",
  "laneSet",
  "property",
  "ioSpecification",
  "ioBinding",
  "dataObject",
  "dataObjectReference",
  "dataStoreReference",
  "association",
  "textAnnotation",
  "group",
  "category",
  "auditing",
  "monitoring",
  "correlationSubscription",
  "dataInputAssociation",
  "dataOutputAssociation",
  "supports",
  "multiInstanceLoopCharacteristics",
  "standardLoopCharacteristics",
  "potentialOwner",
  "humanPerformer",
  "performer",
  "resourceRole",
  "completionCondition",
  "sequenceFlow",
  "supportedInterfaceRef",
  "rendering",
  "boundaryEventRef",
  "categoryValueRef",
]);

/** Compiles one process of a file. Everything that cannot be compiled is reported at its place, all at once. */
export function compileProcess(file: BpmnFile, process: XmlNode, processes: ReadonlySet<string>): CompiledProgram {
  const draft = new Draft(file.problems, () => process.position);
  const data = dataNamesOf(process);
  const handlers = handlersOf(file, process);
  const context: Context = {
    file,
    draft,
    process,
    inside: new Set(nodesIn(process)),
    processes,
    data,
    lanes: lanesOf(process),
    handlers,
    undoing: new Set(handlers.values()),
    plain: !flag(process, "isExecutable", false),
    open: new Map(),
  };
  refuseListeners(file, process);
  compileScope(context, process, { parent: null, nesting: 0 });
  compileFlows(context, process);
  completeChoices(context, process);
  const declared = declaredData(file, process, data);
  const variables = fillOpen(context, declared);
  applyPatches(context, process);
  const head: Head = {
    id: file.idOf(process),
    version: versionOf(process),
    name: nameOf(file, process),
    variables,
    outputs: outputsOf(context, process) ?? variables.map((variable) => variable.name),
    onError: "fail",
  };
  const program = draft.finish(applyHeadPatch(context, process, head));
  return { program, problems: file.problems, place: () => process.position, legacy: true, fallsInto: [] };
}

function* nodesIn(container: XmlNode): IterableIterator<XmlNode> {
  for (const node of container.children) {
    yield node;
    yield* nodesIn(node);
  }
}

function versionOf(process: XmlNode): string {
  return attribute(extension(process, "zeebe:versionTag"), "value") ?? attribute(process, "camunda:versionTag") ?? "1";
}

/** A pool that shows the process may be all that names it. */
function nameOf(file: BpmnFile, process: XmlNode): string {
  const pools = file
    .roots("bpmn:collaboration")
    .flatMap((collaboration) => childrenOf(collaboration, "bpmn:participant"));
  const pool = pools.find((participant) => file.find(attribute(participant, "processRef")) === process);
  return attribute(process, "name") ?? attribute(pool, "name") ?? file.idOf(process);
}

function outputsOf(context: Context, process: XmlNode): readonly string[] | undefined {
  const outputs = childrenOf(child(process, "bpmn:ioSpecification"), "bpmn:dataOutput");
  return outputs.length === 0
    ? undefined
    : outputs.map((node) => context.data.get(attribute(node, "id") ?? "") ?? context.file.idOf(node));
}

/** Which activity undoes which: an association, drawn either way, connects the mark at one's boundary with the other. */
function handlersOf(file: BpmnFile, process: XmlNode): Map<ElementId, ElementId> {
  const handlers = new Map<ElementId, ElementId>();
  const connect = (mark: XmlNode | undefined, handler: XmlNode | undefined): void => {
    if (mark === undefined || handler === undefined || !(handler.name in activities)) return;
    if (mark.name !== "bpmn:boundaryEvent") return;
    const referred = childrenOf(mark, "bpmn:eventDefinitionRef").map((reference) => file.find(textOf(reference)));
    if (![...mark.children, ...referred].some((node) => node?.name === "bpmn:compensateEventDefinition")) return;
    const attached = file.find(attribute(mark, "attachedToRef"));
    if (attached !== undefined) handlers.set(file.idOf(attached), file.idOf(handler));
  };
  const visit = (container: XmlNode): void => {
    for (const node of container.children) {
      if (node.name in activities && node.children.length > 0) visit(node);
      if (node.name !== "bpmn:association") continue;
      const ends = [file.find(attribute(node, "sourceRef")), file.find(attribute(node, "targetRef"))] as const;
      connect(ends[0], ends[1]);
      connect(ends[1], ends[0]);
    }
  };
  visit(process);
  return handlers;
}

/** Where something is compiled to, and how many sub-processes deep. */
interface Site {
  readonly parent: ElementId | null;
  readonly nesting: number;
}

function compileScope(context: Context, container: XmlNode, at: Site): void {
  const { file } = context;
  const { parent, nesting } = at;
  if (nesting > limits.nestingMax) {
    file.report(
      "element-limit",
      `Expected at most ${limits.nestingMax} sub-processes within each other, but this is deeper`,
      container,
    );
    return;
  }
  for (const node of container.children) {
    if (node.name.startsWith("bpmn:") && !silent.has(kindOf(node))) compileNode(context, node, { parent, nesting });
  }
  if (container.name !== "bpmn:adHocSubProcess") checkBeginning(context, container);
}

/** Once all elements are there: some tools write every flow into the process, wherever it is drawn. */
function compileFlows(context: Context, container: XmlNode): void {
  for (const node of container.children) {
    if (node.name in activities) compileFlows(context, node);
  }
  for (const flow of childrenOf(container, "bpmn:sequenceFlow")) compileFlow(context, flow);
}

function compileNode(context: Context, node: XmlNode, at: Site): void {
  const { file, draft } = context;
  refuseListeners(file, node);
  const build = events[node.name] ?? gateways[node.name] ?? (node.name in activities ? activityOf : undefined);
  if (build === undefined) {
    const name = attribute(node, "name");
    const named = name === undefined ? "" : ` (${name.slice(0, 80)})`;
    file.refuse(`the ${kindOf(node)} ${file.idOf(node)}${named}`, node);
    return;
  }
  if (marksCompensation(context, node)) {
    const marked = file.find(attribute(node, "attachedToRef"));
    if (marked === undefined || !context.handlers.has(file.idOf(marked))) {
      const fault = `Expected an association to the activity that undoes, but ${file.idOf(node)} has none`;
      tolerate(context, node, { code: "undo-invalid", fault, here: "nothing undoes it" });
    }
    return;
  }
  const element = build(context, node, at.parent);
  // An id that is there twice was reported with the file.
  if (element === undefined || draft.has(element.id)) return;
  draft.add(element);
  if (element.kind === "sub-process" || element.kind === "ad-hoc-sub-process")
    compileScope(context, node, { parent: element.id, nesting: at.nesting + 1 });
}

/** Without a start event everything that nothing flows into begins, which is for the kernel. Where nothing does, all is done. */
function checkBeginning(context: Context, container: XmlNode): void {
  const { file } = context;
  if (childrenOf(container, "bpmn:startEvent").length > 0) return;
  if (flag(container, "triggeredByEvent", false)) {
    const message = `Expected a start event in the event sub-process ${file.idOf(container)}, but there is none`;
    file.report("bpmn-invalid", message, container);
    return;
  }
  const flows = childrenOf(container, "bpmn:sequenceFlow");
  const targets = new Set(flows.flatMap((flow) => file.find(attribute(flow, "targetRef")) ?? []));
  const inside = container.children.filter((node) => context.draft.has(file.idOf(node)));
  if (inside.length === 0 || inside.some((node) => !targets.has(node) && beginsAlone(context, node))) return;
  const id = file.idOf(container);
  const message = `Expected a start event, or something that nothing flows into, but ${id} has neither: it completes at once`;
  file.warn("start-missing", message, container);
}

/** Whether an element without incoming flows is one that begins, and not one that something else triggers. */
function beginsAlone(context: Context, node: XmlNode): boolean {
  const element = context.draft.get(context.file.idOf(node));
  if (element === undefined || element.kind === "boundary-event" || element.kind === "start-event") return false;
  if ("forCompensation" in element) return false;
  if (element.kind === "sub-process" && element.triggeredByEvent === true) return false;
  return !(element.kind === "intermediate-catch-event" && element.trigger.type === "link");
}

function compileFlow(context: Context, node: XmlNode): void {
  const { file, draft } = context;
  const end = (name: "sourceRef" | "targetRef"): XmlNode | undefined => {
    const reference = attribute(node, name);
    if (reference !== undefined) return file.resolve(node, reference);
    tolerate(context, node, { fault: `Expected ${name}, but there is none`, here: "the flow is left out" });
    return undefined;
  };
  const [from, to] = [end("sourceRef"), end("targetRef")];
  if (from === undefined || to === undefined) return;
  const [source, target] = [draft.get(file.idOf(from)), draft.get(file.idOf(to))];
  if (source === undefined || target === undefined) return reportLooseFlow(context, node, { from, to });
  if (source.parent !== target.parent) {
    file.report(
      "target-other-scope",
      `Expected a flow within one process or sub-process, but ${file.idOf(node)} leads from ${source.id} in ${source.parent ?? "the process"} to ${target.id} in ${target.parent ?? "the process"}`,
      node,
    );
    return;
  }
  if (target.kind === "start-event" || target.kind === "boundary-event") {
    file.report("bpmn-invalid", `Expected no flow into the ${target.kind} ${target.id}, but there is one`, node);
    return;
  }
  warnOfFlow(context, node, { source, target });
  if ("forCompensation" in source || "forCompensation" in target) {
    file.report(
      "undo-invalid",
      `Expected an association at a compensation handler, but ${file.idOf(node)} is a sequence flow`,
      node,
    );
    return;
  }
  const condition = flowCondition(context, node, source);
  draft.putFlow({
    id: file.idOf(node),
    from: source.id,
    to: target.id,
    ...defined({ condition, name: attribute(node, "name") }),
  });
}

/** A default flow has no condition, whatever stands there; nor has one out of an event or a gateway that takes all. */
function flowCondition(context: Context, node: XmlNode, source: Element): Expression | undefined {
  const { file } = context;
  const written = child(node, "bpmn:conditionExpression");
  if (written === undefined || textOf(written) === undefined) return undefined;
  const isDefault = "defaultFlow" in source && source.defaultFlow === file.idOf(node);
  const takesAll = source.kind === "parallel-gateway" || source.kind.endsWith("-event");
  // What was refused still is a condition: nobody forgot it.
  if (!isDefault && !takesAll) return conditionOf(file, written) ?? feel("true", written);
  const where = isDefault ? `on the default flow of ${source.id}` : `behind ${source.kind} ${source.id}`;
  file.warn("bpmn-invalid", `Expected no condition ${where}, but there is one: it is not evaluated`, written);
  return undefined;
}
