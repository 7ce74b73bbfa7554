import { createHost } from "@tutti/definition";
import { createEmbeddedEngine, type Engine, type EngineLog, openSqliteStore, type Store } from "@tutti/engine";
import { createFeatureDeps, featureHandlers, loadFeaturePrograms, recoverFeature, settleForks } from "@tutti/feature";
import { sweepWorkspaces } from "@tutti/workspace";
import { isInstance } from "./run/fork.ts";
import { ensureFolder, type StateFolder } from "./state.ts";

/*
 * The composition root: here, and only here, the parts of the house meet. The caller owns the state folder already.
 * Order matters: what an earlier owner left is ended before the engine is there to offer a job.
 */

export interface House {
  readonly engine: Engine;
  /** Processes that come with the house, and the types of jobs that it works on. */
  readonly ownProcesses: ReadonlySet<string>;
  readonly jobTypes: ReadonlySet<string>;
  /** Lets running jobs end within `graceMs`, aborts the rest, and releases the database. */
  close(graceMs: number): Promise<void>;
  /** For a second, impatient signal: ends every agent now. What they did is done again later. */
  endAgents(): Promise<void>;
}

export interface HouseOptions {
  readonly state: StateFolder;
  readonly log: EngineLog;
  /** Of a state folder whose store is not its own file. Closed with the house, also where it cannot be built. */
  readonly store?: Store;
  /** Another process has taken the store over: nothing goes on here. */
  readonly onLost?: (error: Error) => void;
}

export async function compose(options: HouseOptions): Promise<House> {
  const { state, log, onLost } = options;
  ensureFolder(state.path);
  const deps = createFeatureDeps({ stateDir: state.path, log: (line) => log.warn(line, {}) });
  const cleared = await recoverFeature(deps);
  if (cleared.processesEnded + cleared.processesLeft + cleared.workspacesRemoved > 0) {
    log.info("cleared what an earlier owner left", { ...cleared });
  }
  const store = options.store ?? openSqliteStore(state.database);
  const lost = onLost === undefined ? {} : { onLost };
  const engine = await createEmbeddedEngine({ store, host: createHost(), log, ...lost });
  await settleForks(deps, (run) => isInstance(engine, run));
  const programs = await loadFeaturePrograms();
  await engine.deploy(programs);
  const handlers = featureHandlers(deps);
  for (const [jobType, handler] of Object.entries(handlers)) engine.work(jobType, handler);
  return {
    engine,
    ownProcesses: new Set(programs.map(({ id }) => id)),
    jobTypes: new Set(Object.keys(handlers)),
    close: async (graceMs) => {
      await engine.close({ graceMs });
      // Nothing runs any more, so nothing may lie about: folders of runs that ended are left empty by their units.
      await sweepWorkspaces(state.path, () => false);
    },
    endAgents: async () => {
      await deps.processes.endLeftovers();
    },
  };
}
