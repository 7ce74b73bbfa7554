import { createTemporalEngine } from "../temporal/index.ts";
import { testHost } from "./host.ts";
import { sequence } from "./programs.ts";
import { bundleTestWorkflow, openLog } from "./temporal-house.ts";

/*
 * A process of its own that works for Temporal, to be killed by a test: `address namespace database [holds]`. It says
 * each job that it is given as a line of JSON. With `holds` it starts an instance, and never ends its job.
 */
const [address = "", namespace = "", database = "", role = ""] = process.argv.slice(2);
const workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
const store = await openLog(database);
const engine = await createTemporalEngine({ address, namespace, store, host: testHost, workflowBundle });
engine.work("work", async (job) => {
  process.stdout.write(`${JSON.stringify(job)}\n`);
  if (role === "holds") await new Promise(() => undefined);
  return { type: "completed", result: {} };
});
if (role === "holds") {
  await engine.deploy([sequence("one", 1)]);
  await engine.start({ requestId: "once", process: "one", variables: {}, actor: "tester" });
}
