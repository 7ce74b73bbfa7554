import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readNote, writeNote } from "./note.ts";
import { publishBranch } from "./publish.ts";
import {
  fetchBase,
  listRefs,
  openRepository,
  readRef,
  removeRefs,
  removeRun,
  runRef,
  setRef,
  sweepRepositories,
} from "./repository.ts";
import { makeScratch, personGit, type Scratch } from "./testing/scratch.ts";

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch({ "a.txt": "a\n", "b.txt": "b\n" });
});
afterEach(() => scratch.remove());

test("[W20] opening at once from several places gives one repository", async () => {
  rmSync(join(scratch.stateDir, "repositories"), { recursive: true });
  const opened = await Promise.all(Array.from({ length: 8 }, () => openRepository(scratch)));
  expect(new Set(opened.map(({ gitDir }) => gitDir)).size).toBe(1);
  expect(readdirSync(join(scratch.stateDir, "repositories"))).toHaveLength(1);
});

test("[W21] several runs fetch at once", async () => {
  const runs = Array.from({ length: 6 }, (_, i) => `many-${i}`);
  await Promise.all(
    runs.map((run) => fetchBase(scratch.repository, { run, source: scratch.source, commit: scratch.base })),
  );
  for (const run of runs) expect(await readRef(scratch.repository, runRef(run, "base"))).toBe(scratch.base);
});

test("[W24] a note is read as it was written, the last one stands, and it goes with its ref", async () => {
  const ref = runRef("r", "notes", "a.b");
  expect(await readNote(scratch.repository, ref)).toBeUndefined();
  await writeNote(scratch.repository, ref, '{"old":true}');
  await writeNote(scratch.repository, ref, '{"lines":"one\\ntwo\\n\\n# three"}');
  expect(await readNote(scratch.repository, ref)).toBe('{"lines":"one\\ntwo\\n\\n# three"}');
  await removeRefs(scratch.repository, [ref, runRef("r", "gone")]);
  expect(await readNote(scratch.repository, ref)).toBeUndefined();
  await removeRefs(scratch.repository, []);
});

test("[W10] a source with missing objects is called damaged", async () => {
  const blob = scratch.git(["rev-parse", "HEAD:a.txt"]);
  rmSync(join(scratch.source.root, ".git", "objects", blob.slice(0, 2), blob.slice(2)));
  rmSync(join(scratch.stateDir, "repositories"), { recursive: true });
  const repository = await openRepository(scratch);
  const fetching = fetchBase(repository, { run: "r", source: scratch.source, commit: scratch.base });
  await expect(fetching).rejects.toMatchObject({ code: "repository-damaged" });
});

test("[W22] a ref moves only from the expected value", async () => {
  const { repository, base } = scratch;
  const next = await scratch.commit({ "a.txt": "next\n" });
  const ref = runRef("run-1", "integration");
  expect(await setRef(repository, ref, { commit: base, expected: null })).toBe(true);
  expect(await setRef(repository, ref, { commit: next, expected: null })).toBe(false);
  expect(await setRef(repository, ref, { commit: base, expected: next })).toBe(false);
  expect(await setRef(repository, ref, { commit: next, expected: base })).toBe(true);
  expect(await readRef(repository, ref)).toBe(next);
  await removeRun(repository, "run-1");
  expect((await listRefs(repository, "run-1")).size).toBe(0);
});

/** Everything in the person's repository that a command could change, except its objects. */
function imprint(root: string): { readonly refs: readonly string[]; readonly [what: string]: unknown } {
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  return {
    refs: personGit(root, ["for-each-ref", "--format=%(refname) %(objectname)"]).split("\n"),
    head: read(".git/HEAD"),
    index: readFileSync(join(root, ".git/index")).toString("hex"),
    files: readdirSync(root),
    git: readdirSync(join(root, ".git")).sort(),
    text: read("a.txt"),
  };
}

test("[W12] publishing makes one branch and touches nothing else", async () => {
  const { repository, source } = scratch;
  const commit = await scratch.commit({ "a.txt": "changed\n" });
  const before = imprint(source.root);
  expect(await publishBranch(repository, { source, commit, branch: "tutti/oauth" })).toMatchObject({ changed: true });
  const after = imprint(source.root);
  expect(after).toEqual({ ...before, refs: [before.refs[0], `refs/heads/tutti/oauth ${commit}`] });
  expect(scratch.git(["show", "tutti/oauth:a.txt"])).toBe("changed");
  scratch.git(["fsck", "--connectivity-only"]);
});

test("[W12] no hook runs while publishing", async () => {
  const { repository, source } = scratch;
  const hook = join(source.root, ".git", "hooks", "reference-transaction");
  writeFileSync(hook, `#!/bin/sh\ntouch ${join(scratch.folder, "ran")}\n`, { mode: 0o755 });
  await publishBranch(repository, { source, commit: await scratch.commit({ "n.txt": "n\n" }), branch: "quiet" });
  expect(existsSync(join(scratch.folder, "ran"))).toBe(false);
  scratch.git(["branch", "-D", "quiet"]);
  expect(existsSync(join(scratch.folder, "ran")), "the hook would have shown").toBe(true);
});

test("[W13] publishing is repeatable, refuses other content, and never moves the branch one stands on", async () => {
  const { repository, source } = scratch;
  const [first, second] = [await scratch.commit({ "a.txt": "1\n" }), await scratch.commit({ "a.txt": "2\n" })];
  await publishBranch(repository, { source, commit: first, branch: "result" });
  expect(await publishBranch(repository, { source, commit: first, branch: "result" })).toMatchObject({
    changed: false,
  });
  const other = publishBranch(repository, { source, commit: second, branch: "result" });
  await expect(other).rejects.toMatchObject({ code: "branch-exists" });
  await publishBranch(repository, { source, commit: second, branch: "result", replace: true });
  expect(scratch.git(["rev-parse", "result"])).toBe(second);
  const standing = publishBranch(repository, { source, commit: second, branch: "main", replace: true });
  await expect(standing).rejects.toMatchObject({ code: "branch-checked-out" });
  const evil = publishBranch(repository, { source, commit: second, branch: "--upload-pack=touch" });
  await expect(evil).rejects.toMatchObject({ code: "ref-invalid" });
});

test("[W23] what killed calls left is swept, what may still be in use is not", async () => {
  const { gitDir } = scratch.repository;
  const rubbish = ["trial-abc/pack", "index-123", "refs/tutti/run-1/units/u/1.lock", "packed-refs.lock"];
  for (const path of rubbish) {
    mkdirSync(dirname(join(gitDir, path)), { recursive: true });
    writeFileSync(join(gitDir, path), "");
  }
  mkdirSync(join(scratch.stateDir, "repositories", ".making-1"));
  expect(await sweepRepositories(scratch.stateDir)).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await sweepRepositories(scratch.stateDir, { minAgeMs: 1 })).toHaveLength(5);
  for (const path of rubbish) expect(existsSync(join(gitDir, path)), path).toBe(false);
  expect(await readRef(scratch.repository, runRef("run-1", "base"))).toBe(scratch.base);
  expect(await setRef(scratch.repository, runRef("run-1", "units", "u", "1"), { commit: scratch.base })).toBe(true);
});
