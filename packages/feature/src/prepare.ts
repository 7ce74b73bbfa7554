import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  cp,
  glob,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Cage } from "@tutti/agents";
import { commandResult, type RepositoryCommand, runRepositoryCommand } from "./command.ts";
import type { FeatureDeps } from "./deps.ts";
import { isInside } from "./inside.ts";
import type { Running } from "./job.ts";
import type { CheckResult, PrepareStep, RunContext } from "./model.ts";

export interface Preparation {
  readonly context: RunContext;
  readonly steps: readonly PrepareStep[];
  /** The workspace's tree: absolute. */
  readonly tree: string;
  readonly scratch: string;
  readonly cage: Cage;
}

export interface Prepared {
  /** The step that failed; those after it were not run. */
  readonly failed: CheckResult | null;
  /** Outputs that were not in the tree before; they are no work of anybody's and are taken away before capture. */
  readonly brought: readonly string[];
}

const pathsMax = 10_000;

/**
 * Installs what a workspace needs. A step whose inputs have the content of an earlier time is not run: its outputs
 * are copied from the cache. Copied, never linked: an agent that edits one in place must not change the next's.
 */
export async function prepareWorkspace(deps: FeatureDeps, at: Running, preparation: Preparation): Promise<Prepared> {
  const brought: string[] = [];
  for (const step of preparation.steps) {
    const before = new Set(await matches(preparation.tree, step.outputs));
    const kept = step.outputs.length === 0 ? undefined : await cacheFolder(deps, preparation, step);
    if (kept === undefined || !(await restore(kept, preparation.tree))) {
      at.note(`preparing: ${step.run}`);
      const result = await runStep(deps, at, { preparation, step });
      if (!result.passed) return { failed: result, brought };
      if (kept !== undefined) await store(kept, preparation.tree, step.outputs);
    }
    brought.push(...(await matches(preparation.tree, step.outputs)).filter((path) => !before.has(path)));
  }
  return { failed: null, brought };
}

/** Takes away what the preparation brought. */
export async function removeBrought(tree: string, brought: readonly string[]): Promise<void> {
  for (const path of brought) if (isInside(tree, path)) await rm(join(tree, path), { recursive: true, force: true });
}

async function runStep(
  deps: FeatureDeps,
  at: Running,
  { preparation, step }: { preparation: Preparation; step: PrepareStep },
): Promise<CheckResult> {
  const command: RepositoryCommand = {
    command: step.run,
    what: `prepare ${step.run}`,
    cwd: preparation.tree,
    scratch: preparation.scratch,
    cage: preparation.cage,
    timeoutMs: preparation.context.options.checkTimeoutMs,
  };
  return commandResult(`prepare: ${step.run}`, await runRepositoryCommand(deps, at, command));
}

async function cacheFolder(deps: FeatureDeps, preparation: Preparation, step: PrepareStep): Promise<string> {
  const hash = createHash("sha256");
  const { repository, options } = preparation.context;
  hash.update(JSON.stringify([repository.gitDir, step, preparation.cage.kind, options.network]));
  for (const path of await matches(preparation.tree, step.inputs, ["node_modules"])) {
    hash.update(`\0${path}\0`).update(await contentOf(join(preparation.tree, path)));
  }
  return join(deps.stateDir, "cache", "prepare", hash.digest("hex"));
}

/** A folder counts by its name alone: what is in it counts when a pattern says so. */
async function contentOf(path: string): Promise<string | Buffer> {
  const entry = await lstat(path);
  if (entry.isSymbolicLink()) return readlink(path);
  return entry.isFile() ? readFile(path) : "";
}

/** Sorted paths inside `tree` that the patterns name and that are there. */
async function matches(tree: string, patterns: readonly string[], leaveOut: readonly string[] = []): Promise<string[]> {
  if (patterns.length === 0) return [];
  const found = new Set<string>();
  const exclude = (name: string): boolean => name === ".git" || leaveOut.includes(name);
  for await (const path of glob([...patterns], { cwd: tree, exclude })) {
    if (isInside(tree, path)) found.add(path);
    if (found.size >= pathsMax) break;
  }
  return [...found].sort();
}

const copyAlike = {
  recursive: true,
  verbatimSymlinks: true,
  preserveTimestamps: true,
  mode: constants.COPYFILE_FICLONE,
} as const;

async function restore(kept: string, tree: string): Promise<boolean> {
  const text = await readFile(join(kept, "outputs.json"), "utf8").catch(absent);
  if (text === undefined) return false;
  for (const path of JSON.parse(text) as string[]) {
    if (!isInside(tree, path)) return false;
    const target = join(tree, path);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    await cp(join(kept, "files", path), target, copyAlike);
  }
  const now = new Date();
  await utimes(kept, now, now);
  return true;
}

/** Made aside and renamed into place, so that nobody ever copies half of it. */
async function store(kept: string, tree: string, outputs: readonly string[]): Promise<void> {
  const aside = `${kept}.${randomUUID()}`;
  const paths = await matches(tree, outputs);
  const tops = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
  try {
    await mkdir(join(aside, "files"), { recursive: true });
    for (const path of tops) {
      await mkdir(dirname(join(aside, "files", path)), { recursive: true });
      await cp(join(tree, path), join(aside, "files", path), copyAlike);
    }
    await writeFile(join(aside, "outputs.json"), JSON.stringify(tops));
    await rename(aside, kept);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    // Another unit was quicker with the same content.
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Keeps the preparations used last, and drops what a crash left half-made. */
export async function prunePrepared(stateDir: string, entriesMax = 50): Promise<void> {
  const folder = join(stateDir, "cache", "prepare");
  const names = (await readdir(folder).catch(absent)) ?? [];
  const whole = names.filter((name) => !name.includes("."));
  const aged = await Promise.all(whole.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  aged.sort((a, b) => b.at - a.at);
  const drop = [...names.filter((name) => name.includes(".")), ...aged.slice(entriesMax).map(({ name }) => name)];
  for (const name of drop) await rm(join(folder, name), { recursive: true, force: true });
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === "ENOENT") return undefined;
  throw cause;
}
