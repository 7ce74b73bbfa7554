import type { JobHandler } from "@tutti/kernel";
import type { Appended } from "../embedded/shared-log.ts";
import { createTemporalEngine } from "../temporal/index.ts";
import { dyingWith } from "./dying-log.ts";
import { testHost } from "./host.ts";
import { sequence } from "./programs.ts";
import { bundleTestWorkflow, openLog } from "./temporal-house.ts";

/*
 * A process of its own that works for Temporal, to be killed by a test: `address namespace database [role]`. It
 * says each job that it is given as a line of JSON. With `holds` it starts an instance, and never ends its job; with
 * `dies` it is gone the moment that the log has the end of a job, of which Temporal has not heard yet; with `forks` the
 * moment that the log has a fork, which it makes of the instance while that does its first job. With `dies-short` it
 * ends as with `dies`, and with `falls-short` in its second job; its jobs are short ones then.
 */
const [address = "", namespace = "", database = "", role = ""] = process.argv.slice(2);
const workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
const log = await openLog(database);
const deadly: { readonly [role: string]: string } = {
  dies: "job-completed",
  "dies-short": "job-completed",
  forks: "instance-forked",
};
const last = deadly[role];
const store = last === undefined ? log : dyingWith(log, (turn) => has(turn, last));
const back = { requestId: "back", newId: "again", cancelOriginal: true, reason: "Once more.", actor: "tester" };
const engine = await createTemporalEngine({ address, namespace, store, host: testHost, workflowBundle });
const handler: JobHandler = async (job) => {
  process.stdout.write(`${JSON.stringify(job)}\n`);
  if (role === "falls-short" && job.elementId === "step2") process.kill(process.pid, "SIGKILL");
  if (role === "forks") await engine.fork({ ...back, instanceId: job.instanceId });
  if (role === "holds") await new Promise(() => undefined);
  return { type: "completed", result: {} };
};
engine.work("work", handler, { short: role.endsWith("-short") });
if (role !== "") {
  await engine.deploy([sequence("some", 2)]);
  await engine.start({ requestId: "once", process: "some", variables: {}, actor: "tester" });
}

function has({ rows }: Appended, type: string): boolean {
  return rows.some(({ events }) => events.some((event) => event.type === type));
}
