import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ConflictPair, createConflictMatrix } from "./conflict.ts";
import { benchConflictMatrix } from "./merge.bench.ts";
import { mergeCommits } from "./merge.ts";
import { mergeTrees } from "./merge-tree.ts";
import { type Files, makeScratch, personGit, type Scratch } from "./testing/scratch.ts";

const text = (name: string): string => Array.from({ length: 12 }, (_, i) => `${name} ${i}\n`).join("");
const replaceLine = (name: string, line: number, by: string): string =>
  text(name).replace(`${name} ${line}\n`, `${by}\n`);

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch({ a: text("a"), b: text("b"), "dir/x": text("x"), "dir/y": text("y"), f: "f\n" });
});
afterEach(() => scratch.remove());

/** The pairs by brute force: every pair merged, nothing filtered. */
async function everyPair(commits: ReadonlyMap<string, string>): Promise<string[]> {
  const keys = [...commits.keys()].sort();
  const pairs = keys.flatMap((a, i) => keys.slice(i + 1).map((b) => [a, b] as const));
  const id = (key: string): string => commits.get(key) ?? "";
  const results = await mergeTrees(
    scratch.repository,
    pairs.map(([a, b]) => [id(a), id(b)] as const),
  );
  return pairs.filter((_, i) => !results[i]?.clean).map((pair) => pair.join("+"));
}
const names = (pairs: readonly ConflictPair[]): string[] => pairs.map(({ a, b }) => `${a}+${b}`);

async function measured(all: { readonly [key: string]: Files }) {
  const commits = new Map<string, string>();
  for (const [key, files] of Object.entries(all)) commits.set(key, await scratch.commit(files));
  const matrix = createConflictMatrix(scratch.repository, { base: scratch.base });
  await matrix.addAll(commits);
  return { matrix, commits };
}

test("[W50] names the pairs that conflict, and where", async () => {
  const { matrix, commits } = await measured({
    one: { a: replaceLine("a", 3, "ONE"), b: replaceLine("b", 1, "ONE") },
    two: { a: replaceLine("a", 3, "TWO") },
    three: { a: replaceLine("a", 10, "THREE"), b: replaceLine("b", 1, "THREE") },
    four: { "new.txt": "four\n" },
    five: { "new.txt": "five\n" },
    same: { a: replaceLine("a", 3, "TWO") },
  });
  expect(matrix.pairs()).toEqual([
    { a: "five", b: "four", paths: ["new.txt"] },
    { a: "one", b: "same", paths: ["a"] },
    { a: "one", b: "three", paths: ["b"] },
    { a: "one", b: "two", paths: ["a"] },
  ]);
  expect(names(matrix.pairs())).toEqual(await everyPair(commits));
  expect(matrix.merged).toBeLessThan(15);
});

test("[W51] moved folders, files against folders, deletions", async () => {
  const { matrix, commits } = await measured({
    moves: { "dir/x": null, "dir/y": null, "moved/x": text("x"), "moved/y": text("y") },
    addsBelow: { "dir/z": "z\n" },
    editsMoved: { "dir/x": replaceLine("x", 2, "EDIT") },
    movesElsewhere: { "dir/x": null, "other/x": text("x") },
    folder: { f: null, "f/inner": "inner\n" },
    file: { f: "changed\n" },
    clashFile: { n: "file\n" },
    clashFolder: { "n/inner": "inner\n" },
    firstFolder: { "m/inner": "inner\n" },
    thenFile: { m: "file\n" },
    deletes: { a: null },
    edits: { a: replaceLine("a", 1, "EDIT") },
  });
  const pairs = names(matrix.pairs());
  expect(pairs).toEqual((await everyPair(commits)).sort());
  expect(pairs).toEqual(
    expect.arrayContaining([
      "addsBelow+moves",
      "clashFile+clashFolder",
      "deletes+edits",
      "firstFolder+thenFile",
      "file+folder",
    ]),
  );
});

test("[W51] a change that was taken back still meets another", async () => {
  const { repository, base } = scratch;
  const middle = await scratch.commit({ a: replaceLine("a", 3, "MIDDLE") });
  const back = await scratch.commit({ a: text("a") }, middle);
  const other = await scratch.commit({ a: replaceLine("a", 3, "OTHER") }, middle);
  const matrix = createConflictMatrix(repository, { base });
  await matrix.addAll(
    new Map([
      ["back", back],
      ["other", other],
    ]),
  );
  expect(names(matrix.pairs())).toEqual(["back+other"]);
});

test("[W50] a unit and what it builds on do not conflict", async () => {
  const first = await scratch.commit({ a: replaceLine("a", 3, "FIRST") });
  const second = await scratch.commit({ a: replaceLine("a", 3, "SECOND") }, first);
  const matrix = createConflictMatrix(scratch.repository, { base: scratch.base });
  expect(await matrix.add("first", first)).toEqual([]);
  expect(await matrix.add("second", second)).toEqual([]);
});

test("[W53] one by one, replaced or removed: the same matrix", async () => {
  const all = {
    one: { a: replaceLine("a", 3, "ONE") },
    two: { a: replaceLine("a", 3, "TWO") },
    three: { b: replaceLine("b", 3, "THREE") },
  };
  const { matrix: whole, commits } = await measured(all);
  const grown = createConflictMatrix(scratch.repository, { base: scratch.base });
  for (const [key, commit] of commits) await grown.add(key, commit);
  expect(grown.pairs()).toEqual(whole.pairs());
  const again = await scratch.commit({ b: replaceLine("b", 3, "AGAIN") });
  expect(await grown.add("two", again)).toEqual([{ a: "three", b: "two", paths: ["b"] }]);
  expect(names(grown.pairs())).toEqual(["three+two"]);
  grown.remove("three");
  expect(grown.pairs()).toEqual([]);
});

test("[W52] measuring leaves nothing behind", async () => {
  const { repository } = scratch;
  const objects = (): string => personGit(repository.gitDir, ["--git-dir=.", "count-objects", "-v"]);
  const commits = new Map([
    ["one", await scratch.commit({ a: replaceLine("a", 3, "ONE"), b: replaceLine("b", 9, "ONE") })],
    ["two", await scratch.commit({ a: replaceLine("a", 3, "TWO"), b: replaceLine("b", 2, "TWO") })],
  ]);
  const before = objects();
  await createConflictMatrix(repository, { base: scratch.base }).addAll(commits);
  expect(objects()).toBe(before);
  expect(readdirSync(repository.gitDir).filter((name) => name.startsWith("trial-"))).toEqual([]);
  const [one, two] = [...commits.values()];
  await mergeCommits(repository, {
    run: "r",
    ours: { commit: one ?? "" },
    theirs: { commit: two ?? "" },
    message: "m",
  });
  expect(objects(), "a real merge does write").not.toBe(before);
});

test("[W50] 40 branches over 2 000 files take little time", async () => {
  const result = await benchConflictMatrix({ branches: 40, files: 2_000 });
  console.log(
    `40 branches, 2 000 files: ${Math.round(result.totalMs)} ms, one more ${Math.round(result.furtherMs)} ms, ${result.conflicts} conflicts`,
  );
  expect(result.conflicts).toBeGreaterThan(0);
  expect(result.totalMs).toBeLessThan(10_000);
}, 30_000);
