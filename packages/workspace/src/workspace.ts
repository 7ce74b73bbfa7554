import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@tutti/kernel";
import { type GitOptions, git, gitText, objectId, refName } from "./git.ts";
import { safeName } from "./name.ts";
import { removeTree } from "./remove-tree.ts";
import { type Repository, readRef, runRef } from "./repository.ts";

/*
 * A workspace is a folder of its own outside the person's repository, one per attempt:
 *   <state>/workspaces/<run>/<unit>/<attempt>-<token>/
 *     workspace.json   who it belongs to; `ready` once everything else is there
 *     tree/            what the agent sees, with a `.git` of its own that we never read again
 * The lease token in the path keeps a late writer of an earlier lease out of the current attempt.
 */

export interface WorkspaceKey {
  readonly run: string;
  readonly unit: string;
  /** From 1. */
  readonly attempt: number;
  /** The fencing token of the lease under which it was made. */
  readonly token: string;
}

export interface Workspace extends WorkspaceKey {
  /** The folder that `removeWorkspace` removes. */
  readonly folder: string;
  /** Where the agent works: absolute path. */
  readonly tree: string;
  /** The commit that was checked out. */
  readonly base: string;
  /** The branch that is checked out in the agent's own `.git`. */
  readonly branch: string;
  /** A cage must show these read-only, or git inside the workspace does not find its objects. */
  readonly readOnlyPaths: readonly string[];
}

/** What is found on disk: a workspace, or the remains of one that was never finished (`ready` false). */
export interface WorkspaceEntry extends WorkspaceKey {
  readonly folder: string;
  readonly ready: boolean;
}

interface WorkspaceFile extends WorkspaceKey {
  readonly format: 1;
  readonly base: string;
  readonly branch: string;
  readonly gitDir: string;
  readonly ready: boolean;
}

const markerName = "workspace.json";

/**
 * Makes a workspace with the tree of `base` in it. What a crash left half-made under the same key is replaced; a
 * finished one is refused with `workspace-exists`.
 */
export async function createWorkspace(
  repository: Repository,
  options: WorkspaceKey & { readonly stateDir: string; readonly base: string; readonly signal?: AbortSignal },
): Promise<Workspace> {
  const folder = workspaceFolder(options.stateDir, options);
  const present = await readMarker(folder);
  if (present?.ready) throw new AppError("workspace-exists", `There is a workspace at ${folder} already`);
  await removeTree(folder);
  const tree = join(folder, "tree");
  await mkdir(tree, { recursive: true, mode: 0o700 });
  const marker: WorkspaceFile = {
    format: 1,
    run: options.run,
    unit: options.unit,
    attempt: options.attempt,
    token: options.token,
    base: objectId(options.base),
    branch: refName(`tutti/${safeName(options.unit)}`),
    gitDir: repository.gitDir,
    ready: false,
  };
  await writeMarker(folder, marker);
  const signal: GitOptions = options.signal === undefined ? {} : { signal: options.signal };
  const index = join(folder, "index");
  await git(["-c", "checkout.workers=2", "read-tree", "--reset", "-u", marker.base], {
    gitDir: repository.gitDir,
    workTree: tree,
    indexFile: index,
    ...signal,
  });
  await makeAgentRepository(repository, tree, { marker, index });
  await writeMarker(folder, { ...marker, ready: true });
  return toWorkspace(folder, marker);
}

/** Agents expect a repository around them. It borrows our objects, has no remote, and nothing in it is ever trusted. */
async function makeAgentRepository(
  repository: Repository,
  tree: string,
  { marker, index }: { marker: WorkspaceFile; index: string },
): Promise<void> {
  const dotGit = join(tree, ".git");
  await git(["init", "--quiet", "--template=", `--initial-branch=${marker.branch}`, "--", tree], { cwd: tree });
  await mkdir(join(dotGit, "objects", "info"), { recursive: true });
  await writeFile(join(dotGit, "objects", "info", "alternates"), `${join(repository.gitDir, "objects")}\n`);
  const shallow = join(repository.gitDir, "shallow");
  if (existsSync(shallow)) await copyFile(shallow, join(dotGit, "shallow"));
  await appendFile(join(dotGit, "config"), agentConfiguration);
  await git(["update-ref", `refs/heads/${marker.branch}`, marker.base], { gitDir: dotGit });
  await rename(index, join(dotGit, "index"));
}

const agentConfiguration = `[user]
\tname = Tutti agent
\temail = agent@tutti.invalid
[gc]
\tauto = 0
[commit]
\tgpgSign = false
`;

/** Finds a workspace again, after a crash or in another handler. Rejects with `workspace-not-found`. */
export async function adoptWorkspace(stateDir: string, key: WorkspaceKey): Promise<Workspace> {
  const folder = workspaceFolder(stateDir, key);
  const marker = await readMarker(folder);
  if (marker === undefined || !marker.ready) {
    throw new AppError("workspace-not-found", `Expected a finished workspace at ${folder}, but there is none`);
  }
  return toWorkspace(folder, marker);
}

/**
 * Removes a workspace, and the folders of its unit and run with their last one; nothing happens when it is gone.
 * Links are removed, never followed.
 */
export async function removeWorkspace(workspace: Pick<Workspace, "folder">): Promise<void> {
  await removeTree(workspace.folder);
  const unit = dirname(workspace.folder);
  // Whoever makes another one there meanwhile makes its folders anew when they went.
  if (await removeIfEmpty(unit)) await removeIfEmpty(dirname(unit));
}

async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (cause) {
    if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes((cause as NodeJS.ErrnoException).code ?? "")) return false;
    throw cause;
  }
}

/** Every workspace on disk, of one run or of all. */
export async function listWorkspaces(stateDir: string, run?: string): Promise<WorkspaceEntry[]> {
  const top = join(stateDir, "workspaces");
  const entries: WorkspaceEntry[] = [];
  for (const runName of run === undefined ? await folders(top) : [safeName(run)]) {
    for (const unitName of await folders(join(top, runName))) {
      for (const name of await folders(join(top, runName, unitName))) {
        const folder = join(top, runName, unitName, name);
        const marker = await readMarker(folder);
        const [attempt, token] = splitOnce(name, "-");
        entries.push(
          marker === undefined
            ? { run: runName, unit: unitName, attempt: Number(attempt), token, folder, ready: false }
            : { ...keyOf(marker), folder, ready: marker.ready },
        );
      }
    }
  }
  return entries;
}

export interface Swept {
  readonly removed: readonly WorkspaceEntry[];
  /** What could not be removed, and why: files of another user, such as a container leaves. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}

/** Removes every workspace that `keep` does not want, and what earlier removals left. What resists does not stop it. */
export async function sweepWorkspaces(stateDir: string, keep: (entry: WorkspaceEntry) => boolean): Promise<Swept> {
  const removed: WorkspaceEntry[] = [];
  const left = new Map<string, string>();
  const remove = async (path: string): Promise<boolean> => {
    try {
      await removeTree(path);
      return true;
    } catch (cause) {
      left.set(path, cause instanceof Error ? cause.message : String(cause));
      return false;
    }
  };
  const top = join(stateDir, "workspaces");
  for (const path of await remains(top)) await remove(path);
  for (const entry of await listWorkspaces(stateDir)) {
    if (!keep(entry) && (await remove(entry.folder))) removed.push(entry);
  }
  for (const run of await folders(top)) {
    for (const unit of await folders(join(top, run))) await removeIfEmpty(join(top, run, unit));
    await removeIfEmpty(join(top, run));
  }
  return { removed, left: [...left].map(([path, reason]) => ({ path, reason })) };
}

/** What removals that were cut short left, at each level: hidden folders. */
async function remains(top: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (path: string, depth: number): Promise<void> => {
    for (const name of await folders(path, true)) {
      if (name.startsWith(".")) found.push(join(path, name));
      else if (depth > 0) await look(join(path, name), depth - 1);
    }
  };
  await look(top, 2);
  return found;
}

export interface WorkspaceStatus {
  readonly branch: string;
  readonly base: string;
  /** The captured commit of this attempt, or the base as long as nothing was captured. */
  readonly commit: string;
  readonly captured: boolean;
  /** Of `commit`. */
  readonly author: string;
  readonly message: string;
}

/** Branch, commit, author and message, read from our own repository; the agent's `.git` is not asked. */
export async function workspaceStatus(repository: Repository, workspace: Workspace): Promise<WorkspaceStatus> {
  const captured = await readRef(repository, captureRef(workspace));
  const commit = captured ?? workspace.base;
  const text = await gitText(["show", "-s", "--format=%an <%ae>%n%B", commit, "--"], repository);
  const [author, message] = splitOnce(text, "\n");
  const { branch, base } = workspace;
  return { branch, base, commit, captured: captured !== undefined, author, message: message.trim() };
}

/** Where the captured commit of an attempt is kept. */
export function captureRef(key: Pick<WorkspaceKey, "run" | "unit" | "attempt">): string {
  return runRef(key.run, "units", key.unit, String(key.attempt));
}

function workspaceFolder(stateDir: string, key: WorkspaceKey): string {
  const name = `${key.attempt}-${safeName(key.token)}`;
  return join(stateDir, "workspaces", safeName(key.run), safeName(key.unit), name);
}

function toWorkspace(folder: string, marker: WorkspaceFile): Workspace {
  return {
    ...keyOf(marker),
    folder,
    tree: join(folder, "tree"),
    base: marker.base,
    branch: marker.branch,
    readOnlyPaths: [join(marker.gitDir, "objects")],
  };
}

function keyOf({ run, unit, attempt, token }: WorkspaceKey): WorkspaceKey {
  return { run, unit, attempt, token };
}

async function readMarker(folder: string): Promise<WorkspaceFile | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, markerName), "utf8")) as WorkspaceFile;
  } catch (cause) {
    if (cause instanceof SyntaxError || (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

async function writeMarker(folder: string, marker: WorkspaceFile): Promise<void> {
  const aside = join(folder, `${markerName}.new`);
  await writeFile(aside, `${JSON.stringify(marker)}\n`);
  await rename(aside, join(folder, markerName));
}

async function folders(path: string, hidden = false): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && (hidden || !entry.name.startsWith(".")))
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
