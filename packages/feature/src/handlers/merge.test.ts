import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Culprit, MergeVerdict, Trouble } from "../merge-step.ts";
import type { MergeState, Plan, PlanUnit, UnitResult } from "../model.ts";
import {
  type Calls,
  caller,
  createWorld,
  type Files,
  planOf,
  planUnit,
  runGit,
  type World,
  watchPrompts,
} from "../testing/setup.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

interface Made {
  readonly files: Files;
  /** Unit it was built on. */
  readonly on?: string;
  readonly unit?: Partial<PlanUnit>;
}

interface Landed {
  readonly state: MergeState;
  readonly trouble: Trouble | null;
}

interface Readmitted {
  readonly state: MergeState;
  readonly repairs: number;
}

interface Merge {
  readonly world: World;
  readonly calls: Calls;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  step<T>(job: string, rest: object): Promise<T>;
  /** `merge.order` and `merge.land`. */
  land(state?: object): Promise<MergeState>;
  verify(state: MergeState): Promise<MergeVerdict>;
  keep(state: MergeState): Promise<MergeState>;
  files(commit: string): string[];
}

/** Units as captured commits, made with plain git. */
async function mergeOf(
  made: { readonly [unit: string]: Made },
  rest: Partial<Plan> & { base?: Files; script?: object } = {},
) {
  const { base = { "README.md": "hello\n" }, script = {}, ...planRest } = rest;
  const text = JSON.stringify({ format: "tutti-script/1", tasks: { "*": [{}], ...script } });
  const world = await createWorld({ base, script: text, options: { sandbox: "none" } });
  worlds.push(world);
  const { context, source } = world;
  const units: { [unit: string]: UnitResult } = {};
  for (const [id, { files, on }] of Object.entries(made)) {
    const from = on === undefined ? context.repository.base : (units[on]?.commit ?? "");
    runGit(source, ["checkout", "-q", "--detach", from]);
    for (const [path, content] of Object.entries(files)) writeFileSync(join(source, path), content);
    runGit(source, ["add", "-A"]);
    runGit(source, ["commit", "-qm", id]);
    const commit = runGit(source, ["rev-parse", "HEAD"]);
    world.git("fetch", "-q", source, commit);
    world.git("update-ref", `refs/tutti/r1/test/${id}`, commit);
    const usage = { inputTokens: 0, outputTokens: 0, costUsd: null, agentMs: 0 };
    const numbers = { attempts: 1, round: 1, added: Object.keys(files).length, deleted: 0 };
    const changed = Object.keys(files);
    units[id] = {
      id,
      title: `Do ${id}`,
      intent: `${id} is done.`,
      commit,
      base: from,
      ...numbers,
      summary: id,
      changed,
      usage,
      conflicts: [],
    };
  }
  const plan = planOf(
    Object.entries(made).map(([id, { unit }]) => planUnit(id, unit)),
    planRest,
  );
  return merging(world, plan, units);
}

function merging(world: World, plan: Plan, units: { readonly [unit: string]: UnitResult }): Merge {
  const calls = caller(world.deps);
  const input = { feature: "F", context: world.context, plan, units };
  const step = <T>(job: string, rest: object): Promise<T> => calls.result<T>(job, { ...input, ...rest });
  const stateOf = async (job: string, rest: object) => (await step<{ state: MergeState }>(job, rest)).state;
  const verify = async (state: MergeState) =>
    (await step<{ verdict: MergeVerdict }>("merge.verify", { state })).verdict;
  return {
    world,
    calls,
    plan,
    units,
    step,
    land: async (state = {}) => stateOf("merge.land", { state: await stateOf("merge.order", { state }) }),
    verify,
    keep: async (state) => stateOf("merge.keep", { state, verdict: await verify(state) }),
    files: (commit) => world.git("ls-tree", "-r", "--name-only", commit).split("\n"),
  };
}

test("[F50] a batch is one level of units without a conflict among them, the smaller ones first", async () => {
  const { step } = await mergeOf({
    a: { files: { x: "a\n" } },
    b: { files: { x: "b\n" } },
    c: { files: { y: "c\n", z: "c\n" } },
    d: { files: { w: "d\n" }, on: "a", unit: { dependsOn: ["a"] } },
  });
  const order = async (state: object): Promise<MergeState> =>
    (await step<{ state: MergeState }>("merge.order", { state })).state;
  const first = await order({});
  expect(first).toMatchObject({ batch: ["c", "a"], waiting: ["a", "b", "c", "d"], landed: [], trial: null });
  const landed = { ...first, landed: ["a", "c"], waiting: ["b", "d"] };
  // d stands on a and so conflicts with b as a does: one of them now, the other in the next batch.
  expect((await order(landed)).batch).toEqual(["b"]);
  expect((await order({ ...landed, waiting: [] })).batch).toEqual([]);
});

test("[F50] units that were not finished take no part", async () => {
  const { world, plan, units } = await mergeOf({ a: { files: { x: "a\n" } }, b: { files: { y: "b\n" } } });
  const { a } = units;
  if (a === undefined) throw new Error("no unit a");
  const partial = merging(world, plan, { a });
  expect((await partial.land()).batch).toEqual(["a"]);
});

test("[F51] units that touch different paths land as one commit, and landing again makes the same one", async () => {
  const merge = await mergeOf({ a: { files: { x: "a\n" } }, b: { files: { y: "b\n" } } });
  const state = await merge.land();
  expect(merge.files(state.trial ?? "")).toEqual(["README.md", "x", "y"]);
  expect(merge.world.git("show", "-s", "--format=%P", state.trial ?? "").split(" ")).toHaveLength(3);
  expect((await merge.land()).trial).toBe(state.trial);
  expect(state).toMatchObject({ tip: merge.world.context.repository.base, landed: [], trialResolutions: [] });
});

test("[F51] a unit that a later one was built on lands with it, without a merge of its own", async () => {
  const merge = await mergeOf({ a: { files: { x: "a\n" } }, b: { files: { y: "b\n" }, on: "a" } });
  const state = await merge.keep(await merge.land());
  const { a, b } = merge.units;
  const onlyB = { ...state, tip: b?.commit ?? "", landed: ["b"], waiting: ["a"] };
  expect(await merge.land(onlyB)).toMatchObject({ batch: ["a"], trial: b?.commit });
  expect(a?.commit).not.toBe(b?.commit);
});

test("[F52] a conflict that a rule settles is recorded with its rung, and both units' checks run on the result", async () => {
  const list = "# Changelog\n\n- first\n";
  const merge = await mergeOf(
    {
      a: { files: { "CHANGELOG.md": `${list}- a\n` }, unit: { verify: ["grep -qx -e '- a' CHANGELOG.md"] } },
      b: { files: { "CHANGELOG.md": `${list}- b\n` }, unit: { verify: ["grep -qx -e '- b' CHANGELOG.md"] } },
    },
    { base: { "CHANGELOG.md": list }, checks: ["test -f CHANGELOG.md"] },
  );
  const first = await merge.keep(await merge.land());
  const second = await merge.land(first);
  expect(second.trialResolutions).toMatchObject([{ path: "CHANGELOG.md", rung: "list", between: ["a", "b"] }]);
  const verdict = await merge.verify(second);
  expect(verdict.results.map(({ command }) => command)).toEqual([
    "test -f CHANGELOG.md",
    "grep -qx -e '- a' CHANGELOG.md",
    "grep -qx -e '- b' CHANGELOG.md",
  ]);
  expect(verdict.passed).toBe(true);
  const kept = await merge.keep(second);
  expect(kept).toMatchObject({
    landed: ["a", "b"],
    waiting: [],
    batch: [],
    trial: null,
    resolutions: [{ rung: "list" }],
  });
  expect(kept.verifications).toMatchObject([
    { units: ["a"], passed: true },
    { units: ["b"], passed: true },
  ]);
  expect(merge.world.git("rev-parse", "refs/tutti/r1/integration")).toBe(kept.tip);
});

const twoSides = { a: { files: { "app.txt": "from a\n" } }, b: { files: { "app.txt": "from b\n" } } };
const appBase = { base: { "app.txt": "base\n" } };

test("[F54] what no rule settles goes to the resolver, who sees both intents and the file in conflict", async () => {
  const content = "from a\nfrom b\n";
  const script = {
    "resolve:app.txt": [
      {
        steps: [
          {
            replace: {
              path: "app.txt",
              find: "<<<<<<< ours\nfrom a\n||||||| base\nbase\n=======\nfrom b\n>>>>>>> theirs\n",
              with: content,
            },
          },
        ],
        outcome: { claim: "completed", summary: "Both lines." },
      },
    ],
  };
  const merge = await mergeOf(twoSides, { ...appBase, script });
  const prompts = watchPrompts(merge.world);
  const state = await merge.land(await merge.keep(await merge.land()));
  expect(prompts).toHaveLength(1);
  for (const part of ["a is done.", "b is done.", "+from a", "+from b"]) expect(prompts[0]).toContain(part);
  expect(merge.world.git("show", `${state.trial}:app.txt`)).toBe(content.trim());
  expect(state.trialResolutions).toEqual([
    { path: "app.txt", rung: "agent", between: ["a", "b"], note: "scripted: Both lines." },
  ]);
  const transcript = join(merge.world.deps.stateDir, "transcripts/r1/resolve%3Aapp.txt/1.jsonl");
  expect(readFileSync(transcript, "utf8")).toContain("app.txt");
});

test("[F53] a conflict that nobody settles is trouble: the unit, the paths, why, and how much there is without it", async () => {
  const merge = await mergeOf(
    { ...twoSides, c: { files: { "c.txt": "c\n" }, on: "b", unit: { dependsOn: ["b"] } } },
    appBase,
  );
  const first = await merge.keep(await merge.land());
  const { state } = await merge.step<{ state: MergeState }>("merge.order", { state: first });
  const { state: next, trouble } = await merge.step<Landed>("merge.land", { state });
  expect(next).toMatchObject({ landed: ["a"], waiting: ["b", "c"], batch: [], trial: null });
  // c was built on b, and cannot come in without it.
  expect(trouble).toMatchObject({ code: "conflict-parked", unit: { id: "b" }, paths: ["app.txt"], kept: 1 });
  expect(trouble?.message).toContain("app.txt");
  expect(JSON.stringify(trouble)).toContain("conflict markers");
});

test("[F54] a resolver that gives it back, fails or leaves a link does not settle anything", async () => {
  for (const attempt of [
    { outcome: { claim: "partial", summary: "They contradict each other." } },
    { outcome: { fail: { message: "no idea" } } },
    { steps: [{ delete: { path: "app.txt" } }, { symlink: { path: "app.txt", target: "/etc/passwd" } }] },
  ]) {
    const merge = await mergeOf(twoSides, { ...appBase, script: { "resolve:app.txt": [attempt] } });
    const first = await merge.keep(await merge.land());
    const { state } = await merge.step<{ state: MergeState }>("merge.order", { state: first });
    expect(await merge.step<Landed>("merge.land", { state })).toMatchObject({ trouble: { code: "conflict-parked" } });
  }
});

async function bisect(merge: Merge, state: MergeState): Promise<{ state: MergeState; culprit: Culprit }> {
  const verdict = await merge.verify(state);
  const found = await merge.step<{ state: MergeState; trouble: Culprit }>("merge.bisect", { state, verdict });
  return { state: found.state, culprit: found.trouble };
}

const eight = Object.fromEntries("abcdefgh".split("").map((id) => [id, { files: { [`${id}.txt`]: `${id}\n` } }]));

test("[F60] the unit that turns a batch red is found in about log n verifications and goes back to its work loop", async () => {
  const merge = await mergeOf(eight, { checks: ["test ! -f f.txt || { echo f breaks it; false; }"] });
  const red = await merge.land();
  expect(red.batch).toHaveLength(8);
  expect((await merge.verify(red)).passed).toBe(false);
  merge.calls.notes.length = 0;
  const { state, culprit } = await bisect(merge, red);
  expect(culprit).toMatchObject({ unit: { id: "f" }, round: 2, base: red.tip });
  expect(culprit.feedback.join()).toContain("f breaks it");
  expect(culprit.checks).toEqual([...merge.plan.checks, "true"]);
  expect(merge.files(culprit.start)).toEqual(["README.md", "f.txt"]);
  expect(state).toMatchObject({ batch: [], trial: null, landed: [], verifications: [{ passed: false }] });
  expect(state.waiting).toEqual("abcdegh".split(""));
  // Verified: the tip, three halves, the rest without it, the culprit alone; and the whole batch by bisect() itself.
  expect(merge.calls.notes.filter((note) => note.startsWith("checking"))).toHaveLength(7);
});

test("[F60] a unit that is red only together with others starts from them", async () => {
  const merge = await mergeOf(eight, { checks: ["test ! -f b.txt || test ! -f e.txt"] });
  const red = await merge.land();
  const { culprit } = await bisect(merge, red);
  expect(culprit.unit.id).toBe("e");
  expect(merge.files(culprit.base)).toEqual(["README.md", "a.txt", "b.txt", "c.txt", "d.txt"]);
  expect(merge.files(culprit.start)).toContain("e.txt");
});

test("[F61] no unit is blamed when the checks are red before any is merged", async () => {
  const merge = await mergeOf({ a: { files: { x: "a\n" } } }, { checks: ["echo never; false"] });
  const state = await merge.land();
  const input = { context: merge.world.context, plan: merge.plan, units: merge.units, state };
  const outcome = await merge.calls.call("merge.bisect", { ...input, verdict: await merge.verify(state) });
  expect(outcome).toMatchObject({ type: "failed", code: "checks-red-before-merge", retryable: false });
});

const redAlone = { a: { files: { x: "a\n" } }, b: { files: { bad: "b\n" } } };

test("[F62] a repaired unit waits again with its new commit, and every repair has rounds of its own", async () => {
  const merge = await mergeOf(redAlone, { checks: ["test ! -f bad"] });
  const { state, culprit } = await bisect(merge, await merge.land());
  const { a } = merge.units;
  const usage = { inputTokens: 5, outputTokens: 1, costUsd: 0, agentMs: 10 };
  const work = { commit: a?.commit, attempts: 1, summary: "", usage };
  const settled = { b: { work, rounds: 2 } };
  const readmitted = await merge.step<Readmitted>("merge.readmit", { state, trouble: culprit, settled });
  expect(readmitted.state).toMatchObject({ waiting: ["a", "b"], commits: { b: a?.commit }, repaired: { b: 2 } });
  expect(readmitted.state.usage).toEqual({ b: usage });
  expect(readmitted.repairs).toBe(2);
  const again = { ...readmitted.state, commits: state.commits };
  expect((await bisect(merge, await merge.land(again))).culprit.round).toBe(4);
});

test("[F63] a unit that nobody answers for is left out with all that was built on it, and the rest can land", async () => {
  const made = { ...redAlone, c: { files: { y: "c\n" }, on: "b" }, d: { files: { z: "d\n" } } };
  const merge = await mergeOf(made, { checks: ["test ! -f bad"] });
  const { state, culprit } = await bisect(merge, { ...(await merge.land()), batch: ["a", "b"] });
  expect(culprit).toMatchObject({ code: "merge-red", kept: 2 });
  expect(culprit.message).toContain("The checks fail once b is merged: test ! -f bad (exit 1)");
  const { state: next } = await merge.step<Readmitted>("merge.readmit", { state, trouble: culprit, settled: {} });
  expect(next.waiting).toEqual(["a", "d"]);
  expect(next.setAside).toMatchObject([
    { unit: "b", code: "merge-red" },
    { unit: "c", code: "built-on", message: "It builds on b, which was left out" },
  ]);
  expect((await merge.keep(await merge.land(next))).landed.toSorted()).toEqual(["a", "d"]);
});
