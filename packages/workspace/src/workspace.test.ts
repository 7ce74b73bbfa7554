import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { captureWorkspace } from "./capture.ts";
import { benchWorkspace } from "./merge.bench.ts";
import { fetchBase } from "./repository.ts";
import { makeScratch, personGit, type Scratch, someone, writeFiles } from "./testing/scratch.ts";
import {
  adoptWorkspace,
  createWorkspace,
  listWorkspaces,
  removeWorkspace,
  sweepWorkspaces,
  type Workspace,
  workspaceStatus,
} from "./workspace.ts";

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch({ "src/a.txt": "a\n", "run.sh": "#!/bin/sh\n" });
});
afterEach(() => scratch.remove());

const key = { run: "run-1", unit: "unit one", attempt: 1, token: "7" };
const make = (change: Partial<typeof key> = {}): Promise<Workspace> =>
  createWorkspace(scratch.repository, { ...key, ...change, stateDir: scratch.stateDir, base: scratch.base });

test("[W30] the tree is the base's, in a folder that carries attempt and token", async () => {
  const workspace = await make();
  expect(readFileSync(join(workspace.tree, "src/a.txt"), "utf8")).toBe("a\n");
  expect(readdirSync(workspace.tree).sort()).toEqual([".git", "run.sh", "src"]);
  expect(workspace.tree).toMatch(/\/1-7\/tree$/);
  expect(workspace.folder.startsWith(scratch.source.root)).toBe(false);
  const later = await make({ token: "8" });
  expect(later.tree).not.toBe(workspace.tree);
});

test("[W31] the agent can use git", async () => {
  const { tree, branch, base } = await make();
  expect(personGit(tree, ["status", "--porcelain"])).toBe("");
  expect(personGit(tree, ["branch", "--show-current"])).toBe(branch);
  expect(personGit(tree, ["log", "-1", "--format=%H"])).toBe(base);
  writeFiles(tree, { "src/a.txt": "changed\n" });
  expect(personGit(tree, ["diff", "--stat"])).toContain("src/a.txt");
  personGit(tree, ["commit", "--quiet", "--all", "--message", "mine"]);
  expect(personGit(tree, ["rev-parse", "HEAD~1"])).toBe(base);
});

test("[W32] a workspace is adopted by its key and not made twice", async () => {
  const workspace = await make();
  writeFiles(workspace.tree, { "work.txt": "done\n" });
  expect(await adoptWorkspace(scratch.stateDir, key)).toEqual(workspace);
  await expect(make()).rejects.toMatchObject({ code: "workspace-exists" });
  await expect(adoptWorkspace(scratch.stateDir, { ...key, token: "9" })).rejects.toMatchObject({
    code: "workspace-not-found",
  });
});

test("[W32] what a crash left half-made is replaced", async () => {
  const workspace = await make();
  const marker = join(workspace.folder, "workspace.json");
  writeFileSync(marker, readFileSync(marker, "utf8").replace('"ready":true', '"ready":false'));
  writeFiles(workspace.tree, { "half.txt": "half\n" });
  await expect(adoptWorkspace(scratch.stateDir, key)).rejects.toMatchObject({ code: "workspace-not-found" });
  expect(await listWorkspaces(scratch.stateDir)).toMatchObject([{ ...key, ready: false }]);
  const again = await make();
  expect(existsSync(join(again.tree, "half.txt"))).toBe(false);
});

test("[W33] sweeping keeps what is wanted and removes the rest", async () => {
  const [kept, gone] = [await make(), await make({ attempt: 2 })];
  const otherRun = await make({ run: "run/2", unit: "x" });
  mkdirSync(join(scratch.stateDir, "workspaces", "run-1", "torn", "1-1"), { recursive: true });
  const { removed } = await sweepWorkspaces(
    scratch.stateDir,
    ({ run, attempt, ready }) => ready && run === "run-1" && attempt === 1,
  );
  expect(removed.map(({ folder }) => folder)).toEqual(expect.arrayContaining([gone.folder, otherRun.folder]));
  expect(removed).toHaveLength(3);
  expect(await listWorkspaces(scratch.stateDir)).toMatchObject([{ folder: kept.folder }]);
  expect(readdirSync(join(scratch.stateDir, "workspaces"))).toEqual(["run-1"]);
  expect(readdirSync(join(scratch.stateDir, "workspaces", "run-1"))).toHaveLength(1);
  await sweepWorkspaces(scratch.stateDir, () => false);
  expect(readdirSync(join(scratch.stateDir, "workspaces"))).toEqual([]);
});

test("[W33] removal follows no link and copes with folders nobody may enter", async () => {
  const workspace = await make();
  const outside = join(scratch.folder, "outside");
  writeFiles(outside, { "precious.txt": "precious\n" });
  symlinkSync(outside, join(workspace.tree, "link"));
  rmSync(join(workspace.tree, "src"), { recursive: true });
  symlinkSync(outside, join(workspace.tree, "src"));
  mkdirSync(join(workspace.tree, "closed", "inner"), { recursive: true });
  writeFiles(workspace.tree, { "closed/inner/file.txt": "x\n" });
  chmodSync(join(workspace.tree, "closed", "inner"), 0o000);
  await removeWorkspace(workspace);
  expect(existsSync(workspace.folder)).toBe(false);
  expect(readFileSync(join(outside, "precious.txt"), "utf8")).toBe("precious\n");
  await removeWorkspace(workspace);
});

/** Makes a file that not even its owner can remove; says whether this system can. */
function setImmutable(path: string, on: boolean): boolean {
  return spawnSync("chattr", [on ? "+i" : "-i", path]).status === 0;
}

test("[W33] what cannot be removed is told and keeps nothing else from being swept", async (context) => {
  const [stuck, gone] = [await make(), await make({ attempt: 2 })];
  const file = join(stuck.tree, "src/a.txt");
  if (!setImmutable(file, true)) return context.skip("files cannot be made immutable here");
  const unit = dirname(stuck.folder);
  try {
    const first = await sweepWorkspaces(scratch.stateDir, () => false);
    expect(first.removed.map(({ folder }) => folder)).toEqual([gone.folder]);
    expect(first.left).toMatchObject([{ path: stuck.folder, reason: expect.stringContaining("a.txt") }]);
  } finally {
    for (const name of readdirSync(unit)) setImmutable(join(unit, name, "tree/src/a.txt"), false);
  }
  expect((await sweepWorkspaces(scratch.stateDir, () => false)).left).toEqual([]);
  expect(readdirSync(join(scratch.stateDir, "workspaces"))).toEqual([]);
});

test("[W34] the status tells branch, commit, author and message", async () => {
  const workspace = await make();
  const { repository } = scratch;
  expect(await workspaceStatus(repository, workspace)).toMatchObject({
    base: scratch.base,
    commit: scratch.base,
    captured: false,
    author: "Person <person@example.com>",
    message: "base",
  });
  writeFiles(workspace.tree, { "src/a.txt": "b\n" });
  rmSync(join(workspace.tree, ".git"), { recursive: true });
  const { commit } = await captureWorkspace(repository, workspace, { message: "Do it\n\nbecause", identity: someone });
  expect(await workspaceStatus(repository, workspace)).toMatchObject({
    branch: workspace.branch,
    commit,
    captured: true,
    author: "Some One <some.one@example.com>",
    message: "Do it\n\nbecause",
  });
});

test("[W30] executable files and links come as they are", async () => {
  const { root } = scratch.source;
  chmodSync(join(root, "run.sh"), 0o755);
  symlinkSync("src/a.txt", join(root, "link"));
  personGit(root, ["add", "--all"]);
  personGit(root, ["commit", "--quiet", "--message", "modes"]);
  const commit = personGit(root, ["rev-parse", "HEAD"]);
  await fetchBase(scratch.repository, { run: "run-1", source: scratch.source, commit });
  const { tree } = await createWorkspace(scratch.repository, { ...key, stateDir: scratch.stateDir, base: commit });
  expect(lstatSync(join(tree, "run.sh")).mode & 0o100).toBe(0o100);
  expect(readlinkSync(join(tree, "link"))).toBe("src/a.txt");
});

test("[W36] the folders of a run go with its last workspace, while others are being made", async () => {
  const { repository, stateDir, base } = scratch;
  const one = (unit: string, attempt: number) =>
    createWorkspace(repository, { run: "busy", unit, attempt, token: "t", stateDir, base });
  for (let round = 1; round <= 5; round += 1) {
    const last = await one("a", round);
    const [, next, other] = await Promise.all([removeWorkspace(last), one("a", round + 100), one("b", round)]);
    expect(existsSync(join(next.tree, "src/a.txt"))).toBe(true);
    await removeWorkspace(next);
    expect(existsSync(other.tree)).toBe(true);
    await removeWorkspace(other);
    expect(existsSync(join(stateDir, "workspaces", "busy"))).toBe(false);
  }
  expect(existsSync(join(stateDir, "workspaces"))).toBe(true);
});

test("[W35] a workspace of 10 000 files is ready soon", async () => {
  const { readyMs, removeMs } = await benchWorkspace({ files: 10_000, samples: 1 });
  console.log(`workspace of 10 000 files: ready in ${Math.round(readyMs)} ms, removed in ${Math.round(removeMs)} ms`);
  // The goal is 1 000 ms; the factor is for machines that do much else, and file systems that just removed much.
  expect(readyMs).toBeLessThan(15_000);
}, 60_000);
