import { describeWithServer } from "@tutti/test-servers";
import { findPostgres } from "./postgres.ts";

export { type PostgresServer, startPostgres } from "./postgres.ts";

/** Tests that need a PostgreSQL. */
export function describeWithPostgres(title: string, tests: () => void): void {
  describeWithServer(findPostgres(), title, tests);
}
