import type { Element, Source } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import type { Languages } from "../expression/languages.ts";
import type { Index } from "../lint/program-index.ts";
import { readsOf, writesOf } from "../lint/sources.ts";
import { counts, isGiven, visibleAt } from "../lint/variables.ts";

/** A program with everything its checks look things up in. */
export interface Checked {
  readonly compiled: CompiledProgram;
  readonly index: Index;
  readonly languages: Languages;
}

/** An element reads a variable of the scopes around it, which others may write. */
export interface Access {
  readonly element: Element;
  readonly name: string;
  readonly source: Source;
  /** Its author expects that it may be absent. */
  readonly optional: boolean;
}

/** Every read of a variable that is not the element's own. */
export function readAccesses(checked: Checked): Access[] {
  const { compiled, index, languages } = checked;
  const accesses: Access[] = [];
  for (const element of compiled.program.elements) {
    for (const read of readsOf(element, index.outgoing.get(element.id) ?? [])) {
      const { source } = read;
      const result = "variable" in source ? [source.variable] : namesOf(languages, source);
      const { local } = visibleAt(checked, read);
      for (const name of result) {
        // Outputs see the result: a name there is most likely a field of it.
        if (read.sees === "result" || local.has(name) || (read.sees === "counts" && counts.includes(name))) continue;
        accesses.push({ element, name, source, optional: read.optional || isGuarded(source, name) });
      }
    }
  }
  return accesses;
}

function namesOf(languages: Languages, source: Source): readonly string[] {
  if (!("language" in source)) return [];
  const compilation = languages.compile(source);
  return compilation.ok ? compilation.expression.reads : [];
}

/** A pattern that finds the name as a whole; FEEL allows signs in names, between backticks. */
export function asWord(name: string): string {
  const escaped = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return `(?<![\\p{L}\\p{N}_])\`?${escaped}\`?(?![\\p{L}\\p{N}_])`;
}

/** Whoever compares with null, or reads in one of two cases only, has thought of a variable that is not there yet. */
function isGuarded(source: Source, name: string): boolean {
  if (!("language" in source)) return false;
  const word = asWord(name);
  const asked = new RegExp(`${word}\\s*!?==?\\s*null\\b|\\bnull\\s*!?==?\\s*${word}`, "u");
  return asked.test(source.text) || /\?.*:|\bif\b|\bis defined\(/.test(source.text);
}

/** Who writes which variable, leaving out what the starter gives. */
export function writersOf(checked: Checked): Map<string, Element[]> {
  const writers = new Map<string, Element[]>();
  for (const element of checked.compiled.program.elements) {
    for (const name of new Set(writesOf(element))) {
      if (isGiven(checked, element, name)) continue;
      writers.set(name, [...(writers.get(name) ?? []), element]);
    }
  }
  return writers;
}
