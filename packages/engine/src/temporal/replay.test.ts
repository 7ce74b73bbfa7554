import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { historyFromJSON } from "@temporalio/common/lib/proto-utils.js";
import { Worker } from "@temporalio/worker";
import { beforeAll, expect, test } from "vitest";
import { bundleTestWorkflow } from "../testing/temporal-house.ts";

// Recorded by testing/record-histories.ts. No server is needed: what the workflow asks for now must be what it asked
// for then, and its history answers.

const folder = fileURLToPath(new URL("../../test/temporal-histories/", import.meta.url));
const recordings = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".json"));

let workflowBundle: { readonly code: string };
beforeAll(async () => {
  workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
}, 120_000);

function historyIn(path: string): ReturnType<typeof historyFromJSON> {
  return historyFromJSON(JSON.parse(readFileSync(`${folder}${path}`, "utf8")));
}

test.each(recordings)("[TE10] %s is replayed", async (path) => {
  await Worker.runReplayHistory({ workflowBundle }, historyIn(path));
});

test("[TE10] a history that is not what the workflow would do is found", async () => {
  const path = recordings.find((each) => each.endsWith("steps.json")) ?? "";
  const history = historyIn(path);
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    if (scheduled?.activityType?.name === "work") scheduled.activityType.name = "other";
  }
  await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toMatchObject({
    name: "DeterminismViolationError",
  });
});
