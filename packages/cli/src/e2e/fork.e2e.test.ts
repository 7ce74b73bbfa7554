import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { jobsDone, treeOf } from "../testing/crash.ts";
import { partsRun } from "../testing/parts.ts";
import { createScene, runExample, type Scene, until } from "../testing/scene.ts";

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

function open(): Scene {
  const scene = createScene();
  scenes.push(scene);
  return scene;
}

interface Moments {
  readonly checkpoints: readonly {
    readonly position: number;
    readonly events: readonly string[];
    readonly told: readonly string[];
  }[];
}

const fifty = Array.from({ length: 50 }, (_, at) => `u${String(at + 1).padStart(2, "0")}`);
const patiently = { timeoutMs: 240_000 };

/** Units whose agent's work was taken over in this run and not in the one it comes from, once for each time. */
async function applied(scene: Scene, run: string): Promise<readonly string[]> {
  const own = (await scene.events()).filter(({ rootId }) => rootId === run);
  return jobsDone(own).flatMap((name) => /^unit\.apply (\S+)/.exec(name)?.[1] ?? []);
}

/** Every ref of a run in Tutti's own repository, without the run's name. */
function refsOf(scene: Scene, run: string): readonly string[] {
  const [repository = ""] = scene.repositories();
  const format = "--format=%(objectname) %(refname)";
  const text = scene.git("--git-dir", repository, "for-each-ref", format, `refs/tutti/${run}/`);
  return text.split("\n").map((line) => line.replace(`refs/tutti/${run}/`, ""));
}

test("[X14] a fork from the moment when 40 of 50 units were done runs exactly the other 10, and the original stays", async () => {
  const scene = open();
  const view = await scene.json(partsRun(scene, { ids: fifty }), patiently);
  const [tree, branch, refs] = [treeOf(scene, view), scene.git("rev-parse", "tutti/r"), refsOf(scene, "r")];
  const { checkpoints } = await scene.json<Moments>(["checkpoints", "r"]);
  const ends = checkpoints.filter(({ events }) => events.includes("item-completed"));
  expect(ends).toHaveLength(50);
  expect(ends[39]?.told.join()).toMatch(/u\d\d: done/);

  const at = String(ends[39]?.position);
  const { fork } = await scene.json<{ fork: string }>(["fork", "r", "--at", at]);
  const forked = await scene.json(["wait", fork], patiently);
  expect(forked).toMatchObject({ status: "completed", totals: { done: 50, landed: 50 } });
  expect(treeOf(scene, forked)).toBe(tree);
  expect(forked.published?.branch).toBe(`tutti/${fork}`);
  const doneBefore = ends.slice(0, 40).flatMap(({ told }) => /(u\d\d): done/.exec(told.join())?.[1] ?? []);
  const others = fifty.filter((id) => !doneBefore.includes(id));
  expect([...(await applied(scene, fork))].sort()).toEqual(others);

  expect(scene.git("rev-parse", "tutti/r")).toBe(branch);
  expect(refsOf(scene, "r")).toEqual(refs);
  // The same work has the same commits, whichever run did it.
  expect(refsOf(scene, fork)).toEqual(refs);
  expect((await scene.tutti(["show", doneBefore[0] as string, fork])).stdout).toContain("(done, landed)");
  expect((await scene.tutti(["log", fork])).stdout).toContain("as a fork of r");
  await scene.close();
}, 400_000);

test("[X14] a run that was stopped is forked after a crash; killed again, fork and original end with the same tree", async () => {
  const scene = open();
  const command = partsRun(scene, { ids: fifty.slice(0, 12), delayMs: 200 });
  expect((await scene.tutti([...command, "--max-parallel", "4", "--detach"])).exit).toBe(0);
  await until(async () => ((await scene.json(["status", "r"])).totals.done >= 6 ? true : undefined));
  expect((await scene.tutti(["pause", "r", "--now"])).exit).toBe(0);
  const stopped = await scene.json(["status", "r"]);
  await scene.killOwner();
  // What an owner leaves that is killed between giving a fork its refs and making it.
  const [repository = ""] = scene.repositories();
  const [base = ""] = refsOf(scene, "r").flatMap((ref) => /^(\w+) base$/.exec(ref)?.[1] ?? []);
  for (const part of ["forking", "base"])
    scene.git("--git-dir", repository, "update-ref", `refs/tutti/half/${part}`, base);

  const { fork } = await scene.json<{ fork: string }>(["fork", "r"]);
  expect(scene.git("--git-dir", repository, "for-each-ref", "refs/tutti/half/")).toBe("");
  const left = 12 - stopped.totals.done;
  expect(await scene.json(["status", fork])).toMatchObject({ status: "paused", totals: { done: stopped.totals.done } });
  expect((await scene.tutti(["resume", fork, "--detach"])).exit).toBe(0);
  await until(async () => ((await scene.json(["status", fork])).totals.done > stopped.totals.done ? true : undefined));
  await scene.killOwner();
  for (const run of [fork, "r"]) expect((await scene.tutti(["resume", run, "--detach"])).exit).toBe(0);
  const views = [await scene.json(["wait", fork], patiently), await scene.json(["wait", "r"], patiently)];
  expect(views).toMatchObject([{ status: "completed" }, { status: "completed" }]);
  const [forked, original] = views.map((view) => treeOf(scene, view));
  expect(forked).toBe(original);
  expect(await applied(scene, fork)).toHaveLength(left);
  expect(new Set(await applied(scene, fork)).size).toBe(left);
  expect((await applied(scene, "r")).length).toBe(12);
  await scene.close();
}, 400_000);

test("[X14] a rollback cancels what came after and goes on from there, from the approval of the plan to the branch", async () => {
  const scene = open();
  const command = [...runExample(scene, "fixtures/diamond-late", ["--id", "r", "--approve", "--branch", "mine"])];
  expect((await scene.tutti(command)).exit).toBe(8);
  expect((await scene.tutti(["reject", "r", "--note", "too early"])).exit).toBe(0);
  expect((await scene.json<RunView>(["wait", "r"], { exit: 1 })).status).toBe("failed");
  const { checkpoints } = await scene.json<Moments>(["checkpoints", "r"]);
  const asked = checkpoints.find(({ events }) => events.includes("task-created"));
  expect((await scene.tutti(["rollback", "r"])).stderr).toContain("input-needed");
  const { fork } = await scene.json<{ fork: string }>(["rollback", "r", "--to", String(asked?.position)]);
  expect(await scene.json(["wait", fork], { exit: 8 })).toMatchObject({ status: "waiting", phase: "approval" });
  expect((await scene.tutti(["approve", fork])).exit).toBe(0);
  const view = await scene.json(["wait", fork], patiently);
  // The branch that was asked for is the original's.
  expect(view.published?.branch).toBe(`tutti/${fork}`);
  expect(scene.git("branch", "--list", "mine")).toBe("");

  expect((await scene.tutti(["rollback", fork, "--to", "0"])).stderr).toContain("option-invalid");
  expect((await scene.tutti(["fork", "r", "--at", "99999999"])).stderr).toContain("fork-refused");
  expect(scene.git("--git-dir", scene.repositories()[0] ?? "", "for-each-ref", "refs/tutti/*/forking")).toBe("");
  expect((await scene.tutti(["fork", "nobody"])).stderr).toContain("instance-not-found");
  const children = (await scene.events()).find(({ rootId, instanceId }) => rootId === fork && instanceId !== fork);
  expect((await scene.tutti(["fork", children?.instanceId ?? ""])).stderr).toContain("fork-unsupported");
  await scene.close();
}, 120_000);

test("[X14] a run is forked from its first moment, its merge and its publishing, and forks again, all to the same tree", async () => {
  const scene = open();
  const view = await scene.json(runExample(scene, "fixtures/diamond-late", ["--id", "r"]), patiently);
  const { checkpoints } = await scene.json<Moments>(["checkpoints", "r"]);
  const after = (count: number, type: string): number =>
    checkpoints.filter(({ events }) => events.includes(type))[count]?.position ?? 0;
  const merging = (await scene.events()).find(
    ({ instanceId, event }) => instanceId === "r" && event.type === "child-requested" && event.process === "merge",
  );
  const publishing = (await scene.events()).find(
    ({ instanceId, event }) =>
      instanceId === "r" && event.type === "job-created" && event.jobType === "feature.publish",
  );
  const moments = [after(0, "instance-created"), merging?.cursor.position, publishing?.cursor.position];
  const units = view.totals.planned;
  const again: string[] = [];
  for (const [at, position] of moments.entries()) {
    const { fork } = await scene.json<{ fork: string }>(["fork", "r", "--at", String(position)]);
    const forked = await scene.json(["wait", fork], patiently);
    expect(treeOf(scene, forked)).toBe(treeOf(scene, view));
    expect(await applied(scene, fork)).toHaveLength(at === 0 ? units : 0);
    again.push(fork);
  }
  // A fork has its original's moments as its own.
  const own = await scene.json<Moments>(["checkpoints", again[2] ?? ""]);
  const early = own.checkpoints.find(({ events }) => events.includes("item-completed"));
  const { fork } = await scene.json<{ fork: string }>(["fork", again[2] ?? "", "--at", String(early?.position)]);
  expect(treeOf(scene, await scene.json(["wait", fork], patiently))).toBe(treeOf(scene, view));
  expect(await applied(scene, fork)).toHaveLength(units - 1);
  const ended = await scene.tutti(["fork", "r"]);
  expect([ended.exit, ended.stderr]).toEqual([2, expect.stringContaining("fork-refused")]);
  expect(scene.git("--git-dir", scene.repositories()[0] ?? "", "for-each-ref", "refs/tutti/*/forking")).toBe("");
  await scene.close();
}, 400_000);
