import type { ElementId, SourcePosition } from "@tutti/kernel";
import { type DefinitionErrorCode, definitionErrors } from "../errors.ts";

/** Something a run may stumble over. Unlike a problem it does not keep a definition from being compiled. */
export interface Finding {
  readonly code: DefinitionErrorCode;
  /** "Expected X, but Y". */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  readonly position: SourcePosition;
  readonly element?: ElementId;
  /** How a run gets there, where the check knows. */
  readonly path?: readonly string[];
}

export function finding(
  code: DefinitionErrorCode,
  message: string,
  at: {
    readonly position?: SourcePosition | undefined;
    readonly element?: ElementId;
    readonly path?: readonly string[];
  },
): Finding {
  const { position = { line: 1, column: 1 }, ...rest } = at;
  return { code, message, advice: definitionErrors[code].advice, position, ...rest };
}
