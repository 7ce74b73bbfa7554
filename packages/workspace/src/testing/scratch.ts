import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CommitIdentity } from "../git.ts";
import { commitTree, writeBlob } from "../objects.ts";
import { fetchBase, openRepository, type Repository } from "../repository.ts";
import { inspectSource, type SourceRepository } from "../source.ts";
import { editTree } from "../temp-index.ts";

/** Path → content; null deletes. */
export type Files = { readonly [path: string]: string | null };

export const someone: CommitIdentity = { name: "Some One", email: "some.one@example.com", at: 1_700_000_000_000 };

/** A temporary folder with a person's repository, Tutti's state and its bare repository; all real. */
export interface Scratch {
  readonly folder: string;
  readonly stateDir: string;
  readonly source: SourceRepository;
  readonly repository: Repository;
  /** The base commit. */
  readonly base: string;
  /** Commits changes on top of `parent` (default: the base) in the bare repository. */
  commit(files: Files, parent?: string): Promise<string>;
  /** Runs git as a person would, in the source repository or in `cwd`. */
  git(args: readonly string[], cwd?: string): string;
  remove(): void;
}

/** Runs git with a fixed author and no configuration but the repository's. Throws when it fails. */
export function personGit(cwd: string, args: readonly string[], input?: string): string {
  const result = spawnSync("git", args, {
    cwd,
    input,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    env: {
      PATH: process.env["PATH"],
      HOME: cwd,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Person",
      GIT_AUTHOR_EMAIL: "person@example.com",
      GIT_AUTHOR_DATE: "@1700000000 +0000",
      GIT_COMMITTER_NAME: "Person",
      GIT_COMMITTER_EMAIL: "person@example.com",
      GIT_COMMITTER_DATE: "@1700000000 +0000",
    },
  });
  if (result.status !== 0) throw new Error(`git ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
  return result.stdout.trimEnd();
}

export function writeFiles(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    if (content === null) rmSync(join(root, path), { recursive: true, force: true });
    else {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
  }
}

/** A person's repository with one commit. */
export function makeSource(folder: string, files: Files): string {
  const root = join(folder, "source");
  mkdirSync(root, { recursive: true });
  personGit(root, ["init", "--quiet", "--initial-branch=main"]);
  writeFiles(root, files);
  personGit(root, ["add", "--all"]);
  personGit(root, ["commit", "--quiet", "--allow-empty", "--message", "base"]);
  return root;
}

export async function makeScratch(files: Files, run = "run-1"): Promise<Scratch> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-workspace-"));
  const root = makeSource(folder, files);
  const stateDir = join(folder, "state");
  const source = await inspectSource({ path: root });
  const repository = await openRepository({ stateDir, source });
  await fetchBase(repository, { run, source, commit: source.commit });
  return {
    folder,
    stateDir,
    source,
    repository,
    base: source.commit,
    commit: (changes, parent = source.commit) => commitFiles(repository, changes, parent),
    git: (args, cwd = root) => personGit(cwd, args),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function commitFiles(repository: Repository, files: Files, parent: string): Promise<string> {
  const edits = [];
  for (const [path, content] of Object.entries(files)) {
    edits.push({ path, mode: "100644", blob: content === null ? null : await writeBlob(repository, content) });
  }
  const parentTree = personGit(repository.gitDir, ["--git-dir=.", "rev-parse", `${parent}^{tree}`]);
  const tree = await editTree(repository, parentTree, edits);
  return commitTree(repository, { tree, parents: [parent], message: "change", identity: someone });
}

/** The text of a file in a commit. */
export function fileIn(repository: Repository, commit: string, path: string): string {
  return spawnSync("git", ["--git-dir=.", "cat-file", "blob", `${commit}:${path}`], {
    cwd: repository.gitDir,
    encoding: "utf8",
  }).stdout;
}
