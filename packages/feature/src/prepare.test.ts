import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Applied, PrepareStep, Tested } from "./model.ts";
import { prunePrepared } from "./prepare.ts";
import { caller, createWorld, type Files, planUnit, type World } from "./testing/setup.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

/** A world whose preparation writes down every time it really runs. */
async function worldOf(base: Files = {}, script: object = { a: [{}] }): Promise<{ world: World; ran(): number }> {
  const world = await createWorld({
    base: { lock: "1\n", ...base },
    script: JSON.stringify({ format: "tutti-script/1", tasks: script }),
    options: { sandbox: "none" },
  });
  worlds.push(world);
  const log = join(world.folder, "ran");
  writeFileSync(log, "");
  return { world, ran: () => readFileSync(log, "utf8").length };
}

function install(world: World): PrepareStep {
  const run = [
    `printf x >> ${join(world.folder, "ran")}`,
    "mkdir -p deps/bin",
    "cp lock deps/installed",
    "printf '#!/bin/sh\\necho tool\\n' > deps/bin/tool",
    "chmod 755 deps/bin/tool",
    "ln -s bin/tool deps/link",
  ].join(" && ");
  return { run, inputs: ["lock"], outputs: ["deps"] };
}

async function check(
  world: World,
  rest: { checks: readonly string[]; prepare: readonly PrepareStep[]; commit?: string },
) {
  const { base } = world.context.repository;
  const applied: Applied = { claim: "completed", summary: "", findings: [], failure: null };
  const { checks, prepare, commit = base } = rest;
  const input = { context: world.context, plan: { prepare }, unit: planUnit("a"), round: 1, attempt: 1 };
  const result = await caller(world.deps).result<{ tested: Tested }>("unit.test", {
    ...input,
    commit,
    checks,
    applied,
  });
  return result.tested;
}

async function apply(world: World, prepare: readonly PrepareStep[], rest: object = {}) {
  const { base } = world.context.repository;
  const fixed = { feature: "F", context: world.context, plan: { requirements: [], prepare }, unit: planUnit("a") };
  const loop = { round: 1, attempt: 1, tier: "standard", base, origin: base, start: base };
  return caller(world.deps).call("unit.apply", { ...fixed, ...loop, feedback: [], usage: {}, ...rest });
}

test("[F17] preparation runs once for the same inputs, and comes back with its links and its rights to be run", async () => {
  const { world, ran } = await worldOf();
  const prepare = [install(world)];
  for (const again of ["", " && :"]) {
    const checks = [`test $(deps/link) = tool && grep -qx 1 deps/installed${again}`];
    expect((await check(world, { prepare, checks })).results).toMatchObject([{ passed: true }]);
  }
  expect(ran()).toBe(1);
});

test("[F17] other inputs, or another command, are prepared anew", async () => {
  const { world, ran } = await worldOf({}, { a: [{ steps: [{ write: { path: "lock", content: "2\n" } }] }] });
  const step = install(world);
  await check(world, { prepare: [step], checks: ["true"] });
  const outcome = await apply(world, [step]);
  if (outcome.type !== "completed") throw new Error(JSON.stringify(outcome));
  const commit = String(outcome.result["commit"]);
  const tested = await check(world, { prepare: [step], checks: ["grep -qx 2 deps/installed"], commit });
  expect(tested.passed).toBe(true);
  expect(ran()).toBe(2);
  await check(world, { prepare: [{ ...step, run: `${step.run} && :` }], checks: ["true"] });
  expect(ran()).toBe(3);
});

test("[F18] an agent that edits what was prepared changes its own copy only, and none of it is captured", async () => {
  const edit = { write: { path: "deps/installed", content: "poisoned\n" } };
  const { world } = await worldOf({}, { a: [{ steps: [edit, { write: { path: "new", content: "n\n" } }] }] });
  const prepare = [install(world)];
  await check(world, { prepare, checks: ["true"] });
  const outcome = await apply(world, prepare);
  if (outcome.type !== "completed") throw new Error(JSON.stringify(outcome));
  expect(world.git("ls-tree", "-r", "--name-only", String(outcome.result["commit"])).split("\n")).toEqual([
    "lock",
    "new",
  ]);
  expect((await check(world, { prepare, checks: ["grep -qx 1 deps/installed"] })).passed).toBe(true);
});

test("[F19] preparation that fails on the base fails the job; later it is something for the agent to repair", async () => {
  const { world } = await worldOf({}, { a: [{ steps: [{ write: { path: "x", content: "x" } }] }] });
  const broken: PrepareStep[] = [{ run: "echo no network; false", inputs: [], outputs: [] }];
  expect(await apply(world, broken)).toMatchObject({ type: "failed", code: "prepare-failed", retryable: true });
  expect(await apply(world, broken, { attempt: 2 })).toMatchObject({ type: "completed" });
  const tested = await check(world, { prepare: broken, checks: ["true"] });
  expect(tested).toMatchObject({ passed: false, results: [{ command: "prepare: echo no network; false", exit: 1 }] });
});

test("[F18] outputs never leave the tree, whatever a pattern or a link says", async () => {
  const { world } = await worldOf();
  const outside = join(world.folder, "outside");
  const run = `mkdir -p ${outside} && ln -s ${outside} way && echo x > way/file && echo y > ../beside`;
  const prepare: PrepareStep[] = [{ run, inputs: [], outputs: ["way/file", "../beside"] }];
  const outcome = await apply(world, prepare);
  expect(outcome.type).toBe("completed");
  expect(existsSync(join(outside, "file"))).toBe(true);
  expect(statSync(outside).isDirectory()).toBe(true);
});

test("[F17] only the preparations used last are kept, and what was half-made goes", async () => {
  const { world, ran } = await worldOf();
  const step = install(world);
  await check(world, { prepare: [step], checks: ["true"] });
  await check(world, { prepare: [{ ...step, run: `${step.run} && :` }], checks: ["true"] });
  await prunePrepared(world.deps.stateDir, 1);
  await check(world, { prepare: [{ ...step, run: `${step.run} && :` }], checks: ["true #again"] });
  expect(ran()).toBe(2);
  await check(world, { prepare: [step], checks: ["true #again"] });
  expect(ran()).toBe(3);
});
