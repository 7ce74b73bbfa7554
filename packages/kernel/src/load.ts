import type { Host } from "./host.ts";
import { AppError } from "./problem.ts";
import type {
  BoundaryEvent,
  Element,
  ElementId,
  Flow,
  FlowId,
  ProgramDocument,
  StartEvent,
  VariableDeclaration,
} from "./program.ts";
import { type Join, joinOf } from "./reach.ts";

/** A program ready to run: the document, indexed, with the host that evaluates its expressions. */
export interface Program {
  readonly document: ProgramDocument;
  readonly host: Host;
  readonly elements: ReadonlyMap<ElementId, Element>;
  readonly flows: ReadonlyMap<FlowId, Flow>;
  readonly outgoing: ReadonlyMap<ElementId, readonly Flow[]>;
  readonly incoming: ReadonlyMap<ElementId, readonly Flow[]>;
  readonly boundaries: ReadonlyMap<ElementId, readonly BoundaryEvent[]>;
  /** Activities whose outgoing flows are taken as their conditions say; every other one takes all of them. */
  readonly choosing: ReadonlySet<ElementId>;
  /** Gateways that wait for what can still come, by containing sub-process. */
  readonly joins: ReadonlyMap<ElementId | null, readonly Join[]>;
  /** By containing sub-process; null is the process. */
  readonly starts: ReadonlyMap<ElementId | null, StartEvent>;
  /** Declared variables by container, then by name. */
  readonly declarations: ReadonlyMap<ElementId | null, ReadonlyMap<string, VariableDeclaration>>;
}

const activityKinds: ReadonlySet<string> = new Set([
  "service-task",
  "script-task",
  "user-task",
  "sub-process",
  "call-activity",
]);
const choosingGateways: ReadonlySet<string> = new Set(["exclusive-gateway", "inclusive-gateway"]);
const waitingGateways: ReadonlySet<string> = new Set(["inclusive-gateway"]);

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function invalid(document: ProgramDocument, message: string): AppError {
  return new AppError("program-invalid", `Expected a sound program, but '${document.id}' ${message}.`);
}

function checkFlows(document: ProgramDocument, elements: ReadonlyMap<ElementId, Element>): void {
  for (const flow of document.flows) {
    const from = elements.get(flow.from);
    const to = elements.get(flow.to);
    if (from === undefined || to === undefined) throw invalid(document, `has a flow '${flow.id}' that leads nowhere`);
    if (isHandler(from) || isHandler(to)) throw invalid(document, `has a flow '${flow.id}' at a compensation handler`);
    if (from.parent !== to.parent) throw invalid(document, `has a flow '${flow.id}' that leaves its sub-process`);
    if (to.kind === "start-event" || to.kind === "boundary-event") {
      throw invalid(document, `has a flow '${flow.id}' into the ${to.kind} '${to.id}'`);
    }
    if (flow.condition !== undefined && !choosingGateways.has(from.kind) && !activityKinds.has(from.kind)) {
      throw invalid(document, `has a condition on '${flow.id}', which comes from a ${from.kind}`);
    }
  }
}

function isHandler(element: Element): boolean {
  return "forCompensation" in element && element.forCompensation === true;
}

function checkBoundary(document: ProgramDocument, to: Element | undefined, boundary: BoundaryEvent): void {
  const place = `attaches '${boundary.id}' to '${boundary.attachedTo}'`;
  if (to?.parent !== boundary.parent) throw invalid(document, `${place}, which does not stand beside it`);
  if (!activityKinds.has(to.kind)) throw invalid(document, `${place}, which is no activity`);
  // An error in a handler belongs to its compensation, which goes on with the next.
  if (isHandler(to)) throw invalid(document, `${place}, which is a compensation handler`);
}

function checkReferences(document: ProgramDocument, elements: ReadonlyMap<ElementId, Element>): void {
  for (const element of document.elements) {
    if (element.parent !== null && elements.get(element.parent)?.kind !== "sub-process") {
      throw invalid(document, `puts '${element.id}' into '${element.parent}', which is no sub-process`);
    }
    if (element.kind === "boundary-event") checkBoundary(document, elements.get(element.attachedTo), element);
    const handler = "compensation" in element ? element.compensation : undefined;
    const target = handler === undefined ? undefined : elements.get(handler);
    if (handler !== undefined && !(target !== undefined && isHandler(target))) {
      throw invalid(document, `undoes '${element.id}' by '${handler}', which is no compensation handler`);
    }
  }
}

/**
 * Indexes a compiled program. It trusts the compiler for everything a person could get wrong, and checks only what the
 * kernel's own steps rely on: throws AppError `program-invalid` for a dangling reference, a duplicate id, a scope
 * without exactly one start, or another format.
 */
export function loadProgram(document: ProgramDocument, host: Host): Program {
  if (document.format !== 1) throw invalid(document, `has format ${document.format}, and this kernel reads format 1`);
  const elements = new Map<ElementId, Element>();
  const outgoing = new Map<ElementId, Flow[]>();
  const incoming = new Map<ElementId, Flow[]>();
  const boundaries = new Map<ElementId, BoundaryEvent[]>();
  const starts = new Map<ElementId | null, StartEvent>();
  const declarations = new Map<ElementId | null, Map<string, VariableDeclaration>>();
  const declare = (container: ElementId | null, variables: readonly VariableDeclaration[]): void => {
    declarations.set(container, new Map(variables.map((variable) => [variable.name, variable])));
  };
  declare(null, document.variables);
  for (const element of document.elements) {
    if (elements.has(element.id)) throw invalid(document, `has two elements '${element.id}'`);
    elements.set(element.id, element);
    if (element.kind === "boundary-event") append(boundaries, element.attachedTo, element);
    if (element.kind === "sub-process") declare(element.id, element.variables ?? []);
    if (element.kind === "start-event") {
      if (starts.has(element.parent)) throw invalid(document, `has two start events in one scope ('${element.id}')`);
      starts.set(element.parent, element);
    }
  }
  for (const container of declarations.keys()) {
    if (!starts.has(container)) throw invalid(document, `has no start event in '${container ?? document.id}'`);
  }
  checkReferences(document, elements);
  checkFlows(document, elements);
  for (const flow of document.flows) {
    append(outgoing, flow.from, flow);
    append(incoming, flow.to, flow);
  }
  const flows = new Map(document.flows.map((flow) => [flow.id, flow]));
  const choosing = new Set(document.flows.filter(isChosen(elements)).map((flow) => flow.from));
  const joins = new Map<ElementId | null, Join[]>();
  for (const [id, into] of incoming) {
    const element = elements.get(id);
    if (element === undefined || into.length <= 1 || !waitingGateways.has(element.kind)) continue;
    append(joins, element.parent, joinOf({ elements, incoming, boundaries }, { element: id, incoming: into }));
  }
  return { document, host, elements, flows, outgoing, incoming, boundaries, choosing, joins, starts, declarations };
}

/** Flows out of activities that are taken only under a condition. */
function isChosen(elements: ReadonlyMap<ElementId, Element>): (flow: Flow) => boolean {
  return ({ id, from, condition }) => {
    const source = elements.get(from);
    if (source === undefined || !activityKinds.has(source.kind)) return false;
    return condition !== undefined || ("defaultFlow" in source && source.defaultFlow === id);
  };
}
