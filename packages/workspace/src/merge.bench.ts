import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConflictMatrix } from "./conflict.ts";
import { git, gitText } from "./git.ts";
import { mergeDisjoint } from "./merge.ts";
import type { Repository } from "./repository.ts";
import { createWorkspace, removeWorkspace, type Workspace } from "./workspace.ts";

/*
 * Measuring functions for `npm run bench`. Each makes its own repository in a temporary folder and removes it. Times
 * are wall time in ms.
 */

interface Made {
  readonly repository: Repository;
  readonly folder: string;
  readonly base: string;
  readonly branches: ReadonlyMap<string, string>;
}

/**
 * All pairs of `branches` commits over a repository of `files` files with some history, and then one more. Each branch
 * changes five files of its own and three of twenty that are popular: file sharing and conflicts as real units have.
 */
export async function benchConflictMatrix(options: { readonly branches: number; readonly files: number }): Promise<{
  readonly totalMs: number;
  readonly furtherMs: number;
  readonly pairs: number;
  readonly conflicts: number;
}> {
  const made = await make(options, (branch) => [
    ...Array.from({ length: 5 }, (_, i) => ({ file: 20 + branch * 5 + i, line: 3 })),
    ...Array.from({ length: 3 }, (_, i) => ({ file: (branch * 7 + i * 3) % 20, line: (branch * 11) % 40 })),
  ]);
  try {
    const matrix = createConflictMatrix(made.repository, { base: made.base });
    const all = [...made.branches];
    const [lastKey, lastCommit] = all.at(-1) ?? ["", ""];
    const started = performance.now();
    await matrix.addAll(new Map(all.slice(0, -1)));
    const first = performance.now();
    await matrix.add(lastKey, lastCommit);
    const ended = performance.now();
    return {
      totalMs: first - started,
      furtherMs: ended - first,
      pairs: matrix.merged,
      conflicts: matrix.pairs().length,
    };
  } finally {
    rmSync(made.folder, { recursive: true, force: true });
  }
}

/** Lands `branches` commits that touch different files, over a repository of `files` files (default 10 000). */
export async function benchDisjointMerge(options: {
  readonly branches: number;
  readonly files?: number;
}): Promise<{ readonly totalMs: number; readonly landed: number }> {
  const files = options.files ?? 10_000;
  const made = await make({ branches: options.branches, files }, (branch) =>
    Array.from({ length: 3 }, (_, i) => ({ file: branch * 3 + i, line: 5 })),
  );
  try {
    const started = performance.now();
    const outcome = await mergeDisjoint(made.repository, { onto: made.base, commits: made.branches, message: "bench" });
    return { totalMs: performance.now() - started, landed: outcome.landed.length };
  } finally {
    rmSync(made.folder, { recursive: true, force: true });
  }
}

/**
 * Makes and removes workspaces of a repository of `files` files. `checkoutMs` is git alone, writing the same files into
 * an empty folder: what the file system costs. The two take turns, since that cost changes from minute to minute.
 */
export async function benchWorkspace(options: { readonly files: number; readonly samples?: number }): Promise<{
  readonly readyMs: number;
  readonly checkoutMs: number;
  readonly removeMs: number;
}> {
  const made = await make({ branches: 0, files: options.files }, () => []);
  try {
    const workspaces: Workspace[] = [];
    const times = { readyMs: [] as number[], checkoutMs: [] as number[], removeMs: [] as number[] };
    // The first of each warms up what git reads, and is not counted.
    for (let i = 0; i <= (options.samples ?? 3); i += 1) {
      const checkoutMs = await timed(() => checkOut(made, join(made.folder, `checkout-${i}`)));
      const key = { run: "bench", unit: "unit", attempt: 1, token: String(i) };
      const readyMs = await timed(async () => {
        workspaces.push(await createWorkspace(made.repository, { ...key, stateDir: made.folder, base: made.base }));
      });
      if (i === 0) continue;
      times.checkoutMs.push(checkoutMs);
      times.readyMs.push(readyMs);
    }
    for (const workspace of workspaces) times.removeMs.push(await timed(() => removeWorkspace(workspace)));
    return {
      readyMs: median(times.readyMs),
      checkoutMs: median(times.checkoutMs),
      removeMs: median(times.removeMs),
    };
  } finally {
    rmSync(made.folder, { recursive: true, force: true });
  }
}

async function checkOut(made: Made, workTree: string): Promise<void> {
  mkdirSync(workTree);
  const { gitDir } = made.repository;
  await git(["read-tree", "--reset", "-u", made.base], { gitDir, workTree, indexFile: `${workTree}.index` });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[values.length >> 1] ?? 0;
}

async function make(
  size: { readonly branches: number; readonly files: number },
  edits: (branch: number) => readonly { readonly file: number; readonly line: number }[],
): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-"));
  const gitDir = join(folder, "bench.git");
  await git(["init", "--quiet", "--bare", "--template=", gitDir], { cwd: folder });
  const stream: string[] = [];
  const commit = (ref: string, from: string | undefined, files: readonly (readonly [number, string])[]): void => {
    stream.push(`commit ${ref}\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 5\nbench\n`);
    if (from !== undefined) stream.push(`from ${from}\n`);
    for (const [file, text] of files) {
      stream.push(`M 100644 inline ${pathOf(file)}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
    }
  };
  const main = "refs/heads/main";
  commit(
    main,
    undefined,
    Array.from({ length: size.files }, (_, file) => [file, textOf(file)] as const),
  );
  // Some history, so that looking for merge bases costs what it costs in a real repository.
  for (let i = 0; i < 200; i += 1) commit(main, undefined, [[size.files + (i % 10), `${i}\n`]]);
  for (let branch = 0; branch < size.branches; branch += 1) {
    const files = edits(branch).map(
      ({ file, line }) => [file, textOf(file, { line, text: `branch ${branch}` })] as const,
    );
    commit(`refs/heads/b${String(branch).padStart(4, "0")}`, main, files);
  }
  await git(["fast-import", "--quiet"], { gitDir, stdin: stream.join(""), timeoutMs: 600_000 });
  const refs = await gitText(["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"], { gitDir });
  const all = new Map(refs.split("\n").map((line) => line.split(" ") as [string, string]));
  const base = all.get("main") ?? "";
  all.delete("main");
  return { repository: { gitDir }, folder, base, branches: all };
}

function pathOf(file: number): string {
  return `src/area-${Math.floor(file / 400)}/part-${Math.floor(file / 20)}/file-${file}.ts`;
}

function textOf(file: number, edit?: { readonly line: number; readonly text: string }): string {
  const lines = Array.from({ length: 40 }, (_, i) => (i === edit?.line ? edit.text : `line ${i} of file ${file}`));
  return `${lines.join("\n")}\n`;
}
