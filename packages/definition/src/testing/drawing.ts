import type { ProgramDocument } from "@tutti/kernel";
import { compileBpmn } from "../bpmn/import.ts";
import { elementOf } from "./check.ts";

/** A process of some elements, each on a line of its own from line 2. */
export function drawing(elements: readonly string[], roots: readonly string[] = []): string {
  const head = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:tns="urn:own"><process id="p" isExecutable="true">`;
  return [head, ...elements, "</process>", ...roots, "</definitions>"].join("\n");
}

export function line(...ids: readonly string[]): string[] {
  return ids
    .slice(1)
    .map((id, index) => `<sequenceFlow id="f${index + 1}" sourceRef="${ids[index]}" targetRef="${id}"/>`);
}

export function problemsOf(text: string): string[] {
  return compileBpmn(text, { file: "t.bpmn" }).problems.map(
    ({ position, severity, code, message }) => `${position.line}:${position.column} ${severity} ${code} ${message}`,
  );
}

export function programOf(text: string | Uint8Array): ProgramDocument {
  const { documents, problems } = compileBpmn(text, { file: "t.bpmn" });
  const [program] = documents;
  if (program === undefined) throw new Error(`Expected a program, but found ${JSON.stringify(problems)}`);
  return program;
}

/** Without positions, for comparing what a part says. */
export function said(program: ProgramDocument, id: string): Record<string, unknown> {
  return JSON.parse(JSON.stringify(elementOf(program, id), (key, value) => (key === "position" ? undefined : value)));
}

export const start: string = `<startEvent id="s"/>`;
export const end: string = `<endEvent id="e"/>`;
/** A process of one element between its start and its end. */
export function around(element: string, id = "t"): string[] {
  return [start, element, end, ...line("s", id, "e")];
}
