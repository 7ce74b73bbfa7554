import { createHash } from "node:crypto";
import { treeOf } from "@tutti/workspace";
import type { CheckKey } from "./check-cache.ts";
import { commandResult, runRepositoryCommand } from "./command.ts";
import type { ChosenAgent, FeatureDeps } from "./deps.ts";
import type { Running } from "./job.ts";
import type { CheckResult, PlanUnit, PrepareStep, RunContext } from "./model.ts";
import { prepareWorkspace } from "./prepare.ts";
import { type Bench, withWorkspace } from "./scratch-workspace.ts";

export interface CheckRequest {
  readonly context: RunContext;
  /** Whose agent's walls the commands run in; null: the run's. */
  readonly unit: PlanUnit | null;
  /** Names the workspace. */
  readonly name: string;
  readonly attempt: number;
  readonly commit: string;
  readonly commands: readonly string[];
  readonly prepare: readonly PrepareStep[];
}

export interface CheckOutcome {
  readonly passed: boolean;
  /** One per command, in order; a failed preparation stands alone, for nothing can run without it. */
  readonly results: readonly CheckResult[];
  readonly durationMs: number;
}

/** Runs the commands on the tree of a commit, in a fresh workspace; none that has passed on this very tree before. */
export async function runChecks(deps: FeatureDeps, at: Running, request: CheckRequest): Promise<CheckOutcome> {
  const startedAt = deps.now();
  const { context, commit, prepare } = request;
  const repository = { gitDir: context.repository.gitDir };
  const commands = [...new Set(request.commands)];
  const chosen = await deps.agentFor(context, request.unit);
  const tree = await treeOf(repository, commit);
  const setting = settingOf(chosen, { context, prepare });
  const keyOf = (command: string): CheckKey => ({ gitDir: repository.gitDir, tree, command, setting });
  const known = new Map<string, CheckResult>();
  for (const command of commands) {
    const durationMs = await deps.checks.passed(keyOf(command));
    if (durationMs !== undefined) known.set(command, remembered(command, durationMs));
  }
  const open = commands.filter((command) => !known.has(command));
  if (open.length > 0) {
    const { run } = context;
    const { name: unit, attempt } = request;
    const place = { repository, run, unit, attempt, purpose: `check-${commit.slice(0, 12)}`, commit };
    const results = await withWorkspace({ deps, at, request: place }, (bench) =>
      runOpen({ deps, at, bench, chosen }, { ...request, commands: open }),
    );
    for (const result of results) {
      known.set(result.command, result);
      if (result.passed) await deps.checks.remember(keyOf(result.command), result.durationMs);
    }
  }
  const results = [...known.values()];
  const order = (result: CheckResult): number => commands.indexOf(result.command);
  results.sort((a, b) => order(a) - order(b));
  return { passed: results.every(({ passed }) => passed), results, durationMs: deps.now() - startedAt };
}

interface Scene {
  readonly deps: FeatureDeps;
  readonly at: Running;
  readonly bench: Bench;
  readonly chosen: ChosenAgent;
}

async function runOpen({ deps, at, bench, chosen }: Scene, request: CheckRequest): Promise<readonly CheckResult[]> {
  const { context, prepare: steps, commands } = request;
  const { tree, scratch } = bench;
  const cage = chosen.commandCage;
  const { failed } = await prepareWorkspace(deps, at, { context, steps, tree, scratch, cage });
  if (failed !== null) return [failed];
  const results: CheckResult[] = [];
  for (const command of commands) {
    const what = `checking: ${command}`;
    at.note(what);
    const timeoutMs = context.options.checkTimeoutMs;
    const result = await runRepositoryCommand(deps, at, { command, what, cwd: tree, scratch, cage, timeoutMs });
    results.push(commandResult(command, result));
  }
  return results;
}

function settingOf(chosen: ChosenAgent, rest: { context: RunContext; prepare: readonly PrepareStep[] }): string {
  const { kind } = chosen.commandCage;
  return createHash("sha256")
    .update(JSON.stringify([rest.prepare, kind, rest.context.options.network]))
    .digest("hex");
}

function remembered(command: string, durationMs: number): CheckResult {
  return { command, passed: true, exit: 0, timedOut: false, output: "(passed on this tree before)", durationMs };
}

/** What went wrong, in a line. */
export function failedChecks(results: readonly CheckResult[]): string | undefined {
  const red = results.filter(({ passed }) => !passed);
  const [first] = red;
  if (first === undefined) return undefined;
  const how = first.timedOut ? "timed out" : first.exit === null ? "was ended by a signal" : `exit ${first.exit}`;
  const count = results.length === 1 ? "" : `${red.length} of ${results.length} checks failed, first `;
  return `${count}${first.command} (${how})`;
}
