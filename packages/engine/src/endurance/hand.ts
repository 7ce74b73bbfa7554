import { readFileSync } from "node:fs";
import { createTemporalEngine } from "../temporal/index.ts";
import { testHost } from "../testing/host.ts";
import { openLog } from "../testing/temporal-house.ts";

/*
 * A process of its own that works for Temporal, to be killed: `address namespace database bundle jobMs`, where the
 * bundle is a file. It says each job that it is given as a line of JSON, with the time.
 */
const [address = "", namespace = "", database = "", bundle = "", jobMs = "100"] = process.argv.slice(2);
const workflowBundle = { code: readFileSync(bundle, "utf8") };
const store = await openLog(database);
const engine = await createTemporalEngine({ address, namespace, store, host: testHost, workflowBundle });
engine.work("work", async ({ id, fencingToken }) => {
  process.stdout.write(`${JSON.stringify({ id, fencingToken, at: Date.now() })}\n`);
  await new Promise((resolve) => setTimeout(resolve, Number(jobMs)));
  return { type: "completed", result: {} };
});
