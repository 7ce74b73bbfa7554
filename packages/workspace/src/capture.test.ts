import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Capture, type CaptureOptions, captureWorkspace } from "./capture.ts";
import { leavesTree } from "./capture-finding.ts";
import { fetchBase } from "./repository.ts";
import { fileIn, makeScratch, personGit, type Scratch, someone, writeFiles } from "./testing/scratch.ts";
import { createWorkspace, removeWorkspace, type Workspace } from "./workspace.ts";

let scratch: Scratch;
let workspace: Workspace;
let tree: string;
let attempt = 0;

beforeEach(async () => {
  attempt += 1;
  scratch = await makeScratch({
    "src/a.txt": "a\n",
    "src/b.txt": "b\n",
    "docs/c.md": "c\n",
    ".gitignore": "node_modules/\n*.log\n",
  });
  const key = { run: "run-1", unit: "u", attempt, token: "1" };
  workspace = await createWorkspace(scratch.repository, { ...key, stateDir: scratch.stateDir, base: scratch.base });
  tree = workspace.tree;
});
afterEach(() => scratch.remove());

const capture = (options: Partial<CaptureOptions> = {}): Promise<Capture> =>
  captureWorkspace(scratch.repository, workspace, { message: "unit", identity: someone, ...options });
const shown = ({ changed }: Capture): string[] => changed.map(({ status, path }) => `${status} ${path}`);
const found = ({ findings }: Capture): string[] => findings.map(({ kind, path }) => `${kind} ${path}`);

test("[W40] the commit holds what is in the tree", async () => {
  writeFiles(tree, { "src/a.txt": "changed\n", "src/new/d.txt": "d\n", "docs/c.md": null });
  writeFiles(tree, { "node_modules/x/index.js": "x\n", "build.log": "log\n" });
  chmodSync(join(tree, "src/b.txt"), 0o755);
  symlinkSync("a.txt", join(tree, "src/link"));
  const result = await capture();
  expect(shown(result)).toEqual([
    "deleted docs/c.md",
    "modified src/a.txt",
    "modified src/b.txt",
    "added src/link",
    "added src/new/d.txt",
  ]);
  expect(result.changed.map(({ newMode }) => newMode)).toEqual(["000000", "100644", "100755", "120000", "100644"]);
  expect(result).toMatchObject({ linesAdded: 3, linesDeleted: 2, findings: [] });
  expect(fileIn(scratch.repository, result.commit, "src/a.txt")).toBe("changed\n");
});

test("[W40] a file may become a folder and a folder a file", async () => {
  rmSync(join(tree, "docs"), { recursive: true });
  writeFiles(tree, { docs: "now a file\n", "src/a.txt": null });
  writeFiles(tree, { "src/a.txt/inner.txt": "inner\n" });
  expect(shown(await capture())).toEqual([
    "added docs",
    "deleted docs/c.md",
    "deleted src/a.txt",
    "added src/a.txt/inner.txt",
  ]);
});

test("[W40] time stamps hide nothing", async () => {
  const path = join(tree, "src/a.txt");
  writeFileSync(path, "x\n");
  utimesSync(path, 0, 0);
  writeFiles(tree, { ".git/index": "rubbish" });
  expect(shown(await capture())).toEqual(["modified src/a.txt"]);
});

test("[W40] an untouched tree gives an empty change", async () => {
  const result = await capture();
  expect(result.changed).toEqual([]);
  expect(personGit(scratch.repository.gitDir, ["--git-dir=.", "rev-parse", `${result.commit}^`])).toBe(scratch.base);
});

test("[W42] the same tree gives the same commit", async () => {
  writeFiles(tree, { "src/a.txt": "changed\n" });
  const first = await capture();
  expect((await capture()).commit).toBe(first.commit);
  expect((await capture({ message: "other" })).commit).not.toBe(first.commit);
});

test("[W41] nothing an agent wrote is run", async () => {
  const spy = join(tree, "spy.sh");
  const ran = join(scratch.folder, "ran");
  writeFileSync(spy, `#!/bin/sh\ntouch ${ran}\ncat\n`, { mode: 0o755 });
  // The same traps around the tree and in a repository nested in it.
  mkdirSync(join(tree, "sub"));
  personGit(join(tree, "sub"), ["init", "--quiet"]);
  writeFiles(tree, { "sub/file.txt": "x\n" });
  for (const repository of [tree, join(tree, "sub")]) {
    personGit(repository, ["config", "core.fsmonitor", spy]);
    personGit(repository, ["config", "core.hooksPath", join(tree, "hooks")]);
    personGit(repository, ["config", "filter.evil.clean", spy]);
    personGit(repository, ["config", "filter.evil.smudge", spy]);
    personGit(repository, ["config", "filter.evil.process", spy]);
    personGit(repository, ["config", "filter.evil.required", "true"]);
    personGit(repository, ["config", "diff.evil.command", spy]);
    personGit(repository, ["config", "diff.evil.textconv", spy]);
    personGit(repository, ["config", "merge.evil.driver", spy]);
    writeFiles(repository, { ".gitattributes": "* filter=evil diff=evil merge=evil\n" });
  }
  for (const hook of ["pre-commit", "post-commit", "post-index-change", "reference-transaction", "post-checkout"]) {
    writeFiles(tree, { [`hooks/${hook}`]: `#!/bin/sh\ntouch ${ran}\n` });
    chmodSync(join(tree, "hooks", hook), 0o755);
  }
  writeFiles(tree, { "src/a.txt": "changed\n" });
  const result = await capture();
  expect(existsSync(ran)).toBe(false);
  expect(fileIn(scratch.repository, result.commit, "src/a.txt")).toBe("changed\n");
  // The traps are real: the agent's own git falls into them.
  spawnSync("git", ["status"], { cwd: tree, stdio: "ignore" });
  expect(existsSync(ran)).toBe(true);
});

test("[W43] a path outside the claim is a finding, and is in the commit", async () => {
  writeFiles(tree, {
    "src/a.txt": "1\n",
    "src/b.txt": "2\n",
    "docs/c.md": "3\n",
    "lib/deep/x.ts": "4\n",
    "new.txt": "5\n",
  });
  const result = await capture({ claim: { owns: ["src/a.*"], may: ["lib/"], creates: ["new.txt"] } });
  expect(found(result)).toEqual(["outside-claim docs/c.md", "outside-claim src/b.txt"]);
  expect(shown(result)).toHaveLength(5);
});

test("[W44] links that lead out are kept out", async () => {
  rmSync(join(tree, "src/a.txt"));
  symlinkSync("/etc/passwd", join(tree, "src/a.txt"));
  symlinkSync("../../../secret", join(tree, "src/up"));
  symlinkSync("../docs/c.md", join(tree, "src/fine"));
  symlinkSync(".git/config", join(tree, "config"));
  const result = await capture();
  expect(found(result).sort()).toEqual(["symlink-escape config", "symlink-escape src/a.txt", "symlink-escape src/up"]);
  expect(shown(result)).toEqual(["added src/fine"]);
  expect(fileIn(scratch.repository, result.commit, "src/a.txt")).toBe("a\n");
});

test("[W44] a link is judged by where it may lead, not by how it looks", () => {
  const cases: [string, string, boolean][] = [
    ["a", "b", false],
    ["d/a", "../b", false],
    ["d/a", "../../b", true],
    ["a", "..", true],
    ["d/a", "..", false],
    ["a", "x/../b", true], // x may be a link, and then .. is somewhere else
    ["a", "./b//c", false],
    ["a", "/b", true],
    ["a", "b/.git/config", true],
    ["a", ".GIT", true],
    ["a", "", true],
  ];
  for (const [path, target, leaves] of cases) expect(leavesTree(path, target), `${path} -> ${target}`).toBe(leaves);
});

/** Node cannot make a named pipe by itself. */
function makePipe(path: string): void {
  const [command, ...args] = ["mkfifo", join(tree, path)];
  execFileSync(command, args);
}

test("[W44] special files, large files and unsafe names are kept out", async () => {
  makePipe("pipe");
  rmSync(join(tree, "src/b.txt"));
  makePipe("src/b.txt");
  writeFiles(tree, {
    "large.bin": "x".repeat(2_000),
    "src/a.txt": "y".repeat(2_000),
    "git~1/x": "x\n",
    "fine.txt": "x\n",
  });
  const result = await capture({ fileBytesMax: 1_000 });
  expect(found(result).sort()).toEqual([
    "file-too-large large.bin",
    "file-too-large src/a.txt",
    "invalid-name git~1/x",
    "special-file pipe",
    "special-file src/b.txt",
  ]);
  expect(shown(result)).toEqual(["added fine.txt"]);
});

test("[W44] a tree without end is refused", async () => {
  writeFiles(tree, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`many/${i}`, "x"])));
  await expect(capture({ entriesMax: 20 })).rejects.toMatchObject({ code: "capture-too-large" });
});

test("[W45] of a nested repository the files are taken", async () => {
  mkdirSync(join(tree, "app"));
  personGit(join(tree, "app"), ["init", "--quiet"]);
  writeFiles(tree, {
    "app/index.js": "1\n",
    "app/lib/x.js": "2\n",
    "app/debug.log": "3\n",
    "app/.gitignore": "dist\n",
    "app/dist/o.js": "4\n",
  });
  personGit(join(tree, "app"), ["add", "--all"]);
  personGit(join(tree, "app"), ["commit", "--quiet", "-m", "nested"]);
  const result = await capture();
  expect(found(result)).toEqual(["nested-repository app"]);
  expect(shown(result)).toEqual(["added app/.gitignore", "added app/index.js", "added app/lib/x.js"]);
});

test("[W46] nothing is read through a folder that became a link", async () => {
  const outside = join(scratch.folder, "outside");
  writeFiles(outside, { "a.txt": "secret\n", "b.txt": "secret\n" });
  renameSync(join(tree, "src"), join(scratch.folder, "moved"));
  symlinkSync(outside, join(tree, "src"));
  const result = await capture();
  expect(found(result)).toEqual(["symlink-escape src"]);
  expect(shown(result)).toEqual(["deleted src/a.txt", "deleted src/b.txt"]);
});

test("[W46] nor through a folder that became a link to another folder of the tree", async () => {
  rmSync(join(tree, "src"), { recursive: true });
  symlinkSync("docs", join(tree, "src"));
  writeFiles(tree, { "docs/a.txt": "docs\n" });
  expect(shown(await capture())).toEqual(["added docs/a.txt", "added src", "deleted src/a.txt", "deleted src/b.txt"]);
});

test("[W47] what looks like a secret is a finding that does not repeat it", async () => {
  const token = `ghp_${"a1B2".repeat(9)}`;
  writeFiles(tree, { "src/a.txt": `const token = "${token}";\n` });
  const { findings } = await capture();
  expect(findings).toMatchObject([{ kind: "secret-like", path: "src/a.txt" }]);
  expect(JSON.stringify(findings)).not.toContain(token);
});

test("[W48] the agent's commits, branches and index change nothing", async () => {
  writeFiles(tree, { "src/a.txt": "changed\n", "extra.txt": "extra\n" });
  const expected = await capture();
  personGit(tree, ["checkout", "--quiet", "-b", "elsewhere"]);
  personGit(tree, ["add", "--all"]);
  personGit(tree, ["commit", "--quiet", "-m", "mine"]);
  personGit(tree, ["update-index", "--assume-unchanged", "src/b.txt"]);
  writeFiles(tree, { ".git/info/exclude": "extra.txt\n" });
  expect((await capture()).commit).toBe(expected.commit);
  rmSync(join(tree, ".git"), { recursive: true });
  writeFiles(tree, { ".git": "gitdir: /nowhere\n" });
  expect((await capture()).commit).toBe(expected.commit);
});

test("[W48] a workspace that is gone is said", async () => {
  rmSync(tree, { recursive: true });
  await expect(capture()).rejects.toMatchObject({ code: "workspace-unusable" });
});

test("[W49] a pipe or a huge file that is called .gitignore does not hold the capture up", async () => {
  rmSync(join(tree, ".gitignore"));
  execFileSync("mkfifo", [join(tree, ".gitignore"), join(tree, "src", ".gitattributes")]);
  writeFiles(tree, { "src/a.txt": "changed\n", "docs/.gitignore": "x".repeat(1024 * 1024 + 1) });
  const result = await capture();
  expect(shown(result)).toEqual(["modified src/a.txt"]);
  expect(found(result).sort()).toEqual([
    "file-too-large docs/.gitignore",
    "special-file .gitignore",
    "special-file src/.gitattributes",
  ]);
});

test("[W49] what the agent took the rights from is taken all the same", async () => {
  writeFiles(tree, { "closed/inner.txt": "inner\n", "src/a.txt": "changed\n" });
  chmodSync(join(tree, "src/a.txt"), 0o000);
  chmodSync(join(tree, "closed"), 0o000);
  const result = await capture();
  expect(shown(result)).toEqual(["added closed/inner.txt", "modified src/a.txt"]);
  expect(statSync(join(tree, "closed")).mode & 0o700).toBe(0o700);
});

test("[W49] folders nested deeper than a path can name are refused, and can be removed", async () => {
  const script = "for (let i = 0; i < 300; i += 1) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }";
  execFileSync(process.execPath, ["-e", script], { cwd: tree });
  await expect(capture()).rejects.toMatchObject({ code: "capture-too-large" });
  await removeWorkspace(workspace);
  expect(existsSync(workspace.folder)).toBe(false);
});

test("[W49] a change of more text than anybody can look through is refused", async () => {
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 7; i += 1) writeFiles(tree, { [`big-${i}.txt`]: line.repeat(10 * 1024 - 1) });
  await expect(capture()).rejects.toMatchObject({ code: "capture-too-large" });
});

test("[W47] an added line that looks like a header of the patch hides nothing, and is not told", async () => {
  const token = `ghp_${"a1B2".repeat(9)}`;
  writeFiles(tree, { "src/a.txt": `a\n++ ${token}\n${token}\n` });
  const result = await capture();
  expect(found(result)).toEqual(["secret-like src/a.txt"]);
  expect(JSON.stringify(result.findings)).not.toContain(token);
});

test("[W44] names that only other systems read as .git, and those that git does not take, are findings", async () => {
  writeFiles(tree, { "src/.g\u200cit/config": "x\n" });
  symlinkSync("src/a.txt", join(tree, ".gitmodules"));
  const result = await capture();
  expect(found(result).sort()).toEqual(["invalid-name .gitmodules", "invalid-name src/.g\u200cit/config"]);
  expect(result.changed).toEqual([]);
});

test("[W44] a name of the base that is no UTF-8 is no finding, unless the agent changed the file", async () => {
  const { source, repository } = scratch;
  const name = (root: string): Buffer => Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]);
  writeFileSync(name(source.root), "latin\n");
  personGit(source.root, ["add", "--all"]);
  personGit(source.root, ["commit", "--quiet", "--message", "latin"]);
  const base = personGit(source.root, ["rev-parse", "HEAD"]);
  await fetchBase(repository, { run: "run-1", source, commit: base });
  const key = { run: "run-1", unit: "latin", attempt: 1, token: "1" };
  workspace = await createWorkspace(repository, { ...key, stateDir: scratch.stateDir, base });
  writeFiles(workspace.tree, { "src/a.txt": "changed\n" });
  const clean = await capture();
  expect([shown(clean), found(clean)]).toEqual([["modified src/a.txt"], []]);
  writeFileSync(name(workspace.tree), "changed\n");
  expect(found(await capture())).toEqual(["invalid-name caf\uFFFD"]);
});

test("[W49] an encoding that its own files do not have makes the tree unusable, and nothing else fails", async () => {
  writeFiles(tree, { ".gitattributes": "*.txt working-tree-encoding=UTF-16\n", "src/a.txt": "odd" });
  await expect(capture()).rejects.toMatchObject({ code: "workspace-unusable" });
});
