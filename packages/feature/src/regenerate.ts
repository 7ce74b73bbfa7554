import { lstat, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { commitTree, type Ladder, type RegenerateRequest } from "@tutti/workspace";
import { commandResult, runRepositoryCommand } from "./command.ts";
import type { FeatureDeps } from "./deps.ts";
import { isInside } from "./inside.ts";
import type { Running } from "./job.ts";
import type { Plan, PrepareStep, RegenerateStep, RunContext } from "./model.ts";
import { matchesAny } from "./plan/overlap.ts";
import { prepareWorkspace } from "./prepare.ts";
import { withWorkspace } from "./scratch-workspace.ts";
import { lastLines } from "./text.ts";

const madeBytesMax = 16 * 1024 * 1024;

/** The ladder's rung for generated files: the plan's command for the path, run on the tree that lacks the file. */
export function regenerateRung(
  deps: FeatureDeps,
  at: Running,
  { context, plan }: { readonly context: RunContext; readonly plan: Pick<Plan, "prepare" | "regenerate"> },
): Pick<Ladder, "isGenerated" | "regenerate"> {
  const stepFor = (path: string): RegenerateStep | undefined =>
    plan.regenerate.find(({ paths }) => paths.some((pattern) => matchesAny(pattern, [path])));
  return {
    isGenerated: (path) => stepFor(path) !== undefined,
    regenerate: async (request) => {
      const step = stepFor(request.path);
      if (step === undefined) throw new AppError("regenerate-failed", "the plan names no command that makes it");
      return makeAnew({ deps, at, context, prepare: plan.prepare }, request, step);
    },
  };
}

interface Scene {
  readonly deps: FeatureDeps;
  readonly at: Running;
  readonly context: RunContext;
  readonly prepare: readonly PrepareStep[];
}

async function makeAnew(
  { deps, at, context, prepare }: Scene,
  { path, tree }: RegenerateRequest,
  step: RegenerateStep,
): Promise<string> {
  const repository = { gitDir: context.repository.gitDir };
  const identity = { name: "Tutti", email: "tutti@tutti.invalid", at: 0 };
  const commit = await commitTree(repository, { tree, parents: [], message: `Everything but ${path}\n`, identity });
  const place = { repository, run: context.run, unit: `regenerate:${path}`, attempt: 1, purpose: "regenerate", commit };
  const { commandCage: cage } = await deps.agentFor(context, null);
  return withWorkspace({ deps, at, request: place }, async ({ tree: cwd, scratch }) => {
    // What installs from the missing file fails without it, and that need not matter: the command decides.
    const prepared = await prepareWorkspace(deps, at, { context, steps: prepare, tree: cwd, scratch, cage });
    if (isInside(cwd, path)) await rm(join(cwd, path), { recursive: true, force: true });
    const what = `regenerate ${path}`;
    at.note(`${what}: ${step.run}`);
    const timeoutMs = context.options.checkTimeoutMs;
    const command = { command: step.run, what, cwd, scratch, cage, timeoutMs };
    const { passed, output, exit } = commandResult(step.run, await runRepositoryCommand(deps, at, command));
    if (!passed) {
      const said = lastLines(output, 3).join(" / ");
      const unprepared = prepared.failed === null ? "" : `; before it \`${prepared.failed.command}\` had failed`;
      throw new AppError("regenerate-failed", `\`${step.run}\` ended with ${exit ?? "a signal"}: ${said}${unprepared}`);
    }
    return madeFile(cwd, path, step);
  });
}

async function madeFile(tree: string, path: string, { run }: RegenerateStep): Promise<string> {
  const file = join(tree, path);
  const entry = isInside(tree, path) ? await lstat(file).catch(() => undefined) : undefined;
  if (entry?.isFile() !== true) throw new AppError("regenerate-failed", `\`${run}\` left no file ${path}`);
  if (entry.size > madeBytesMax) throw new AppError("regenerate-failed", `${path} came out larger than 16 MiB`);
  return readFile(file, "utf8");
}
