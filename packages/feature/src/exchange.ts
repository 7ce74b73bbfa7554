import { randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readAgentScript } from "@tutti/agents";
import { AppError, type ArtifactReference, type ArtifactStore } from "@tutti/kernel";
import {
  bundleCommit,
  type CommitBundle,
  fetchBundle,
  openNamesake,
  type Repository,
  runRef,
  setRef,
} from "@tutti/workspace";
import type { JobRun } from "./job.ts";
import type { RunContext } from "./model.ts";

/*
 * Several machines at one run. The one that has the person's repository keeps the run's refs and does the jobs that need
 * them: their definitions say `tutti.place: repository`. Agents and checks run anywhere. What they begin with and what they
 * leave travels through the store of artifacts, as git bundles that are named in the run's own variables.
 */

/** Where every machine finds what a run begins with. */
export interface SharedRun {
  /** The run's base with its whole history. */
  readonly base: CommitBundle;
  /** What scripted agents play, with all files that it names; absent without them. */
  readonly script?: ArtifactReference;
}

/** Puts there what other machines need to work on a run. */
export async function shareRun(
  repository: Repository,
  { repository: { base: commit }, options: { script } }: RunContext,
  artifacts: ArtifactStore,
): Promise<SharedRun> {
  const base = await bundleCommit(repository, { commit, have: [], artifacts });
  if (script === undefined) return { base };
  const { tasks } = await readAgentScript(script);
  const whole = JSON.stringify({ format: "tutti-script/1", tasks: Object.fromEntries(tasks) });
  return { base, script: await artifacts.put(Buffer.from(whole), { mediaType: "application/json" }) };
}

export interface Exchange {
  /**
   * The run as this machine has it, with the commits of `bundles` in its repository; the run itself when it is not
   * shared. Rejects with `run-elsewhere` where the run is not and lies elsewhere, or there is no store to have it from.
   */
  arrive(context: RunContext, bundles: readonly CommitBundle[]): Promise<RunContext>;
  /** What others need beside `have` (default: the run's base) to have `commit`; nothing when the run is not shared. */
  send(
    context: RunContext,
    options: { readonly commit: string; readonly have?: string; readonly signal: AbortSignal },
  ): Promise<readonly CommitBundle[]>;
}

/** So many arrivals are remembered; one that is forgotten is looked up once more. */
const arrivalsMax = 10_000;

export function createExchange(options: {
  readonly stateDir: string;
  readonly artifacts?: () => Promise<ArtifactStore>;
}): Exchange {
  const { stateDir } = options;
  const arrivals = new Map<string, Promise<void>>();

  async function store(): Promise<ArtifactStore> {
    if (options.artifacts !== undefined) return options.artifacts();
    throw new AppError("run-elsewhere", "Expected a store of artifacts, for the run is shared, but none is named here");
  }

  /** Once for all jobs of this process: two that fetch one commit at the same time would meet at its ref. */
  function once(name: string, bring: () => Promise<void>): Promise<void> {
    const present = arrivals.get(name) ?? bring();
    arrivals.delete(name);
    arrivals.set(name, present);
    present.catch(() => arrivals.delete(name));
    const oldest = arrivals.keys().next().value;
    if (arrivals.size > arrivalsMax && oldest !== undefined) arrivals.delete(oldest);
    return present;
  }

  async function fetchAll(repository: Repository, run: string, bundles: readonly CommitBundle[]): Promise<void> {
    for (const bundle of bundles) {
      const ref = sharedRef(run, bundle.commit);
      await once(`${repository.gitDir} ${ref}`, async () =>
        fetchBundle(repository, { bundle, ref, artifacts: await store() }),
      );
    }
  }

  async function scriptOf(artifact: ArtifactReference): Promise<string> {
    const path = join(stateDir, "scripts", `${artifact.digest}.json`);
    await once(path, async () => {
      if (existsSync(path)) return;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const coming = `${path}.${randomUUID()}`;
      try {
        await pipeline((await store()).get(artifact), createWriteStream(coming, { flags: "wx", mode: 0o600 }));
        await rename(coming, path);
      } finally {
        await rm(coming, { force: true });
      }
    });
    return path;
  }

  return {
    async arrive(context, bundles) {
      const { shared, run } = context;
      if (shared === undefined) {
        if (existsSync(context.repository.gitDir)) return context;
        throw new AppError("run-elsewhere", "Expected a run that is shared, but its repository is on another machine");
      }
      const { gitDir } = await openNamesake({ stateDir, gitDir: context.repository.gitDir });
      await fetchAll({ gitDir }, run, [shared.base, ...bundles]);
      const script = shared.script === undefined ? {} : { script: await scriptOf(shared.script) };
      return { ...context, repository: { ...context.repository, gitDir }, options: { ...context.options, ...script } };
    },
    async send({ shared, run, repository: { gitDir, base } }, { commit, have = base, signal }) {
      if (shared === undefined || commit === have) return [];
      // A bundle is taken only where what it builds on has a name.
      await setRef({ gitDir }, sharedRef(run, commit), { commit });
      return [await bundleCommit({ gitDir }, { commit, have: [have], artifacts: await store(), signal })];
    },
  };
}

/** The job as it is on this machine: with a context of its own, and the commits that it needs. */
export async function arrived<Input extends { readonly context: RunContext }>(
  exchange: Exchange,
  at: JobRun<Input>,
  bundles: readonly CommitBundle[] = [],
): Promise<JobRun<Input>> {
  const context = await exchange.arrive(at.input.context, bundles);
  at.signal.throwIfAborted();
  return { ...at, input: { ...at.input, context } };
}

function sharedRef(run: string, commit: string): string {
  return runRef(run, "shared", commit);
}
