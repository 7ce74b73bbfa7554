import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { processesOf } from "../testing/processes.ts";
import { createScene, examples, type Scene, until } from "../testing/scene.ts";

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

/** By the rungs' names in the report, what stands in the example's `expected.yaml`. */
const rungs: { readonly [solved: string]: string } = { list: "list", json: "json", resolver: "agent" };

test("[X1, C19] the demo: one verified, merged branch and its story, soon, and the repository as it was", async () => {
  const scene = createScene();
  scenes.push(scene);
  const folder = join(scene.folder, "demo");
  const shown = await scene.tutti(["demo", "--dir", folder], { timeoutMs: 180_000, environment: { TUTTI_STATE: "" } });
  expect(shown.exit, shown.stderr + shown.stdout).toBe(0);
  // The goal is a minute on two cores (29 s were seen on free ones); the bound leaves room for a noisy neighbour.
  expect(shown.durationMs).toBeLessThan(process.env["CI"] === "true" ? 90_000 : 150_000);
  expect(shown.stderr).toContain("The agents are scripted");
  expect(shown.stdout).toMatch(/12 of 12 units done \(sessions after 3 attempts\)/);
  expect(shown.stdout).toMatch(/Tests of the merged result.*all \d+ pass/);
  const repository = join(folder, "notes");
  const git = (...args: readonly string[]): string =>
    spawnSync("git", ["-C", repository, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: folder },
    }).stdout.trimEnd();
  expect(git("status", "--porcelain", "--branch")).toBe("## main");
  expect(git("rev-list", "--count", "main")).toBe("1");
  const [branch = ""] = git("branch", "--list", "tutti/*", "--format=%(refname:short)").split("\n");
  const [, report = ""] = /Report (\S+PULL_REQUEST\.md)/.exec(shown.stdout) ?? [];
  const text = readFileSync(report, "utf8");
  expect(text).toContain("All 12 planned units are in, merged and verified.");
  const expected = parse(readFileSync(join(examples, "oauth-login", "expected.yaml"), "utf8")) as {
    readonly solved: { readonly [path: string]: string };
  };
  for (const [path, solved] of Object.entries(expected.solved)) {
    expect(text).toMatch(new RegExp(`\\| \`${path.replaceAll(".", "\\.")}\` \\| .* \\| ${rungs[solved]} \\|`));
  }
  expect(testsOf(repository, branch)).toBe(0);
  await until(() => (processesOf(folder).length === 0 ? true : undefined), { timeoutMs: 5_000 });
});

/** Exit status of the merged result's own tests, run by hand in a clone. */
function testsOf(repository: string, branch: string): number | null {
  const clone = realpathSync(mkdtempSync(join(tmpdir(), "tutti-clone-")));
  const environment = { PATH: process.env["PATH"], HOME: clone };
  try {
    spawnSync("git", ["clone", "-q", "-b", branch, repository, join(clone, "result")], { env: environment });
    return spawnSync(process.execPath, ["--test"], { cwd: join(clone, "result"), env: environment }).status;
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}
