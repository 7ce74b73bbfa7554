import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job, JobAbortReason, JobOutcome, JsonObject } from "@tutti/kernel";
import { fetchBase, inspectSource, openRepository, type Repository } from "@tutti/workspace";
import { createFeatureDeps, type FeatureDeps } from "../deps.ts";
import { featureHandlers } from "../handlers/table.ts";
import { asJson } from "../job.ts";
import type { Plan, PlanUnit, RunContext, RunOptions } from "../model.ts";
import { runOptions } from "../options.ts";

export const examples: string = fileURLToPath(new URL("../../../../examples", import.meta.url));

/** Path → content. */
export type Files = { readonly [path: string]: string };

/** A person's repository, Tutti's state and its bare repository, all real and in one temporary folder. */
export interface World {
  readonly folder: string;
  readonly source: string;
  readonly repository: Repository;
  readonly context: RunContext;
  readonly deps: FeatureDeps;
  /** Runs git in the bare repository. */
  git(...args: readonly string[]): string;
  remove(): void;
}

export interface WorldOptions {
  /** Files of the base commit, or a folder to copy. */
  readonly base: Files | string;
  /** Text of a `tutti-script/1` file, or the path of one. */
  readonly script?: string;
  readonly options?: Partial<RunOptions>;
}

const person = {
  GIT_AUTHOR_NAME: "Person",
  GIT_AUTHOR_EMAIL: "person@example.com",
  GIT_AUTHOR_DATE: "@1700000000 +0000",
};
const committer = {
  GIT_COMMITTER_NAME: "Person",
  GIT_COMMITTER_EMAIL: "person@example.com",
  GIT_COMMITTER_DATE: "@1700000000 +0000",
};

/** Git with a fixed author and no configuration but the repository's. */
export function runGit(cwd: string, args: readonly string[]): string {
  const configuration = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", HOME: cwd };
  const env = { PATH: process.env["PATH"], ...configuration, ...person, ...committer };
  const result = spawnSync("git", args, { cwd, encoding: "utf8", env, maxBuffer: 64 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`git ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
  return result.stdout.trimEnd();
}

export async function createWorld({ base, script, options = {} }: WorldOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-feature-"));
  const source = join(folder, "source");
  if (typeof base === "string") cpSync(base, source, { recursive: true });
  else for (const [path, content] of Object.entries(base)) writeText(join(source, path), content);
  runGit(source, ["init", "-q", "-b", "main"]);
  runGit(source, ["add", "-A"]);
  runGit(source, ["commit", "-qm", "base"]);
  const inspected = await inspectSource({ path: source });
  const stateDir = join(folder, "state");
  const repository = await openRepository({ stateDir, source: inspected });
  const run = "r1";
  await fetchBase(repository, { run, source: inspected, commit: inspected.commit });
  const scriptFile = script?.startsWith("/") ? script : join(folder, "agents.yaml");
  if (script !== undefined && scriptFile !== script) writeText(scriptFile, script);
  const context: RunContext = {
    run,
    repository: { path: source, gitDir: repository.gitDir, base: inspected.commit, branch: "main" },
    options: runOptions({ script: scriptFile, ...options }),
  };
  return {
    folder,
    source,
    repository,
    context,
    deps: createFeatureDeps({ stateDir }),
    git: (...args) => runGit(repository.gitDir, args),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function writeText(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

export function planUnit(id: string, rest: Partial<PlanUnit> = {}): PlanUnit {
  return {
    id,
    title: `Do ${id}`,
    intent: `${id} is done.`,
    requirements: [],
    acceptance: [],
    touches: { owns: ["**"], may: [], creates: [] },
    provides: [],
    needs: [],
    dependsOn: [],
    size: "small",
    resource: "light",
    priority: 3,
    verify: ["true"],
    locks: [],
    ...rest,
  };
}

export function planOf(units: readonly PlanUnit[], rest: Partial<Plan> = {}): Plan {
  const lists = { requirements: [], checks: [], prepare: [], regenerate: [] };
  return { format: "tutti-plan/1", feature: "A feature", ...lists, units, ...rest };
}

/** What agents are told from now on. */
export function watchPrompts(world: World): string[] {
  const prompts: string[] = [];
  const { deps } = world;
  const { agentFor } = deps;
  Object.assign(deps, {
    agentFor: async (...args: Parameters<typeof agentFor>) => {
      const chosen = await agentFor(...args);
      const run: typeof chosen.agent.run = (task, context) => {
        prompts.push(task.prompt);
        return chosen.agent.run(task, context);
      };
      return { ...chosen, agent: { name: chosen.agent.name, run } };
    },
  });
  return prompts;
}

export interface Calls {
  /** Every sign of life, in order. */
  readonly notes: string[];
  readonly controller: AbortController;
  call(type: string, input: object, job?: Partial<Job>): Promise<JobOutcome>;
  /** The result of a job that must complete. */
  result<T>(type: string, input: object, job?: Partial<Job>): Promise<T>;
  abort(reason: JobAbortReason): void;
}

/** Calls handlers as an engine would: every call is a job of its own unless it names one. */
export function caller(deps: FeatureDeps): Calls {
  const handlers = featureHandlers(deps);
  const notes: string[] = [];
  const controller = new AbortController();
  let count = 0;
  const call = async (type: string, input: object, job: Partial<Job> = {}): Promise<JobOutcome> => {
    const handler = handlers[type];
    if (handler === undefined) throw new Error(`no handler for ${type}`);
    count += 1;
    return handler(jobOf(type, { input: asJson(input), count, job }), {
      signal: controller.signal,
      heartbeat: (progress) => notes.push(progress?.note ?? ""),
    });
  };
  return {
    notes,
    controller,
    call,
    async result<T>(type: string, input: object, job?: Partial<Job>): Promise<T> {
      const outcome = await call(type, input, job);
      if (outcome.type !== "completed") throw new Error(`${type} ended ${JSON.stringify(outcome)}`);
      return outcome.result as T;
    },
    abort: (reason) => controller.abort(reason),
  };
}

function jobOf(type: string, rest: { input: JsonObject; count: number; job: Partial<Job> }): Job {
  return {
    id: `i1/${rest.count}`,
    instanceId: "i1",
    rootId: "r1",
    elementId: type,
    type,
    queue: "standard",
    priority: 3,
    attempt: 1,
    attemptsMax: 3,
    // Over the wire everything is JSON: nothing may hang on identity or undefined.
    input: JSON.parse(JSON.stringify(rest.input)) as JsonObject,
    headers: {},
    fencingToken: 1,
    ...rest.job,
  };
}
