import type { ProgramDocument } from "@tutti/kernel";
import { compileBpmn } from "./bpmn/import.ts";
import type { CompiledProgram } from "./draft.ts";
import { compileForm } from "./form/form.ts";
import { lint } from "./lint/lint.ts";
import { type Problem, Problems } from "./problem.ts";
import { readYaml } from "./yaml.ts";

export interface CompileResult {
  /** The programs without errors, in the order of the file. Warnings do not keep one back. */
  readonly programs: readonly ProgramDocument[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a YAML file (or JSON, which is YAML) of one or more definitions. Never throws for bad input: everything that
 * is wrong is in `problems`, in the order of the file. `file` only names the place.
 */
export function compileYaml(text: string, options: { readonly file: string }): CompileResult {
  const problems = new Problems(options.file);
  const compiled: CompiledProgram[] = [];
  for (const document of readYaml(text, problems)) {
    const program = compileForm(document, problems);
    if (program !== undefined) compiled.push(program);
  }
  refuseDuplicates(compiled);
  lint(compiled);
  const fine = problems.errors === 0;
  return { programs: fine ? compiled.map((entry) => entry.program) : [], problems: problems.list() };
}

/**
 * Compiles a file of whatever form: BPMN when it is called so or begins with a tag, else YAML. A text that is already
 * decoded may be given for either.
 */
export function compile(source: string | Uint8Array, options: { readonly file: string }): CompileResult {
  if (isBpmn(source, options.file)) {
    const { documents, problems } = compileBpmn(source, options);
    return { programs: documents, problems };
  }
  return compileYaml(typeof source === "string" ? source : new TextDecoder().decode(source), options);
}

function isBpmn(source: string | Uint8Array, file: string): boolean {
  if (/\.(?:bpmn2?|bpmn20\.xml)$/i.test(file)) return true;
  const head =
    typeof source === "string" ? source.slice(0, 100) : new TextDecoder("latin1").decode(source.subarray(0, 100));
  return /^[\s\uFEFF\u00EF\u00BB\u00BF\u00FE\u00FF\0]*</.test(head);
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
