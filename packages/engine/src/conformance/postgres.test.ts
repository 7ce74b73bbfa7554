import { afterAll, beforeAll } from "vitest";
import { openPostgresStore } from "../embedded/postgres/store.ts";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../testing/with-postgres.ts";
import { embeddedHarness } from "./embedded-harness.ts";
import { engineSuite } from "./engine.suite.ts";

describeWithPostgres("with a PostgreSQL", () => {
  let server: PostgresServer;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.dispose());

  engineSuite({
    name: "embedded engine on PostgreSQL",
    concurrent: true,
    make: async () => {
      schemas++;
      const url = server.url(`engine_${schemas}`);
      return embeddedHarness(
        () => openPostgresStore(url),
        () => undefined,
      );
    },
  });
});
