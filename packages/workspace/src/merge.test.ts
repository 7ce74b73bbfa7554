import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { benchDisjointMerge } from "./merge.bench.ts";
import { baseOf, type MergeOutcome, type MergeRequest, mergeCommits, mergeDisjoint } from "./merge.ts";
import { listRefs } from "./repository.ts";
import type { Ladder, RegenerateRequest, ResolveAnswer, ResolveRequest } from "./resolve/ladder.ts";
import { forgetResolution, resolveByPerson } from "./resolve/recorded.ts";
import { type Files, fileIn, makeScratch, personGit, type Scratch } from "./testing/scratch.ts";

const code = "export function login() {\n  return 'password';\n}\n";
const lock = '{\n  "lockfileVersion": 3,\n  "packages": {\n    "a": { "version": "1.0.0" }\n  }\n}\n';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch({
    "login.js": code,
    "package.json": '{\n  "name": "x",\n  "dependencies": {\n    "b": "1"\n  }\n}\n',
    "package-lock.json": lock,
    "yarn.lock": "a@1\n",
    "CHANGELOG.md": "# Changes\n\n- first\n",
    "logo.png": "\x89PNG\0base",
    "old.js": "1\n2\n3\n",
  });
});
afterEach(() => scratch.remove());

async function merge(ours: Files, theirs: Files, change: Partial<MergeRequest> = {}): Promise<MergeOutcome> {
  return mergeCommits(scratch.repository, {
    run: "run-1",
    ours: { commit: await scratch.commit(ours), intent: "add OAuth" },
    theirs: { commit: await scratch.commit(theirs), intent: "log every login" },
    message: "Merge",
    ...change,
  });
}
const merged = (outcome: MergeOutcome): Extract<MergeOutcome, { type: "merged" }> => {
  if (outcome.type !== "merged") throw new Error(JSON.stringify(outcome, null, 1));
  return outcome;
};
const parked = (outcome: MergeOutcome): Extract<MergeOutcome, { type: "parked" }> => {
  if (outcome.type !== "parked") throw new Error("merged");
  return outcome;
};
const read = (outcome: { readonly commit: string }, path: string): string =>
  fileIn(scratch.repository, outcome.commit, path);
const withAgent = (...answers: ResolveAnswer[]): { ladder: Ladder; asked: ResolveRequest[] } => {
  const asked: ResolveRequest[] = [];
  const resolveWithAgent = async (request: ResolveRequest): Promise<ResolveAnswer> => {
    asked.push(request);
    return answers[asked.length - 1] ?? { type: "declined", reason: "no more answers" };
  };
  return { ladder: { resolveWithAgent }, asked };
};
const oauth = { "login.js": code.replace("'password'", "oauth()") };
const logged = { "login.js": code.replace("'password'", "log('password')") };
const both = code.replace("'password'", "log(oauth())");

test("[W60] a clean merge has both parents, and is repeatable without a trace", async () => {
  const refs = await listRefs(scratch.repository, "run-1");
  const first = merged(await merge(oauth, { "new.js": "new\n" }));
  const second = merged(await merge(oauth, { "new.js": "new\n" }));
  expect(second).toEqual(first);
  expect([read(first, "login.js"), read(first, "new.js")]).toEqual([oauth["login.js"], "new\n"]);
  expect(
    personGit(scratch.repository.gitDir, ["--git-dir=.", "show", "-s", "--format=%P", first.commit]).split(" "),
  ).toHaveLength(2);
  expect(await listRefs(scratch.repository, "run-1")).toEqual(refs);
  expect(readdirSync(scratch.repository.gitDir).filter((name) => name.startsWith("index"))).toEqual([]);
});

test("[W61] a side that contains the other is the result", async () => {
  const first = await scratch.commit(oauth);
  const second = await scratch.commit({ "x.js": "x\n" }, first);
  for (const [ours, theirs] of [
    [first, second],
    [second, first],
  ] as const) {
    const outcome = await mergeCommits(scratch.repository, {
      run: "r",
      ours: { commit: ours },
      theirs: { commit: theirs },
      message: "m",
    });
    expect(merged(outcome).commit).toBe(second);
  }
});

test("[W62] a merge base may be given that the history does not have", async () => {
  const before = await scratch.commit(oauth);
  const [ours, theirs] = [await scratch.commit({ ...oauth, "a.js": "a\n" }), await scratch.commit(logged)];
  const request = { run: "r", ours: { commit: ours }, theirs: { commit: theirs }, message: "m" };
  parked(await mergeCommits(scratch.repository, request));
  const outcome = merged(await mergeCommits(scratch.repository, { ...request, mergeBase: before }));
  expect([read(outcome, "login.js"), read(outcome, "a.js")]).toEqual([logged["login.js"], "a\n"]);
});

test("[W63] disjoint commits land as one, with the tree of merging them one by one", async () => {
  const commits = new Map<string, string>();
  for (let i = 0; i < 6; i += 1) commits.set(`u${i}`, await scratch.commit({ [`d${i}/f.js`]: `${i}\n` }));
  commits.set("edits", await scratch.commit({ "old.js": "1\n2\nthree\n" }));
  commits.set("edits too", await scratch.commit({ "old.js": "one\n2\n3\n" }));
  commits.set("moves", await scratch.commit({ "old.js": null, "moved.js": "1\n2\n3\n" }));
  commits.set("clash", await scratch.commit({ d0: "a file where a folder is\n" }));
  const tip = await scratch.commit(oauth);
  commits.set("conflicts", await scratch.commit(logged));
  const outcome = await mergeDisjoint(scratch.repository, { onto: tip, commits, message: "Land" });
  expect(outcome.landed).toEqual(["u0", "u1", "u2", "u3", "u4", "u5", "edits"]);
  expect(outcome.left.map(({ key }) => key)).toEqual(["edits too", "moves", "clash", "conflicts"]);
  let one = tip;
  for (const key of outcome.landed) {
    const theirs = { commit: commits.get(key) ?? "" };
    one = merged(
      await mergeCommits(scratch.repository, { run: "r", ours: { commit: one }, theirs, message: "m" }),
    ).commit;
  }
  expect(personGit(scratch.repository.gitDir, ["--git-dir=.", "rev-parse", `${one}^{tree}`])).toBe(outcome.tree);
});

test("[W63] a unit on top of another lands after it", async () => {
  const first = await scratch.commit(oauth);
  const second = await scratch.commit({ "login.js": both }, first);
  const landed = await mergeDisjoint(scratch.repository, {
    onto: scratch.base,
    commits: new Map([["first", first]]),
    message: "m",
  });
  const then = await mergeDisjoint(scratch.repository, {
    onto: landed.commit,
    commits: new Map([["second", second]]),
    message: "m",
  });
  expect(then.left).toEqual([]);
  expect(read(then, "login.js")).toBe(both);
  const nothing = await mergeDisjoint(scratch.repository, { onto: then.commit, commits: new Map(), message: "m" });
  expect(nothing.commit).toBe(then.commit);
});

test("[W63] 64 disjoint branches land at once", async () => {
  const { totalMs, landed } = await benchDisjointMerge({ branches: 64 });
  console.log(`64 disjoint branches, 10 000 files: ${Math.round(totalMs)} ms`);
  expect(landed).toBe(64);
  expect(totalMs).toBeLessThan(5_000);
}, 60_000);

test("[W64] the base of a unit does not depend on the order, and leaves out what others contain", async () => {
  const [a, b, c] = [
    await scratch.commit({ "a.js": "a\n" }),
    await scratch.commit({ "b.js": "b\n" }),
    await scratch.commit(oauth),
  ];
  const onA = await scratch.commit({ "a2.js": "a2\n" }, a);
  const request = { run: "run-1", base: scratch.base };
  const sides = [a, b, c, onA].map((commit) => ({ commit }));
  const first = merged(await baseOf(scratch.repository, { ...request, predecessors: sides }));
  const second = merged(await baseOf(scratch.repository, { ...request, predecessors: [...sides].reverse() }));
  expect(second.commit).toBe(first.commit);
  for (const [path, text] of [
    ["a2.js", "a2\n"],
    ["b.js", "b\n"],
    ["a.js", "a\n"],
  ] as const)
    expect(read(first, path)).toBe(text);
  expect(merged(await baseOf(scratch.repository, { ...request, predecessors: [] })).commit).toBe(scratch.base);
  expect(
    merged(await baseOf(scratch.repository, { ...request, predecessors: [{ commit: a }, { commit: onA }] })).commit,
  ).toBe(onA);
});

test("[W66] what a unit's base resolved is not met again when the unit lands", async () => {
  const log = (...entries: string[]): Files => ({
    "CHANGELOG.md": `# Changes\n\n- first\n${entries.map((entry) => `- ${entry}\n`).join("")}`,
  });
  const [a, b, c] = [await scratch.commit(log("a")), await scratch.commit(log("b")), await scratch.commit(log("c"))];
  const predecessors = [{ commit: a }, { commit: b }];
  const start = merged(await baseOf(scratch.repository, { run: "run-1", base: scratch.base, predecessors }));
  const unit = await scratch.commit({ ...log("a", "b", "unit"), "unit.js": "unit\n" }, start.commit);
  // The tip gets to where the unit started by another way, so that git finds two common ancestors, and goes on.
  let tip = a;
  for (const theirs of [c, b]) {
    const request = { run: "run-1", ours: { commit: tip }, theirs: { commit: theirs }, message: "m" };
    tip = merged(await mergeCommits(scratch.repository, request)).commit;
  }
  const landing = { run: "run-1", ours: { commit: tip }, theirs: { commit: unit }, message: "m" };
  const landed = merged(await mergeCommits(scratch.repository, landing));
  expect(read(landed, "CHANGELOG.md").trim().split("\n").slice(2).sort()).toEqual([
    "- a",
    "- b",
    "- c",
    "- first",
    "- unit",
  ]);
  const apart = await scratch.commit({ "unit.js": "unit\n" }, start.commit);
  const batch = await mergeDisjoint(scratch.repository, {
    onto: tip,
    commits: new Map([["apart", apart]]),
    message: "m",
  });
  expect(batch.left).toEqual([]);
  expect(read(batch, "CHANGELOG.md")).toBe(fileIn(scratch.repository, tip, "CHANGELOG.md"));
});

test("[W72] [W73] [W79] rules settle JSON and lists, and the commit says so", async () => {
  const json = (extra: string): string => `{\n  "name": "x",\n  "dependencies": {\n${extra}\n  }\n}\n`;
  const outcome = merged(
    await merge(
      { "package.json": json('    "a": "1",\n    "b": "1"'), "CHANGELOG.md": "# Changes\n\n- first\n- ours\n" },
      { "package.json": json('    "b": "1",\n    "a0": "1"'), "CHANGELOG.md": "# Changes\n\n- first\n- theirs\n" },
    ),
  );
  expect(read(outcome, "CHANGELOG.md")).toBe("# Changes\n\n- first\n- ours\n- theirs\n");
  expect(JSON.parse(read(outcome, "package.json"))).toMatchObject({ dependencies: { a: "1", a0: "1", b: "1" } });
  expect(outcome.resolutions.map(({ path, rule }) => `${rule} ${path}`).sort()).toEqual([
    "json package.json",
    "list CHANGELOG.md",
  ]);
  const message = personGit(scratch.repository.gitDir, ["--git-dir=.", "show", "-s", "--format=%B", outcome.commit]);
  expect(message).toContain("Resolved-by: json package.json");
  expect(message).toContain("Resolved-by: list CHANGELOG.md");
});

test("[W76] the agent sees both intents and diffs, and its answer is taken", async () => {
  const { ladder, asked } = withAgent({ type: "content", content: both, explanation: "logs the OAuth login" });
  const outcome = merged(await merge(oauth, logged, { ladder }));
  expect(read(outcome, "login.js")).toBe(both);
  expect(outcome.resolutions).toMatchObject([{ rule: "agent", note: "logs the OAuth login", recorded: false }]);
  expect(outcome.resolutions[0]?.leftOut).toHaveLength(2);
  expect(asked).toMatchObject([
    { path: "login.js", kind: "content", base: code, oursIntent: "add OAuth", theirsIntent: "log every login" },
  ]);
  expect(asked[0]?.oursDiff).toContain("+  return oauth();");
  expect(asked[0]?.theirsDiff).toContain("+  return log('password');");
});

test("[W76] markers and lost lines are refused, with one second chance that says why", async () => {
  const lost = { type: "content", content: oauth["login.js"] } as const;
  const marked = { type: "content", content: `<<<<<<< ours\n${both}`, explanation: "x" } as const;
  const second = withAgent(lost, { type: "content", content: both, explanation: "both" });
  merged(await merge(oauth, logged, { ladder: second.ladder }));
  expect(second.asked.map(({ complaint }) => complaint)).toEqual([
    undefined,
    expect.stringContaining("log('password')"),
  ]);
  const never = withAgent(marked, lost, { type: "content", content: both, explanation: "too late" });
  const outcome = parked(await merge(oauth, logged, { ladder: never.ladder, run: "run-2" }));
  expect(never.asked).toHaveLength(2);
  expect(outcome.conflicts[0]?.reasons.filter(({ step }) => step === "agent")).toMatchObject([
    { reason: expect.stringContaining("markers") },
    { reason: expect.stringContaining("missing") },
  ]);
});

test("[W76] an agent that fails or declines leaves the conflict to a person", async () => {
  const crash = { resolveWithAgent: () => Promise.reject(new Error("agent crashed")) };
  expect(parked(await merge(oauth, logged, { ladder: crash })).conflicts[0]?.reasons.at(-1)).toEqual({
    step: "agent",
    reason: "agent crashed",
  });
  const { ladder } = withAgent({ type: "declined", reason: "they contradict each other" });
  expect(parked(await merge(oauth, logged, { ladder })).conflicts[0]?.reasons.at(-1)?.reason).toBe(
    "they contradict each other",
  );
});

test("[W75] a resolution is met again for nothing, also with the sides swapped, until it is forgotten", async () => {
  const { ladder, asked } = withAgent({ type: "content", content: both, explanation: "both" });
  const first = merged(await merge(oauth, logged, { ladder }));
  const again = merged(await merge(logged, oauth, { ladder }));
  expect(again.tree).toBe(first.tree);
  expect(again.resolutions).toMatchObject([{ rule: "agent", recorded: true, note: "both" }]);
  const same = merged(await merge(oauth, logged, {}));
  expect(same.commit, "the commit does not tell that it was remembered").toBe(first.commit);
  expect(asked).toHaveLength(1);
  expect((await merge(oauth, logged, { run: "another" })).type).toBe("parked");
  const [resolution] = first.resolutions;
  if (resolution !== undefined) await forgetResolution(scratch.repository, "run-1", resolution);
  expect((await merge(oauth, logged)).type).toBe("parked");
});

test("[W65] nothing is merged while one conflict is parked; what was resolved is remembered", async () => {
  const ours = { ...oauth, "CHANGELOG.md": "# Changes\n\n- first\n- ours\n" };
  const theirs = { ...logged, "CHANGELOG.md": "# Changes\n\n- first\n- theirs\n" };
  const outcome = parked(await merge(ours, theirs));
  expect(outcome.conflicts.map(({ conflict }) => conflict.path)).toEqual(["login.js"]);
  expect(outcome.resolutions).toMatchObject([{ path: "CHANGELOG.md", recorded: false }]);
  const { ladder } = withAgent({ type: "content", content: both, explanation: "both" });
  expect(merged(await merge(ours, theirs, { ladder })).resolutions).toMatchObject([
    { recorded: true },
    { rule: "agent" },
  ]);
});

test("[W78] what no step settles is parked with each step's reason, and a person's decision is taken", async () => {
  const outcome = parked(await merge(oauth, logged));
  const [waiting] = outcome.conflicts;
  expect(waiting?.reasons.map(({ step }) => step)).toEqual(["recorded", "json", "list", "agent"]);
  if (waiting === undefined) return;
  await resolveByPerson(scratch.repository, "run-1", { conflict: waiting.conflict, content: both, note: "by Ada" });
  const after = merged(await merge(oauth, logged));
  expect(read(after, "login.js")).toBe(both);
  expect(after.resolutions).toMatchObject([{ rule: "person", note: "by Ada", recorded: true }]);
});

test("[W74] deletions, binaries and contradictory renames are not for rules", async () => {
  const cases: [Files, Files, string][] = [
    [{ "old.js": null }, { "old.js": "1\n2\n3\n4\n" }, "modify-delete"],
    [{ "logo.png": "\x89PNG\0ours" }, { "logo.png": "\x89PNG\0theirs" }, "binary"],
    [{ "old.js": null, "x.js": "1\n2\n3\n" }, { "old.js": null, "y.js": "1\n2\n3\n" }, "structure"],
    [{ z: "file\n" }, { "z/inner": "inner\n" }, "structure"],
  ];
  for (const [ours, theirs, kind] of cases) {
    const outcome = parked(await merge(ours, theirs));
    expect(
      outcome.conflicts.map(({ conflict }) => conflict.kind),
      kind,
    ).toContain(kind);
    expect(outcome.resolutions).toEqual([]);
  }
});

test("[W74] an agent may settle a deletion, with a reason", async () => {
  const silent = withAgent({ type: "delete", explanation: "" }, { type: "delete", explanation: " " });
  parked(await merge({ "old.js": null }, { "old.js": "1\n2\n3\n4\n" }, { ladder: silent.ladder }));
  const { ladder } = withAgent({ type: "delete", explanation: "nothing uses it any more" });
  const outcome = merged(await merge({ "old.js": null }, { "old.js": "1\n2\n3\n4\n" }, { ladder }));
  expect(personGit(scratch.repository.gitDir, ["--git-dir=.", "ls-tree", "--name-only", outcome.commit])).not.toContain(
    "old.js",
  );
  expect(outcome.resolutions).toMatchObject([{ blob: null, leftOut: ["4"] }]);
  const wrong = withAgent({ type: "delete", explanation: "away with it" });
  parked(await merge(oauth, logged, { ladder: wrong.ladder }));
});

test("[W77] generated files are made anew from the tree in which all else is settled", async () => {
  const seen: RegenerateRequest[] = [];
  const { ladder } = withAgent({ type: "content", content: both, explanation: "both" });
  const regenerate = async (request: RegenerateRequest): Promise<string> => {
    seen.push(request);
    return "made anew\n";
  };
  const change = (name: string): Files => ({ "yarn.lock": `a@1\n${name}@2\n` });
  const outcome = merged(
    await merge({ ...oauth, ...change("b") }, { ...logged, ...change("c") }, { ladder: { ...ladder, regenerate } }),
  );
  expect(read(outcome, "yarn.lock")).toBe("made anew\n");
  const tree = personGit(scratch.repository.gitDir, [
    "--git-dir=.",
    "ls-tree",
    "--name-only",
    seen[0]?.tree ?? "",
  ]).split("\n");
  expect(tree).not.toContain("yarn.lock");
  expect(personGit(scratch.repository.gitDir, ["--git-dir=.", "show", `${seen[0]?.tree}:login.js`])).toBe(
    both.trimEnd(),
  );
});

test("[W77] what the caller calls generated is made anew too, however large it is", async () => {
  const ladder = { isGenerated: (path: string) => path === "schema.txt", regenerate: async () => "made anew\n" };
  const large = (name: string): Files => ({ "schema.txt": `${name}\n${"x".repeat(1_100_000)}\n` });
  const outcome = merged(await merge(large("b"), large("c"), { ladder }));
  expect(read(outcome, "schema.txt")).toBe("made anew\n");
  expect(outcome.resolutions).toMatchObject([{ path: "schema.txt", rule: "regenerate" }]);
});

test("[W77] without a command a JSON lockfile merges by key", async () => {
  const change = (name: string): Files => ({
    "package-lock.json": lock.replace(
      '"a": { "version": "1.0.0" }',
      `"a": { "version": "1.0.0" },\n    "${name}": { "version": "2.0.0" }`,
    ),
  });
  const outcome = merged(await merge(change("b"), change("c")));
  expect(Object.keys(JSON.parse(read(outcome, "package-lock.json")).packages)).toEqual(["a", "b", "c"]);
});
