import type { SourcePosition } from "@tutti/kernel";
import type { PlanErrorCode } from "../errors.ts";

/** What is wrong with a plan, and where in its file. Errors stop a run before it starts; warnings are shown. */
export interface PlanProblem {
  readonly code: PlanErrorCode;
  readonly severity: "error" | "warning";
  /** "Expected X, but Y". */
  readonly message: string;
  /** Absent for a plan that an agent made. */
  readonly position?: SourcePosition;
}

/** Where a part of the plan stands, by its path in the data; undefined when the plan has no file. */
export type PlanPlace = (path: readonly (string | number)[]) => SourcePosition | undefined;

export class PlanProblems {
  readonly list: PlanProblem[] = [];
  readonly #place: PlanPlace;

  constructor(place: PlanPlace) {
    this.#place = place;
  }

  error(code: PlanErrorCode, path: readonly (string | number)[], message: string): void {
    this.#add("error", { code, path, message });
  }

  warn(code: PlanErrorCode, path: readonly (string | number)[], message: string): void {
    this.#add("warning", { code, path, message });
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === "error");
  }

  #add(
    severity: "error" | "warning",
    found: { readonly code: PlanErrorCode; readonly path: readonly (string | number)[]; readonly message: string },
  ): void {
    const { code, path, message } = found;
    const position = this.#place(path);
    this.list.push({ code, severity, message, ...(position === undefined ? {} : { position }) });
  }
}
