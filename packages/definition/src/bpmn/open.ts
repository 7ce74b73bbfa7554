import type { Element, ElementId, Expression, Mapping, VariableDeclaration } from "@tutti/kernel";
import { Languages } from "../expression/languages.ts";
import { limits } from "../limits.ts";
import { variableAt } from "../value.ts";
import type { Context } from "./context.ts";
import { attribute } from "./file.ts";

/**
 * BPMN declares few of the variables that its expressions read, and Camunda's tasks hand over all they have. A program
 * names both: every name that the process reads or writes becomes a variable of it, and an element that maps nothing
 * sees all of them and writes those that its result has. A file of ours says that it maps everything itself.
 */
export function fillOpen(context: Context, declared: readonly VariableDeclaration[]): readonly VariableDeclaration[] {
  const { draft } = context;
  if (attribute(context.process, "tutti:mapped") === "true") return declared;
  const languages = new Languages();
  const names = new Set<string>();
  const inner = new Set<string>();
  for (const element of draft.elements()) {
    for (const name of namesIn(element, languages)) names.add(name);
    for (const name of ownNames(element)) inner.add(name);
    localise(context, element, languages);
  }
  for (const flow of draft.flows()) for (const name of namesIn(flow, languages)) names.add(name);
  for (const element of draft.elements()) for (const name of variablesOf(element)) inner.add(name);
  const known = new Set(declared.map((variable) => variable.name));
  const others = [...names].filter((name) => !known.has(name) && !inner.has(name) && !given.has(name)).sort();
  // The initial value says that whoever starts the process may give it: nothing has to write it before it is read.
  const variables = [...declared, ...others.map((name): VariableDeclaration => ({ name, type: "any", initial: null }))];
  if (context.open.size * variables.length > limits.openMappingsMax) {
    const message = `Expected mappings at the tasks of so large a process, but ${context.open.size} elements without any would see ${variables.length} variables each`;
    context.file.report("element-limit", message, context.process);
    return variables;
  }
  for (const id of context.open.keys()) fill(context, id, variables);
  return variables;
}

function fill(context: Context, id: ElementId, variables: readonly VariableDeclaration[]): void {
  const { draft, open } = context;
  const element = draft.get(id);
  const wants = open.get(id);
  if (element === undefined || wants === undefined) return;
  const position = element.position ?? { line: 1, column: 1 };
  const around: string[] = [];
  const items = "loop" in element ? itemOf(element) : [];
  for (let parent = element.parent; parent !== null; parent = draft.get(parent)?.parent ?? null) {
    const container = draft.get(parent);
    if (container === undefined) break;
    around.push(...variablesOf(container));
    items.push(...itemOf(container));
  }
  const written = [...new Set([...around, ...variables.map((variable) => variable.name)])];
  const mapped = (names: readonly string[]): Mapping[] =>
    names.map((name) => ({ target: name, source: variableAt(name, position), optional: true }));
  const inputs = wants.inputs ? mapped([...new Set([...items, ...written])]) : [];
  const outputs = wants.outputs ? mapped(written) : [];
  draft.amend({ ...element, ...(inputs.length > 0 && { inputs }), ...(outputs.length > 0 && { outputs }) } as Element);
}

/** What an item yields is its own: the sub-process that runs once per item declares what its result is read from. */
function localise(context: Context, element: Element, languages: Languages): void {
  if (element.kind !== "sub-process" || element.loop === undefined || !("output" in element.loop)) return;
  const known = new Set([...variablesOf(element), ...itemOf(element), ...given]);
  const yielded = namesIn(element.loop.output?.source, languages).filter((name) => !known.has(name));
  if (yielded.length === 0) return;
  const own = yielded.map((name): VariableDeclaration => ({ name, type: "any", initial: null }));
  context.draft.amend({ ...element, variables: [...(element.variables ?? []), ...own] });
}

/** Names that the kernel itself makes visible somewhere. */
const given: ReadonlySet<string> = new Set(
  "error escalation loop loopCounter completed failed skipped total tokens activationCount arrived expected waitingForStart active".split(
    " ",
  ),
);

function itemOf(element: Element): string[] {
  return "loop" in element && element.loop !== undefined && "item" in element.loop ? [element.loop.item] : [];
}

function variablesOf(element: Element): string[] {
  return "variables" in element ? (element.variables ?? []).map((variable) => variable.name) : [];
}

/** Names that are visible inside an element only. */
function ownNames(element: Element): string[] {
  return [...itemOf(element), ...variablesOf(element)];
}

interface Part {
  readonly variable?: unknown;
  readonly outputs?: readonly Mapping[];
  readonly assignments?: readonly Mapping[];
  readonly output?: { readonly target: string };
}

/** Free data, and what is read from a result or from what an item yields. */
const free: ReadonlySet<string> = new Set([
  "literal",
  "headers",
  "extension",
  "form",
  "initial",
  "position",
  "output",
  "outputs",
]);

/** What is read anywhere in an element or flow, and what it writes outside of itself. */
function namesIn(part: unknown, languages: Languages): readonly string[] {
  if (Array.isArray(part)) return part.flatMap((inner) => namesIn(inner, languages));
  if (part === null || typeof part !== "object") return [];
  if ("language" in part && "text" in part) return readsIn(languages, part as Expression);
  const { variable, outputs = [], assignments = [], output } = part as Part;
  if (typeof variable === "string") return [variable];
  const written = [...outputs, ...assignments, ...(output === undefined ? [] : [output])].map(
    (mapping) => mapping.target,
  );
  const read = Object.entries(part).flatMap(([key, inner]) => (free.has(key) ? [] : namesIn(inner, languages)));
  return [...written, ...read];
}

/** What an expression reads; one that does not compile is reported by lint, at its place. */
function readsIn(languages: Languages, expression: Expression): readonly string[] {
  const compiled = languages.compile(expression);
  return compiled.ok ? compiled.expression.reads : [];
}
