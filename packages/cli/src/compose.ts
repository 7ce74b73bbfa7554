import { createHost } from "@tutti/definition";
import { createEmbeddedEngine, type Engine, type EngineLog, openSqliteStore, type Store } from "@tutti/engine";
import { createFeatureDeps, featureHandlers, loadFeaturePrograms, recoverFeature, settleForks } from "@tutti/feature";
import type { ArtifactStore } from "@tutti/kernel";
import { sweepWorkspaces } from "@tutti/workspace";
import { isCommon, namedArtifacts } from "./artifacts.ts";
import { type EngineSide, type HouseEngine, JoinedEngine } from "./engines/joined-engine.ts";
import { MovesUnderWay } from "./engines/moves-under-way.ts";
import type { EngineName, TemporalPlace } from "./engines/place.ts";
import { TemporalSide } from "./engines/temporal-side.ts";
import { isInstance } from "./run/fork.ts";
import { ensureFolder, type StateFolder } from "./state.ts";

/*
 * The composition root: here, and only here, the parts of the house meet. The caller owns the state folder already.
 * Order matters: what an earlier owner left is ended before an engine is there to offer a job.
 */

/** Where machines have a store of artifacts in common; undefined: one machine does all of a run. */
export type Sharing = (() => Promise<ArtifactStore>) | undefined;

export interface House extends Pick<Engine, "work"> {
  /** All engines of the house. What is new begins on the named one (default: the embedded). */
  engine(begins?: EngineName): HouseEngine;
  /** For a run that begins on the named engine: only Temporal has other machines. */
  sharing(begins?: EngineName): Sharing;
  readonly temporal: Required<TemporalPlace>;
  /** Connects to Temporal, if that has not been done. Rejects with `temporal-unreachable`. */
  workForTemporal(): Promise<void>;
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
  const artifacts = namedArtifacts(state, process.env);
  const deps = createFeatureDeps({
    ...{ stateDir: state.path, log: (line: string) => log.warn(line, {}) },
    ...(artifacts === undefined ? {} : { artifacts: () => artifacts.open() }),
  });
  const cleared = await recoverFeature(deps);
  if (cleared.processesEnded + cleared.processesLeft + cleared.workspacesRemoved > 0) {
    log.info("cleared what an earlier owner left", { ...cleared });
  }
  const programs = await loadFeaturePrograms();
  const handlers = Object.entries(featureHandlers(deps));
  const furnish = async (engine: Engine): Promise<void> => {
    await engine.deploy(programs);
    for (const [jobType, handler] of handlers) engine.work(jobType, handler);
  };
  const store = options.store ?? openSqliteStore(state.database);
  const lost = onLost === undefined ? {} : { onLost };
  const embedded = await createEmbeddedEngine({ store, host: createHost(), log, ...lost });
  const temporal = new TemporalSide({ state, log, furnish });
  const engine = engines([{ name: "embedded", read: async () => embedded, engine: async () => embedded }, temporal]);
  await settleForks(deps, (run) => isInstance(engine(), run));
  await furnish(embedded);
  if (state.engine === "temporal" || (await temporal.hasOpen())) void temporal.goOn();
  return {
    engine,
    sharing: (begins) => (begins === "temporal" && isCommon(state) ? artifacts?.open : undefined),
    work: (...asked) => {
      const stops = [embedded.work(...asked), temporal.work(...asked)];
      return async (how) => {
        await Promise.all(stops.map((stop) => stop(how)));
      };
    },
    get temporal() {
      return temporal.place;
    },
    workForTemporal: async () => {
      await temporal.engine();
    },
    ownProcesses: new Set(programs.map(({ id }) => id)),
    jobTypes: new Set(handlers.map(([jobType]) => jobType)),
    close: async (graceMs) => {
      await Promise.all([embedded.close({ graceMs }), temporal.close(graceMs)]);
      await artifacts?.close();
      // Nothing runs any more, so nothing may lie about: folders of runs that ended are left empty by their units.
      await sweepWorkspaces(state.path, () => false);
    },
    endAgents: async () => {
      await deps.processes.endLeftovers();
    },
  };
}

/** Faces of the same engines, which differ in where what is new begins. */
function engines(sides: readonly [EngineSide, EngineSide]): (begins?: EngineName) => HouseEngine {
  const [embedded, temporal] = sides;
  const moves = new MovesUnderWay();
  const faces = {
    embedded: new JoinedEngine([embedded, temporal], moves),
    temporal: new JoinedEngine([temporal, embedded], moves),
  };
  return (begins = "embedded") => faces[begins];
}
