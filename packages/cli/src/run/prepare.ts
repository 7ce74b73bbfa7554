import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { detectAgents, selectAgent, selectCage } from "@tutti/agents";
import {
  checkPlan,
  type PlanDraft,
  type PlanProblem,
  type RunOptionsInput,
  readPlan,
  runOptions,
} from "@tutti/feature";
import { AppError, type JsonObject, type SourcePosition } from "@tutti/kernel";
import { runIdPattern, type StartRun } from "@tutti/protocol";
import { filesAt, inspectSource, readRef, refName, type SourceRepository } from "@tutti/workspace";
import { actor } from "./actor.ts";
import { makeRunId } from "./run-id.ts";

/** What a person asked for, as it was typed. Relative paths start at `cwd`. */
export interface RunRequest {
  readonly cwd: string;
  readonly feature: string | undefined;
  readonly repository: string;
  readonly base?: string;
  readonly allowDirty: boolean;
  readonly planFile?: string;
  readonly id?: string;
  readonly options: RunOptionsInput;
}

export interface PreparedRun {
  readonly start: StartRun;
  readonly source: SourceRepository;
  readonly plan: PlanDraft | null;
  readonly warnings: readonly PlanProblem[];
  /** One sentence: what keeps the agents in. */
  readonly cage: string;
  readonly scripted: boolean;
}

/** Checks everything that can be known before a run starts. Writes nothing; throws what is wrong, with the way out. */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const source = await findSource(request);
  const planned = request.planFile === undefined ? null : await readPlanFile(request.planFile, { request, source });
  const feature = request.feature ?? planned?.plan.feature;
  if (feature === undefined || feature.trim() === "") {
    throw new AppError(
      "argument-missing",
      'Expected the feature in quotes, such as tutti run "dark mode", or a --plan',
    );
  }
  await checkBranch(source, request.options.branch);
  const { cage, scripted, options } = await checkAgent(request, planned?.plan ?? null);
  return {
    start: {
      id: runId(request.id, feature),
      feature,
      actor: actor(),
      repository: { root: source.root, commonDir: source.commonDir, branch: source.branch, commit: source.commit },
      plan: planned === null ? null : (planned.plan as unknown as JsonObject),
      options: runOptions(options) as unknown as JsonObject,
    },
    source,
    plan: planned?.plan ?? null,
    warnings: planned?.warnings ?? [],
    cage,
    scripted,
  };
}

async function findSource({ cwd, repository, base, allowDirty, ...request }: RunRequest): Promise<SourceRepository> {
  const options = { path: resolve(cwd, repository), ...(base === undefined ? {} : { base }) };
  try {
    return await inspectSource({ ...options, allowDirty });
  } catch (error) {
    // A plan or a script that a person just wrote into the repository is no work that could be forgotten.
    const own = [request.planFile, request.options.script].filter((file) => file !== undefined);
    if (!isDirtyOnlyBy(error, new Set(own.map((file) => realPath(resolve(cwd, file)))))) throw error;
    return inspectSource({ ...options, allowDirty: true });
  }
}

function isDirtyOnlyBy(error: unknown, files: ReadonlySet<string>): boolean {
  if (!(error instanceof AppError) || error.code !== "repository-dirty") return false;
  const { root, paths } = error.details as { readonly root: string; readonly paths: readonly string[] };
  // The error names the first twenty paths at most, so more than the files themselves never passes.
  return paths.length <= files.size && paths.every((path) => files.has(join(root, path)));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Known now, and not only when the work of hours is to be published. */
async function checkBranch({ commonDir, root }: SourceRepository, branch: string | undefined): Promise<void> {
  if (branch === undefined) return;
  const present = await readRef({ gitDir: commonDir }, `refs/heads/${refName(branch)}`);
  if (present === undefined) return;
  throw new AppError("branch-exists", `Expected a new branch to publish, but ${branch} is there already in ${root}`);
}

function runId(given: string | undefined, feature: string): string {
  if (given === undefined) return makeRunId(feature);
  if (runIdPattern.test(given)) return given;
  throw new AppError(
    "option-invalid",
    `Expected --id of lower-case letters, digits and - (at most 80), but got '${given}'`,
  );
}

export async function readTextFile(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("file-unreadable", `Expected to read ${path}, but ${reason}`, { cause });
  }
}

async function readPlanFile(
  file: string,
  { request, source }: { readonly request: RunRequest; readonly source: SourceRepository },
): Promise<{ readonly plan: PlanDraft; readonly warnings: readonly PlanProblem[] }> {
  const reading = readPlan(await readTextFile(resolve(request.cwd, file)), file);
  const files = reading.plan === undefined ? [] : await filesAt({ gitDir: source.commonDir }, source.commit);
  const gates = reading.plan === undefined ? undefined : checkPlan(reading.plan, { files, place: reading.place });
  const problems = [...reading.problems, ...(gates?.problems ?? [])];
  if (reading.plan === undefined || gates?.plan === undefined) throw planError(file, problems);
  return { plan: reading.plan, warnings: problems };
}

/** All problems of a plan as one error: the first one's words, and every one as a line. */
export function planError(file: string, problems: readonly PlanProblem[]): AppError {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const more = errors.length > 1 ? `; ${errors.length - 1} more below` : "";
  return new AppError(first?.code ?? "plan-refused", `${first?.message ?? "The plan cannot be used"}${more}`, {
    place: place(first?.position) ?? file,
    details: { problems: errors.length > 1 ? errors.map(problemLine) : [] },
  });
}

export function problemLine({ code, severity, message, position }: PlanProblem): string {
  const where = place(position);
  return `${where === undefined ? "" : `${where}: `}${severity === "warning" ? "warning " : ""}${code}: ${message}`;
}

export function place(position: SourcePosition | undefined): string | undefined {
  if (position === undefined) return undefined;
  return `${position.file ?? ""}:${position.line}:${position.column}`;
}

/** Every agent that the run may call must be there, and have a cage or the person's word that it needs none. */
async function checkAgent(
  { cwd, options }: RunRequest,
  plan: PlanDraft | null,
): Promise<{ readonly cage: string; readonly scripted: boolean; readonly options: RunOptionsInput }> {
  const script = options.script === undefined ? undefined : resolve(cwd, options.script);
  const named = options.agent ?? (script === undefined ? undefined : "scripted");
  if (named === undefined) throw await agentMissing();
  const agent = absoluteAgent(named, cwd);
  if (agent === "scripted" && script === undefined) {
    throw new AppError("script-missing", "Expected a script for the scripted agents, but none was named");
  }
  const complete = runOptions({ ...options, agent, ...(script === undefined ? {} : { script }) });
  const names = new Set([agent, ...(plan?.units ?? []).flatMap((unit) => unit.agent ?? [])]);
  let cage = "";
  for (const name of names) {
    const { bundled } = await selectAgent(name === "scripted" ? `scripted:${script}` : name);
    await checkInstalled(name);
    const chosen = await selectCage({
      bundled,
      network: complete.network,
      environment: complete.environment,
      ...(complete.sandbox === "auto" ? {} : { sandbox: complete.sandbox }),
    });
    if (name === agent) cage = chosen.description;
  }
  const missing = complete.environment.filter((name) => process.env[name] === undefined);
  if (missing.length > 0) {
    throw new AppError("environment-missing", `Expected ${missing.join(", ")} to be set, but it is not`);
  }
  return { cage, scripted: agent.startsWith("scripted"), options: complete };
}

/** The owner runs elsewhere: paths that the person typed are made whole. */
function absoluteAgent(name: string, cwd: string): string {
  const [, kind = "", rest = ""] = /^(scripted|cli|acp):\s*(.*)$/s.exec(name) ?? [];
  if (kind === "scripted") return `scripted:${resolve(cwd, rest)}`;
  if (kind === "" || !/^\.\.?\//.test(rest)) return name;
  const [program = "", ...words] = rest.split(/\s+/);
  return `${kind}:${[resolve(cwd, program), ...words].join(" ")}`;
}

async function agentMissing(): Promise<AppError> {
  const installed = (await detectAgents()).filter(({ program }) => program !== null).map(({ preset }) => preset.name);
  const found = installed.length === 0 ? "no known coding agent is installed" : `installed: ${installed.join(", ")}`;
  return new AppError("agent-missing", `Expected an agent to do the work, but none was named (${found})`);
}

async function checkInstalled(name: string): Promise<void> {
  const known = (await detectAgents()).find(({ preset }) => preset.name === name);
  if (known === undefined || (known.program !== null && known.missing.length === 0)) return;
  const { preset, missing } = known;
  const hint = `${preset.title} needs ${missing.join(", ")}; install it with: ${preset.install}`;
  throw new AppError("agent-not-found", `Expected ${name} on the PATH, but it is not there. ${hint}`);
}
