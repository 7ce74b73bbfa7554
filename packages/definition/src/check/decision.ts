import type { Element, ProgramDocument } from "@tutti/kernel";
import { writesOf } from "../lint/sources.ts";
import { type Checked, readAccesses } from "./access.ts";
import { type Finding, finding } from "./finding.ts";

/** What a person or a check decided, and nobody looks at. */
export function checkDecisions(checked: Checked): Finding[] {
  const { program } = checked.compiled;
  const read = new Set(readAccesses(checked).map((access) => access.name));
  if (!isEverything(program)) for (const name of program.outputs) read.add(name);
  const booleans = new Set(program.variables.filter(({ type }) => type === "boolean").map(({ name }) => name));
  return program.elements.flatMap((element) => [
    ...unread(element, { read, booleans }),
    ...answersAsCandidates(element),
  ]);
}

/**
 * Older forms and drawings list all variables as outputs by themselves, which says nothing of any of them. Who writes the
 * list leaves out what the process was only given.
 */
function isEverything({ variables, outputs, elements }: ProgramDocument): boolean {
  const written = new Set(elements.flatMap(writesOf));
  return variables.every(({ name }) => outputs.includes(name)) && variables.some(({ name }) => !written.has(name));
}

function unread(
  element: Element,
  known: { readonly read: ReadonlySet<string>; readonly booleans: ReadonlySet<string> },
): Finding[] {
  const written = [...new Set(writesOf(element))].filter((name) => !known.read.has(name));
  const byPerson = element.kind === "user-task" && written.length === new Set(writesOf(element)).size;
  return written
    .filter((name) => byPerson || known.booleans.has(name))
    .map((name) => {
      const message = `Expected something to depend on ${name}, which ${element.id} decides, but nothing reads it`;
      return finding("decision-unread", message, { position: element.position, element: element.id });
    });
}

/** `architect-approved` is what somebody would answer, not who is asked. */
function answersAsCandidates(element: Element): Finding[] {
  if (element.kind !== "user-task") return [];
  const answers = (element.candidates ?? []).filter((name) => /[-_](?:approved|rejected|denied|accepted)$/.test(name));
  if (answers.length === 0) return [];
  const message = `Expected labels that say who may do ${element.id}, but ${answers.join(" and ")} would be an answer: answers are what completing it brings`;
  return [finding("label-unknown", message, { position: element.position, element: element.id })];
}
