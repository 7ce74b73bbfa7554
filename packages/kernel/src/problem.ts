import type { Json } from "./json.ts";

/**
 * A refusal or failure on its way to a person: what went wrong, in one sentence, and a stable code.
 * `code` is looked up in one table per package (code → exit status, HTTP status, advice), and has a heading
 * in docs/reference/errors.md. `details` is data for machines; `place` says where in the user's input.
 */
export class AppError extends Error {
  readonly code: string;
  readonly details: { readonly [name: string]: Json };
  readonly place: string | undefined;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; details?: { readonly [name: string]: Json }; place?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.details = options.details ?? {};
    this.place = options.place;
  }
}

/** One row of a package's error table. `exit` is the CLI's exit status, `status` the HTTP status. */
export interface ErrorCode {
  readonly exit: number;
  readonly status: number;
  /** What the person should do next, one sentence. */
  readonly advice: string;
}

export type ErrorTable = { readonly [code: string]: ErrorCode };

/** Our own invariant broke: a bug. Nobody catches it but the process edge, which quarantines the instance. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvariantError";
  }
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** `subject` is put behind the message only when it throws: put into it, it costs more than the look-up it guards. */
export function must<T>(value: T | undefined | null, message: string, subject?: string | number): T {
  if (value === undefined || value === null) {
    throw new InvariantError(subject === undefined ? message : `${message} ${JSON.stringify(subject)}`);
  }
  return value;
}

export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
