import type { Mapping, SourcePosition } from "@tutti/kernel";
import { Languages } from "../expression/languages.ts";
import { cel } from "../value.ts";
import { celOf } from "./juel.ts";

const languages = new Languages();

/** Statements that change nothing outside of themselves: what they print is for nobody here. */
const printing =
  /^(?:(?:System\.out\.)?print(?:ln|f)?\b|console\.(?:log|info|debug|warn)\b|log(?:ger)?\.(?:info|debug)\b|next\s*\(\s*\)$|pass$)/;

/** How a script sets a variable of its process; `$1` is its name and `$2` the value. */
const setting: readonly RegExp[] = [
  /^(?:execution|delegateExecution|kcontext)\s*\.\s*setVariable\s*\(\s*["']([A-Za-z_]\w*)["']\s*,(.+)\)$/s,
  /^(?:this\.)?environment\.(?:variables|output)\.([A-Za-z_]\w*)\s*=(?!=)(.+)$/s,
];
/** In Python's engines every name that is assigned is a variable of the process. */
const assigning = /^([A-Za-z_]\w*)\s*=(?!=)(.+)$/s;

/**
 * A script of another language as assignments, when each of its statements sets a variable to what an expression says, or
 * only prints; undefined for any other.
 */
export function foreignAssignments(
  script: { readonly language: string; readonly text: string },
  position: SourcePosition,
): Mapping[] | undefined {
  const { language, text } = script;
  const forms = /^python/.test(language) ? [...setting, assigning] : setting;
  const assignments: Mapping[] = [];
  for (const statement of statementsOf(text)) {
    if (printing.test(statement)) continue;
    const [, target, value] = forms.map((form) => form.exec(statement)).find((match) => match !== null) ?? [];
    const translated = value === undefined ? undefined : celOf(value);
    if (target === undefined || translated?.ok !== true) return undefined;
    const source = cel(translated.text, position);
    if (!languages.compile(source).ok) return undefined;
    assignments.push({ target, source });
  }
  return assignments;
}

/** One per line or semicolon, without comments. What goes over several lines is none that is known here. */
function statementsOf(text: string): string[] {
  const bare = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*(?:\/\/|#).*$/gm, "");
  const lines = bare.match(/(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^;\n])+/g) ?? [];
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}
