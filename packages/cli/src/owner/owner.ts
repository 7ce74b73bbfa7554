import { type EngineLog, type Ownership, openPostgresStore, ownFolder, type Store } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import type { Health } from "@tutti/protocol";
import { compose, type House, type Sharing } from "../compose.ts";
import type { HouseEngine } from "../engines/joined-engine.ts";
import type { TemporalPlace } from "../engines/place.ts";
import { codeOf } from "../problem.ts";
import { RunReader } from "../run/reader.ts";
import { ensureFolder, type StateFolder } from "../state.ts";
import { version } from "../version.ts";
import { ownerApp } from "./app.ts";
import { hasWork } from "./idle.ts";
import { type Listening, listen } from "./socket.ts";
import { Workers } from "./workers.ts";

export interface OwnerOptions {
  readonly state: StateFolder;
  readonly log: EngineLog;
  /** Ends itself when nothing has been open for `idleMs`. Absent: it stays. */
  readonly idleMs?: number;
}

/** Whoever answers at a state folder's socket. */
export interface Serving {
  /** It waits beside the owner of its store. */
  readonly waits: boolean;
  /** Resolves when it has ended, whoever asked; with an error when it had to, because its store was taken over. */
  readonly ended: Promise<Error | undefined>;
  /** Lets running jobs end within `graceMs`; what did not end is done again by the next owner. Safe to repeat. */
  stop(graceMs: number): Promise<void>;
  /** Ends every agent at once, for whoever cannot wait. */
  endAgents(): Promise<void>;
}

/** The one process that owns a state folder: engine, workers and the socket that all others speak to. */
export interface Owner extends Serving {
  readonly engine: HouseEngine;
  readonly runs: RunReader;
  /** Of runs that begin where the configuration says. */
  readonly sharing: Sharing;
  readonly temporal: Required<TemporalPlace>;
  /** Connects to Temporal, if that has not been done. Rejects with `temporal-unreachable`. */
  workForTemporal(): Promise<void>;
  /** Something that ends when its work has, before the folder is free. */
  endWith(end: () => Promise<void>): void;
}

/** Takes the folder, or throws `state-owned`, naming who has it; of a store that is not in it, `database-owned`. */
export async function openOwner(options: OwnerOptions): Promise<Owner> {
  const { state } = options;
  const ownership = takeFolder(state);
  try {
    const { store: url } = state;
    const store = url === undefined ? undefined : await openPostgresStore(url, { note: noteOf(state) });
    return await openHouse({ ...options, ownership, store });
  } catch (error) {
    ownership.release();
    throw error;
  }
}

export function takeFolder(state: StateFolder): Ownership {
  ensureFolder(state.path);
  return ownFolder(state.path, { now: Date.now(), note: noteOf(state) });
}

/** What others find of an owner: where it answers, and its release. */
export function noteOf({ socket }: StateFolder): { readonly socket: string; readonly version: string } {
  return { socket, version: version() };
}

export interface HouseParts extends OwnerOptions {
  readonly ownership: Ownership;
  readonly store: Store | undefined;
}

/** For whoever has the folder and the store already. Closes the store when it fails. */
export async function openHouse(parts: HouseParts): Promise<Owner> {
  const { state, log, store } = parts;
  const { promise: lost, resolve: onLost } = Promise.withResolvers<Error>();
  try {
    const house = await compose({ state, log, ...(store === undefined ? {} : { store, onLost }) });
    log.info("owns the state folder", { pid: process.pid, state: state.path, version: version() });
    try {
      return await OpenOwner.start({ ...parts, house, lost, since: parts.ownership.owner.since });
    } catch (error) {
      // An engine that went on without the folder would work beside the next owner's.
      await house.close(0);
      throw error;
    }
  } catch (error) {
    await store?.close();
    throw error;
  }
}

interface Parts extends OwnerOptions {
  readonly ownership: Ownership;
  readonly house: House;
  readonly lost: Promise<Error>;
  readonly since: number;
}

class OpenOwner implements Owner {
  readonly waits = false;
  readonly engine: HouseEngine;
  readonly runs: RunReader;
  readonly ended: Promise<Error | undefined>;
  readonly #parts: Parts;
  readonly #resolveEnded: (lost: Error | undefined) => void;
  #lost: Error | undefined;
  #listening: Listening | undefined;
  #stopping: Promise<void> | undefined;
  #endWith: (() => Promise<void>) | undefined;
  #usedAt = Date.now();
  readonly #workers = new Workers();
  #open = 0;
  #watchers = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.engine = parts.house.engine(parts.state.engine);
    this.runs = new RunReader(this.engine);
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  static async start(parts: Parts): Promise<OpenOwner> {
    const owner = new OpenOwner(parts);
    const { state, idleMs } = parts;
    const app = ownerApp({
      engine: (begins) => parts.house.engine(begins),
      sharing: (begins) => parts.house.sharing(begins),
      work: (...asked) => parts.house.work(...asked),
      ownProcesses: parts.house.ownProcesses,
      runs: owner.runs,
      workers: owner.#workers,
      state,
      health: () => owner.#health(),
      stop: (graceMs) => void owner.stop(graceMs),
      touch: () => owner.#touch(),
      watch: () => owner.#watch(),
    });
    owner.#listening = await listen(app, state);
    void parts.lost.then((error) => {
      owner.#lost = error;
      void owner.stop(0);
    });
    if (idleMs !== undefined) owner.#watchIdle(idleMs);
    return owner;
  }

  get sharing(): Sharing {
    return this.#parts.house.sharing(this.#parts.state.engine);
  }

  get temporal(): Required<TemporalPlace> {
    return this.#parts.house.temporal;
  }

  workForTemporal(): Promise<void> {
    return this.#parts.house.workForTemporal();
  }

  endWith(end: () => Promise<void>): void {
    this.#endWith = end;
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  endAgents(): Promise<void> {
    return this.#parts.house.endAgents();
  }

  async #stop(graceMs: number): Promise<void> {
    const { house, ownership, log } = this.#parts;
    clearTimeout(this.#idleTimer);
    log.info("stopping", { graceMs });
    try {
      await house.close(graceMs);
      await this.#endWith?.();
    } finally {
      await this.#listening?.close();
      // Last, so that whoever waits for the folder finds nothing of this owner.
      ownership.release();
      log.info("stopped", {});
      this.#resolveEnded(this.#lost);
    }
  }

  async #health(): Promise<Health> {
    const { house, state, since, idleMs } = this.#parts;
    const stopping = this.#stopping !== undefined;
    const storage = stopping ? "writes" : await this.#look();
    const open = stopping ? 0 : this.#open;
    const background = idleMs !== undefined;
    const jobTypes = [...house.jobTypes, ...this.#workers.jobTypes];
    const self = { pid: process.pid, version: version(), state: state.path, since, jobTypes };
    return { ...self, open, storage, background, stopping };
  }

  /** Whoever asks how it goes must get an answer just when it goes badly. */
  async #look(): Promise<Health["storage"]> {
    try {
      this.#open = (await this.engine.query("instances", { status: "open" }, { limit: 1_000 })).rows.length;
      return "writes";
    } catch (error) {
      if (codeOf(error) !== "storage-failed") throw error;
      return "failed";
    }
  }

  #touch(): void {
    if (this.#stopping !== undefined) {
      throw new AppError("owner-stopping", `The owner (process ${process.pid}) is just stopping`);
    }
    this.#usedAt = Date.now();
  }

  #watch(): () => void {
    this.#watchers += 1;
    return () => {
      this.#watchers -= 1;
      this.#usedAt = Date.now();
    };
  }

  #watchIdle(idleMs: number): void {
    const look = async (): Promise<void> => {
      // A store that refuses to write may take commands again: that is no reason to end.
      const works = this.#watchers > 0 || (await hasWork(this.#parts.house).catch(() => true));
      if (works) this.#usedAt = Date.now();
      if (this.#stopping !== undefined) return;
      if (Date.now() - this.#usedAt >= idleMs) {
        this.#parts.log.info("nothing has been open for a while", { idleMs });
        return void this.stop(0);
      }
      this.#idleTimer = setTimeout(() => void look(), Math.min(5_000, Math.max(50, idleMs / 4)));
    };
    void look();
  }
}
