import type { SourcePosition } from "@tutti/kernel";
import type { DefinitionErrorCode } from "./errors.ts";
import { limits } from "./limits.ts";

/** What is wrong with a definition, and where. Errors keep it from being compiled; warnings do not. */
export interface Problem {
  readonly code: DefinitionErrorCode;
  readonly severity: "error" | "warning";
  /** "Expected X, but Y". */
  readonly message: string;
  /** Lines and columns count from 1; absent line means the whole input (builder, or an unreadable file). */
  readonly position: SourcePosition & { readonly file: string };
  /** The id of the element of a drawing that it stands in: what the reader of BPMN reports has it, what lint finds has its place alone. */
  readonly element?: string;
}

/** Where something stands, and in which element. */
export interface Spot extends SourcePosition {
  readonly element?: string | undefined;
}

export type Path = readonly (string | number)[];

/** Where the value at a path stands in the source. `key` asks for the key of a map entry instead of its value. */
export type Place = (path: Path, key?: "key") => SourcePosition;

/** Collects problems of one source file, in the order of their places. Beyond the limit it only counts. */
export class Problems {
  readonly file: string;
  readonly #list: Problem[] = [];
  #dropped = 0;

  constructor(file: string) {
    this.file = file;
  }

  error(code: DefinitionErrorCode, message: string, at: Spot): void {
    this.#add({ severity: "error", code, message }, at);
  }

  warn(code: DefinitionErrorCode, message: string, at: Spot): void {
    this.#add({ severity: "warning", code, message }, at);
  }

  get errors(): number {
    return this.#list.filter((problem) => problem.severity === "error").length + this.#dropped;
  }

  list(): readonly Problem[] {
    const list = [...this.#list].sort(
      (a, b) => a.position.line - b.position.line || a.position.column - b.position.column,
    );
    if (this.#dropped > 0) {
      list.push({
        code: "definition-invalid",
        severity: "error",
        message: `Expected at most ${limits.problemsMax} problems, but ${this.#dropped} more were found`,
        position: { file: this.file, line: 1, column: 1 },
      });
    }
    return list;
  }

  #add(found: Pick<Problem, "severity" | "code" | "message">, at: Spot): void {
    if (this.#list.length >= limits.problemsMax) {
      if (found.severity === "error") this.#dropped += 1;
      return;
    }
    const { line, column, element } = at;
    const position = { file: at.file ?? this.file, line, column };
    this.#list.push({ ...found, position, ...(element !== undefined && { element }) });
  }
}
