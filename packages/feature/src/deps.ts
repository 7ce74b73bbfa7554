import { join } from "node:path";
import {
  type Agent,
  type AgentDefinition,
  bundledCatalogue,
  type Cage,
  type CageChoice,
  selectAgent,
  selectCage,
} from "@tutti/agents";
import { AppError, type ArtifactStore, must } from "@tutti/kernel";
import { sweepRepositories, sweepWorkspaces } from "@tutti/workspace";
import { type CheckCache, openCheckCache } from "./check-cache.ts";
import { type ConflictBook, createConflictBook } from "./conflict-book.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import type { PlanUnit, RunContext } from "./model.ts";
import { prunePrepared } from "./prepare.ts";
import { openProcessLedger, type ProcessLedger } from "./process-ledger.ts";

/** What the job handlers need from the composition root. */
export interface FeatureDeps {
  /** Absolute folder of all of Tutti's state. */
  readonly stateDir: string;
  /** Epoch ms; only measures how long things took. */
  now(): number;
  log(line: string): void;
  /** What several machines have in common; absent: nothing leaves this one. Rejects while it cannot be used. */
  readonly artifacts?: () => Promise<ArtifactStore>;
  readonly processes: ProcessLedger;
  readonly checks: CheckCache;
  readonly conflicts: ConflictBook;
  readonly exchange: Exchange;
  /** The agent of a unit, or the run's own for what belongs to no unit. Rejects with `agent-unknown`, `script-invalid`. */
  agentFor(context: RunContext, unit: Pick<PlanUnit, "agent"> | null): Promise<ChosenAgent>;
  /** One of the bundled agent files, such as `implementer`. */
  persona(id: string): Promise<AgentDefinition>;
}

export interface ChosenAgent {
  readonly agent: Agent;
  /** For the agent itself: it sees the environment variables that the person named. */
  readonly cage: Cage;
  /** For what the repository runs (checks, preparation): the same walls, no named variables. */
  readonly commandCage: Cage;
}

export function createFeatureDeps(options: {
  readonly stateDir: string;
  readonly now?: () => number;
  readonly log?: (line: string) => void;
  readonly artifacts?: () => Promise<ArtifactStore>;
}): FeatureDeps {
  const { stateDir, now = Date.now, log = () => undefined, artifacts } = options;
  let catalogue: Promise<ReadonlyMap<string, AgentDefinition>> | undefined;
  const cageOf = cages();
  const shared = artifacts === undefined ? {} : { artifacts };
  return {
    stateDir,
    now,
    log,
    ...shared,
    processes: openProcessLedger(stateDir),
    checks: openCheckCache(stateDir),
    conflicts: createConflictBook(),
    exchange: createExchange({ stateDir, ...shared }),
    async agentFor(context, unit) {
      const { agent, bundled } = await selectAgent(agentName(context, unit));
      const { options: run, repository } = context;
      const choice: CageChoice = {
        bundled,
        network: run.network,
        // Git in a workspace borrows its objects from there.
        readable: [join(repository.gitDir, "objects")],
        ...(run.sandbox === "auto" ? {} : { sandbox: run.sandbox }),
      };
      const [cage, commandCage] = await Promise.all([
        cageOf({ ...choice, environment: run.environment }),
        cageOf(choice),
      ]);
      return { agent, cage, commandCage };
    },
    async persona(id) {
      catalogue ??= bundledCatalogue();
      return must((await catalogue).get(id), `no bundled agent '${id}'`);
    },
  };
}

function agentName({ options }: RunContext, unit: Pick<PlanUnit, "agent"> | null): string {
  const name = unit?.agent ?? options.agent;
  if (name !== "scripted") return name;
  if (options.script === undefined) {
    throw new AppError("script-invalid", "The scripted agent was asked for, but no script was named.");
  }
  return `scripted:${options.script}`;
}

/** A cage is a plain value, and finding out whether bubblewrap works starts processes: each kind is made once. */
function cages(): (choice: CageChoice) => Promise<Cage> {
  const made = new Map<string, Promise<Cage>>();
  return (choice) => {
    const key = JSON.stringify(choice);
    const present = made.get(key);
    if (present !== undefined) return present;
    const cage = selectCage(choice);
    made.set(key, cage);
    // A missing sandbox may be installed meanwhile.
    cage.catch(() => made.delete(key));
    return cage;
  };
}

export interface Recovered {
  readonly processesEnded: number;
  readonly processesLeft: number;
  readonly workspacesRemoved: number;
}

/**
 * Clears away what a crashed owner left: its processes first, then every workspace and what its git calls left, for
 * nothing runs now. To be called by whoever owns the state folder, before any job is offered. What resists is told in
 * the log: it must not keep the owner from starting.
 */
export async function recoverFeature(deps: FeatureDeps): Promise<Recovered> {
  const { ended, left } = await deps.processes.endLeftovers();
  const swept = await sweepWorkspaces(deps.stateDir, () => false);
  for (const { path, reason } of swept.left) deps.log(`${path} could not be removed: ${reason}`);
  await sweepRepositories(deps.stateDir);
  await deps.checks.prune();
  await prunePrepared(deps.stateDir);
  return { processesEnded: ended, processesLeft: left, workspacesRemoved: swept.removed.length };
}
