import { chmodSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@tutti/kernel";
import { type Finding, judgeChanges, judgeEntry, judgeSecrets } from "./capture-finding.ts";
import type { Claim } from "./claim.ts";
import { type CommitIdentity, type GitOptions, git, gitText } from "./git.ts";
import { type Change, changesBetween, commitTree, lineCounts, patchBetween } from "./objects.ts";
import { openTree } from "./open-tree.ts";
import { type Repository, setRef } from "./repository.ts";
import { statusOf, type TreeWalk, walkTree } from "./tree-walk.ts";
import { captureRef, type Workspace } from "./workspace.ts";

export interface CaptureOptions {
  readonly message: string;
  readonly identity: CommitIdentity;
  /** Absent: nothing is outside it. */
  readonly claim?: Claim;
  /** Default: the workspace's base alone. */
  readonly parents?: readonly string[];
  /** A larger file is not taken over, and is a finding. Default 10 MiB. */
  readonly fileBytesMax?: number;
  /** More files or folders than this (what .gitignore leaves out is not counted) reject with `capture-too-large`. Default 500 000. */
  readonly entriesMax?: number;
  readonly signal?: AbortSignal;
}

export interface Capture {
  readonly commit: string;
  readonly tree: string;
  /** Since the workspace's base, sorted by path. Empty when the agent changed nothing. */
  readonly changed: readonly Change[];
  readonly linesAdded: number;
  readonly linesDeleted: number;
  /** What is wrong with the tree. Whatever could reach outside or is too large is not in the commit. */
  readonly findings: readonly Finding[];
}

/**
 * Commits what is in the workspace's tree, from our own repository: the agent's `.git`, its hooks, filters and index
 * play no part. Every file is hashed anew, so no time stamp can hide a change. The agent's processes must have
 * ended. The same tree, parents, message and identity give the same commit. Kept as `refs/tutti/<run>/units/…`.
 */
export async function captureWorkspace(
  repository: Repository,
  workspace: Workspace,
  options: CaptureOptions,
): Promise<Capture> {
  const indexFile = join(workspace.folder, "capture-index");
  await rm(indexFile, { force: true });
  await rm(`${indexFile}.lock`, { force: true });
  const at: GitOptions = {
    gitDir: repository.gitDir,
    workTree: workspace.tree,
    indexFile,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  if (!statusOf(workspace.tree)?.isDirectory()) {
    throw new AppError("workspace-unusable", `${workspace.tree} is no longer a folder`);
  }
  await git(["read-tree", workspace.base], at);
  const plan = await planIndex(at, workspace, options);
  const refused = [...(await updateIndex(at, plan)), ...(await changedUnreadable(at, plan))];
  const tree = await gitText(["write-tree"], at);
  await rm(indexFile, { force: true });

  const changed = await changesBetween(repository, workspace.base, tree);
  const lines = await lineCounts(repository, workspace.base, tree);
  const patch = await wholePatch(repository, { from: workspace.base, to: tree });
  const findings = [...plan.findings, ...refused, ...judgeChanges(changed, options.claim), ...judgeSecrets(patch)];
  const { message, identity, parents = [workspace.base] } = options;
  const commit = await commitTree(repository, { tree, parents, message, identity });
  await setRef(repository, captureRef(workspace), { commit });
  return { commit, tree, changed, linesAdded: lines.added, linesDeleted: lines.deleted, findings };
}

/** All of it, for a secret may stand at its end. Rejects with `capture-too-large` beyond 64 MiB. */
async function wholePatch(repository: Repository, range: { from: string; to: string }): Promise<string> {
  try {
    return await patchBetween(repository, { ...range, bytesMax: Number.POSITIVE_INFINITY });
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== "git-output-too-large") throw cause;
    throw new AppError("capture-too-large", "The change has more than 64 MiB of text", { cause });
  }
}

interface IndexPlan {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** The base has names that are no UTF-8. We cannot name them to git; they stay as they are. */
  readonly hasUnreadable: boolean;
  readonly findings: readonly Finding[];
}

/** Decides path by path what goes into the index, from names and types alone. */
async function planIndex(at: GitOptions, workspace: Workspace, options: CaptureOptions): Promise<IndexPlan> {
  const { tree } = workspace;
  const unfit = await openTree(tree);
  const tracked = await trackedPaths(at, workspace.base);
  const ignored = await list(at, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]);
  const skip = new Set(ignored.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1)));
  const walk = await walkTree(tree, { skip, entriesMax: options.entriesMax ?? 500_000 });
  if (walk.cut) {
    throw new AppError("capture-too-large", `${tree} has more than ${options.entriesMax ?? 500_000} files and folders`);
  }
  const add: string[] = [];
  const remove: string[] = [];
  const findings: Finding[] = [
    ...walk.nested.map(
      (path): Finding => ({
        kind: "nested-repository",
        path,
        message: `${path} has a .git of its own; its files were taken, its .git was not`,
      }),
    ),
    ...walk.special.map(
      (path): Finding => ({ kind: "special-file", path, message: `${path} is a pipe, socket or device` }),
    ),
    ...unfit.map(
      ({ path, special }): Finding => ({
        kind: special ? "special-file" : "file-too-large",
        path,
        message: `${path} ${special ? "is not a plain file" : "has more than 1 MiB"}`,
      }),
    ),
  ];
  const special = new Set([...walk.special, ...unfit.map(({ path }) => path)]);
  const fileBytesMax = options.fileBytesMax ?? 10 * 1024 * 1024;
  const consider = (path: string, base: TrackedPath | undefined): void => {
    makeReadable(join(tree, path));
    const finding = judgeEntry(path, { root: tree, baseBlob: base?.blob, fileBytesMax });
    if (finding === undefined) add.push(path);
    else findings.push(finding);
  };
  for (const entry of tracked.values()) {
    if (entry.mode === "160000" || special.has(entry.path) || isUnreadable(entry.path)) continue;
    if (walk.files.has(entry.path) || walk.links.has(entry.path)) consider(entry.path, entry);
    else if (isPlainFile(tree, entry.path)) consider(entry.path, entry);
    else remove.push(entry.path);
  }
  for (const path of await untrackedPaths(at, walk)) if (!tracked.has(path)) consider(path, undefined);
  return { add, remove, hasUnreadable: [...tracked.keys()].some(isUnreadable), findings };
}

/** A name that is no UTF-8 has lost what it was. */
function isUnreadable(path: string): boolean {
  return path.includes("\uFFFD");
}

/** A change of a file whose name we cannot give back is not taken over, and that is told. */
async function changedUnreadable(at: GitOptions, plan: IndexPlan): Promise<Finding[]> {
  if (!plan.hasUnreadable) return [];
  await git(["update-index", "-q", "--refresh"], { ...at, accept: [0, 1] });
  const changed = await list(at, ["diff-files", "--name-only", "-z"]);
  return changed.filter(isUnreadable).map((path) => {
    const message = `${path} was changed, but its name is not UTF-8, so the change was not taken`;
    return { kind: "invalid-name", path, message };
  });
}

interface TrackedPath {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
}

async function trackedPaths(at: GitOptions, base: string): Promise<Map<string, TrackedPath>> {
  const lines = await list(at, ["ls-tree", "-r", "-z", "--full-tree", base]);
  return new Map(
    lines.map((line) => {
      const [mode = "", , blob = ""] = line.split(/[ \t]/, 3);
      const path = line.slice(line.indexOf("\t") + 1);
      return [path, { path, mode, blob }];
    }),
  );
}

/** New files that .gitignore does not leave out. Nested repositories are opened up: their files are files. */
async function untrackedPaths(at: GitOptions, walk: TreeWalk): Promise<string[]> {
  const others = await list(at, ["ls-files", "-z", "--others", "--exclude-standard"]);
  const plain = others.filter((path) => walk.files.has(path) || walk.links.has(path));
  const folders = others.filter((path) => path.endsWith("/"));
  if (folders.length === 0) return plain;
  const inside = [...walk.files, ...walk.links].filter((path) => folders.some((folder) => path.startsWith(folder)));
  if (inside.length === 0) return plain;
  const stdin = inside.map((path) => `./${path}\0`).join("");
  const { stdout } = await git(["check-ignore", "-z", "--stdin", "--no-index"], { ...at, stdin, accept: [0, 1] });
  const ignored = new Set(stdout.toString("utf8").split("\0"));
  return [...new Set([...plain, ...inside.filter((path) => !ignored.has(`./${path}`))])];
}

/** A tracked file below an ignored folder, which the walk left out; not through a link. */
function isPlainFile(root: string, path: string): boolean {
  const full = join(root, path);
  const stat = statusOf(full);
  if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) return false;
  return realpathSync(dirname(full)) === join(realpathSync(root), dirname(path));
}

/** Its owner is us, whatever rights the agent left it with. */
function makeReadable(path: string): void {
  const status = statusOf(path);
  if (status?.isFile() && (status.mode & 0o400) === 0) chmodSync(path, status.mode | 0o400);
}

/** Gives a finding for each path that git itself would not take, so that nothing is missing without a word. */
async function updateIndex(at: GitOptions, plan: IndexPlan): Promise<Finding[]> {
  let said = "";
  // Removals first: a file may have become a folder.
  for (const [mode, paths] of [["--force-remove", plan.remove] as const, ["--add", plan.add] as const]) {
    if (paths.length === 0) continue;
    const stdin = paths.map((path) => `${path}\0`).join("");
    const call = { ...at, stdin, timeoutMs: 600_000 };
    said += (await git(["update-index", mode, "-z", "--stdin"], call).catch(explainEncoding)).stderr;
  }
  return [...said.matchAll(/^Ignoring path (.*)$/gm)].map(
    ([, path = ""]): Finding => ({ kind: "invalid-name", path, message: `${path} is a name that git does not take` }),
  );
}

/** Attributes that the agent wrote may promise an encoding that its files do not have; then git takes nothing. */
function explainEncoding(cause: unknown): never {
  if (!(cause instanceof AppError) || !/failed to encode|BOM is/.test(String(cause.details["stderr"]))) throw cause;
  throw new AppError("workspace-unusable", `A file does not have the encoding of .gitattributes: ${cause.message}`);
}

async function list(at: GitOptions, args: readonly string[]): Promise<string[]> {
  const { stdout } = await git(args, at);
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "");
}
