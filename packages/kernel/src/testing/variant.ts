import { loadProgram, type Program } from "../load.ts";
import type { Element, ProgramDocument } from "../program.ts";
import { onTimer, timer } from "./build.ts";
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

/** Another version of a program, with where its elements are: now and then one that nothing fits. */
export function randomVariant(
  random: Random,
  program: Program,
): { readonly to: Program; readonly mapping: { readonly [element: string]: string } } {
  const base = random.chance(0.6) ? changed(random, program.document) : program.document;
  if (random.chance(0.5)) return { to: loadProgram(base, testHost, program.limits), mapping: {} };
  const { document, mapping } = renamedDocument(base, "'");
  return { to: loadProgram(document, testHost, program.limits), mapping: random.chance(0.8) ? mapping : {} };
}
