import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job, JobContext, JobHandler, JobOutcome, JsonObject } from "@tutti/kernel";
import { fetchBase, inspectSource, openRepository } from "@tutti/workspace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFeatureDeps } from "../deps.ts";
import type { RunContext } from "../model.ts";
import { runOptions } from "../options.ts";
import { planOf, planUnit } from "../testing/setup.ts";
import { planHandler } from "./plan.ts";
import { publishHandler } from "./publish.ts";

const fixtures = fileURLToPath(new URL("../../../../examples/fixtures/", import.meta.url));
const identity = ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgSign=false"];
let folder: string;
let stateDir: string;
let root: string;

function gitIn(...args: string[]): string {
  return execFileSync("git", ["-C", root, ...identity, ...args], { encoding: "utf8" }).trim();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-plan-"));
  stateDir = join(folder, "state");
  root = join(folder, "repository");
  execFileSync("git", ["init", "-q", "-b", "main", root]);
  writeFileSync(join(root, "README.md"), "hello\n");
  gitIn("add", ".");
  gitIn("commit", "-qm", "base");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function contextOf(options: Parameters<typeof runOptions>[0]): Promise<RunContext> {
  const source = await inspectSource({ path: root });
  const { gitDir } = await openRepository({ stateDir, source });
  await fetchBase({ gitDir }, { run: "r1", source, commit: source.commit });
  const repository = { path: source.root, gitDir, base: source.commit, branch: source.branch };
  return { run: "r1", repository, options: runOptions(options) };
}

function run(handler: JobHandler, type: string, input: object): Promise<JobOutcome> {
  const job: Job = {
    id: "r1/1",
    instanceId: "r1",
    rootId: "r1",
    elementId: "x",
    type,
    queue: "light",
    priority: 3,
    attempt: 1,
    attemptsMax: 3,
    input: input as JsonObject,
    headers: {},
    fencingToken: 1,
  };
  const context: JobContext = { signal: new AbortController().signal, heartbeat: () => undefined };
  return handler(job, context);
}

const given = {
  format: "tutti-plan/1",
  feature: "f",
  units: [{ id: "a", title: "a", intent: "a", touches: { creates: ["a"] }, verify: ["true"] }],
};

test("[P1] a given plan passes through the gates and gets its locks", async () => {
  const handler = planHandler(createFeatureDeps({ stateDir }));
  const outcome = await run(handler, "feature.plan", { feature: "f", context: await contextOf({}), planned: given });
  expect(outcome).toMatchObject({
    type: "completed",
    result: { plan: { units: [{ id: "a", locks: [] }] }, findings: [] },
  });
});

test("[P13] the planner's first plan is refused with its cycle, the second one is taken", async () => {
  const script = join(fixtures, "planner/agents.yaml");
  const handler = planHandler(createFeatureDeps({ stateDir }));
  const context = await contextOf({ agent: "scripted", script });
  const outcome = await run(handler, "feature.plan", { feature: "f", context, planned: null });
  const units = [
    { id: "A", dependsOn: [] },
    { id: "B", dependsOn: ["A"] },
  ];
  expect(outcome).toMatchObject({ type: "completed", result: { plan: { units } } });
  const first = readFileSync(join(stateDir, "transcripts/r1/plan/1.jsonl"), "utf8");
  expect(first).toContain('"dependsOn":["B"]');
});

test("[P13] a planner that never learns ends in plan-invalid with every problem", async () => {
  const script = join(folder, "agents.yaml");
  writeFileSync(
    script,
    `format: tutti-script/1\ntasks:\n  plan:\n    - steps: []\n      outcome: { claim: completed, summary: s, result: { format: tutti-plan/1 } }\n`,
  );
  const handler = planHandler(createFeatureDeps({ stateDir }));
  const outcome = await run(handler, "feature.plan", {
    feature: "f",
    context: await contextOf({ agent: "scripted", script }),
    planned: null,
  });
  expect(outcome).toMatchObject({ type: "error", code: "plan-invalid" });
  expect(JSON.stringify(outcome)).toContain("units");
});

test("[P18] a planner chooses no agents: their names are commands for this machine", async () => {
  const script = join(folder, "agents.yaml");
  const plan = { ...given, units: [{ ...given.units[0], agent: "cli:sh -c id" }] };
  const tasks = { plan: [{ steps: [], outcome: { claim: "completed", result: plan } }] };
  writeFileSync(script, JSON.stringify({ format: "tutti-script/1", tasks }));
  const handler = planHandler(createFeatureDeps({ stateDir }));
  const input = { feature: "f", context: await contextOf({ agent: "scripted", script }), planned: null };
  const outcome = await run(handler, "feature.plan", input);
  expect(outcome).toMatchObject({
    type: "error",
    code: "plan-invalid",
    details: { problems: [{ code: "plan-agent" }] },
  });
  const own = await run(handler, "feature.plan", { ...input, planned: plan });
  expect(own).toMatchObject({ type: "completed", result: { plan: { units: [{ agent: "cli:sh -c id" }] } } });
});

test("[P14] publishes one branch and the report; repeated, nothing changes; another branch is never moved", async () => {
  const context = await contextOf({ branch: "result" });
  const commit = context.repository.base;
  const merged = { commit, landed: ["a"], resolutions: [], verifications: [], usage: {}, setAside: [] };
  const handler = publishHandler({ stateDir });
  const plan = { ...given, requirements: [], checks: [], prepare: [], regenerate: [] };
  const before = gitIn("status", "--porcelain", "--branch");
  for (const _ of [1, 2]) {
    const outcome = await run(handler, "feature.publish", { feature: "f", context, plan, units: {}, merged });
    expect(outcome).toMatchObject({ type: "completed", result: { published: { branch: "result", partial: false } } });
  }
  expect(gitIn("rev-parse", "refs/heads/result")).toBe(commit);
  expect(gitIn("status", "--porcelain", "--branch")).toBe(before);
  expect(readFileSync(join(stateDir, "runs/r1/PULL_REQUEST.md"), "utf8")).toContain("# f");
  writeFileSync(join(root, "more"), "x");
  gitIn("add", ".");
  gitIn("commit", "-qm", "more");
  gitIn("branch", "taken");
  const taken = { ...context, options: { ...context.options, branch: "taken" } };
  const refused = await run(handler, "feature.publish", { feature: "f", context: taken, plan, units: {}, merged });
  expect(refused).toMatchObject({ type: "failed", code: "branch-exists" });
});

test("[P15] a part below the threshold is published only when a person accepted it", async () => {
  const context = await contextOf({ branch: "part", threshold: 0.8 });
  const commit = context.repository.base;
  const merged = { commit, landed: ["a", "b", "c"], resolutions: [], verifications: [], usage: {}, setAside: [] };
  const units = "abcd".split("").map((id) => planUnit(id));
  const input = { feature: "f", context, plan: planOf(units), units: {}, merged };
  const handler = publishHandler({ stateDir });
  expect(await run(handler, "feature.publish", input)).toEqual({
    type: "error",
    code: "threshold-not-met",
    message: "3 of 4 planned units are in, below the threshold of 0.8",
  });
  expect(gitIn("branch", "--list", "part")).toBe("");
  const acceptances = [{ reason: "d can wait", by: "person:ada" }];
  const accepted = await run(handler, "feature.publish", { ...input, acceptances });
  expect(accepted).toMatchObject({ type: "completed", result: { published: { partial: true } } });
  expect(JSON.stringify(accepted)).toContain("Accepted by person:ada: d can wait");
  const enough = { ...context, options: { ...context.options, threshold: 0.75 } };
  expect(await run(handler, "feature.publish", { ...input, context: enough })).toMatchObject({ type: "completed" });
});
