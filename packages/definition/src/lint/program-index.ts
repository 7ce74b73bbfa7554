import type { Element, ElementId, Flow, ProgramDocument } from "@tutti/kernel";

/** A program indexed for lint. */
export interface Index {
  readonly program: ProgramDocument;
  readonly elements: ReadonlyMap<ElementId, Element>;
  readonly outgoing: ReadonlyMap<ElementId, readonly Flow[]>;
  readonly incoming: ReadonlyMap<ElementId, readonly Flow[]>;
  /** Elements that some path from a start reaches. */
  readonly reached: ReadonlySet<ElementId>;
}

export function indexOf(program: ProgramDocument): Index {
  const elements = new Map(program.elements.map((element) => [element.id, element]));
  const outgoing = Map.groupBy(program.flows, (flow) => flow.from);
  const incoming = Map.groupBy(program.flows, (flow) => flow.to);
  return { program, elements, outgoing, incoming, reached: reach(program, elements, outgoing) };
}

function reach(
  program: ProgramDocument,
  elements: ReadonlyMap<ElementId, Element>,
  outgoing: ReadonlyMap<ElementId, readonly Flow[]>,
): Set<ElementId> {
  // What starts with what contains it, or with what it is attached to.
  const begins = beginning(program);
  const starts = Map.groupBy(program.elements.filter(begins), (element) => element.parent);
  const boundaries = Map.groupBy(
    program.elements.filter((element) => element.kind === "boundary-event"),
    (boundary) => boundary.attachedTo,
  );
  const reached = new Set<ElementId>();
  const open: ElementId[] = [];
  const begin = (container: ElementId | null) => open.push(...(starts.get(container) ?? []).map((start) => start.id));
  begin(null);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const element = elements.get(id);
    if (element === undefined || reached.has(id)) continue;
    reached.add(id);
    open.push(...(outgoing.get(id) ?? []).map((flow) => flow.to));
    open.push(...(boundaries.get(id) ?? []).map((boundary) => boundary.id));
    begin(id);
    if ("compensation" in element && element.compensation !== undefined) open.push(element.compensation);
    open.push(...linksOf(program, element).map(({ id: to }) => to));
  }
  return reached;
}

/** Start events and event sub-processes; in a scope without a start event all that no flow leads to. */
function beginning(program: ProgramDocument): (element: Element) => boolean {
  const started = new Set(program.elements.flatMap(({ kind, parent }) => (kind === "start-event" ? [parent] : [])));
  const targets = new Set(program.flows.map((flow) => flow.to));
  return (element) => {
    if (element.kind === "start-event" || "triggeredByEvent" in element || "instantiate" in element) return true;
    const other = element.kind === "boundary-event" || "forCompensation" in element || isLinkTarget(element);
    return !other && !started.has(element.parent) && !targets.has(element.id);
  };
}

function isLinkTarget(element: Element): boolean {
  return element.kind === "intermediate-catch-event" && element.trigger.type === "link";
}

/** The link event that a throwing one leads to stands in the same scope. */
function linkOf(element: Element): { readonly name: string; readonly parent: ElementId | null } | undefined {
  if (element.kind !== "intermediate-throw-event" || element.trigger.type !== "link") return undefined;
  return { name: element.trigger.name, parent: element.parent };
}

/** The events that catch the link that an element throws. */
export function linksOf(program: ProgramDocument, element: Element): readonly Element[] {
  const link = linkOf(element);
  return link === undefined ? [] : program.elements.filter((other) => isLinkTo(other, link));
}

/** The events that throw the link that an element catches. */
export function linkedTo(program: ProgramDocument, element: Element): readonly Element[] {
  if (element.kind !== "intermediate-catch-event" || element.trigger.type !== "link") return [];
  return program.elements.filter((other) => {
    const link = linkOf(other);
    return link !== undefined && isLinkTo(element, link);
  });
}

function isLinkTo(element: Element, link: { readonly name: string; readonly parent: ElementId | null }): boolean {
  if (element.kind !== "intermediate-catch-event" || element.parent !== link.parent) return false;
  return element.trigger.type === "link" && element.trigger.name === link.name;
}
