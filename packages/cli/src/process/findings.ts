import type { SourcePosition } from "@tutti/kernel";
import { place } from "../run/prepare.ts";
import type { Output } from "../terminal/output.ts";

/** Something that is wrong with a file, or may be. */
export interface Finding {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
  readonly position?: SourcePosition;
}

/** One line for each finding, as text or under --json as an object. */
export function streamFindings(out: Output, file: string, findings: readonly Finding[]): void {
  showFindings(out, file, findings);
  for (const { severity, position, ...finding } of findings) {
    out.line({ type: severity, ...finding, position: { file, ...position } });
  }
}

/** One line for each finding, with its place, and below it what to do where that is known. */
export function showFindings(out: Output, file: string, findings: readonly Finding[]): void {
  for (const { code, severity, message, advice, position } of findings) {
    const paint = severity === "error" ? out.style.red : out.style.yellow;
    out.text(`${place(position) ?? file}: ${paint(`${severity} ${code}`)}: ${message}`);
    if (advice !== undefined) out.text(out.style.dim(`  → ${advice}`));
  }
}

/** What bpmnlint says of a drawing. */
export interface DrawnFinding extends Finding {
  readonly rule: string;
  readonly complaint: string;
  readonly element?: string;
}

const elementsShown = 8;

/** One line for each rule, at its first place: so many elements lack a name that they would hide all else. */
export function showDrawingFindings(out: Output, file: string, findings: readonly DrawnFinding[]): void {
  const groups = Map.groupBy(findings, ({ rule, complaint }) => `${rule}: ${complaint}`);
  for (const [what, group] of groups) {
    const { code, advice, position } = group[0] as DrawnFinding;
    const elements = group.flatMap(({ element }) => (element === undefined ? [] : [element]));
    const more = elements.length > elementsShown ? ` and ${elements.length - elementsShown} more` : "";
    const names = elements.length === 0 ? "" : ` (${elements.slice(0, elementsShown).join(", ")}${more})`;
    out.text(`${place(position) ?? file}: ${out.style.yellow(`warning ${code}`)}: bpmnlint's ${what}${names}`);
    if (advice !== undefined) out.text(out.style.dim(`  → ${advice}`));
  }
}

export function errorsOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === "error");
}
