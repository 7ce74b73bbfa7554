import { AppError, type ErrorCode, type Json } from "@tutti/kernel";

/** An error as a person or a script meets it, its row of the tables looked up. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly place: string | null;
  readonly advice: string;
  readonly exit: number;
  readonly status: number;
  readonly details: { readonly [name: string]: Json };
}

/** The tables are loaded only when something goes wrong: they would slow down every command that goes right. */
export async function problemOf(error: unknown): Promise<Problem> {
  if (error instanceof RemoteError) return error.problem;
  if (error instanceof AppError) {
    const { cliErrors } = await import("./errors.ts");
    const row: ErrorCode = cliErrors[error.code] ?? (await import("./error-table.ts")).errorCode(error.code);
    const { advice, exit, status } = row;
    const { code, message, place = null, details } = error;
    return { code, message, place, advice, exit, status, details };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const advice = "This is a bug in Tutti: report it with what you did before.";
  return { code: "internal-error", message, place: null, advice, exit: 1, status: 500, details: {} };
}

/** A problem that the owner answered with. */
export class RemoteError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = "RemoteError";
    this.problem = problem;
  }
}

export function codeOf(error: unknown): string | undefined {
  if (error instanceof RemoteError) return error.problem.code;
  return error instanceof AppError ? error.code : undefined;
}

export function detailsOf(error: unknown): Problem["details"] {
  if (error instanceof RemoteError) return error.problem.details;
  return error instanceof AppError ? error.details : {};
}
