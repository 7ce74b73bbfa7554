import type { ProgramDocument } from "@tutti/kernel";
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

function refuseDuplicates(compiled: readonly CompiledProgram[]): void {
  const seen = new Set<string>();
  for (const { program, problems, place } of compiled) {
    const name = `${program.id}@${program.version}`;
    if (seen.has(name))
      problems.error("process-duplicate", `Expected every process once, but ${name} is there twice`, place([]));
    seen.add(name);
  }
}
