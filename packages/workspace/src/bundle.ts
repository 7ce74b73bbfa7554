import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError, type ArtifactReference, type ArtifactStore } from "@tutti/kernel";
import { git, objectId } from "./git.ts";
import { type Repository, setRef } from "./repository.ts";

/** A commit on its way to another machine. Plain JSON. */
export type CommitBundle = {
  readonly commit: string;
  /** Commits that whoever fetches it has already: the bundle begins behind them. */
  readonly have: readonly string[];
  /** Null: there is nothing that `have` does not bring. */
  readonly artifact: ArtifactReference | null;
};

const mediaType = "application/x-git-bundle";
const timeoutMs = 1_800_000;

/** Puts `commit` with its history behind `have` into `artifacts`, as a git bundle. Moves no ref. */
export async function bundleCommit(
  repository: Repository,
  options: {
    readonly commit: string;
    readonly have: readonly string[];
    readonly artifacts: ArtifactStore;
    readonly signal?: AbortSignal;
  },
): Promise<CommitBundle> {
  const commit = objectId(options.commit);
  const have = options.have.map(objectId);
  await requireCommits(repository, [commit, ...have]);
  const ending = options.signal === undefined ? {} : { signal: options.signal };
  const exclude = have.map((base) => `^${base}`);
  const { stdout } = await git(["rev-list", "--max-count=1", commit, ...exclude, "--"], {
    gitDir: repository.gitDir,
    ...ending,
  });
  if (stdout.length === 0) return { commit, have, artifact: null };
  return inTrialFolder(repository, async (folder) => {
    const file = join(folder, "commit.bundle");
    const gitDir = await borrowingRepository(repository, { folder, commit });
    await git(["bundle", "create", "--quiet", file, "refs/heads/bundled", ...exclude], {
      gitDir,
      timeoutMs,
      ...ending,
    });
    const artifact = await options.artifacts.put(createReadStream(file), { mediaType, ...ending });
    return { commit, have, artifact };
  });
}

/**
 * Brings a bundled commit into `repository` and names it `ref`. Rejects with `bundle-base-missing` when something that it
 * builds on is not there: fetch that first. Nothing changes then.
 */
export async function fetchBundle(
  repository: Repository,
  options: {
    readonly bundle: CommitBundle;
    readonly ref: string;
    readonly artifacts: ArtifactStore;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { bundle, ref, artifacts } = options;
  const { artifact } = bundle;
  const commit = objectId(bundle.commit);
  await requireCommits(repository, bundle.have);
  if (artifact !== null && !(await hasCommit(repository, commit))) {
    const ending = options.signal === undefined ? {} : { signal: options.signal };
    await inTrialFolder(repository, async (folder) => {
      const file = join(folder, "commit.bundle");
      await pipeline(artifacts.get(artifact, ending), createWriteStream(file, { flags: "wx", mode: 0o600 }));
      const flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
      // Without a name on our side: the ref is set when the commit is known to be the one that was meant.
      await git(["fetch", ...flags, "--", file, "refs/heads/bundled"], {
        gitDir: repository.gitDir,
        timeoutMs,
        ...ending,
      });
    });
  }
  await requireCommits(repository, [commit]);
  await setRef(repository, ref, { commit });
}

async function hasCommit(repository: Repository, commit: string): Promise<boolean> {
  const accept = [0, 1, 128];
  const { code } = await git(["cat-file", "-e", `${objectId(commit)}^{commit}`], { gitDir: repository.gitDir, accept });
  return code === 0;
}

async function requireCommits(repository: Repository, commits: readonly string[]): Promise<void> {
  for (const commit of commits) {
    if (await hasCommit(repository, commit)) continue;
    throw new AppError(
      "bundle-base-missing",
      `Expected commit ${commit} in ${repository.gitDir}, but it is not there`,
      {
        details: { commit },
      },
    );
  }
}

/** Git bundles only what a ref names, and ours are not to be touched: so one stands in a repository of its own. */
async function borrowingRepository(
  { gitDir }: Repository,
  { folder, commit }: { readonly folder: string; readonly commit: string },
): Promise<string> {
  const own = join(folder, "borrowing.git");
  await mkdir(join(own, "objects", "info"), { recursive: true });
  await mkdir(join(own, "refs", "heads"), { recursive: true });
  await writeFile(join(own, "HEAD"), "ref: refs/heads/bundled\n");
  await writeFile(join(own, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  await writeFile(join(own, "objects", "info", "alternates"), `${join(gitDir, "objects")}\n`);
  await writeFile(join(own, "refs", "heads", "bundled"), `${commit}\n`);
  // Where the history of a shallow source ends.
  await copyFile(join(gitDir, "shallow"), join(own, "shallow")).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
  });
  return own;
}

/** A folder that sweeping knows, should this process be killed. */
async function inTrialFolder<T>({ gitDir }: Repository, act: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(gitDir, `trial-bundle-${randomBytes(8).toString("hex")}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
