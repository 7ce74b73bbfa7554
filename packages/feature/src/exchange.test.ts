import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MemoryArtifacts, memoryArtifacts } from "@tutti/kernel/testing";
import type { CommitBundle } from "@tutti/workspace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadFeaturePrograms } from "./definitions.ts";
import { createFeatureDeps, type FeatureDeps } from "./deps.ts";
import { shareRun } from "./exchange.ts";
import { featureHandlers, roamingHandlers } from "./handlers/table.ts";
import { asJson } from "./job.ts";
import type { Applied, PlanUnit, RunContext, Tested } from "./model.ts";
import { drive } from "./testing/drive.ts";
import { caller, createWorld, planOf, planUnit, type World } from "./testing/setup.ts";

const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
const script = {
  format: "tutti-script/1",
  tasks: {
    a: [
      { steps: [{ write: { path: "src/b.txt", content: "b\n" } }] },
      { steps: [{ append: { path: "src/b.txt", content: "more\n" } }] },
    ],
    c: [{ steps: [{ write: { path: "src/c.txt", from: "c.txt" } }] }],
    // Its second attempt goes on from the first, on the merge of what it builds on.
    d: [
      { steps: [{ write: { path: "src/d.txt", content: "broken\n" } }] },
      { steps: [{ append: { path: "src/d.txt", content: "d\n" } }] },
    ],
    // Red only once it is merged: it is repaired.
    e: [
      { steps: [{ write: { path: "src/bad.txt", content: "bad\n" } }] },
      { steps: [{ delete: { path: "src/bad.txt" } }, { write: { path: "src/e.txt", content: "e\n" } }] },
    ],
  },
};

const unit: PlanUnit = planUnit("a", { touches: { owns: ["src/**"], may: [], creates: [] } });

let world: World;
let folder: string;
let artifacts: MemoryArtifacts;
/** A machine that has nothing of the run but the store. */
let away: FeatureDeps;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tutti-away-"));
  artifacts = memoryArtifacts(sha256);
  away = createFeatureDeps({ stateDir: folder, artifacts: async () => artifacts });
  world = await ourWorld();
});

/** Equal to any other in all that goes into a commit. */
async function ourWorld(): Promise<World> {
  const made = await createWorld({
    base: { "README.md": "hello\n", "src/a.txt": "a\n" },
    script: JSON.stringify(script),
    options: { sandbox: "none" },
  });
  writeFileSync(join(made.folder, "c.txt"), "c\n");
  return made;
}

afterEach(() => {
  world.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function shared(): Promise<RunContext> {
  const { repository, context } = world;
  const begun = await shareRun(repository, context, artifacts);
  return JSON.parse(JSON.stringify({ ...context, shared: begun })) as RunContext;
}

interface Left {
  readonly commit: string;
  readonly applied: Applied;
  readonly bundles: readonly CommitBundle[];
}

function applyInput(context: RunContext, rest: object = {}): object {
  const { base } = context.repository;
  const fixed = { feature: "F", context, plan: { requirements: [], prepare: [] }, unit };
  const loop = { round: 1, attempt: 1, tier: "standard", base, origin: base, start: base, checks: ["true"] };
  return { ...fixed, ...loop, feedback: [], usage: {}, ...rest };
}

test("[F90, F91] a machine with nothing but the store does the same, and what it leaves is to be had from there", async () => {
  const alone = await caller(world.deps).result<Left>("unit.apply", applyInput(world.context));
  expect(alone.bundles).toEqual([]);
  const context = await shared();
  world.remove();
  const calls = caller(away);
  const first = await calls.result<Left>("unit.apply", applyInput(context));
  expect(first.commit).toBe(alone.commit);
  expect(first.bundles).toMatchObject([{ commit: first.commit, have: [context.repository.base] }]);
  // A third machine goes on from there; what the attempt before left is not carried along for ever.
  const third = mkdtempSync(join(folder, "third-"));
  const others = caller(createFeatureDeps({ stateDir: third, artifacts: async () => artifacts }));
  const go = { attempt: 2, start: first.commit, bundles: first.bundles };
  const second = await others.result<Left>("unit.apply", applyInput(context, go));
  expect(second.bundles.map(({ commit }) => commit)).toEqual([second.commit]);
  const { commit, applied, bundles } = second;
  const test = {
    context,
    plan: { prepare: [] },
    unit,
    round: 1,
    attempt: 2,
    commit,
    checks: ["grep -q more src/b.txt"],
    applied,
  };
  expect(await calls.result<{ tested: Tested }>("unit.test", { ...test, bundles })).toMatchObject({
    tested: { passed: true },
  });
});

test("[F91] what is missing where no store is named fails by its name; where it is there, none is needed", async () => {
  const context = await shared();
  const lost = caller(createFeatureDeps({ stateDir: folder }));
  expect(await lost.call("unit.apply", applyInput(context))).toMatchObject({
    type: "failed",
    code: "run-elsewhere",
    retryable: true,
  });
  artifacts.stored.clear();
  expect(await caller(away).call("unit.apply", applyInput(context))).toMatchObject({
    code: "artifact-not-found",
    retryable: true,
  });
  const { shared: _elsewhere, ...own } = context;
  expect(await caller(world.deps).call("unit.apply", applyInput(own))).toMatchObject({
    type: "completed",
  });
});

test("[F90, F92] agents and checks on another machine, all else at the repository: the tree is that of one machine", async () => {
  const units = [
    { ...unit, id: "a", verify: ["grep -q more src/b.txt"] },
    { ...unit, id: "c" },
    { ...unit, id: "d", dependsOn: ["a", "c"], verify: ["grep -q d src/d.txt && test -f src/c.txt"] },
    { ...unit, id: "e", touches: { owns: ["src/bad.txt"], may: ["src/e.txt"], creates: [] } },
  ];
  const drafts = units.map(({ locks: _ofTheGates, ...draft }) => draft as PlanUnit);
  const plan = planOf(drafts, { checks: ["! test -f src/bad.txt"] });
  const programs = await loadFeaturePrograms();
  const run = async (context: RunContext, own: World, others: FeatureDeps): Promise<string> => {
    const here = featureHandlers({
      ...own.deps,
      exchange: createFeatureDeps({ stateDir: own.deps.stateDir, artifacts: async () => artifacts }).exchange,
    });
    const there = await roamingHandlers(others);
    expect(Object.keys(there).sort()).toEqual(["merge.verify", "unit.apply", "unit.diagnose", "unit.test"]);
    const variables = { feature: "F", context: asJson(context), planned: asJson(plan) };
    const handlers = { ...here, ...there };
    const {
      outcome,
      incidents,
      jobs: done,
      variables: end,
    } = await drive({ programs, handlers, process: "feature", variables });
    expect({ outcome, incidents }).toMatchObject({ outcome: { type: "completed" }, incidents: [] });
    expect(done.filter((job) => job === "unit.recall e")).toHaveLength(1);
    return (end["merged"] as { readonly commit: string }).commit;
  };
  const other = await ourWorld();
  try {
    const stored = artifacts.stored.size;
    const alone = await run(other.context, other, other.deps);
    expect(artifacts.stored.size).toBe(stored);
    expect(await run(await shared(), world, away)).toBe(alone);
    expect(world.git("rev-parse", "refs/tutti/r1/integration")).toBe(alone);
  } finally {
    other.remove();
  }
}, 120_000);
