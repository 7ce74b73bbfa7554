import { spawnSync } from "node:child_process";
import { listWorkspaces } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import type { Plan, Published } from "./model.ts";
import { removeWorlds, runExample, runPlan } from "./testing/run-plan.ts";
import { runGit } from "./testing/setup.ts";

afterEach(removeWorlds);

test("[F3] a run with a base that needs a merge by rule ends as one branch that has all units", async () => {
  const { world, run } = await runExample("fixtures/base-conflict");
  expect(run.incidents).toEqual([]);
  expect(run.outcome?.type).toBe("completed");
  const published = run.variables["published"] as unknown as Published;
  const changelog = runGit(world.source, ["show", `${published.branch}:CHANGELOG.md`]);
  for (const unit of ["A", "B", "C", "D"]) expect(changelog).toContain(`- ${unit}.`);
  expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
});

test("[F3, F52] a run on a repository of another make ends with every check green on the published tree", async () => {
  const { world, run } = await runExample("units-sh");
  expect(run.outcome?.type).toBe("completed");
  const { branch, body } = run.variables["published"] as unknown as Published;
  expect(body).toMatch(/`CHANGELOG.md` \| \w+ × \w+ \| list/);
  const plan = run.variables["plan"] as unknown as Plan;
  runGit(world.source, ["checkout", "-q", branch]);
  for (const check of [...plan.checks, ...plan.units.flatMap(({ verify }) => verify)]) {
    expect(spawnSync("/bin/sh", ["-c", check], { cwd: world.source }).status, check).toBe(0);
  }
});

test("[F4] the same plan gives the same commit, one job at a time or four", async () => {
  const commits: string[] = [];
  for (const slots of [1, 4]) {
    const { run } = await runExample("fixtures/base-conflict", { slots });
    commits.push((run.variables["published"] as unknown as Published).commit);
  }
  expect(commits[1]).toBe(commits[0]);
});

test("[F3, F60, F62] a unit that turns the merged tree red is repaired in its work loop and lands", async () => {
  const write = (path: string, content: string) => ({ steps: [{ write: { path, content } }] });
  const script = {
    left: [write("left.txt", "shared=1\n")],
    right: [write("right.txt", "shared=2\n"), write("right.txt", "shared=1\n")],
  };
  const unit = (id: string) => ({
    ...{ id, title: `Write ${id}`, intent: `Both sides say the same, ${id} too.` },
    ...{ touches: { owns: [], may: [], creates: [`${id}.txt`] }, verify: [`test -f ${id}.txt`] },
  });
  const agree = "test ! -f left.txt || test ! -f right.txt || cmp left.txt right.txt";
  const planned = { format: "tutti-plan/1", feature: "Agree", checks: [agree], units: [unit("left"), unit("right")] };
  const text = JSON.stringify({ format: "tutti-script/1", tasks: script });
  const { world, run } = await runPlan(planned, { base: { "README.md": "hello\n" }, script: text });
  expect(run.incidents).toEqual([]);
  expect(run.outcome?.type).toBe("completed");
  expect(run.jobs.filter((job) => job === "unit.apply right")).toHaveLength(2);
  expect(run.jobs).toContain("merge.readmit");
  expect(run.undeclared).toEqual([]);
  const { branch, body } = run.variables["published"] as unknown as Published;
  expect(runGit(world.source, ["show", `${branch}:right.txt`])).toBe("shared=1");
  expect(body).toContain("1 of them red and repaired");
});

test("[F13] agents that misbehave end as findings, and the run waits for a person", async () => {
  for (const [name, code] of [
    ["crash", "agent-crashed"],
    ["hang", "agent-silent"],
    ["outside-claim", "outside-claim"],
    ["symlink-escape", "symlink-escape"],
  ] as const) {
    const options = { attempts: 2, rounds: 1, agentSilenceMs: 1_000 };
    const { world, run } = await runExample(`fixtures/misbehaving/${name}`, { options });
    expect(run.outcome, name).toBeNull();
    expect(run.incidents.join(), name).toContain("feature:");
    expect(run.errors.join(), name).toContain(code);
    expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
  }
});
