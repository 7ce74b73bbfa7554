import { AppError } from "@tutti/kernel";
import { type GitOptions, git, objectId, refName } from "./git.ts";
import type { Repository } from "./repository.ts";
import type { SourceRepository } from "./source.ts";

export interface PublishOptions {
  readonly source: Pick<SourceRepository, "root">;
  readonly commit: string;
  /** Name of the branch to make, without `refs/heads/`. */
  readonly branch: string;
  /** Moves a branch of that name that is somewhere else. Default: refused. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Writes one branch into the person's repository and nothing else there: not HEAD, not the index, not the work tree,
 * no tags, no hooks run. `unchanged` when the branch already names the commit, so it can be repeated. Rejects with
 * `branch-exists`, `branch-checked-out` or `ref-invalid`.
 */
export async function publishBranch(
  repository: Repository,
  options: PublishOptions,
): Promise<{ readonly branch: string; readonly commit: string; readonly changed: boolean }> {
  const branch = refName(options.branch);
  const commit = objectId(options.commit);
  const at: GitOptions = {
    cwd: options.source.root,
    userConfiguration: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const present = await branchCommit(branch, at);
  if (present === commit) return { branch, commit, changed: false };
  if (present !== undefined && options.replace !== true) {
    throw new AppError("branch-exists", `Branch ${branch} is already there, at ${present.slice(0, 12)}`, {
      details: { branch, commit: present },
    });
  }
  if (await isCheckedOut(branch, at)) {
    throw new AppError("branch-checked-out", `Branch ${branch} is checked out in ${options.source.root}`);
  }
  // First the objects, then the ref by compare-and-set: a branch that appears meanwhile is never overwritten.
  const flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc"];
  await git(["fetch", ...flags, "--", repository.gitDir, commit], { ...at, timeoutMs: 1_800_000 });
  const expected = present ?? "0".repeat(commit.length);
  const moved = await git(
    ["update-ref", "-m", "tutti: publish", "--end-of-options", `refs/heads/${branch}`, commit, expected],
    { ...at, accept: [0, 1, 128] },
  );
  if (moved.code === 0) return { branch, commit, changed: true };
  if ((await branchCommit(branch, at)) === commit) return { branch, commit, changed: false };
  throw new AppError("branch-exists", `Branch ${branch} could not be made: ${moved.stderr.trim()}`, {
    details: { branch, git: moved.stderr.trim().slice(0, 1_000) },
  });
}

async function branchCommit(branch: string, at: GitOptions): Promise<string | undefined> {
  const found = await git(["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`], { ...at, accept: [0, 1, 128] });
  return found.code === 0 ? found.stdout.toString("utf8").trim() : undefined;
}

async function isCheckedOut(branch: string, at: GitOptions): Promise<boolean> {
  const list = await git(["worktree", "list", "--porcelain"], at);
  return list.stdout.toString("utf8").split("\n").includes(`branch refs/heads/${branch}`);
}
