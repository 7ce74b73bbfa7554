import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { partsRun } from "../testing/parts.ts";
import { createScene, type Scene } from "../testing/scene.ts";

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

/** Five units; the named ones never pass. */
function fiveUnits(bad: readonly string[], more: readonly string[]): { scene: Scene; command: readonly string[] } {
  const scene = createScene();
  scenes.push(scene);
  return { scene, command: [...partsRun(scene, { ids: ["a", "b", "c", "d", "e"], bad }), ...more] };
}

test("[X7] at the threshold a run that was started so goes on by itself, labelled partial", async () => {
  const { scene, command } = fiveUnits(["d"], ["--accept-partial"]);
  const view = await scene.json<RunView>(command);
  expect(view).toMatchObject({ status: "completed", totals: { landed: 4, failed: 1 }, published: { partial: true } });
  const body = view.published?.body ?? "";
  // Markdown may ask for backslashes before the brackets.
  expect(body.split("\n")[0]?.replaceAll("\\", "")).toBe("# [partial] 5 parts");
  expect(body).toContain("**This is a partial result**: 4 of 5 planned units. Not included: d.");
  expect(scene.git("ls-tree", "--name-only", "tutti/r:parts").split("\n")).toEqual(
    expect.not.arrayContaining(["d.txt"]),
  );
  expect((await scene.tutti(["status", "r"])).stdout).toMatch(/partly done/);
  await scene.close();
});

test("[X7] below the threshold it waits, and only a person with a reason makes it go on", async () => {
  const { scene, command } = fiveUnits(["b", "d"], ["--accept-partial"]);
  const view = await scene.json<RunView>(command, { exit: 8 });
  expect(view).toMatchObject({ status: "waiting", totals: { done: 3, failed: 2 }, published: null });
  const silent = await scene.tutti(["accept-partial", "r"]);
  expect(silent.exit).toBe(2);
  expect(silent.stderr).toContain("input-needed");
  expect(await scene.json<RunView>(["status", "r"])).toMatchObject({ status: "waiting" });
  expect((await scene.tutti(["accept-partial", "r", "--reason", "b and d can wait"])).exit).toBe(0);
  const after = await scene.json<RunView>(["wait", "r"]);
  expect(after).toMatchObject({ status: "completed", published: { partial: true } });
  expect(after.published?.body).toContain("Not included: b, d.");
  expect(after.published?.body).toContain("b and d can wait");
  expect((await scene.tutti(["log", "r"])).stdout).toContain("b and d can wait");
  await scene.close();
});

test("[X7] without the option a run with a failed unit waits even above the threshold", async () => {
  const { scene, command } = fiveUnits(["d"], []);
  expect(await scene.json<RunView>(command, { exit: 8 })).toMatchObject({ status: "waiting", published: null });
  expect(scene.git("branch", "--list")).toBe("* main");
});

test("[X7] when no unit succeeds the exit status says so", async () => {
  const { scene, command } = fiveUnits(["a", "b", "c", "d", "e"], ["--accept-partial", "--threshold", "0"]);
  expect(await scene.json<RunView>(command, { exit: 5 })).toMatchObject({ status: "waiting", totals: { done: 0 } });
});
