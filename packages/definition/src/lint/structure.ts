import type { Element, ElementId, Flow, ProgramDocument, SourcePosition } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";

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

const nowhere: SourcePosition = { line: 1, column: 1 };

/** Paths: what nothing reaches, what never ends, what may find no way on. */
export function lintStructure(compiled: CompiledProgram, index: Index): void {
  const { problems, program } = compiled;
  for (const element of program.elements) {
    const position = element.position ?? nowhere;
    const generated =
      element.kind === "end-event" && element.trigger.type === "none" && /(?:^|\.)end(?:\.event)?$/.test(element.id);
    if (
      !index.reached.has(element.id) &&
      !generated &&
      (element.parent === null || index.reached.has(element.parent))
    ) {
      problems.warn("element-unreachable", `Expected a flow to ${element.id}, but nothing leads there`, position);
    }
    if (element.kind === "exclusive-gateway") lintGateway(compiled, index, element.id);
    const thrown =
      "trigger" in element && element.trigger.type === "compensation" && "activity" in element.trigger
        ? element.trigger.activity
        : undefined;
    if (thrown !== undefined) lintCompensation(compiled, index, { thrown, element });
  }
  for (const fall of compiled.fallsInto) {
    const position = index.elements.get(fall.from)?.position ?? nowhere;
    const message = `Expected a then in ${fall.from}, but its flow runs into ${fall.to}, which handles an error or a time-out`;
    problems.warn("fall-through", message, position);
  }
  lintEnds(compiled, index);
}

function lintCompensation(
  compiled: CompiledProgram,
  index: Index,
  at: { readonly thrown: ElementId; readonly element: Element },
): void {
  const target = index.elements.get(at.thrown);
  const fine =
    target !== undefined &&
    target.parent === at.element.parent &&
    ("compensation" in target || target.kind === "sub-process");
  if (fine) return;
  const found = target === undefined ? "it is not there" : "it has no undo, or stands in another scope";
  compiled.problems.error(
    "undo-invalid",
    `Expected ${at.thrown} to be a step with undo, but ${found}`,
    at.element.position ?? nowhere,
  );
}

function lintEnds(compiled: CompiledProgram, index: Index): void {
  const scopes = new Set(compiled.program.elements.map((element) => element.parent));
  for (const scope of scopes) {
    const inside = compiled.program.elements.filter(
      (element) => element.parent === scope && index.reached.has(element.id),
    );
    const leaves = inside.some(
      (element) => (index.outgoing.get(element.id)?.length ?? 0) === 0 && !("forCompensation" in element),
    );
    if (leaves || inside.length === 0) continue;
    const position = (scope === null ? undefined : index.elements.get(scope)?.position) ?? compiled.place([]);
    compiled.problems.error(
      "end-missing",
      `Expected a path to an end in ${scope ?? compiled.program.id}, but every path goes in circles`,
      position,
    );
  }
}

function lintGateway(compiled: CompiledProgram, index: Index, id: ElementId): void {
  const { problems } = compiled;
  const gateway = index.elements.get(id);
  const flows = index.outgoing.get(id) ?? [];
  const position = gateway?.position ?? nowhere;
  if (gateway?.kind !== "exclusive-gateway") return;
  if (flows.length === 0) {
    problems.error("route-leads-nowhere", `Expected a route out of ${id}, but there is none`, position);
    return;
  }
  if (gateway.defaultFlow !== undefined || flows.some((flow) => flow.condition === undefined)) return;
  if (isExhaustive(flows.map((flow) => flow.condition?.text ?? ""))) return;
  const message = `Expected a default route of ${id} or conditions that cover everything, but a value may fit none`;
  problems.warn("gateway-not-exhaustive", message, position);
}

const opposite: Readonly<Record<string, string>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  ">=": "<",
  ">": "<=",
  "<=": ">",
};

/** Whether two of the conditions are each other's opposite, as far as their text shows it. */
export function isExhaustive(conditions: readonly string[]): boolean {
  const texts = new Set(conditions.map(normal));
  return [...texts].some((text) => text === "true" || negations(text).some((negation) => texts.has(negation)));
}

function normal(text: string): string {
  const squeezed = text.replaceAll(/\s+/g, " ").trim();
  const compared = /^(.+?) ?== ?(true|false)$/.exec(squeezed);
  if (compared?.[1] === undefined || /&&|\|\|/.test(squeezed)) return squeezed;
  return compared[2] === "true" ? compared[1] : `!${compared[1]}`;
}

function negations(text: string): string[] {
  const found = [`!(${text})`];
  if (/&&|\|\||\?/.test(text)) return found;
  const comparison = /^([^=!<>]+?) ?(==|!=|<=|>=|<|>) ?([^=!<>]+)$/.exec(text);
  if (comparison?.[2] === undefined) found.push(`!${text}`);
  else found.push(`${comparison[1]} ${opposite[comparison[2]]} ${comparison[3]}`);
  return found;
}
