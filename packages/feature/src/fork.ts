import type { Event, Json } from "@tutti/kernel";
import { isJsonObject } from "@tutti/kernel";
import {
  type Repository,
  readNotes,
  readRef,
  removeRefs,
  removeRun,
  repositories,
  runRef,
  runsWith,
  setRef,
  setRefs,
} from "@tutti/workspace";
import type { FeatureDeps } from "./deps.ts";
import { finishedRef, integrationRef } from "./unit-refs.ts";

/*
 * A fork of a run has refs of its own that name the same commits, as of the moment it goes on from: what was finished
 * then by the run's history, and those notes and resolutions that there were. They stand before the fork does. The ref
 * `forking` says that this is under way; whoever comes after a crash ends it by whether the fork came to be.
 */

export interface RunFork {
  readonly repository: Repository;
  /** The run it comes from, and its own id. */
  readonly from: string;
  readonly to: string;
}

/** What the run itself recorded until then, oldest first; what it called has histories of its own. */
export type RunHistory = AsyncGenerator<{ readonly at: number; readonly event: Event }>;

/** Gives the fork its refs. Repeating it changes nothing. To be called before the fork is made, then `settleFork`. */
export async function giveForkRefs({ repository, from, to }: RunFork, history: RunHistory): Promise<void> {
  const then = await known(history);
  const base = await readRef(repository, runRef(from, "base"));
  if (base === undefined) return;
  await setRef(repository, forkingRef(to), { commit: base });
  const refs = new Map([[runRef(to, "base"), base]]);
  for (const [unit, commit] of then.finished) refs.set(finishedRef(to, unit), commit);
  if (then.merged !== undefined) refs.set(integrationRef(to), then.merged);
  const own = runRef(to);
  for (const part of ["rounds", "resolutions"]) {
    for (const [ref, { commit, text }] of await readNotes(repository, from, part)) {
      if (writtenAt(text) <= then.at) refs.set(own + ref.slice(runRef(from).length), commit);
    }
  }
  await setRefs(repository, refs);
}

/** The fork came to be, or it did not: then nothing of it stays. */
export async function settleFork(repository: Repository, to: string, exists: boolean): Promise<void> {
  if (exists) await removeRefs(repository, [forkingRef(to)]);
  else await removeRun(repository, to);
}

/**
 * Ends what a crash cut short, by whether there is such a run. A repository that cannot be read is told in the log: it
 * must not keep the owner from starting.
 */
export async function settleForks(
  { stateDir, log }: Pick<FeatureDeps, "stateDir" | "log">,
  exists: (run: string) => Promise<boolean>,
): Promise<void> {
  for (const repository of await repositories(stateDir)) {
    try {
      for (const run of await runsWith(repository, forking)) await settleFork(repository, run, await exists(run));
    } catch (error) {
      log(`forks in ${repository.gitDir} were not looked at: ${error instanceof Error ? error.message : error}`);
    }
  }
}

const forking = "forking";

function forkingRef(run: string): string {
  return runRef(run, forking);
}

interface Known {
  readonly at: number;
  readonly finished: ReadonlyMap<string, string>;
  readonly merged: string | undefined;
}

async function known(history: RunHistory): Promise<Known> {
  const finished = new Map<string, string>();
  let merged: string | undefined;
  let last = 0;
  for await (const { at, event } of history) {
    last = Math.max(last, at);
    if (event.type === "item-completed") {
      const commit = commitIn(event.result);
      if (commit !== undefined) finished.set(event.item, commit);
    }
    if (event.type === "variables-set") merged = commitIn(event.values["merged"]) ?? merged;
  }
  return { at: last, finished, merged };
}

function commitIn(value: Json | undefined): string | undefined {
  const commit = isJsonObject(value) ? value["commit"] : undefined;
  return typeof commit === "string" ? commit : undefined;
}

function writtenAt(text: string): number {
  return (JSON.parse(text) as { readonly at?: number }).at ?? 0;
}
