import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inspectSource } from "./source.ts";
import { makeSource, personGit, writeFiles } from "./testing/scratch.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-source-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refusal = (options: Parameters<typeof inspectSource>[0]): Promise<string> =>
  inspectSource(options).then(
    () => "accepted",
    (error: { code: string }) => error.code,
  );

test("[W10] no folder and no repository are refused", async () => {
  expect(await refusal({ path: join(folder, "nowhere") })).toBe("repository-not-found");
  expect(await refusal({ path: folder })).toBe("repository-not-found");
  expect(readdirSync(folder)).toEqual([]);
});

test("[W10] a bare repository is refused", async () => {
  personGit(folder, ["init", "--quiet", "--bare", "bare.git"]);
  expect(await refusal({ path: join(folder, "bare.git") })).toBe("repository-bare");
});

test("[W10] an unborn branch is refused", async () => {
  personGit(folder, ["init", "--quiet", "new"]);
  expect(await refusal({ path: join(folder, "new") })).toBe("branch-unborn");
});

test("[W10] a damaged repository is refused", async () => {
  const root = makeSource(folder, { "a.txt": "a\n" });
  const commit = personGit(root, ["rev-parse", "HEAD"]);
  rmSync(join(root, ".git", "objects", commit.slice(0, 2)), { recursive: true });
  expect(await refusal({ path: root })).toBe("repository-damaged");
  writeFileSync(join(root, ".git", "HEAD"), "rubbish\n");
  expect(await refusal({ path: root })).toBe("repository-damaged");
});

test("[W10] an unknown base is refused, also one that looks like an option", async () => {
  const root = makeSource(folder, { "a.txt": "a\n" });
  expect(await refusal({ path: root, base: "nowhere" })).toBe("base-not-found");
  expect(await refusal({ path: root, base: "--git-dir" })).toBe("base-not-found");
});

test("[W11] changed and new files are refused unless allowed", async () => {
  const root = makeSource(folder, { "a.txt": "a\n", ".gitignore": "*.log\n" });
  writeFiles(root, { "build.log": "ignored\n" });
  expect(await refusal({ path: root })).toBe("accepted");
  writeFiles(root, { "new.txt": "new\n" });
  expect(await refusal({ path: root })).toBe("repository-dirty");
  rmSync(join(root, "new.txt"));
  writeFiles(root, { "a.txt": "changed\n" });
  expect(await refusal({ path: root })).toBe("repository-dirty");
  const source = await inspectSource({ path: root, allowDirty: true });
  expect(source.dirty).toEqual(["a.txt"]);
});

test("[W10] a good repository is found from a folder inside it", async () => {
  const root = makeSource(folder, { "src/a.txt": "a\n" });
  const source = await inspectSource({ path: join(root, "src") });
  expect(source).toMatchObject({ branch: "main", commit: personGit(root, ["rev-parse", "HEAD"]), dirty: [] });
  expect(source.root).toBe(personGit(root, ["rev-parse", "--show-toplevel"]));
});

test("[W10] bases are branches, tags and commits; HEAD may be detached", async () => {
  const root = makeSource(folder, { "a.txt": "a\n" });
  const first = personGit(root, ["rev-parse", "HEAD"]);
  personGit(root, ["tag", "-a", "v1", "-m", "v1"]);
  personGit(root, ["commit", "--quiet", "--allow-empty", "-m", "second"]);
  personGit(root, ["checkout", "--quiet", "--detach"]);
  expect((await inspectSource({ path: root, base: "v1" })).commit).toBe(first);
  expect((await inspectSource({ path: root, base: first.slice(0, 12) })).commit).toBe(first);
  expect((await inspectSource({ path: root })).branch).toBe(null);
});

test("[W2] hooks and fsmonitor of the person's repository do not run", async () => {
  const root = makeSource(folder, { "a.txt": "a\n" });
  const spy = join(folder, "spy.sh");
  writeFileSync(spy, `#!/bin/sh\ntouch ${join(folder, "ran")}\n`, { mode: 0o755 });
  personGit(root, ["config", "core.fsmonitor", spy]);
  mkdirSync(join(root, ".git", "hooks"), { recursive: true });
  writeFileSync(join(root, ".git", "hooks", "post-index-change"), `#!/bin/sh\ntouch ${join(folder, "ran")}\n`, {
    mode: 0o755,
  });
  expect(await refusal({ path: root })).toBe("accepted");
  expect(readdirSync(folder)).not.toContain("ran");
});
