import type { Element, ElementId, SourcePosition } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import { isGeneratedEnd } from "../generated.ts";
import { Circles, tellCircle } from "./circle.ts";
import type { Index } from "./program-index.ts";

const nowhere: SourcePosition = { line: 1, column: 1 };

/** Paths: what nothing reaches, what never ends, what may find no way on. */
export function lintStructure(compiled: CompiledProgram, index: Index): void {
  const { problems, program } = compiled;
  for (const element of program.elements) {
    const position = element.position ?? nowhere;
    if (
      !index.reached.has(element.id) &&
      !isGeneratedEnd(element) &&
      (element.parent === null || index.reached.has(element.parent))
    ) {
      problems.warn("element-unreachable", `Expected a flow to ${element.id}, but nothing leads there`, position);
    }
    lintRoutes(compiled, index, element);
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
  const trapped = lintCircles(compiled, index);
  lintEnds(compiled, index, trapped);
}

/** Gives the scopes in which tokens go round for ever: that they never end is said by that. */
function lintCircles({ problems }: CompiledProgram, index: Index): ReadonlySet<ElementId | null> {
  const scopes = new Set<ElementId | null>();
  for (const circle of new Circles(index).traps()) {
    const { first, told } = tellCircle(circle);
    const message = `Expected a way out of ${told}, but tokens go round for ever without waiting for anything`;
    problems.error("process-spins", message, first?.position ?? nowhere);
    for (const { parent } of circle) scopes.add(parent);
  }
  return scopes;
}

function lintCompensation(
  compiled: CompiledProgram,
  index: Index,
  at: { readonly thrown: ElementId; readonly element: Element },
): void {
  const target = index.elements.get(at.thrown);
  const fine =
    target !== undefined &&
    scopesUndoneFrom(index, at.element).includes(target.parent) &&
    ("compensation" in target || target.kind === "sub-process" || target.kind === "call-activity");
  if (fine) return;
  const found = target === undefined ? "it is not there" : "it has no undo, or stands in another scope";
  compiled.problems.error(
    "undo-invalid",
    `Expected ${at.thrown} to be a step with undo, but ${found}`,
    at.element.position ?? nowhere,
  );
}

/** An event sub-process undoes what completed in the scope it stands in, too. */
function scopesUndoneFrom(index: Index, { parent }: Element): readonly (ElementId | null)[] {
  const container = index.elements.get(parent ?? "");
  if (container === undefined || !("triggeredByEvent" in container)) return [parent];
  return [parent, ...scopesUndoneFrom(index, container)];
}

function lintEnds(compiled: CompiledProgram, index: Index, trapped: ReadonlySet<ElementId | null>): void {
  const scopes = Map.groupBy(compiled.program.elements, (element) => element.parent);
  for (const [scope, elements] of scopes) {
    if (trapped.has(scope)) continue;
    const inside = elements.filter((element) => index.reached.has(element.id));
    const leaves = inside.some(
      (element) => (index.outgoing.get(element.id)?.length ?? 0) === 0 && !("forCompensation" in element),
    );
    if (leaves || inside.length === 0) continue;
    const position = (scope === null ? undefined : index.elements.get(scope)?.position) ?? compiled.place([]);
    const message = `Expected a path to an end in ${scope ?? compiled.program.id}, but every path goes in circles`;
    // A drawing may mean it: one that serves for ever, and is ended from outside.
    if (compiled.legacy) compiled.problems.warn("end-missing", message, position);
    else compiled.problems.error("end-missing", message, position);
  }
}

/** Where a choice may find no way on: at an exclusive gateway, or an activity all of whose flows have conditions. */
function lintRoutes(compiled: CompiledProgram, index: Index, element: Element): void {
  const { problems } = compiled;
  const { id, kind, position = nowhere } = element;
  const flows = index.outgoing.get(id) ?? [];
  if (kind !== "exclusive-gateway" && (kind.endsWith("-gateway") || flows.length === 0)) return;
  if (flows.length === 0) {
    const message = `Expected a route out of ${id}, but there is none: its token ends there`;
    problems.warn("route-leads-nowhere", message, position);
    return;
  }
  if (
    ("defaultFlow" in element && element.defaultFlow !== undefined) ||
    flows.some((flow) => flow.condition === undefined)
  )
    return;
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
