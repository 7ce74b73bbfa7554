import { triggerOf } from "./bpmn-event/wait.ts";
import type { Host } from "./host.ts";
import { must } from "./problem.ts";
import type {
  BoundaryEvent,
  CatchTrigger,
  Element,
  ElementId,
  Flow,
  FlowId,
  IntermediateThrowEvent,
  ProgramDocument,
  StartEvent,
  SubProcess,
  VariableDeclaration,
} from "./program.ts";
import { activityKinds, checkProgram, invalid, isContainer, isEventSubProcess, isHandler } from "./program-check.ts";
import { type Join, joinOf } from "./token/reach.ts";

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
  /** The none start by containing sub-process (null is the process); of an event sub-process, its only start. */
  readonly starts: ReadonlyMap<ElementId | null, StartEvent>;
  /** By the container in which they wait to be triggered. */
  readonly eventSubProcesses: ReadonlyMap<ElementId | null, readonly SubProcess[]>;
  /** Where a scope begins when it is entered: its none start event, or without any what no flow leads to. */
  readonly entries: ReadonlyMap<ElementId | null, readonly Element[]>;
  /** The events that start a new instance, in the order of the definition. */
  readonly processStarts: readonly ProcessStart[];
  /** What undoes an activity, or the process (null) once it was called; and all that undo something. */
  readonly handlerOf: ReadonlyMap<ElementId | null, ElementId>;
  readonly handlers: ReadonlySet<ElementId>;
  /** From a throwing link event to where it leads. */
  readonly links: ReadonlyMap<ElementId, ElementId>;
  /** Whether anything in it opens subscriptions, and whether one of them is a condition: steps of others pay nothing. */
  readonly subscribes: boolean;
  readonly watches: boolean;
  /** By ad-hoc sub-process: what can be chosen in it. */
  readonly activatable: ReadonlyMap<ElementId, readonly Element[]>;
  /** Declared variables by container, then by name. */
  readonly declarations: ReadonlyMap<ElementId | null, ReadonlyMap<string, VariableDeclaration>>;
  readonly limits: Limits;
}

export interface Limits {
  /** One command starts at most this many elements, items and handlers; the rest follows in `continue` commands. */
  readonly activationsPerCommandMax: number;
  /** A step that goes on in parts has at most this many; one that still has not come to rest then goes round for ever. */
  readonly continuationsMax: number;
}

/** What every engine uses. Tests use lower ones, to be at them often. */
export const limits: Limits = { activationsPerCommandMax: 1_000, continuationsMax: 1_000 };

/** Whether tokens wait at an element for what can still come; a complex gateway waits for its condition in any case. */
function isJoin(element: Element, incoming: number): boolean {
  return element.kind === "complex-gateway" || (element.kind === "inclusive-gateway" && incoming > 1);
}

/**
 * An event that starts a new instance: a start event, or one after an event-based gateway that begins the process. Of
 * several none start events the first is what a process begins at anyway; the others are here, to be named.
 */
export interface ProcessStart {
  readonly id: ElementId;
  readonly trigger: CatchTrigger | { readonly type: "none" };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/**
 * Indexes a compiled program. It trusts the compiler for everything a person could get wrong, and checks only what the
 * kernel's own steps rely on: throws AppError `program-invalid` for a dangling reference, a duplicate id, an event
 * that stands where it cannot be, or another format.
 */
export function loadProgram(document: ProgramDocument, host: Host, within: Limits = limits): Program {
  if (document.format !== 1) throw invalid(document, `has format ${document.format}, and this kernel reads format 1`);
  const elements = new Map<ElementId, Element>();
  const outgoing = new Map<ElementId, Flow[]>();
  const incoming = new Map<ElementId, Flow[]>();
  const boundaries = new Map<ElementId, BoundaryEvent[]>();
  const declarations = new Map<ElementId | null, Map<string, VariableDeclaration>>();
  const declare = (container: ElementId | null, variables: readonly VariableDeclaration[]): void => {
    declarations.set(container, new Map(variables.map((variable) => [variable.name, variable])));
  };
  declare(null, document.variables);
  for (const element of document.elements) {
    if (elements.has(element.id)) throw invalid(document, `has two elements '${element.id}'`);
    elements.set(element.id, element);
    if (element.kind === "boundary-event") append(boundaries, element.attachedTo, element);
    if (isContainer(element)) declare(element.id, element.variables ?? []);
  }
  checkProgram(document, elements);
  for (const flow of document.flows) {
    append(outgoing, flow.from, flow);
    append(incoming, flow.to, flow);
  }
  const flows = new Map(document.flows.map((flow) => [flow.id, flow]));
  const starts = indexStarts({ document, elements, outgoing, incoming });
  const events = { ...indexEvents(document, elements), ...indexHandlers(document, starts) };
  const choosing = new Set(document.flows.filter(isChosen(elements)).map((flow) => flow.from));
  const joins = new Map<ElementId | null, Join[]>();
  for (const [id, into] of incoming) {
    const element = elements.get(id);
    if (element === undefined || !isJoin(element, into.length)) continue;
    append(
      joins,
      element.parent,
      joinOf({ elements, incoming, boundaries, links: events.links }, { element: id, incoming: into }),
    );
  }
  return {
    document,
    host,
    elements,
    flows,
    outgoing,
    incoming,
    boundaries,
    choosing,
    joins,
    ...starts,
    ...events,
    activatable: indexActivatable(document, incoming),
    declarations,
    limits: within,
  };
}

/** Flows out of activities that are taken only under a condition. */
function isChosen(elements: ReadonlyMap<ElementId, Element>): (flow: Flow) => boolean {
  return ({ id, from, condition }) => {
    const source = elements.get(from);
    if (source === undefined || !activityKinds.has(source.kind)) return false;
    return condition !== undefined || ("defaultFlow" in source && source.defaultFlow === id);
  };
}

type Graph = Pick<Program, "document" | "elements" | "outgoing" | "incoming">;

/** Where a scope begins, and what can start something in it or the process itself. */
function indexStarts(graph: Graph): Pick<Program, "starts" | "eventSubProcesses" | "processStarts" | "entries"> {
  const { document, elements, outgoing } = graph;
  const starts = new Map<ElementId | null, StartEvent>();
  const eventSubProcesses = new Map<ElementId | null, SubProcess[]>();
  const processStarts: ProcessStart[] = [];
  const addStart = (element: Element): void => {
    const trigger = must(triggerOf(element), "events that start were checked");
    processStarts.push({ id: element.id, trigger });
  };
  for (const element of document.elements) {
    if (element.kind === "sub-process" && element.triggeredByEvent) append(eventSubProcesses, element.parent, element);
    if (element.kind === "event-based-gateway" && beginsProcess(element)) {
      for (const { to } of outgoing.get(element.id) ?? []) addStart(must(elements.get(to), "flows were checked"));
    }
    if (element.kind === "receive-task" && beginsProcess(element)) addStart(element);
    if (element.kind !== "start-event") continue;
    const container = elements.get(element.parent ?? "");
    if (element.trigger.type !== "none" && !isEventSubProcess(container)) {
      if (container !== undefined) throw invalid(document, `has a triggered start '${element.id}' in a sub-process`);
      addStart(element);
      continue;
    }
    if (!starts.has(element.parent)) starts.set(element.parent, element);
    else if (element.parent === null) processStarts.push(element);
    else throw invalid(document, `has two start events in one scope ('${element.id}')`);
  }
  return { starts, eventSubProcesses, processStarts, entries: indexEntries(graph, { starts, processStarts }) };
}

/** What no flow leads to begins with its scope, unless an event starts it (BPMN 2.0.2, 13.3.1). */
function indexEntries(
  { document, elements, incoming }: Graph,
  { starts, processStarts }: Pick<Program, "starts" | "processStarts">,
): Program["entries"] {
  const entries = new Map<ElementId | null, readonly Element[]>();
  const contents = new Map<ElementId | null, Element[]>();
  for (const element of document.elements) append(contents, element.parent, element);
  for (const container of [null, ...document.elements.filter(({ kind }) => kind === "sub-process")]) {
    const id = container?.id ?? null;
    const start = starts.get(id);
    const content = contents.get(id) ?? [];
    const found = start === undefined ? content.filter((each) => beginsAlone(each) && !incoming.has(each.id)) : [start];
    if (container === null && processStarts.length > 0 && start === undefined) continue;
    if (start === undefined && isEventSubProcess(elements.get(id ?? ""))) {
      throw invalid(document, `has no start event in the event sub-process '${id}'`);
    }
    entries.set(id, found);
  }
  return entries;
}

function beginsAlone(element: Element): boolean {
  if (element.kind === "start-event" || element.kind === "boundary-event") return false;
  if (element.kind === "intermediate-catch-event" && element.trigger.type === "link") return false;
  return !beginsProcess(element) && !isHandler(element) && !isEventSubProcess(element);
}

/** Whether its event begins an instance of the process; in a sub-process it begins like everything else there. */
function beginsProcess(element: Element): boolean {
  return "instantiate" in element && element.instantiate !== undefined && element.parent === null;
}

/** What undoes what: the handler named at an activity, else the compensation event sub-process inside it. */
function indexHandlers(
  document: ProgramDocument,
  { starts, eventSubProcesses }: Pick<Program, "starts" | "eventSubProcesses">,
): Pick<Program, "handlerOf" | "handlers"> {
  const handlerOf = new Map<ElementId | null, ElementId>();
  const handlers = new Set<ElementId>();
  for (const [container, inside] of eventSubProcesses) {
    for (const { id } of inside) {
      if (starts.get(id)?.trigger.type !== "compensation") continue;
      handlerOf.set(container, id);
      handlers.add(id);
    }
  }
  for (const element of document.elements) {
    if (isHandler(element)) handlers.add(element.id);
    if ("compensation" in element && element.compensation !== undefined)
      handlerOf.set(element.id, element.compensation);
  }
  return { handlerOf, handlers };
}

function indexActivatable(
  document: ProgramDocument,
  incoming: ReadonlyMap<ElementId, unknown>,
): Program["activatable"] {
  const adHocs = document.elements.filter(({ kind }) => kind === "ad-hoc-sub-process");
  const activatable = new Map<ElementId, Element[]>(adHocs.map(({ id }) => [id, []]));
  for (const element of document.elements) {
    const inside = element.parent === null ? undefined : activatable.get(element.parent);
    if (!incoming.has(element.id) && isActivatable(element)) inside?.push(element);
  }
  return activatable;
}

/** Whether an element can be started by itself: an activity, or an event that neither stands on one nor is linked to. */
function isActivatable(element: Element): boolean {
  if (isHandler(element) || isEventSubProcess(element)) return false;
  if (element.kind === "intermediate-catch-event") return element.trigger.type !== "link";
  return activityKinds.has(element.kind) || element.kind === "intermediate-throw-event";
}

/** Where links lead, and what kinds of waiting there are. */
function indexEvents(
  document: ProgramDocument,
  elements: ReadonlyMap<ElementId, Element>,
): Pick<Program, "links" | "subscribes" | "watches"> {
  const links = new Map<ElementId, ElementId>();
  let [subscribes, watches] = [false, false];
  for (const element of elements.values()) {
    const trigger = triggerOf(element);
    for (const { type } of trigger?.type === "multiple" ? trigger.triggers : trigger === undefined ? [] : [trigger]) {
      watches ||= type === "conditional";
      subscribes ||= watches || type === "message" || type === "signal";
    }
    // What one of several brought is kept there until the others came, also where all of them are timers.
    subscribes ||= trigger?.type === "multiple" && trigger.parallel;
    if (element.kind === "intermediate-throw-event" && element.trigger.type === "link") {
      links.set(element.id, targetOf(document, element));
    }
  }
  return { links, subscribes, watches };
}

function targetOf(document: ProgramDocument, thrown: IntermediateThrowEvent): ElementId {
  const targets = document.elements.filter(
    (element) =>
      element.kind === "intermediate-catch-event" &&
      element.parent === thrown.parent &&
      element.trigger.type === "link" &&
      thrown.trigger.type === "link" &&
      element.trigger.name === thrown.trigger.name,
  );
  const [target] = targets;
  if (target !== undefined && targets.length === 1) return target.id;
  throw invalid(document, `has ${targets.length} places that the link event '${thrown.id}' leads to`);
}
