import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { git, gitText, objectId, refName, requireGit } from "./git.ts";
import { safeName } from "./name.ts";
import { makeScratch, type Scratch } from "./testing/scratch.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await makeScratch({ "a.txt": "a\n" });
});
afterAll(() => scratch.remove());

test("[W1] shell characters in arguments stay text", async () => {
  const marker = join(scratch.folder, "ran");
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `$(touch ${marker}); touch ${marker}`];
  const { code } = await git(args, { ...scratch.repository, accept: [0, 1, 128] });
  expect(code).not.toBe(0);
  expect(existsSync(marker)).toBe(false);
});

test("[W2] the person's configuration plays no part", async () => {
  const home = mkdtempSync(join(tmpdir(), "tutti-home-"));
  writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = From Home\n");
  const before = process.env["HOME"];
  process.env["HOME"] = home;
  try {
    const ask = { ...scratch.repository, accept: [0, 1] };
    expect((await git(["config", "user.name"], ask)).code).toBe(1);
    expect(await gitText(["config", "user.name"], { ...ask, userConfiguration: true })).toBe("From Home");
  } finally {
    if (before === undefined) delete process.env["HOME"];
    else process.env["HOME"] = before;
    rmSync(home, { recursive: true });
  }
});

test("[W3] a call that does not end is ended at its time limit", async () => {
  const started = performance.now();
  const slow = git(["-c", "alias.slow=!sleep 30", "slow"], { ...scratch.repository, timeoutMs: 200 });
  await expect(slow).rejects.toMatchObject({ code: "git-timeout" });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("[W3] a call is stopped on request", async () => {
  const controller = new AbortController();
  const slow = git(["-c", "alias.slow=!sleep 30", "slow"], { ...scratch.repository, signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  await expect(slow).rejects.toMatchObject({ code: "git-aborted" });
  await expect(git(["version"], { signal: controller.signal })).rejects.toMatchObject({ code: "git-aborted" });
});

test("[W3] too much output is refused", async () => {
  const flood = git(["cat-file", "--batch-check", "--batch-all-objects"], {
    ...scratch.repository,
    outputBytesMax: 20,
  });
  await expect(flood).rejects.toMatchObject({ code: "git-output-too-large" });
});

test("[W3] a failure carries git's words", async () => {
  const failing = git(["cat-file", "-p", "0".repeat(40)], scratch.repository);
  await expect(failing).rejects.toMatchObject({
    code: "git-failed",
    message: expect.stringContaining("Not a valid object"),
  });
});

test("[W4] ids and names are checked", () => {
  for (const bad of ["", "HEAD", "--upload-pack=x", "a".repeat(39), `${"a".repeat(40)} `]) {
    expect(() => objectId(bad), bad).toThrow(expect.objectContaining({ code: "ref-invalid" }));
  }
  for (const bad of [
    "",
    "-x",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a\\b",
    "a.lock",
    "a/.b",
    "/a",
    "a/",
    "@",
    "a@{1}",
    "a\nb",
  ]) {
    expect(() => refName(bad), bad).toThrow(expect.objectContaining({ code: "ref-invalid" }));
  }
  for (const good of ["main", "feature/oauth-2", "tutti/a.b_c", "übung"]) expect(refName(good)).toBe(good);
});

test("[W5] git says its version, and a missing git is named", async () => {
  expect(await requireGit()).toMatch(/^\d+\.\d+/);
  const path = process.env["PATH"];
  process.env["PATH"] = scratch.folder;
  try {
    await expect(requireGit()).rejects.toMatchObject({ code: "git-not-found" });
    writeFileSync(join(scratch.folder, "git"), "#!/bin/sh\necho git version 2.30.1\n", { mode: 0o755 });
    await expect(requireGit()).rejects.toMatchObject({ code: "git-too-old" });
  } finally {
    process.env["PATH"] = path;
  }
});

test("[W22] safe names differ where the names differ", () => {
  const names = ["a", "a/b", "a-b", "a b", "..", "", "a.lock", "ä", "-a", "a".repeat(65), "a".repeat(66)];
  expect(new Set(names.map(safeName)).size).toBe(names.length);
  for (const name of names) expect(refName(`refs/x/${safeName(name)}`)).toContain("refs/x/");
});
