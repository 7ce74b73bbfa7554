import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { must } from "@tutti/kernel";
import { beforeAll, expect, test } from "vitest";
import { type History, historyIn, replayHistory } from "../testing/replay-history.ts";
import { bundleTestWorkflow } from "../testing/temporal-house.ts";

// Recorded by testing/record-histories.ts. No server is needed: what the workflow asks for now must be what it asked
// for then, and its history answers.

const folder = fileURLToPath(new URL("../../test/temporal-histories/", import.meta.url));
const recordings = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".json"));

const module = "short-history-workflow.ts";
const steps = must(
  recordings.find((path) => path.endsWith("steps.json")),
  "it was recorded",
);
let workflowBundle: { readonly code: string };
beforeAll(async () => {
  workflowBundle = await bundleTestWorkflow(module);
}, 120_000);

function recorded(path: string): History {
  return historyIn(readFileSync(`${folder}${path}`, "utf8"));
}

test.each(recordings)("[TE10] %s is replayed", async (path) => {
  await replayHistory(workflowBundle, recorded(path));
});

test("[TE10] a history that is not what the workflow would do is found", async () => {
  const history = recorded(steps);
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    if (scheduled?.activityType?.name === "work") scheduled.activityType.name = "other";
  }
  await expect(replayHistory(workflowBundle, history)).rejects.toMatchObject({
    name: "DeterminismViolationError",
  });
});

test("[TE64] an error in the sandbox says what went wrong, and in a replay with stacks where", async () => {
  const history = recorded(steps);
  const [started] = history.events ?? [];
  const [input] = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  must(input, "it began with an input").data = Buffer.from("{}");
  const told = async (bundle: typeof workflowBundle): Promise<string> =>
    String(await replayHistory(bundle, history).catch((error: unknown) => error));
  expect(await told(workflowBundle)).toMatch(/Cannot read properties of undefined(?!.*workflow\/)/s);
  expect(await told(await bundleTestWorkflow(module, { stacks: true }))).toMatch(
    /Cannot read properties of undefined.*temporal\/workflow\/[a-z-]+\.ts:\d+/s,
  );
}, 120_000);
