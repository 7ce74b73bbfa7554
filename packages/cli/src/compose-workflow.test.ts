import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { historyIn, replayHistory } from "@tutti/engine/testing/replay";
import { beforeAll, expect, test } from "vitest";
import { makeBundle } from "./engines/workflow-bundle.ts";

const folder = fileURLToPath(new URL("../test/temporal-histories/", import.meta.url));
const recordings = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".json"));

let bundle: { readonly code: string };
beforeAll(async () => {
  // The bundler refuses a module that the sandbox does not have.
  bundle = await makeBundle();
}, 120_000);

test("[TE12] the workflow that workers bundle has the kernel and the languages, and nothing of Node", () => {
  for (const part of ["packages/kernel/src/decide.ts", "@marcbachmann/cel-js", "feelin", "croner"]) {
    expect(bundle.code).toContain(part);
  }
});

// Recorded by testing/record-histories.ts. CEL, FEEL and cron decide what is asked for next, and when.
test.each(recordings)("[TE10] %s is replayed, with the languages of expressions", async (path) => {
  await replayHistory(bundle, historyIn(readFileSync(`${folder}${path}`, "utf8")));
});

test.each(["due", "drawn"])(
  "[TE10] a history of %s in which an expression gave something else is found",
  async (name) => {
    const text = readFileSync(`${folder}0.1/${name}.json`, "utf8");
    const history = historyIn(text);
    const [started] = history.events ?? [];
    const [input] = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const told = JSON.parse(Buffer.from(input?.data ?? []).toString());
    told.create.variables.total = 1;
    if (input != null) input.data = Buffer.from(JSON.stringify(told));
    await expect(replayHistory(bundle, history)).rejects.toMatchObject({ name: "DeterminismViolationError" });
  },
);
