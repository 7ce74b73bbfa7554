import { describe, test } from "vitest";
import { findPostgres } from "./postgres.ts";

export { type PostgresServer, startPostgres } from "./postgres.ts";

/** Tests that need a PostgreSQL: skipped where none is, with what would provide it; a failure under CI=true. */
export function describeWithPostgres(name: string, tests: () => void): void {
  const found = findPostgres();
  if ("missing" in found && process.env["CI"] !== "true") test.skip(`${name}: ${found.missing}`);
  else describe(name, tests);
}
