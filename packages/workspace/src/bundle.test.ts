import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type MemoryArtifacts, memoryArtifacts } from "@tutti/kernel/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundleCommit, fetchBundle } from "./bundle.ts";
import { digest } from "./name.ts";
import { openNamesake, type Repository, readRef, runRef } from "./repository.ts";
import { fileIn, makeScratch, personGit, type Scratch } from "./testing/scratch.ts";

const ref = runRef("run-1", "units", "login", "1");
let here: Scratch;
let artifacts: MemoryArtifacts;
let away: string;

beforeEach(async () => {
  here = await makeScratch({ "a.txt": "a\n", "large.txt": "line\n".repeat(20_000) });
  artifacts = memoryArtifacts(digest);
  away = mkdtempSync(join(tmpdir(), "tutti-away-"));
});

afterEach(() => {
  here.remove();
  rmSync(away, { recursive: true, force: true });
});

/** Another machine's repository: a copy of the first `commit` if one is given, and nothing that leads back. */
async function elsewhere(name: string, commit?: string): Promise<Repository> {
  const repository = { gitDir: join(away, name) };
  personGit(away, ["init", "--quiet", "--bare", repository.gitDir]);
  if (commit !== undefined) {
    const bundle = await bundleCommit(here.repository, { commit, have: [], artifacts });
    await fetchBundle(repository, { bundle, ref: runRef("run-1", "base"), artifacts });
  }
  return repository;
}

test("[W90] a commit travels to a repository that shares no disk, with all it builds on and nothing else", async () => {
  const there = await elsewhere("there.git", here.base);
  const first = await here.commit({ "a.txt": "first\n" });
  const second = await here.commit({ "b.txt": "second\n" }, first);
  await here.commit({ "c.txt": "somebody else's\n" });
  const before = artifacts.stored.size;
  const bundle = await bundleCommit(here.repository, { commit: second, have: [here.base], artifacts });
  expect(artifacts.stored.size).toBe(before + 1);
  expect(bundle).toEqual(JSON.parse(JSON.stringify(bundle)));
  // Two small commits and trees: what the other side has does not travel again.
  expect(bundle.artifact?.bytes).toBeLessThan(2_000);
  here.remove();
  await fetchBundle(there, { bundle, ref, artifacts });
  expect(await readRef(there, ref)).toBe(second);
  expect(fileIn(there, second, "a.txt")).toBe("first\n");
  expect(fileIn(there, second, "b.txt")).toBe("second\n");
  expect(personGit(there.gitDir, ["--git-dir=.", "fsck", "--strict", "--full"])).toBe("");
});

test("[W90] the same bundle may be fetched again, and one for what is there already is empty", async () => {
  const there = await elsewhere("there.git", here.base);
  const commit = await here.commit({ "a.txt": "new\n" });
  const bundle = await bundleCommit(here.repository, { commit, have: [here.base], artifacts });
  for (let time = 0; time < 2; time++) await fetchBundle(there, { bundle, ref, artifacts });
  expect(await readRef(there, ref)).toBe(commit);
  const empty = await bundleCommit(here.repository, { commit: here.base, have: [commit], artifacts });
  expect(empty).toEqual({ commit: here.base, have: [commit], artifact: null });
  await fetchBundle(there, { bundle: empty, ref: runRef("run-1", "other"), artifacts });
  expect(await readRef(there, runRef("run-1", "other"))).toBe(here.base);
});

test("[W91] a base that is missing is said by name, and nothing changes", async () => {
  const there = await elsewhere("there.git", here.base);
  const first = await here.commit({ "a.txt": "first\n" });
  const second = await here.commit({ "a.txt": "second\n" }, first);
  const bundle = await bundleCommit(here.repository, { commit: second, have: [first], artifacts });
  const missing = { code: "bundle-base-missing", details: { commit: first } };
  await expect(fetchBundle(there, { bundle, ref, artifacts })).rejects.toMatchObject(missing);
  // Somebody who says that nothing is needed does not get further.
  await expect(fetchBundle(there, { bundle: { ...bundle, have: [] }, ref, artifacts })).rejects.toMatchObject({
    code: "git-failed",
  });
  expect(await readRef(there, ref)).toBeUndefined();
  const unknown = bundleCommit(there, { commit: second, have: [], artifacts });
  await expect(unknown).rejects.toMatchObject({ code: "bundle-base-missing" });
  expect(readdirSync(there.gitDir).filter((name) => name.startsWith("trial-"))).toEqual([]);
});

test("[W91] a bundle that brings another commit than it says is refused", async () => {
  const there = await elsewhere("there.git", here.base);
  const [one, other] = [await here.commit({ "a.txt": "one\n" }), await here.commit({ "a.txt": "other\n" })];
  const bundle = await bundleCommit(here.repository, { commit: one, have: [here.base], artifacts });
  const wrong = { ...bundle, commit: other };
  await expect(fetchBundle(there, { bundle: wrong, ref, artifacts })).rejects.toMatchObject({
    code: "bundle-base-missing",
    details: { commit: other },
  });
  expect(await readRef(there, ref)).toBeUndefined();
});

test("[W91] a bundle that is lost, damaged or none is refused", async () => {
  const there = await elsewhere("there.git", here.base);
  const commit = await here.commit({ "a.txt": "new\n" });
  const bundle = await bundleCommit(here.repository, { commit, have: [here.base], artifacts });
  const name = bundle.artifact?.digest ?? "";
  const fetching = () => fetchBundle(there, { bundle, ref, artifacts });
  artifacts.stored.set(name, Buffer.from("something else"));
  await expect(fetching()).rejects.toMatchObject({ code: "artifact-damaged" });
  artifacts.stored.delete(name);
  await expect(fetching()).rejects.toMatchObject({ code: "artifact-not-found" });
  const artifact = await artifacts.put(Buffer.from("# v2 git bundle\nno bundle at all\n"), { mediaType: "text/plain" });
  const none = fetchBundle(there, { bundle: { ...bundle, artifact }, ref, artifacts });
  await expect(none).rejects.toMatchObject({ code: "git-failed" });
  expect(await readRef(there, ref)).toBeUndefined();
});

test("[W92] the repositories' own configuration and hooks play no part", async () => {
  const there = await elsewhere("there.git", here.base);
  for (const { gitDir } of [here.repository, there]) {
    const hooks = join(gitDir, "hooks");
    mkdirSync(hooks, { recursive: true });
    personGit(gitDir, ["--git-dir=.", "config", "core.hooksPath", hooks]);
    for (const hook of ["reference-transaction", "post-update", "pre-auto-gc"]) {
      writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${join(gitDir, "hooks-ran")}\n`, { mode: 0o755 });
    }
  }
  const commit = await here.commit({ "a.txt": "new\n" });
  const refs = personGit(here.repository.gitDir, ["--git-dir=.", "for-each-ref"]);
  const bundle = await bundleCommit(here.repository, { commit, have: [here.base], artifacts });
  await fetchBundle(there, { bundle, ref, artifacts });
  expect(personGit(here.repository.gitDir, ["--git-dir=.", "for-each-ref"])).toBe(refs);
  for (const { gitDir } of [here.repository, there]) expect(readdirSync(gitDir)).not.toContain("hooks-ran");
  // They would run, were it not for us.
  personGit(there.gitDir, ["--git-dir=.", "update-ref", "refs/heads/mine", here.base]);
  expect(readdirSync(there.gitDir)).toContain("hooks-ran");
});

test("[W93] a machine without the source fills a repository of the same name; at the source it is that one", async () => {
  const { gitDir } = here.repository;
  const stateDir = join(gitDir, "../..");
  expect(await openNamesake({ stateDir, gitDir })).toEqual(here.repository);
  const bundle = await bundleCommit(here.repository, { commit: here.base, have: [], artifacts });
  here.remove();
  const there = await openNamesake({ stateDir: away, gitDir });
  expect(await openNamesake({ stateDir: away, gitDir })).toEqual(there);
  await fetchBundle(there, { bundle, ref, artifacts });
  expect(fileIn(there, here.base, "a.txt")).toBe("a\n");
  for (const bad of ["/x/..", "/x/-rf.git", "/"]) {
    const named = await openNamesake({ stateDir: away, gitDir: bad });
    expect(dirname(named.gitDir)).toBe(join(away, "repositories"));
  }
});
