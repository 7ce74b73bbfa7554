import { check } from "@tutti/definition";
import type { SourcePosition } from "@tutti/kernel";
import type { LoadedDefinition } from "./load-definition.ts";

/** Something that is wrong with a definition, or may be. */
export interface DefinitionFinding {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** "Expected X, but Y". */
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
  /** How a run gets there. */
  readonly path?: readonly string[];
  readonly position: SourcePosition;
}

/**
 * What compiling said and what the checks found, in the order of their places. Of one place the checks know more, for they
 * see the whole process.
 */
export function checkDefinition({ programs, problems }: LoadedDefinition, file: string): readonly DefinitionFinding[] {
  const checked = programs.flatMap((program) =>
    check(program, { file }).map((finding): DefinitionFinding => {
      const position = { ...finding.position, file: finding.position.file ?? file };
      return { ...finding, severity: "warning", position };
    }),
  );
  const places = new Set(checked.map(placeOf));
  const compiled = problems.filter((problem) => problem.severity === "error" || !places.has(placeOf(problem)));
  return [...compiled, ...checked].sort(({ position: a }, { position: b }) => a.line - b.line || a.column - b.column);
}

function placeOf({ position: { line, column } }: { readonly position: SourcePosition }): string {
  return `${line}:${column}`;
}
