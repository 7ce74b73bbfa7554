import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { asRoot, mountTemporary } from "../testing/mount.ts";
import { createScene, examples, type Scene, until } from "../testing/scene.ts";

const scenes: Scene[] = [];
const mounts: { unmount(): void }[] = [];
afterEach(async () => {
  for (const scene of scenes) if (scene.ownerPid() !== undefined) await scene.tutti(["stop", "--grace", "0"]);
  for (const mounted of mounts.splice(0)) mounted.unmount();
  for (const scene of scenes.splice(0)) await scene.remove();
});

/** Writes until there is no room for a single byte. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const bytes of [65_536, 4_096, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The small feature with agents that take their time. */
function slowScript(scene: Scene): string {
  const text = readFileSync(join(examples, "fixtures", "small-feature", "agents.yaml"), "utf8");
  const script = join(scene.folder, "agents.yaml");
  writeFileSync(script, text.replaceAll("delayMs: 100", "delayMs: 1500"));
  return script;
}

test("[X11] on a full disk a run takes no more commands and says so; with room again it goes on, and nothing is lost", async (context) => {
  context.skip(!asRoot, "needs the right to mount a small file system");
  const scene = createScene();
  scenes.push(scene);
  const mounted = mountTemporary(scene.state, { megabytes: 24 });
  if (mounted === undefined) return context.skip("mounting is not permitted here");
  mounts.push(mounted);
  const plan = join(examples, "fixtures", "small-feature", "plan.yaml");
  const files = ["--plan", plan, "--script", slowScript(scene), "--id", "r"];
  const started = await scene.tutti(["run", "--repo", scene.repository, ...files, "--detach"]);
  expect(started.exit, started.stderr).toBe(0);
  await until(() => (scene.processes().length > 0 ? true : undefined));
  const before = (await scene.events()).length;

  const ballast = join(scene.state, "ballast");
  fill(ballast);
  // The log may still have a little room in blocks it holds already.
  const refused = await until(async () => {
    const answer = await scene.tutti(["adjust", "r", "--max-parallel", "4", "--json"]);
    return answer.exit === 0 ? undefined : answer;
  });
  const { error } = JSON.parse(refused.stdout) as {
    readonly error: { readonly code: string; readonly advice: string };
  };
  expect(error.code).toBe("storage-failed");
  expect(error.advice.length).toBeGreaterThan(10);
  // Reading goes on, and so does the owner.
  const status = await scene.tutti(["status", "r"]);
  expect(status.exit, status.stderr).toBe(0);
  const owner = scene.ownerPid();
  await sleep(2_000);
  expect(scene.ownerPid()).toBe(owner);

  rmSync(ballast);
  await until(async () => ((await scene.tutti(["adjust", "r", "--max-parallel", "5"])).exit === 0 ? true : undefined));
  const after = await scene.events();
  expect(after.length).toBeGreaterThan(before);
  let view = await scene.json<RunView>(["wait", "r"], { timeoutMs: 120_000 }).catch(() => undefined);
  if (view === undefined) {
    // Agents and checks that found no room have failed for good; a person lets them try again.
    expect((await scene.tutti(["retry", "r"])).exit).toBe(0);
    view = await scene.json<RunView>(["wait", "r"], { timeoutMs: 120_000 });
  }
  expect(view).toMatchObject({ status: "completed", totals: { landed: 9 }, published: { partial: false } });
  await scene.close();
});
