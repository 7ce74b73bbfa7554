import type { ProgramDocument } from "@tutti/kernel";
import { compileBpmn } from "./bpmn/import.ts";
import { linkDecisions } from "./dmn/link.ts";
import { assembleDecisions, type Decision, type DecisionSource } from "./dmn/source.ts";
import { compileDmn } from "./dmn/xml.ts";
import { readDecision } from "./dmn/yaml.ts";
import type { CompiledProgram } from "./draft.ts";
import { compileForm } from "./form/form.ts";
import { lint } from "./lint/lint.ts";
import { compileArrows } from "./notation/arrows.ts";
import { type Problem, Problems } from "./problem.ts";
import { decisionSchema } from "./schema/decision.ts";
import { reportIssues } from "./schema-problem.ts";
import { readYaml, type SourceDocument } from "./yaml.ts";

export interface CompileResult {
  /** The programs without errors, in the order of the file. Warnings do not keep one back. */
  readonly programs: readonly ProgramDocument[];
  /** The decisions of the file; they already stand in the programs of the same file that ask for them. */
  readonly decisions: readonly Decision[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a YAML file (or JSON, which is YAML) of one or more definitions. Never throws for bad input: everything that
 * is wrong is in `problems`, in the order of the file. `file` only names the place.
 */
export function compileYaml(text: string, options: { readonly file: string }): CompileResult {
  const problems = new Problems(options.file);
  const compiled: CompiledProgram[] = [];
  const sources: DecisionSource[] = [];
  const documents = readYaml(text, problems);
  if (documents.length === 0 && problems.errors === 0) {
    problems.error("form-unknown", "Expected a definition, but the file is empty", { line: 1, column: 1 });
  }
  for (const document of documents) {
    if (isDecision(document.value)) sources.push(...readDecisionForm(document, problems));
    else {
      const program = compileForm(document, problems);
      if (program !== undefined) compiled.push(program);
    }
  }
  const decisions = sources.length === 0 ? [] : assembleDecisions(sources, [], problems);
  const linked = compiled.map((entry) => ({ ...entry, program: linkDecisions(entry.program, decisions) }));
  refuseDuplicates(linked);
  lint(linked);
  const fine = problems.errors === 0;
  return {
    programs: fine ? linked.map((entry) => entry.program) : [],
    decisions: fine ? decisions : [],
    problems: problems.list(),
  };
}

/**
 * Compiles a file of whatever form: BPMN or DMN when it is called so or begins with a tag, arrow
 * notation when it is called `.arrows`, else YAML. A text that is already
 * decoded may be given for either.
 */
export function compile(source: string | Uint8Array, options: { readonly file: string }): CompileResult {
  const arrows = /([^/\\]+)\.arrows$/i.exec(options.file);
  if (arrows?.[1] !== undefined) return compileArrowsFile(textOf(source), { ...options, id: arrows[1] });
  if (isDmn(source, options.file)) return { programs: [], ...compileDmn(source, options) };
  if (isBpmn(source, options.file)) {
    const { documents, problems } = compileBpmn(source, options);
    return { programs: documents, decisions: [], problems };
  }
  return compileYaml(textOf(source), options);
}

function textOf(source: string | Uint8Array): string {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

/** The process is called like its file. */
function compileArrowsFile(text: string, options: { readonly id: string; readonly file: string }): CompileResult {
  const { program, problems } = compileArrows(text, options);
  return { programs: program === undefined ? [] : [program], decisions: [], problems };
}

function headOf(source: string | Uint8Array): string {
  if (typeof source === "string") return source.slice(0, headCharacters);
  return new TextDecoder("latin1").decode(source.subarray(0, headCharacters));
}

/** Where a file says by its namespaces what it is. */
const headCharacters = 2_000;

function isDmn(source: string | Uint8Array, file: string): boolean {
  if (/\.dmn$/i.test(file)) return true;
  const head = headOf(source);
  return /www\.omg\.org\/spec\/DMN\/\d/.test(head) && !/www\.omg\.org\/spec\/BPMN\//.test(head);
}

function isBpmn(source: string | Uint8Array, file: string): boolean {
  if (/\.(?:bpmn2?|bpmn20\.xml)$/i.test(file)) return true;
  const head = headOf(source);
  return /^[\s\uFEFF\u00EF\u00BB\u00BF\u00FE\u00FF\0]*</.test(head);
}

function isDecision(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "decision");
}

function readDecisionForm({ value, place }: SourceDocument, problems: Problems): DecisionSource[] {
  const parsed = decisionSchema.safeParse(value);
  if (parsed.success) return [readDecision(parsed.data, problems, place)];
  reportIssues(parsed.error.issues, { value, problems, place });
  return [];
}

function refuseDuplicates(compiled: readonly CompiledProgram[]): void {
  const seen = new Set<string>();
  for (const { program, problems, place } of compiled) {
    const name = `${program.id}@${program.version}`;
    if (seen.has(name))
      problems.error("process-duplicate", `Expected every process once, but ${name} is there twice`, place([]));
    seen.add(name);
  }
}
