import type { ChildProcess } from "node:child_process";
import { AppError } from "@tutti/kernel";
import { type CommitIdentity, type GitOptions, git, gitText, objectId, start } from "./git.ts";
import type { Repository } from "./repository.ts";

/** One changed path between two trees, renames shown as a deletion and an addition. Modes as git writes them. */
export interface Change {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted" | "type-changed";
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldBlob: string;
  readonly newBlob: string;
}

const statusNames: { readonly [letter: string]: Change["status"] } = {
  A: "added",
  M: "modified",
  D: "deleted",
  T: "type-changed",
};

/** What changed from one tree or commit to another, sorted by path. */
export async function changesBetween(repository: Repository, from: string, to: string): Promise<Change[]> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--raw", objectId(from), objectId(to), "--"];
  const { stdout } = await git(args, { gitDir: repository.gitDir });
  return parseRawChanges(stdout.toString("utf8").split("\0"));
}

/** The same for many pairs of trees in one process; the answer has one list per pair. */
export async function changesOfPairs(
  at: GitOptions,
  pairs: readonly (readonly [from: string, to: string])[],
): Promise<Change[][]> {
  const stdin = pairs.map(([from, to]) => `${objectId(from)} ${objectId(to)}\n`).join("");
  const { stdout } = await git(["diff-tree", "--stdin", "-r", "-z", "--no-renames", "--raw"], { ...at, stdin });
  const byPair = new Map<string, string[]>();
  let current: string[] = [];
  for (const token of stdout.toString("utf8").split("\0")) {
    // A pair's header ends with a line break, everything else with a NUL.
    const header = /^([0-9a-f]{40,64} [0-9a-f]{40,64})\n/.exec(token);
    if (header === null) current.push(token);
    else {
      current = [token.slice(header[0].length)];
      byPair.set(header[1] ?? "", current);
    }
  }
  return pairs.map(([from, to]) => parseRawChanges(byPair.get(`${from} ${to}`) ?? []));
}

/** Reads `:<mode> <mode> <oid> <oid> <letter>` NUL `<path>` NUL … */
export function parseRawChanges(tokens: readonly string[]): Change[] {
  const changes: Change[] = [];
  for (let i = 0; i + 1 < tokens.length; i += 2) {
    const [oldMode, newMode, oldBlob, newBlob, letter] = (tokens[i] ?? "").slice(1).split(" ");
    const path = tokens[i + 1];
    if (!oldMode || !newMode || !oldBlob || !newBlob || !letter || path === undefined) continue;
    changes.push({ path, status: statusNames[letter] ?? "modified", oldMode, newMode, oldBlob, newBlob });
  }
  return changes;
}

/** Lines added and deleted between two trees; binary files count as none. */
export async function lineCounts(
  repository: Repository,
  from: string,
  to: string,
): Promise<{ added: number; deleted: number }> {
  const args = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const { stdout } = await git([...args, objectId(from), objectId(to), "--"], { gitDir: repository.gitDir });
  const total = { added: 0, deleted: 0 };
  for (const line of stdout.toString("utf8").split("\0")) {
    const [added, deleted] = line.split("\t");
    total.added += Number(added) || 0;
    total.deleted += Number(deleted) || 0;
  }
  return total;
}

/** The patch between two commits as text, for people and prompts; cut at `bytesMax` (default 256 KiB). */
export async function patchBetween(
  repository: Repository,
  options: {
    readonly from: string;
    readonly to: string;
    readonly paths?: readonly string[];
    readonly bytesMax?: number;
  },
): Promise<string> {
  const { from, to, paths = [], bytesMax = 256 * 1024 } = options;
  const args = [
    "diff-tree",
    "-r",
    "-p",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    objectId(from),
    objectId(to),
  ];
  const text = await gitText([...args, "--", ...paths], { gitDir: repository.gitDir });
  return text.length <= bytesMax
    ? text
    : `${text.slice(0, bytesMax)}\n[cut: ${text.length - bytesMax} more characters]\n`;
}

export interface CommitRequest {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly identity: CommitIdentity;
}

/** Writes a commit object. The same request always gives the same id. */
export function commitTree(repository: Repository, request: CommitRequest): Promise<string> {
  const parents = request.parents.flatMap((parent) => ["-p", objectId(parent)]);
  return gitText(["commit-tree", objectId(request.tree), ...parents, "-F", "-"], {
    gitDir: repository.gitDir,
    stdin: request.message,
    identity: request.identity,
  });
}

/** Writes a blob and gives its id. No filters, no conversions. */
export function writeBlob(repository: Repository, content: string | Uint8Array): Promise<string> {
  return gitText(["hash-object", "-w", "--no-filters", "--stdin"], { gitDir: repository.gitDir, stdin: content });
}

/** Every path in the tree of a commit, relative to its root. */
export async function filesAt(repository: Repository, commit: string): Promise<string[]> {
  const { gitDir } = repository;
  const text = await gitText(["ls-tree", "-r", "--name-only", "-z", objectId(commit)], { gitDir });
  return text.split("\0").filter((path) => path !== "");
}

/** The tree of a commit. */
export function treeOf(repository: Repository, commit: string): Promise<string> {
  return gitText(["rev-parse", "--verify", `${objectId(commit)}^{tree}`], repository);
}

/** Leaves out every commit that another one of the list already contains, and keeps the order of the rest. */
export async function independentCommits(repository: Repository, commits: readonly string[]): Promise<string[]> {
  const unique = [...new Set(commits)];
  if (unique.length < 2) return unique;
  const kept = await gitText(["merge-base", "--independent", ...unique.map(objectId)], repository);
  const keep = new Set(kept.split("\n"));
  return unique.filter((commit) => keep.has(commit));
}

/** Epoch ms of the newest committer date among the commits. */
export async function newestDate(repository: Repository, commits: readonly string[]): Promise<number> {
  const text = await gitText(["show", "-s", "--format=%ct", ...commits.map(objectId), "--"], repository);
  return Math.max(...text.split("\n").map(Number)) * 1000;
}

/** A long-lived `git cat-file --batch-command`: reads many blobs for the price of one process. Close it. */
export interface BlobReader {
  /** Undefined when the object is missing or larger than `bytesMax` (default 16 MiB). `name` is an id or `<ref>:<path>`. */
  read(name: string, bytesMax?: number): Promise<Buffer | undefined>;
  close(): void;
}

export function openBlobReader(repository: Repository): BlobReader {
  const child = start(["cat-file", "--batch-command"], { gitDir: repository.gitDir });
  const answers = answerQueue(child);
  // One question at a time: an answer has no name on it.
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (name: string, bytesMax: number): Promise<Buffer | undefined> => {
    if (/[\n\0]/.test(name)) throw new AppError("ref-invalid", "An object name cannot contain a line break");
    child.stdin?.write(`info ${name}\n`);
    const info = await answers.line();
    const size = Number(/ blob (\d+)$/.exec(info)?.[1] ?? Number.NaN);
    if (!(size <= bytesMax)) return undefined;
    child.stdin?.write(`contents ${name}\n`);
    await answers.line();
    const content = await answers.bytes(size);
    await answers.bytes(1);
    return content;
  };
  return {
    read(name, bytesMax = 16 * 1024 * 1024) {
      const answer = last.then(() => ask(name, bytesMax));
      last = answer.catch(() => undefined);
      return answer;
    },
    close: () => {
      child.stdin?.end();
    },
  };
}

interface AnswerQueue {
  line(): Promise<string>;
  bytes(count: number): Promise<Buffer>;
}

function answerQueue(child: ChildProcess): AnswerQueue {
  let chunks: Buffer[] = [];
  let held = 0;
  let ended: AppError | undefined;
  let wake: () => void = () => undefined;
  child.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    held += chunk.length;
    wake();
  });
  const end = (): void => {
    ended ??= new AppError("git-failed", "git cat-file ended before it had answered");
    wake();
  };
  child.on("close", end);
  child.on("error", end);
  child.stdin?.on("error", end);
  child.stderr?.resume();
  const more = async (): Promise<void> => {
    if (ended !== undefined) throw ended;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const take = (count: number): Buffer => {
    const all = Buffer.concat(chunks);
    chunks = [all.subarray(count)];
    held = all.length - count;
    return all.subarray(0, count);
  };
  return {
    async line() {
      for (;;) {
        const all = Buffer.concat(chunks);
        chunks = [all];
        const at = all.indexOf(10);
        if (at >= 0)
          return take(at + 1)
            .toString("utf8")
            .slice(0, -1);
        await more();
      }
    },
    async bytes(count) {
      while (held < count) await more();
      return take(count);
    },
  };
}
