// Temporal's own server, for tests: `node tools/servers/temporal.mjs` prints the path of its command and builds it first
// if need be; with --find it builds nothing and says what is missing instead.
import { provideGoServer } from "./go-server.mjs";

await provideGoServer({
  command: "temporal",
  title: "Temporal server",
  module: "github.com/temporalio/cli/cmd/temporal",
  version: "1.5.1",
  script: "tools/servers/temporal.mjs",
  buildTime: "three minutes",
});
