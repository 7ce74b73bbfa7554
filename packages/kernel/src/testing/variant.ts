import { loadProgram, type Program } from "../load.ts";
import type { Element, ProgramDocument } from "../program.ts";
import { map, onTimer, service, timer } from "./build.ts";
import { testHost } from "./host.ts";
import type { Random } from "./random.ts";

/** The same program with every element and flow called otherwise, and what each element is called now. */
export function renamedDocument(
  document: ProgramDocument,
  suffix: string,
): { readonly document: ProgramDocument; readonly mapping: { readonly [element: string]: string } } {
  const ids = new Set([...document.elements, ...document.flows].map(({ id }) => id));
  const text = JSON.stringify(document, (_name, value: unknown) =>
    typeof value === "string" && ids.has(value) ? `${value}${suffix}` : value,
  );
  const mapping = Object.fromEntries(document.elements.map(({ id }) => [id, `${id}${suffix}`]));
  return { document: JSON.parse(text) as ProgramDocument, mapping };
}

function changed(random: Random, document: ProgramDocument): ProgramDocument {
  const dropped = new Set(
    document.elements.filter(({ kind }) => kind === "boundary-event" && random.chance(0.3)).map(({ id }) => id),
  );
  const added = document.elements
    .filter(({ kind }) => (kind === "user-task" || kind === "service-task") && random.chance(0.1))
    .filter((element) => !("forCompensation" in element))
    .map(({ id, parent }): Element => {
      const late = onTimer(`late-${id}`, id, { timer: timer("duration", "PT5S"), interrupting: random.chance(0.5) });
      return { ...late, parent };
    });
  const elements = document.elements
    .filter(({ id }) => !dropped.has(id))
    .map((element): Element => {
      if (element.kind !== "user-task" || random.chance(0.5)) return element;
      return { ...element, sla: [...(element.sla ?? [])].reverse().slice(random.below(2)) };
    });
  const known = new Set(elements.map(({ id }) => id));
  return {
    ...document,
    elements: [...elements, ...added.filter(({ id }) => !known.has(id))],
    flows: document.flows.filter(({ from }) => !dropped.has(from)),
  };
}

type Mapping = { readonly [element: string]: string };

/** Where each element is after both changes. */
function combined(first: Mapping, second: Mapping, program: Program): Mapping {
  const ids = [...program.elements.keys()];
  return Object.fromEntries(
    ids.flatMap((id) => {
      const now = second[first[id] ?? id];
      return now === undefined ? [] : [[id, now]];
    }),
  );
}

/** Work on ways that had none, with where tokens go that are past it, and one task under another name, at a place where it may be waited for right now. */
function rebuilt(random: Random, document: ProgramDocument): { document: ProgramDocument; mapping: Mapping } {
  const byId = new Map(document.elements.map((element) => [element.id, element]));
  const added: Element[] = [];
  // A token that waits at the end of such a way is past the new work, or the migration is refused.
  const passed: { [flow: string]: string } = {};
  const flows = document.flows.flatMap((flow) => {
    const from = byId.get(flow.from);
    // Only what waits for an event may follow there.
    if (from === undefined || from.kind === "event-based-gateway" || !random.chance(0.1)) return [flow];
    const id = `new${random.below(1_000_000_000)}`;
    added.push({ ...service(id, { inputs: map({ n: "n" }) }), parent: from.parent });
    const on = { id: `${id}>`, from: id, to: flow.to };
    if (random.chance(0.7)) passed[flow.id] = on.id;
    return [{ ...flow, to: id }, on];
  });
  const grown = { ...document, elements: [...document.elements, ...added], flows };
  const replaced = document.elements.find(({ kind }) => kind === "service-task" && random.chance(0.2))?.id;
  if (replaced === undefined) return { document: grown, mapping: passed };
  const name = `${replaced}-new`;
  return { document: renameOne(grown, replaced, name), mapping: { ...passed, [replaced]: name } };
}

/** Everything that names one element names it by another name. */
function renameOne(document: ProgramDocument, id: string, other: string): ProgramDocument {
  return JSON.parse(
    JSON.stringify(document, (_name, value: unknown) => (value === id ? other : value)),
  ) as ProgramDocument;
}

/** Inputs that only the next activation sees. */
function mapped(random: Random, document: ProgramDocument): ProgramDocument {
  const elements = document.elements.map((element): Element => {
    if (!("inputs" in element) || element.inputs === undefined || random.chance(0.7)) return element;
    return { ...element, inputs: map(random.pick([{ n: "n + 1" }, { m: "n" }, { n: "maybe missing" }])) } as Element;
  });
  return { ...document, elements };
}

/** Another version of a program, with where its elements are: now and then one that nothing fits. */
export function randomVariant(
  random: Random,
  program: Program,
): { readonly to: Program; readonly mapping: { readonly [element: string]: string } } {
  const { document: grown, mapping: moved } = random.chance(0.5)
    ? rebuilt(random, mapped(random, program.document))
    : { document: program.document, mapping: {} };
  const base = random.chance(0.6) ? changed(random, grown) : grown;
  if (random.chance(0.5)) return { to: loadProgram(base, testHost, program.limits), mapping: moved };
  const { document, mapping } = renamedDocument(base, "'");
  return {
    to: loadProgram(document, testHost, program.limits),
    mapping: random.chance(0.8) ? combined(moved, mapping, program) : {},
  };
}
