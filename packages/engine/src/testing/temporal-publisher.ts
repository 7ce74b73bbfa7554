import type { Appended } from "../embedded/shared-log.ts";
import { createTemporalEngine } from "../temporal/index.ts";
import { dyingWith } from "./dying-log.ts";
import { testHost } from "./host.ts";
import { bundleTestWorkflow, openLog } from "./temporal-house.ts";

/*
 * A process of its own that publishes one message and is gone the moment that the log has it (`remembered`), or that
 * the log has what it changed in the instance that got it (`received`): `address namespace database where`.
 */
const [address = "", namespace = "", database = "", where = ""] = process.argv.slice(2);
const workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
const store = dyingWith(await openLog(database), where === "remembered" ? remembers : receives);
const engine = await createTemporalEngine({ address, namespace, store, host: testHost, workflowBundle });
await engine.publish({ name: "paid", correlationKey: "k", id: "m-1", variables: { got: 1 } });

function remembers({ changes }: Appended): boolean {
  return changes.some(({ type }) => type === "message-put");
}

function receives({ rows }: Appended): boolean {
  return rows.some(({ events }) => events.some(({ type }) => type === "subscription-triggered"));
}
