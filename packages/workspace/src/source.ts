import { realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "@tutti/kernel";
import { type GitOptions, git, gitText, requireGit } from "./git.ts";

/** The person's own repository, checked and resolved to one commit. Tutti only reads it; `publishBranch` is the exception. */
export interface SourceRepository {
  /** Real path of the work tree's top folder. */
  readonly root: string;
  /** Real path of the git folder that all of its work trees share. */
  readonly commonDir: string;
  /** The branch that is checked out; null when HEAD is detached. */
  readonly branch: string | null;
  /** The commit that the run starts from. */
  readonly commit: string;
  /** Paths with changes that are not committed (≤ 20 of them); empty unless `allowDirty`. */
  readonly dirty: readonly string[];
}

export interface InspectOptions {
  readonly path: string;
  /** Branch, tag or commit to start from; default HEAD. */
  readonly base?: string;
  /** Accepts changes that are not committed; they are not part of the run. */
  readonly allowDirty?: boolean;
  readonly signal?: AbortSignal;
}

const dirtyShownMax = 20;

/**
 * Checks that `path` can be worked on. Rejects with `repository-not-found`, `repository-bare`, `repository-damaged`,
 * `repository-not-owned`, `branch-unborn`, `base-not-found` or `repository-dirty`. Writes nothing.
 */
export async function inspectSource(options: InspectOptions): Promise<SourceRepository> {
  await requireGit();
  const path = resolve(options.path);
  if (!isDirectory(path)) {
    throw new AppError("repository-not-found", `Expected a git repository at ${path}, but there is no such folder`);
  }
  const at: GitOptions = {
    cwd: path,
    userConfiguration: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const { root, commonDir } = await locate(path, at);
  const inRoot: GitOptions = { ...at, cwd: root };
  const head = await readHead(root, inRoot);
  const commit = await resolveBase(options.base, head.commit, inRoot);
  const dirty = await dirtyPaths(inRoot);
  if (dirty.length > 0 && options.allowDirty !== true) {
    const shown = dirty.slice(0, dirtyShownMax);
    throw new AppError(
      "repository-dirty",
      `${root} has ${dirty.length} ${dirty.length === 1 ? "change that is" : "changes that are"} not committed: ${shown.slice(0, 5).join(", ")}${dirty.length > 5 ? ", …" : ""}`,
      { details: { root, paths: shown } },
    );
  }
  return { root, commonDir, branch: head.branch, commit, dirty: dirty.slice(0, dirtyShownMax) };
}

async function locate(path: string, at: GitOptions): Promise<{ root: string; commonDir: string }> {
  const found = await git(["rev-parse", "--is-inside-work-tree", "--show-toplevel", "--git-common-dir"], {
    ...at,
    accept: [0, 128],
  });
  if (found.code === 0) {
    const [, root, commonDir] = found.stdout.toString("utf8").split("\n");
    if (root !== undefined && commonDir !== undefined) {
      return { root: realpathSync(root), commonDir: realpathSync(resolve(path, commonDir)) };
    }
  }
  throw locateError(path, found.stderr.trim());
}

function locateError(path: string, stderr: string): AppError {
  const details = { path, git: stderr.slice(0, 1_000) };
  if (/dubious ownership/.test(stderr)) {
    return new AppError("repository-not-owned", `The repository at ${path} belongs to another user`, { details });
  }
  if (/bare repository|must be run in a work tree/.test(stderr)) {
    return new AppError("repository-bare", `Expected a repository with a work tree, but ${path} is bare`, { details });
  }
  const marker = enclosingGitFolder(path);
  if (marker !== undefined) {
    const message = `${marker} is there, but git cannot read it: ${firstLine(stderr)}`;
    return new AppError("repository-damaged", message, { details });
  }
  return new AppError("repository-not-found", `Expected a git repository at ${path}, but found none there or above`, {
    details,
  });
}

async function readHead(root: string, at: GitOptions): Promise<{ branch: string | null; commit: string }> {
  const symbolic = await git(["symbolic-ref", "--quiet", "--short", "HEAD"], { ...at, accept: [0, 1, 128] });
  const branch = symbolic.code === 0 ? symbolic.stdout.toString("utf8").trim() : null;
  const head = await git(["rev-parse", "--verify", "--quiet", "HEAD"], { ...at, accept: [0, 1, 128] });
  if (head.code !== 0) {
    if (branch === null) throw new AppError("repository-damaged", `HEAD of ${root} does not name a branch or a commit`);
    const ref = await git(["for-each-ref", "--format=%(refname)", "--", `refs/heads/${branch}`], {
      ...at,
      accept: [0, 1, 128],
    });
    if (ref.code !== 0 || /broken ref|bad object/.test(ref.stderr + head.stderr)) {
      throw new AppError("repository-damaged", `Branch ${branch} of ${root} cannot be read: ${firstLine(ref.stderr)}`);
    }
    throw new AppError("branch-unborn", `Branch ${branch} of ${root} has no commit yet`, { details: { root, branch } });
  }
  const commit = head.stdout.toString("utf8").trim();
  const there = await git(["cat-file", "-t", commit], { ...at, accept: [0, 1, 128] });
  if (there.code !== 0) {
    throw new AppError("repository-damaged", `The commit ${commit} that HEAD of ${root} names cannot be read`, {
      details: { git: there.stderr.trim().slice(0, 1_000) },
    });
  }
  return { branch, commit };
}

async function resolveBase(base: string | undefined, head: string, at: GitOptions): Promise<string> {
  if (base === undefined) return head;
  const found = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${base}^{commit}`], {
    ...at,
    accept: [0, 1, 128],
  });
  if (found.code !== 0) throw new AppError("base-not-found", `Expected a branch, tag or commit, but got '${base}'`);
  // With --end-of-options git 2.39 repeats the option itself on the first line.
  return found.stdout.toString("utf8").trim().split("\n").at(-1) ?? head;
}

async function dirtyPaths(at: GitOptions): Promise<string[]> {
  const status = await gitText(["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"], at);
  return status
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => line.slice(3));
}

function enclosingGitFolder(path: string): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    const marker = join(folder, ".git");
    if (statSync(marker, { throwIfNoEntry: false }) !== undefined) return marker;
    if (dirname(folder) === folder) return undefined;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
