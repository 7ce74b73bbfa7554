import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listWorkspaces } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import { failures } from "../failure-note.ts";
import type { Applied, PlanUnit, RunOptions, Tested, UnitResult, Usage } from "../model.ts";
import { caller, createWorld, type Files, planUnit, type World, watchPrompts } from "../testing/setup.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

async function worldOf(script: object, rest: { base?: Files; options?: Partial<RunOptions> } = {}): Promise<World> {
  const world = await createWorld({
    base: { "README.md": "hello\n", "src/a.txt": "a\n", ...rest.base },
    script: JSON.stringify({ format: "tutti-script/1", tasks: script }),
    options: { sandbox: "none", ...rest.options },
  });
  worlds.push(world);
  return world;
}

const inSource: PlanUnit = planUnit("a", { touches: { owns: ["src/**"], may: [], creates: [] } });

function applyInput(world: World, rest: object = {}): object {
  const { base } = world.context.repository;
  const fixed = { feature: "F", context: world.context, plan: { requirements: [], prepare: [] }, unit: inSource };
  const loop = { round: 1, attempt: 1, tier: "standard", base, origin: base, start: base, checks: ["true"] };
  return { ...fixed, ...loop, feedback: [], usage: {}, ...rest };
}

interface Left {
  readonly commit: string;
  readonly applied: Applied;
  readonly usage: Usage;
}

const apply = (world: World, rest: object = {}): Promise<Left> =>
  caller(world.deps).result<Left>("unit.apply", applyInput(world, rest));

test("[F10] what the agent left is one commit on where the loop began, made by Tutti", async () => {
  const world = await worldOf({ a: [{ steps: [{ write: { path: "src/b.txt", content: "b\n" } }] }] });
  const { commit, applied } = await apply(world);
  expect(applied).toMatchObject({ claim: "completed", findings: [], failure: null });
  expect(world.git("show", "-s", "--format=%P %an %ae %ct", commit)).toBe(
    `${world.context.repository.base} Tutti tutti@tutti.invalid 1700000000`,
  );
  expect(world.git("diff", "--name-only", `${commit}^`, commit)).toBe("src/b.txt");
  expect(world.git("show", "-s", "--format=%B", commit)).toContain("Tutti-Unit: a");
});

test("[F11] the same attempt done again, under another lease, gives the same commit", async () => {
  const world = await worldOf({ a: [{ steps: [{ append: { path: "src/a.txt", content: "more\n" } }] }] });
  const calls = caller(world.deps);
  const job = { id: "i1/7" };
  const first = await calls.result<Left>("unit.apply", applyInput(world), { ...job, fencingToken: 1 });
  const second = await calls.result<Left>("unit.apply", applyInput(world), { ...job, fencingToken: 2 });
  expect(second.commit).toBe(first.commit);
});

test("[F12] a later attempt goes on from the tree before, and a write outside the claim stays a finding until it is gone", async () => {
  const world = await worldOf({
    a: [
      { steps: [{ append: { path: "README.md", content: "x\n" } }, { write: { path: "src/b.txt", content: "b\n" } }] },
      { steps: [{ append: { path: "src/b.txt", content: "c\n" } }] },
      { steps: [{ write: { path: "README.md", content: "hello\n" } }] },
    ],
  });
  const first = await apply(world);
  expect(first.applied.findings).toMatchObject([{ code: "outside-claim", path: "README.md" }]);
  const second = await apply(world, { attempt: 2, start: first.commit });
  expect(second.applied.findings).toMatchObject([{ code: "outside-claim", path: "README.md" }]);
  const third = await apply(world, { attempt: 3, start: second.commit });
  expect(third.applied.findings).toEqual([]);
  expect(world.git("show", `${third.commit}:src/b.txt`)).toBe("b\nc");
  expect(world.git("rev-parse", `${third.commit}^`)).toBe(world.context.repository.base);
});

test("[F13] an agent that crashes is data, and its edits count", async () => {
  const world = await worldOf({
    a: [{ steps: [{ write: { path: "src/b.txt", content: "b\n" } }], misbehave: "crash" }],
  });
  const { commit, applied } = await apply(world);
  expect(applied).toMatchObject({ claim: "none", failure: { code: "agent-crashed" } });
  expect(world.git("show", `${commit}:src/b.txt`)).toBe("b");
});

test("[F13] an agent without a script, or one that removes its tree, leaves the start and says why", async () => {
  const world = await worldOf({ a: [{ steps: [{ delete: { path: "../tree" } }] }] });
  const removed = await apply(world);
  expect(removed.commit).toBe(world.context.repository.base);
  expect(removed.applied.findings).toMatchObject([{ code: "workspace-unusable" }]);
  const unknown = await apply(world, { unit: { ...inSource, id: "nobody" } });
  expect(unknown.applied.failure?.code).toBe("agent-failed");
});

test("[F13] a link that leads out is a finding and not in the commit", async () => {
  const world = await worldOf({ a: [{ steps: [{ symlink: { path: "src/out", target: "/etc/passwd" } }] }] });
  const { commit, applied } = await apply(world);
  expect(applied.findings).toMatchObject([{ code: "symlink-escape", path: "src/out" }]);
  expect(world.git("ls-tree", "-r", "--name-only", commit)).not.toContain("src/out");
});

test("[F15] an aborted job captures nothing, ends the agent and may be tried again", async () => {
  const world = await worldOf({
    a: [{ steps: [{ write: { path: "src/b.txt", content: "b\n" } }, { say: "started" }, { delayMs: 60_000 }] }],
  });
  const calls = caller(world.deps);
  const ending = calls.call("unit.apply", applyInput(world));
  await expect.poll(() => calls.notes.includes("started"), { timeout: 10_000 }).toBe(true);
  const startedAt = Date.now();
  calls.abort("cancelled");
  expect(await ending).toMatchObject({ type: "failed", code: "job-aborted", retryable: true });
  expect(Date.now() - startedAt).toBeLessThan(5_000);
  expect(world.git("for-each-ref", "refs/tutti/r1/units")).toBe("");
  expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
  expect(await world.deps.processes.endLeftovers()).toEqual({ ended: 0, left: 0 });
});

test("[F15] an abort at any moment leaves no workspace behind", async () => {
  const world = await worldOf({ a: [{ steps: [{ delayMs: 200 }] }] });
  for (const afterMs of [0, 5, 10, 20, 40, 80, 160]) {
    const calls = caller(world.deps);
    const ending = calls.call("unit.apply", applyInput(world));
    setTimeout(() => calls.abort("shutdown"), afterMs);
    expect(await ending).toMatchObject({ type: "failed", code: "job-aborted" });
    expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
  }
});

test("[F16] the agent is told unit, claim, requirements, checks and everything that went wrong before", async () => {
  const world = await worldOf({ a: [{ steps: [{ say: "hi" }] }] });
  const requirements = [
    { id: "R1", text: "It serves people." },
    { id: "R2", text: "Not this one." },
  ];
  const seen: string[] = [];
  const { agentFor } = world.deps;
  const watched = {
    ...world.deps,
    agentFor: async (...args: Parameters<typeof agentFor>) => {
      const chosen = await agentFor(...args);
      const run: typeof chosen.agent.run = (task, context) => {
        seen.push(task.prompt, JSON.stringify(task.input), context.transcript);
        return chosen.agent.run(task, context);
      };
      return { ...chosen, agent: { name: chosen.agent.name, run } };
    },
  };
  const unit = { ...inSource, requirements: ["R1"], verify: ["npm test"] };
  const input = applyInput(world, {
    unit,
    plan: { requirements, prepare: [] },
    round: 2,
    attempt: 3,
    checks: ["npm test"],
    feedback: ["It broke."],
  });
  await caller(watched).result("unit.apply", input);
  const [prompt = "", data = "", transcript = ""] = seen;
  for (const part of ["Do a", "a is done.", "R1: It serves people.", "src/**", "npm test", "It broke."]) {
    expect(prompt).toContain(part);
  }
  expect(prompt).not.toContain("Not this one.");
  expect(JSON.parse(data)).toMatchObject({ unit: { id: "a" }, feedback: ["It broke."], checks: ["npm test"] });
  // Round 2 goes on counting after the five attempts of round 1.
  expect(transcript.endsWith(join("transcripts", "r1", "a", "8.jsonl"))).toBe(true);
  expect(readFileSync(transcript, "utf8")).toContain("hi");
});

function testInput(world: World, rest: object = {}): object {
  const applied: Applied = { claim: "completed", summary: "", findings: [], failure: null };
  const { base: commit } = world.context.repository;
  const fixed = { context: world.context, plan: { prepare: [] }, unit: inSource, round: 1, attempt: 1, commit };
  return { ...fixed, checks: ["true"], applied, ...rest };
}

async function tested(world: World, rest: object = {}): Promise<Tested> {
  return (await caller(world.deps).result<{ tested: Tested }>("unit.test", testInput(world, rest))).tested;
}

test("[F20] a unit passes when every check does, nothing was found and its agent says that it is complete", async () => {
  const world = await worldOf({});
  expect(await tested(world)).toMatchObject({ passed: true, reason: "everything passed" });
  const red = await tested(world, { checks: ["echo why; exit 3", "true"] });
  expect(red).toMatchObject({ passed: false, reason: "1 of 2 checks failed, first echo why; exit 3 (exit 3)" });
  expect(red.results[0]).toMatchObject({ exit: 3, output: "why\n", timedOut: false });
  const applied = { claim: "partial", summary: "", findings: [], failure: null };
  expect(await tested(world, { applied })).toMatchObject({
    passed: false,
    reason: expect.stringMatching(/left to do/),
  });
  const found = { ...applied, claim: "completed", findings: [{ code: "outside-claim", path: "x", message: "x was" }] };
  expect(await tested(world, { applied: found })).toMatchObject({ passed: false, reason: "outside-claim: x was" });
  const failure = { code: "agent-silent", message: "Nothing.", lastLines: [] };
  expect(await tested(world, { applied: { ...found, failure } })).toMatchObject({ reason: "agent-silent: Nothing." });
});

test("[F20] acceptance criteria with a check are checks too", async () => {
  const world = await worldOf({});
  const criterion = { id: "A1", given: "x", when: "y", then: "z", check: "test -f missing" };
  const result = await tested(world, { unit: { ...inSource, acceptance: [criterion] } });
  expect(result).toMatchObject({ passed: false, results: [{ command: "true" }, { command: "test -f missing" }] });
});

test("[F21] checks run on the commit's tree alone, in a workspace that is gone afterwards", async () => {
  const world = await worldOf({});
  const checks = ["ls -A", "echo changed >> README.md", "cat README.md"];
  const { results } = await tested(world, { checks });
  expect(results[0]?.output.split("\n").filter(Boolean).sort()).toEqual([".git", "README.md", "src"]);
  expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
});

test("[F22] a command that passed on a tree is not run on it again; one that failed is", async () => {
  const world = await worldOf({});
  const log = join(world.folder, "log");
  writeFileSync(log, "");
  const checks = [`echo green >> ${log}`, `echo red >> ${log}; false`];
  await tested(world, { checks });
  expect((await tested(world, { checks })).passed).toBe(false);
  expect(readFileSync(log, "utf8")).toBe("green\nred\nred\n");
});

test("[F23] a check that does not end is ended, and the output it left is cleaned and short", async () => {
  const world = await worldOf({}, { options: { checkTimeoutMs: 1_000 } });
  const { results } = await tested(world, {
    checks: ["yes 0123456789 | head -c 100000; printf '\\033[31mend'; sleep 60"],
  });
  expect(results[0]).toMatchObject({ passed: false, timedOut: true });
  expect(results[0]?.output.endsWith("end")).toBe(true);
  expect(Buffer.byteLength(results[0]?.output ?? "")).toBeLessThanOrEqual(8 * 1024);
});

test("[F5] a unit's base is the run's, or the merge of what it builds on in any order", async () => {
  const world = await worldOf({
    a: [{ steps: [{ write: { path: "src/b.txt", content: "b\n" } }] }],
    c: [{ steps: [{ write: { path: "src/c.txt", content: "c\n" } }] }],
    d: [{ steps: [{ write: { path: "src/b.txt", content: "something else\n" } }] }],
    "resolve:src/b.txt": [{}],
  });
  const result = async (id: string): Promise<{ key: string; result: Partial<UnitResult> }> => {
    const { commit } = await apply(world, { unit: { ...inSource, id } });
    return { key: id, result: { commit, title: `Do ${id}`, intent: `${id} is done.` } };
  };
  const [a, c, d] = [await result("a"), await result("c"), await result("d")];
  const fixed = { context: world.context, plan: { prepare: [], regenerate: [] }, unit: inSource, round: 1 };
  const base = (predecessors: readonly object[]): Promise<{ base: string }> =>
    caller(world.deps).result("unit.base", { ...fixed, predecessors });
  expect((await base([])).base).toBe(world.context.repository.base);
  expect((await base([a])).base).toBe(a.result.commit);
  expect((await base([{ key: "x", result: null }])).base).toBe(world.context.repository.base);
  const both = await base([a, c]);
  expect(await base([c, a])).toEqual(both);
  expect(world.git("ls-tree", "-r", "--name-only", both.base).split("\n")).toContain("src/c.txt");
  const conflict = await caller(world.deps).call("unit.base", { ...fixed, predecessors: [a, d] });
  expect(conflict).toMatchObject({
    type: "error",
    code: "base-conflict",
    details: { paths: ["src/b.txt"] },
  });
  // Why it is missing is known to the report, and what the resolver used; an attempt there was none.
  const [note] = await failures(world.repository, "r1");
  expect(note).toMatchObject({ unit: "a", code: "base-conflict", feedback: "" });
  expect(note?.usage.agentMs).toBeGreaterThan(0);
});

test("[F35] a finished unit is named and measured against all that are finished", async () => {
  const edit = (text: string) => [{ steps: [{ write: { path: "src/a.txt", content: text } }] }];
  const world = await worldOf({ "a.1": edit("one\n"), a_1: edit("two\n"), c: [{ steps: [] }] });
  const calls = caller(world.deps);
  const finish = async (id: string): Promise<UnitResult> => {
    const unit = { ...inSource, id };
    const { commit, usage } = await calls.result<Left>("unit.apply", applyInput(world, { unit }));
    const work = { commit, attempts: 1, summary: "done", usage };
    const { base } = world.context.repository;
    const input = { context: world.context, unit, round: 1, base, work };
    return (await calls.result<{ result: UnitResult }>("unit.finish", input)).result;
  };
  expect(await finish("a.1")).toMatchObject({ changed: ["src/a.txt"], added: 1, deleted: 1, conflicts: [] });
  expect((await finish("a_1")).conflicts).toEqual([{ with: "a.1", paths: ["src/a.txt"] }]);
  expect((await finish("c")).conflicts).toEqual([]);
  expect(existsSync(join(world.repository.gitDir, "refs/tutti/r1/finished"))).toBe(true);
});

const noUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0, agentMs: 0 };

test("[F6] a resolver of a unit's base is told what both sides are for, and what it used is counted", async () => {
  const write = (content: string) => [{ steps: [{ write: { path: "src/b.txt", content } }] }];
  const world = await worldOf({
    a: write("from a\n"),
    d: write("from d\n"),
    "resolve:src/b.txt": [{ steps: [{ write: { path: "src/b.txt", content: "from a\nfrom d\n" } }] }],
  });
  const prompts = watchPrompts(world);
  const calls = caller(world.deps);
  const side = async (id: string) => {
    const { commit } = await apply(world, { unit: { ...inSource, id } });
    return { key: id, result: { commit, title: `Title of ${id}`, intent: `Intent of ${id}.` } };
  };
  const predecessors = [await side("a"), await side("d")];
  prompts.length = 0;
  const input = {
    context: world.context,
    plan: { prepare: [], regenerate: [] },
    unit: inSource,
    round: 1,
    predecessors,
  };
  const made = await calls.result<{ base: string; usage: Usage }>("unit.base", input);
  for (const text of ["Title of a: Intent of a.", "Title of d: Intent of d."]) expect(prompts[0]).toContain(text);
  expect(made.usage.agentMs).toBeGreaterThan(0);
  // Met again, the recorded resolution costs nothing.
  expect(await calls.result("unit.base", input)).toEqual({ base: made.base, usage: noUsage, bundles: [] });
});

test("[F33] a loop that gives up throws the class of its failure and leaves a note that the next round is told", async () => {
  const world = await worldOf({ a: [{ steps: [{ append: { path: "src/a.txt", content: "x\n" } }] }] });
  const prompts = watchPrompts(world);
  const calls = caller(world.deps);
  const applied: Applied = { claim: "completed", summary: "", findings: [], failure: null };
  const red = { command: "npm test", passed: false, exit: 1, timedOut: false, output: "one\ntwo\n", durationMs: 1 };
  const tested: Tested = { passed: false, reason: "npm test (exit 1)", results: [red] };
  const usage = { inputTokens: 7, outputTokens: 1, costUsd: 0.5, agentMs: 100 };
  const input = { context: world.context, unit: inSource, round: 1, attempt: 5, applied, tested, usage };
  expect(await calls.call("unit.give-up", input)).toEqual({
    type: "error",
    code: "work-loop-exhausted",
    message: "a did not pass in 5 attempts: npm test (exit 1)",
    details: { attempt: 5, lastLines: ["one", "two"] },
  });
  const recall = (round: number): Promise<object> =>
    calls.result("unit.recall", { context: world.context, unit: inSource, round, feedback: [], usage: {} });
  const told = await recall(2);
  const next = await calls.result<Left>("unit.apply", applyInput(world, { round: 2, ...told }));
  expect(prompts[0]).toContain("An earlier round, which began anew from the base, ended like this.");
  expect(prompts[0]).toContain("`npm test` ended with status 1:\none\ntwo");
  expect(next.usage).toMatchObject({ inputTokens: 7, outputTokens: 1 });
  expect(next.usage.agentMs).toBeGreaterThan(100);
  expect(told).toMatchObject({ feedback: [expect.stringContaining("npm test")] });
  const work = { commit: next.commit, attempts: 2, summary: "", usage };
  const { base } = world.context.repository;
  await calls.result("unit.finish", { context: world.context, unit: inSource, round: 2, base, work });
  expect(await recall(3)).toEqual({ feedback: [], usage: noUsage });
});

test("[F34] an agent that cannot do it is said so by its own class, whatever was tested before", async () => {
  const world = await worldOf({ a: [{}] });
  const failure = { code: "agent-refused", message: "It declined.", lastLines: ["no"], retryable: false };
  const applied: Applied = { claim: "none", summary: "", findings: [], failure };
  const input = { context: world.context, unit: inSource, round: 1, attempt: 1, applied, tested: null, usage: noUsage };
  expect(await caller(world.deps).call("unit.give-up", input)).toMatchObject({
    type: "error",
    code: "agent-refused",
    message: "It declined.",
    details: { lastLines: ["no"] },
  });
});
