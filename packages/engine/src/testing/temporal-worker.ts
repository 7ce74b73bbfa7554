import { openSqliteStore } from "../embedded/sqlite/store.ts";
import { createTemporalEngine } from "../temporal/index.ts";
import { testHost } from "./host.ts";
import { sequence } from "./programs.ts";
import { bundleTestWorkflow } from "./temporal-house.ts";

/*
 * A process of its own that works for Temporal, to be killed by a test: `address namespace database`. It starts an
 * instance, says the job that it begins as a line of JSON, and never ends it.
 */
const [address = "", namespace = "", database = ""] = process.argv.slice(2);
const workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
const store = openSqliteStore(database);
const engine = await createTemporalEngine({ address, namespace, store, host: testHost, workflowBundle });
engine.work("work", (job) => {
  process.stdout.write(`${JSON.stringify(job)}\n`);
  return new Promise(() => undefined);
});
await engine.deploy([sequence("one", 1)]);
await engine.start({ requestId: "once", process: "one", variables: {}, actor: "tester" });
