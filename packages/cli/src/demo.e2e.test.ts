import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { CliHouse, gitAnswer, until } from "./testing/cli-house.ts";

let house: CliHouse | undefined;

afterEach(async () => {
  await house?.close();
  house = undefined;
});

interface DemoResult {
  readonly branch: string;
  readonly report: string;
  readonly tests: { readonly passed: boolean; readonly tests: number };
  readonly view: RunView;
}

test("[C19] the demo lands a merged branch whose tests pass, tells what happened, and leaves no process", async () => {
  house = await CliHouse.open();
  const own = house;
  const folder = join(own.folder, "demo");
  const { exit, stdout, stderr } = await own.tutti("demo", "--dir", folder, "--json");
  expect(exit, stderr).toBe(0);
  const { branch, report, tests, view } = JSON.parse(stdout) as DemoResult;
  expect(tests).toMatchObject({ passed: true });
  expect(tests.tests).toBeGreaterThan(40);
  expect(view.totals).toMatchObject({ planned: 12, done: 12, landed: 12, failed: 0 });
  expect(view.units.find(({ id }) => id === "sessions")?.attempt).toBe(3);
  const rungs = new Map(view.resolutions.map(({ path, rung }) => [path, rung]));
  expect(Object.fromEntries(rungs)).toMatchObject({
    "CHANGELOG.md": "list",
    "package.json": "json",
    "package-lock.json": "json",
    "src/app.js": "agent",
  });
  expect(await readFile(report, "utf8")).toContain("src/app.js");
  expect(await gitAnswer(join(folder, "notes"), "status", "--porcelain")).toBe("");
  expect(await gitAnswer(join(folder, "notes"), "rev-parse", branch)).toBe(view.published?.commit);
  expect(stderr).toContain("The agents are scripted");
  await until(async () => (await own.strangers()).length === 0, 5_000);
});
