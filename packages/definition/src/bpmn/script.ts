import type { Mapping } from "@tutti/kernel";
import { parseFeel } from "../feel/parse.ts";
import { cel, variableAt } from "../value.ts";
import { variableName } from "./data.ts";
import { feel, sourceOf } from "./expression.ts";
import type { XmlNode } from "./xml.ts";

interface Script {
  readonly text: string;
  readonly at: XmlNode;
  /** Camunda's attribute: the variable that takes what the script gives. */
  readonly result: string | undefined;
}

/** `x = 1`; FEEL has `:=` in places. */
const assignment = /^([A-Za-z_][A-Za-z0-9_]*)\s*:?=(?!=)\s*(.+)$/;

/** Whether a script may hold this as one of its lines. */
export function isAssignment(text: string): boolean {
  return assignment.test(text.trim()) && !/[;\n]/.test(text);
}

/**
 * `x = 1; y = x + 1`, a context of FEEL, or one expression whose result goes into the script's variable; undefined when it
 * is none of these. In FEEL `x = 1` is a comparison, where there is a place for what it gives.
 */
export function assignmentsOf({ text, at, result }: Script, isFeel: boolean): readonly Mapping[] | undefined {
  const source = (body: string) => (isFeel ? feel(body, at) : cel(body.trim(), at.position));
  const lines = text
    .split(/[;\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const parts = lines.map((line) => assignment.exec(line));
  const assigns = !parts.includes(null) && (result === undefined || (!isFeel && parts.length > 0));
  if (!assigns) {
    if (result === undefined) return isFeel ? contextAssignments(text, at) : undefined;
    const computed = /^[$#]\{/.test(text.trim()) ? sourceOf(text.trim(), at) : source(text.replace(/^=/, ""));
    return [{ target: variableName(result), source: computed }];
  }
  const assignments = parts.map((part) => ({ target: part?.[1] ?? "", source: source(part?.[2] ?? "") }));
  const last = assignments.at(-1)?.target;
  if (result === undefined || last === undefined) return assignments;
  return [...assignments, { target: variableName(result), source: variableAt(last, at.position) }];
}

/** The entries of a context, each of which sees those before it, as assignments do. */
function contextAssignments(text: string, at: XmlNode): Mapping[] | undefined {
  const parsed = parseFeel(text.trim().replace(/^=/, ""), { top: "Expression" });
  const context = parsed.ok ? parsed.root.parts[0] : undefined;
  if (context?.kind !== "Context") return undefined;
  const entries = context.parts.slice(1, -1).map(({ parts }) => parts);
  return entries.map(([key, value]) => ({
    target: variableName(key?.text ?? ""),
    source: feel(value?.text ?? "", at),
  }));
}
