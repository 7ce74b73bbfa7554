import { spawnSync } from "node:child_process";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { createScene, runExample, type Scene } from "../testing/scene.ts";

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

const python = spawnSync("python3", ["--version"]).status === 0;

test.for([
  { example: "word-count-python", units: 4, missing: python ? [] : ["python3"] },
  { example: "units-sh", units: 4, missing: [] },
])("[X2] a repository of another make: $example", async ({ example, units, missing }, context) => {
  context.skip(missing.length > 0, `not on the PATH: ${missing.join(", ")}`);
  const scene = createScene({ example });
  scenes.push(scene);
  const before = scene.git("rev-parse", "HEAD");
  const view = await scene.json<RunView>(runExample(scene, example), { timeoutMs: 120_000 });
  expect(view).toMatchObject({ status: "completed", totals: { planned: units, landed: units, failed: 0 } });
  expect(scene.git("rev-parse", "HEAD")).toBe(before);
  expect(scene.git("status", "--porcelain", "--branch")).toBe("## main");
  await scene.close();
});

test("[X10] a unit that breaks the merged tree without a conflict is named, repaired and landed, and so is the rest", async () => {
  const scene = createScene();
  scenes.push(scene);
  const view = await scene.json<RunView>(runExample(scene, "fixtures/red-merge"), { timeoutMs: 120_000 });
  expect(view).toMatchObject({ status: "completed", totals: { landed: 3 }, resolutions: [] });
  const told = (await scene.tutti(["log"])).stdout;
  expect(told).toContain("the merged tree fails its checks");
  expect(told).toMatch(/A goes back to its work loop/);
  const again = (await scene.events()).flatMap(({ event }) =>
    event.type === "child-requested" && event.process === "work-loop" && event.element === "repair"
      ? [(event.variables["unit"] as { readonly id: string }).id]
      : [],
  );
  expect(again).toEqual(["A"]);
  const text = scene.git("show", `${view.published?.branch}:auth.rb`);
  expect(text).toContain("def may?(action)");
  expect(text).toContain("def allowed?(action) = may?(action)");
  expect(scene.git("show", `${view.published?.branch}:parts/B.txt`)).toBe("uses: allowed?");
  await scene.close();
});
