import type { ProgramDocument } from "@tutti/kernel";
import { lint } from "../lint/lint.ts";
import { type Problem, Problems } from "../problem.ts";
import { compileNotation } from "./compile.ts";
import { parseNotation } from "./parse.ts";

export interface ArrowsResult {
  /** Undefined when anything is an error. */
  readonly program: ProgramDocument | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Compiles a text in arrow notation, such as a person or a model writes in one line. Never throws for bad input. `id`
 * names the process; `file` only the place.
 */
export function compileArrows(text: string, options: { readonly id: string; readonly file: string }): ArrowsResult {
  const problems = new Problems(options.file);
  const notation = parseNotation(text, problems);
  const head = { id: options.id, version: "1", name: options.id, variables: [] };
  const place = () => ({ line: 1, column: 1 });
  const compiled = problems.errors > 0 ? undefined : compileNotation(notation, head, { problems, place });
  if (compiled !== undefined) lint([compiled]);
  return { program: problems.errors === 0 ? compiled?.program : undefined, problems: problems.list() };
}
