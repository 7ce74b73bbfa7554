import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse, gitAnswer, type Material } from "./testing/cli-house.ts";

// Every refusal names its code, its place and the way out, and nothing was written: no state folder, no ref, no file.

let house: CliHouse;
let good: Material;
const badPlans = fileURLToPath(new URL("../../../examples/fixtures/bad-plans/", import.meta.url));

beforeAll(async () => {
  house = await CliHouse.open();
  good = await house.material("fixtures/diamond-late");
});

afterAll(() => house.close());

interface Refusal {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly place: string | null;
    readonly advice: string;
  };
}

async function refused(...args: readonly string[]): Promise<Refusal["error"] & { readonly exit: number | null }> {
  const { exit, stdout } = await house.tutti(...args, "--json");
  const { error } = JSON.parse(stdout) as Refusal;
  expect(error.advice).toMatch(/\.$/);
  expect(existsSync(house.state)).toBe(false);
  expect(await gitAnswer(good.repository, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  return { ...error, exit };
}

function git(folder: string, ...args: readonly string[]): void {
  const env = { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  execFileSync("git", [...args], { cwd: folder, env, stdio: "ignore" });
}

async function folderWith(name: string, prepare: (folder: string) => Promise<void> | void): Promise<string> {
  const folder = join(house.folder, name);
  await mkdir(folder);
  await prepare(folder);
  return folder;
}

test.each([
  ["repository-not-found", () => folderWith("empty", () => undefined)],
  ["repository-not-found", async () => join(house.folder, "nowhere")],
  ["repository-bare", () => folderWith("bare", (folder) => git(folder, "init", "--quiet", "--bare"))],
  ["branch-unborn", () => folderWith("unborn", (folder) => git(folder, "init", "--quiet"))],
  [
    "repository-dirty",
    async () => {
      const { repository } = await house.material("fixtures/base-conflict");
      await writeFile(join(repository, "dirty.txt"), "not committed");
      return repository;
    },
  ],
])("[C6] a repository that no run can start from is refused: %s", async (code, prepare) => {
  const repository = await prepare();
  const error = await refused("run", "--repo", repository, "--plan", good.plan, "--script", good.script);
  expect(error).toMatchObject({ code, exit: 2 });
});

test.each([
  ["cyclic.yaml", "plan-cycle", 1],
  ["unknown-dependency.yaml", "plan-unknown-dependency", 1],
  ["duplicate-ids.yaml", "plan-duplicate-unit", 1],
  ["creates-twice.yaml", "plan-creates-twice", 1],
  ["no-check.yaml", "plan-no-check", 1],
  ["outside-tree.yaml", "plan-path", 1],
  ["uncovered-requirement.yaml", "plan-uncovered-requirement", 1],
  ["unknown-requirement.yaml", "plan-unknown-requirement", 1],
])("[C6] a plan that no run can start with is refused with its place: %s", async (file, code) => {
  const path = join(badPlans, file);
  const error = await refused("run", "--repo", good.repository, "--plan", path, "--script", good.script);
  expect(error).toMatchObject({ code, exit: 2 });
  expect(error.place).toMatch(new RegExp(`${file}:\\d+:\\d+$`));
});

test.each([
  ["agent-missing", ["--plan"], []],
  ["agent-unknown", ["--plan"], ["--agent", "nobody"]],
  ["agent-not-found", ["--plan"], ["--agent", "claude"]],
  ["script-missing", ["--plan"], ["--agent", "scripted"]],
  ["script-invalid", ["--plan"], ["--agent", "scripted", "--script", "nowhere.yaml"]],
  ["environment-missing", ["--plan", "--script"], ["--env", "A_KEY_THAT_NOBODY_SET"]],
  ["base-not-found", ["--plan", "--script"], ["--base", "no-such-branch"]],
  ["ref-invalid", ["--plan", "--script"], ["--branch", "two words"]],
  ["argument-missing", ["--script"], []],
  ["option-invalid", ["--plan", "--script"], ["--max-parallel", "none"]],
  ["option-invalid", ["--plan", "--script"], ["--sandbox", "perhaps"]],
  ["option-unknown", ["--plan", "--script"], ["--paln", "x"]],
  ["file-unreadable", ["--script"], ["--plan", "nowhere.yaml"]],
] as const)("[C6] what a run cannot do is refused before it starts: %s", async (code, given, more) => {
  const known = { "--plan": ["--plan", good.plan], "--script": ["--script", good.script] };
  const error = await refused("run", "--repo", good.repository, ...given.flatMap((name) => known[name]), ...more);
  expect(error).toMatchObject({ code, exit: 2 });
});

test("[C6] a branch that is there already is refused before hours of work, not after them", async () => {
  const { repository, plan, script } = good;
  const run = ["run", "--repo", repository, "--plan", plan, "--script", script];
  expect(await refused(...run, "--branch", "main")).toMatchObject({ code: "branch-exists", exit: 1 });
});

test("[C6] without --json the refusal is on stderr: code, message, place and what to do", async () => {
  const path = join(badPlans, "cyclic.yaml");
  const { exit, stdout, stderr } = await house.tutti(
    "run",
    "--repo",
    good.repository,
    "--plan",
    path,
    "--script",
    good.script,
  );
  expect([exit, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    /cyclic\.yaml:\d+:\d+: plan-cycle: Expected dependencies without a cycle, but .+→.+\n→ Remove/,
  );
  expect(stderr).not.toContain("\u001b");
});

test("[C12] reading commands say that nothing has run here, and make no state folder", async () => {
  expect((await house.tutti("list")).stdout).toBe("No runs yet.\n");
  expect((await house.tutti("tasks")).exit).toBe(0);
  expect(await refused("status")).toMatchObject({ code: "database-missing", exit: 2 });
  expect(await refused("retry")).toMatchObject({ code: "database-missing", exit: 2 });
  const { exit, stdout } = await house.tutti("doctor", "--json");
  expect([exit, JSON.parse(stdout)]).toMatchObject([0, { healthy: true }]);
  expect(existsSync(house.state)).toBe(false);
});

test("[C24] plan shows the order, the locks and the findings of a plan, and writes nothing", async () => {
  const { stdout, exit } = await house.tutti("plan", good.plan, "--repo", good.repository);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/1 {2}A {2}/);
  expect(stdout).toMatch(/3 {2}E {2}.*after C, D/);
  const shared = join(badPlans, "..", "auth-rb-conflict", "plan.yaml");
  expect((await house.tutti("plan", shared, "--repo", good.repository)).stdout).toContain("Never at once:\n  auth.rb");
  expect(await refused("plan", join(badPlans, "cyclic.yaml"), "--repo", good.repository)).toMatchObject({
    code: "plan-cycle",
  });
});

test("[C24] validate knows definitions, plans, agent scripts and agent files by their content", async () => {
  const definitions = fileURLToPath(new URL("../../feature/definitions/", import.meta.url));
  const agents = fileURLToPath(new URL("../../agents/catalogue/", import.meta.url));
  const valid = async (path: string): Promise<unknown> => house.json("validate", path);
  expect(await valid(join(definitions, "feature.yaml"))).toMatchObject({
    kind: "definition",
    valid: true,
    problems: [],
  });
  expect(await valid(good.plan)).toMatchObject({ kind: "plan", valid: true });
  expect(await valid(good.script)).toMatchObject({ kind: "agent script", valid: true });
  expect(await valid(join(agents, "planner.md"))).toMatchObject({ kind: "agent", valid: true });
  const broken = join(house.folder, "broken.yaml");
  await writeFile(broken, "process: broken\nsteps:\n  a:\n    job: x\n    then: nowhere\n");
  const { exit, stdout } = await house.tutti("validate", broken);
  expect(exit).toBe(2);
  expect(stdout).toMatch(/broken\.yaml:\d+:\d+: error/);
});
