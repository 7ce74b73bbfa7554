import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError } from "@tutti/kernel";
import { git, gitText, objectId, refName } from "./git.ts";
import { digest, safeName } from "./name.ts";
import { removeTree } from "./remove-tree.ts";
import type { SourceRepository } from "./source.ts";

/** Tutti's own bare repository: every object and ref of every run on one source repository lives here. */
export interface Repository {
  /** Absolute path; the whole identity, so it can be kept as a string and used again after a restart. */
  readonly gitDir: string;
}

/**
 * Opens the bare repository that belongs to `source` below `stateDir`, making it when it is not there. Safe when
 * several runs or processes do so at once.
 */
export async function openRepository(options: {
  readonly stateDir: string;
  readonly source: Pick<SourceRepository, "root" | "commonDir">;
}): Promise<Repository> {
  const { root, commonDir } = options.source;
  const slug =
    basename(root)
      .replace(/[^A-Za-z0-9_-]+/g, "-")
      .slice(0, 40) || "repository";
  const name = `${slug}-${digest(commonDir).slice(0, 12)}.git`;
  return makeRepository(join(options.stateDir, "repositories"), name, { root, commonDir });
}

/**
 * On another machine than the one that has the source: the repository below `stateDir` that is called as the one at
 * `gitDir` there. It is empty at first: what is in it comes as bundles. Where `gitDir` is the one of `stateDir`, it is that.
 */
export function openNamesake(options: { readonly stateDir: string; readonly gitDir: string }): Promise<Repository> {
  const name = `${safeName(basename(options.gitDir, ".git"))}.git`;
  return makeRepository(join(options.stateDir, "repositories"), name, { namesakeOf: options.gitDir });
}

async function makeRepository(
  folder: string,
  name: string,
  about: { readonly [key: string]: string },
): Promise<Repository> {
  const gitDir = join(folder, name);
  if (existsSync(join(gitDir, "tutti.json"))) return { gitDir };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Made aside and renamed into place, so that nobody ever sees half a repository.
  const making = join(folder, `.making-${randomBytes(6).toString("hex")}`);
  try {
    await git(["init", "--quiet", "--bare", "--template=", "--initial-branch=none", "--", making], { cwd: folder });
    for (const [key, value] of bareConfiguration) await git(["config", key, value], { gitDir: making });
    await writeFile(join(making, "tutti.json"), `${JSON.stringify({ format: 1, ...about })}\n`);
    await rename(making, gitDir);
  } catch (cause) {
    await rm(making, { recursive: true, force: true });
    if (!existsSync(join(gitDir, "tutti.json"))) throw cause;
  }
  return { gitDir };
}

const bareConfiguration: readonly (readonly [string, string])[] = [
  ["gc.auto", "0"],
  ["core.logAllRefUpdates", "false"],
  ["core.fileMode", "true"],
  ["core.symlinks", "true"],
  ["transfer.hideRefs", "refs/tutti"],
];

/** Brings `commit` and its history into the bare repository and names it `refs/tutti/<run>/base`. */
export async function fetchBase(
  repository: Repository,
  options: {
    readonly run: string;
    readonly source: Pick<SourceRepository, "commonDir">;
    readonly commit: string;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { gitDir } = repository;
  const target = runRef(options.run, "base");
  const flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow"];
  const spec = `+${objectId(options.commit)}:${target}`;
  try {
    await git(["fetch", ...flags, "--", options.source.commonDir, spec], {
      gitDir,
      timeoutMs: 1_800_000,
      userConfiguration: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== "git-failed") throw cause;
    const said = String(cause.details["stderr"] ?? "");
    if (
      !/missing|corrupt|bad object|could not (read|parse)|unable to read|did not send all|not our ref|inflate/i.test(
        said,
      )
    )
      throw cause;
    throw new AppError(
      "repository-damaged",
      `Objects of commit ${options.commit} cannot be read: ${said.split("\n")[0]}`,
      {
        cause,
        details: { git: said },
      },
    );
  }
}

/** A ref of one run: `runRef(run, "units", id, "2")` is `refs/tutti/<run>/units/<id>/2`, each part made safe. */
export function runRef(run: string, ...parts: readonly string[]): string {
  return refName(["refs/tutti", safeName(run), ...parts.map(safeName)].join("/"));
}

/**
 * Points `ref` at `commit`. With `expected` only if it is there now (null: it does not exist); answers whether it
 * moved, so a late writer learns that it lost.
 */
export async function setRef(
  repository: Repository,
  ref: string,
  change: { readonly commit: string; readonly expected?: string | null },
): Promise<boolean> {
  const args = ["update-ref", "--end-of-options", refName(ref), objectId(change.commit)];
  if (change.expected === null) args.push("0".repeat(change.commit.length));
  else if (change.expected !== undefined) args.push(objectId(change.expected));
  const { code, stderr } = await git(args, { gitDir: repository.gitDir, accept: [0, 1, 128] });
  if (code === 0) return true;
  if (change.expected !== undefined && /but expected|already exists|is at|unable to resolve/.test(stderr)) return false;
  throw new AppError("git-failed", `Ref ${ref} could not be written: ${stderr.trim()}`);
}

/** The object id that `ref` names, or undefined. */
export async function readRef(repository: Repository, ref: string): Promise<string | undefined> {
  const { code, stdout } = await git(["rev-parse", "--verify", "--quiet", refName(ref)], {
    gitDir: repository.gitDir,
    accept: [0, 1, 128],
  });
  return code === 0 ? stdout.toString("utf8").trim() : undefined;
}

/** Every ref of a run with its object id, or those below one part of its name, sorted by name. */
export async function listRefs(
  repository: Repository,
  run: string,
  ...parts: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const folder = `${runRef(run, ...parts)}/`;
  const text = await gitText(["for-each-ref", "--format=%(objectname) %(refname)", "--", folder], repository);
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))]));
}

/** Points every ref at its commit, wherever it was: all of them or none. */
export async function setRefs(repository: Repository, refs: ReadonlyMap<string, string>): Promise<void> {
  const stdin = [...refs].map(([ref, commit]) => `update ${refName(ref)} ${objectId(commit)}\n`).join("");
  if (stdin !== "") await git(["update-ref", "--stdin"], { gitDir: repository.gitDir, stdin });
}

/** Forgets refs; those that are gone already do no harm. Their objects stay until the repository is repacked. */
export async function removeRefs(repository: Repository, refs: Iterable<string>): Promise<void> {
  const stdin = [...refs].map((ref) => `delete ${refName(ref)}\n`).join("");
  if (stdin !== "") await git(["update-ref", "--stdin"], { gitDir: repository.gitDir, stdin });
}

/** Forgets every ref of a run. */
export async function removeRun(repository: Repository, run: string): Promise<void> {
  await removeRefs(repository, (await listRefs(repository, run)).keys());
}

/** Every bare repository below `stateDir`. */
export async function repositories(stateDir: string): Promise<Repository[]> {
  const folder = join(stateDir, "repositories");
  const names = (await namesIn(folder)).filter((name) => !name.startsWith("."));
  return names.map((name) => ({ gitDir: join(folder, name) }));
}

/** The runs that have a ref of this name, as their refs are called. */
export async function runsWith(repository: Repository, part: string): Promise<string[]> {
  const pattern = `refs/tutti/*/${safeName(part)}`;
  const text = await gitText(["for-each-ref", "--format=%(refname)", "--", pattern], repository);
  return text.split("\n").flatMap((ref) => ref.split("/")[2] ?? []);
}

/**
 * Removes what calls that were killed left in our repositories: trial objects, temporary indexes, half-made
 * repositories and stale locks. For the start, before anything runs; what is younger than `minAgeMs` (default 10 000)
 * may belong to a git that outlived its owner and stays. Gives the removed paths.
 */
export async function sweepRepositories(
  stateDir: string,
  options: { readonly minAgeMs?: number } = {},
): Promise<string[]> {
  const folder = join(stateDir, "repositories");
  const before = Date.now() - (options.minAgeMs ?? 10_000);
  const removed: string[] = [];
  const removeIf = async (path: string, isRubbish: boolean): Promise<void> => {
    if (!isRubbish || ((await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY) > before) return;
    await removeTree(path);
    removed.push(path);
  };
  for (const name of await namesIn(folder)) await removeIf(join(folder, name), name.startsWith("."));
  for (const { gitDir } of await repositories(stateDir)) {
    for (const inner of await namesIn(gitDir))
      await removeIf(join(gitDir, inner), /^(?:trial-|index-|\.removing-)|\.lock$/.test(inner));
    for (const lock of await namesIn(join(gitDir, "refs", "tutti"), true)) {
      await removeIf(join(gitDir, "refs", "tutti", lock), lock.endsWith(".lock"));
    }
  }
  return removed;
}

async function namesIn(folder: string, recursive = false): Promise<string[]> {
  const names = await readdir(folder, { recursive }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return [];
    throw cause;
  });
  return names.sort();
}
