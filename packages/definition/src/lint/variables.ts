import type { Element, ElementId, MultiInstance, Source, SourcePosition, StandardLoop } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import type { Languages } from "../expression/languages.ts";
import { limits } from "../limits.ts";
import { positionOf } from "../value.ts";
import { type Index, linkedTo } from "./program-index.ts";
import { type Read, readsOf, writesOf } from "./sources.ts";

/** What the conditions of a collection, an ad-hoc sub-process or a complex gateway see beside variables. */
export const counts: readonly string[] = [
  ...["completed", "failed", "skipped", "total", "active"],
  ...["tokens", "activationCount", "arrived", "expected", "waitingForStart"],
];

/** Expressions that do not compile, and variables that are read without ever, or without yet, having been written. */
export function lintVariables(compiled: CompiledProgram, index: Index, languages: Languages): void {
  const { program } = compiled;
  const written = new Map<string, Element[]>();
  for (const element of program.elements) {
    for (const name of writesOf(element)) written.set(name, [...(written.get(name) ?? []), element]);
  }
  const flow: DataFlow = {
    compiled,
    index,
    languages,
    written,
    read: new Set(),
    earlier: new Map(),
    reported: new Set(),
  };
  for (const element of program.elements) {
    for (const read of readsOf(element, index.outgoing.get(element.id) ?? [])) lintRead(flow, read);
  }
  lintOutputs(flow);
  if (!compiled.legacy) lintDeadOutputs(flow);
}

interface Located {
  readonly compiled: CompiledProgram;
  readonly index: Index;
}

interface DataFlow extends Located {
  readonly languages: Languages;
  readonly written: ReadonlyMap<string, readonly Element[]>;
  readonly read: Set<string>;
  readonly earlier: Map<ElementId, ReadonlySet<ElementId>>;
  /** One report per element and name is enough. */
  readonly reported: Set<string>;
}

function namesIn(flow: DataFlow, read: Read): readonly string[] {
  const { source } = read;
  if ("literal" in source) return [];
  if ("variable" in source) return [source.variable];
  const compilation = flow.languages.compile(source);
  if (compilation.ok) return compilation.expression.reads;
  const position = source.position ?? read.element.position ?? { line: 1, column: 1 };
  flow.compiled.problems.error(compilation.code, compilation.message, position);
  return [];
}

function lintRead(flow: DataFlow, read: Read): void {
  const { compiled, written } = flow;
  const names = namesIn(flow, read);
  const own = read.sees === "result" && "outputs" in read.element ? (read.element.outputs ?? []) : [];
  // `out: [x]` takes the field x of a result; that is no use of the variable x.
  for (const name of names)
    if (!own.some((mapping) => mapping.source === read.source && mapping.target === name)) flow.read.add(name);
  // A result may hold any field, so an unknown name in there is no mistake anybody could see.
  if (read.sees === "result" || read.optional) return;
  const visible = visibleAt(flow, read);
  for (const name of names) {
    if (visible.local.has(name) || (read.sees === "counts" && counts.includes(name))) continue;
    const key = `${read.element.id} ${name}`;
    if (flow.reported.has(key)) continue;
    const position = placeOf(read.source, read.element);
    if (!visible.declared.has(name) && !written.has(name)) {
      flow.reported.add(key);
      const message = `Expected a declared variable, but ${name} is used and never declared`;
      if (compiled.legacy) compiled.problems.warn("variable-undeclared", message, position);
      else compiled.problems.error("variable-undeclared", message, position);
    } else if (isEarly(flow, read.element, name)) {
      flow.reported.add(key);
      const writers = (written.get(name) ?? []).map((element) => element.id).join(", ");
      const message = `Expected ${name} to be written before ${read.element.id} reads it, but ${writers} may come later`;
      compiled.problems.warn("variable-read-early", message, position);
    }
  }
}

export function placeOf(source: Source, element: Element): SourcePosition {
  return positionOf(source) ?? element.position ?? { line: 1, column: 1 };
}

/** `declared`: variables of the scopes around. `local`: names that are certainly there: items, inputs, initial values. */
export function visibleAt(flow: Located, read: Read): { declared: ReadonlySet<string>; local: ReadonlySet<string> } {
  const { program } = flow.compiled;
  const declared = new Set(program.variables.map((variable) => variable.name));
  const local = new Set<string>();
  const element = read.element;
  if ("loop" in element && element.loop !== undefined && read.sees === "item") addLoop(local, element.loop);
  if (element.kind === "script-task") for (const assignment of element.assignments) local.add(assignment.target);
  if ("inputs" in element && read.sees === "item")
    for (const input of element.inputs ?? []) if (isDerived(input)) local.add(input.target);
  for (let parent = element.parent; parent !== null; parent = flow.index.elements.get(parent)?.parent ?? null) {
    const container = flow.index.elements.get(parent);
    if (container?.kind !== "sub-process" && container?.kind !== "ad-hoc-sub-process") break;
    for (const variable of container.variables ?? []) declared.add(variable.name);
    for (const input of container.inputs ?? []) local.add(input.target);
    if (container.loop !== undefined) addLoop(local, container.loop);
  }
  return { declared, local };
}

/** `in: [x]` reads the x outside; `in: { y: = x }` makes a y. */
function isDerived(input: { readonly target: string; readonly source: Source }): boolean {
  return !("variable" in input.source && input.source.variable === input.target);
}

function addLoop(names: Set<string>, loop: MultiInstance | StandardLoop): void {
  if (loop.mode === "standard") names.add("loopCounter");
  else names.add(loop.item).add("loop");
}

/** Whether every writer can only come after the reader. What the starter may give is trusted when nobody writes it. */
function isEarly(flow: DataFlow, element: Element, name: string): boolean {
  const writers = flow.written.get(name);
  if (flow.compiled.program.elements.length > limits.dataFlowElementsMax) return false;
  if (writers === undefined || element.kind === "boundary-event") return false;
  if (isGiven(flow, element, name) || ("forCompensation" in element && element.forCompensation === true)) return false;
  const earlier = earlierThan(flow, element);
  return !writers.some((writer) => earlier.has(writer.id));
}

/** Whether the starter must give the variable, or it has an initial value. */
export function isGiven(flow: Located, element: Element, name: string): boolean {
  const given = (variables: CompiledProgram["program"]["variables"] | undefined) =>
    variables?.some(
      (variable) => variable.name === name && (variable.required === true || variable.initial !== undefined),
    ) === true;
  if (given(flow.compiled.program.variables)) return true;
  for (let parent = element.parent; parent !== null; parent = flow.index.elements.get(parent)?.parent ?? null) {
    const container = flow.index.elements.get(parent);
    if (container !== undefined && "variables" in container && given(container.variables)) return true;
  }
  return false;
}

/** Elements that may have been completed when this one starts: along the flows, out of handlers, and within containers. */
function earlierThan(flow: DataFlow, element: Element): ReadonlySet<ElementId> {
  const known = flow.earlier.get(element.id);
  if (known !== undefined) return known;
  const earlier = new Set<ElementId>();
  const open: ElementId[] = [];
  const push = (id: ElementId) => {
    for (const incoming of flow.index.incoming.get(id) ?? []) open.push(incoming.from);
  };
  push(element.id);
  for (let parent = element.parent; parent !== null; parent = flow.index.elements.get(parent)?.parent ?? null)
    push(parent);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (earlier.has(id)) continue;
    earlier.add(id);
    push(id);
    const found = flow.index.elements.get(id);
    if (found?.kind === "boundary-event") open.push(found.attachedTo);
    if (found?.kind === "intermediate-catch-event")
      open.push(...linkedTo(flow.compiled.program, found).map((thrower) => thrower.id));
    if (found?.kind === "sub-process" || found?.kind === "ad-hoc-sub-process") open.push(...childrenOf(flow, id));
  }
  flow.earlier.set(element.id, earlier);
  return earlier;
}

function childrenOf(flow: DataFlow, parent: ElementId): ElementId[] {
  return flow.compiled.program.elements.filter((element) => element.parent === parent).map((element) => element.id);
}

function lintOutputs(flow: DataFlow): void {
  const { program, problems, place } = flow.compiled;
  const declared = new Set(program.variables.map((variable) => variable.name));
  program.outputs.forEach((name, index) => {
    if (declared.has(name) || flow.written.has(name)) return;
    const position = place(flow.compiled.legacy ? ["workflow", "outputs", index] : ["outputs", index]);
    problems.error("output-undeclared", `Expected a declared or written variable, but nothing gives ${name}`, position);
  });
}

function lintDeadOutputs(flow: DataFlow): void {
  const { program, problems } = flow.compiled;
  const used = new Set([...flow.read, ...program.outputs, ...program.variables.map((variable) => variable.name)]);
  for (const element of program.elements)
    if ("variables" in element) for (const variable of element.variables ?? []) used.add(variable.name);
  for (const [name, writers] of flow.written) {
    const writer = writers[0];
    if (used.has(name) || writer === undefined) continue;
    const message = `Expected ${name} to be read somewhere, but ${writer.id} writes it for nobody`;
    problems.warn("output-dead", message, writer.position ?? { line: 1, column: 1 });
  }
}
