import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordedEvent } from "@tutti/engine";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { createScene, runExample, type Scene, until } from "../testing/scene.ts";

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

interface Slow {
  readonly scene: Scene;
  readonly command: readonly string[];
}

/** Twelve units in a queue for three places, whose agents take `delayMs` each. */
function slowRun(delayMs: number): Slow {
  const scene = createScene();
  scenes.push(scene);
  const ids = Array.from({ length: 12 }, (_, at) => `u${at + 1}`);
  const path = (id: string): string => `parts/${id}.txt`;
  const units = ids.map((id) => ({
    id,
    title: `Write ${path(id)}`,
    intent: `${path(id)} is there.`,
    touches: { creates: [path(id)] },
    verify: [`test -f ${path(id)}`],
    resource: "light",
  }));
  const plan = { format: "tutti-plan/1", feature: "Twelve slow parts", requirements: [], checks: ["true"], units };
  const steps = (id: string) => [{ say: `at ${id}` }, { delayMs }, { write: { path: path(id), content: "done\n" } }];
  const tasks = Object.fromEntries(ids.map((id) => [id, [{ steps: steps(id) }]]));
  const [planFile, script] = [join(scene.folder, "plan.yaml"), join(scene.folder, "agents.yaml")];
  writeFileSync(planFile, stringify(plan));
  writeFileSync(script, stringify({ format: "tutti-script/1", tasks }));
  const files = ["--plan", planFile, "--script", script, "--sandbox", "none", "--max-parallel", "3"];
  return { scene, command: ["run", "--repo", scene.repository, "--agent", "scripted", "--id", "r", ...files] };
}

/** Starts it and waits until three agents are at work. */
async function startWorking({ scene, command }: Slow): Promise<void> {
  const started = await scene.tutti([...command, "--detach"]);
  if (started.exit !== 0) throw new Error(started.stderr);
  await until(() => (agentsOf(scene) === 3 ? true : undefined));
}

function agentsOf(scene: Scene): number {
  return scene.processes().filter(({ command }) => command.includes("scripted-agent")).length;
}

/** When jobs of agents were offered, epoch ms. */
function applies(events: readonly RecordedEvent[]): readonly number[] {
  return events.flatMap(({ at, event }) =>
    event.type === "job-created" && event.jobType === "unit.apply" ? [at] : [],
  );
}

test("[X5] pause starts nothing new, lets what runs end, and survives the owner's death; resume goes on", async () => {
  const slow = slowRun(1_500);
  const { scene } = slow;
  await startWorking(slow);
  const pausedAt = Date.now();
  const paused = await scene.tutti(["pause", "r", "--reason", "lunch"]);
  expect(paused.exit, paused.stderr).toBe(0);
  await until(() => (agentsOf(scene) === 0 ? true : undefined));
  // Whoever would start something late has had the time to do so.
  await sleep(1_000);
  expect(agentsOf(scene)).toBe(0);
  const before = await scene.events();
  expect(Math.max(...applies(before))).toBeLessThan(pausedAt + 1_000);

  await scene.killOwner();
  expect(await scene.json<RunView>(["status", "r"])).toMatchObject({ status: "paused" });
  expect((await scene.tutti(["status", "r"])).stdout).toContain("paused");
  // Another owner does not wake it either.
  expect((await scene.tutti(["adjust", "r", "--max-parallel", "4"])).exit).toBe(0);
  await sleep(700);
  expect(applies(await scene.events())).toHaveLength(applies(before).length);

  const resumed = await scene.tutti(["resume", "r", "--detach"]);
  expect(resumed.exit, resumed.stderr).toBe(0);
  const view = await scene.json<RunView>(["wait", "r"], { timeoutMs: 120_000 });
  expect(view).toMatchObject({ status: "completed", totals: { landed: 12 } });
  // What ended during the pause was recorded: nobody did it again.
  expect(applies(await scene.events())).toHaveLength(12);
  await scene.close();
});

test("[X5] pause --now also stops what runs, and it begins anew on resume", async () => {
  const slow = slowRun(4_000);
  const { scene } = slow;
  await startWorking(slow);
  const before = Date.now();
  expect((await scene.tutti(["pause", "r", "--now"])).exit).toBe(0);
  await until(() => (scene.processes().length === 0 ? true : undefined), { timeoutMs: 5_000 });
  expect(Date.now() - before).toBeLessThan(5_000);
  expect(await scene.json<RunView>(["status", "r"])).toMatchObject({
    status: "paused",
    totals: { done: 0, failed: 0 },
  });
  expect(scene.workspaces()).toEqual([]);
  expect((await scene.tutti(["resume", "r", "--detach"])).exit).toBe(0);
  await until(() => (agentsOf(scene) === 3 ? true : undefined));
  expect((await scene.tutti(["cancel", "r"])).exit).toBe(0);
});

test("[X6] cancel ends running agents within five seconds and leaves no process, no workspace, no branch", async () => {
  const slow = slowRun(60_000);
  const { scene } = slow;
  await startWorking(slow);
  const before = Date.now();
  const cancelled = await scene.tutti(["cancel", "r", "--reason", "wrong plan"]);
  expect(cancelled.exit, cancelled.stderr).toBe(0);
  await until(() => (scene.processes().length === 0 ? true : undefined), { timeoutMs: 5_000 });
  expect(Date.now() - before).toBeLessThan(5_000);
  await until(() => (scene.workspaces().length === 0 ? true : undefined), { timeoutMs: 2_000 });
  const view = await scene.json<RunView>(["status", "r"]);
  expect(view).toMatchObject({ status: "cancelled", published: null, error: { message: "wrong plan" } });
  expect(scene.git("branch", "--list")).toBe("* main");
  expect(scene.git("status", "--porcelain")).toBe("");
  const late = await scene.tutti(["resume", "r"]);
  expect(late.stderr).toContain("has ended (cancelled)");
  await scene.close();
});

test("[X5] two runs at once on one repository do not get in each other's way", async () => {
  const scene = createScene();
  scenes.push(scene);
  const start = (id: string): readonly string[] =>
    runExample(scene, "fixtures/auth-rb-conflict", ["--id", id, "--detach"]);
  for (const id of ["one", "two"]) expect((await scene.tutti(start(id))).exit).toBe(0);
  for (const id of ["one", "two"]) {
    expect(await scene.json<RunView>(["wait", id])).toMatchObject({ status: "completed", totals: { landed: 3 } });
  }
  expect(scene.git("rev-parse", "tutti/one^{tree}")).toBe(scene.git("rev-parse", "tutti/two^{tree}"));
  await scene.close();
});
