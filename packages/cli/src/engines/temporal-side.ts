import { setTimeout as sleep } from "node:timers/promises";
import { createHost } from "@tutti/definition";
import { type Engine, type EngineLog, type EngineReader, openReader, type Stop } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import type { StateFolder } from "../state.ts";
import { notedAddress } from "../up/ports.ts";
import type { EngineSide } from "./joined-engine.ts";
import type { Reader } from "./joined-reader.ts";
import { type OpenTemporal, openTemporal } from "./open-temporal.ts";
import { type TemporalPlace, wholePlace } from "./place.ts";
import { readTemporalLog } from "./temporal-log.ts";

const againMsMin = 500;
const againMsMax = 30_000;

interface Work {
  readonly asked: Parameters<Engine["work"]>;
  stop: Stop | undefined;
}

export interface TemporalSideOptions {
  readonly state: StateFolder;
  readonly log: EngineLog;
  /** Gives a new engine what it needs before anybody asks it. */
  readonly furnish: (engine: Engine) => Promise<void>;
}

/**
 * Temporal beside the embedded engine: connected when somebody needs it, and read from its log until then. Who has no
 * Temporal pays nothing for it, and a server that is away keeps nobody from what needs none.
 */
export class TemporalSide implements EngineSide {
  readonly name = "temporal";
  readonly #options: TemporalSideOptions;
  readonly #works: Set<Work> = new Set();
  readonly #closing: AbortController = new AbortController();
  #engine: Engine | undefined;
  #close: OpenTemporal["close"] | undefined;
  #opening: Promise<Engine> | undefined;
  #reader: Promise<EngineReader | undefined> | undefined;

  constructor(options: TemporalSideOptions) {
    this.#options = options;
  }

  /** Where it is looked for now: said by somebody, else where a server of the folder's own was the last time. */
  get place(): Required<TemporalPlace> {
    const { state } = this.#options;
    const address = state.temporal?.address ?? notedAddress(state.path);
    return wholePlace({ ...state.temporal, ...(address === undefined ? {} : { address }) }, state);
  }

  /** Rejects with `temporal-unreachable` while the server is away; the next call tries again. */
  engine(): Promise<Engine> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async read(): Promise<Reader | undefined> {
    if (this.#engine !== undefined) return this.#engine;
    this.#reader ??= openLogReader(this.#options.state);
    const reader = await this.#reader;
    // Nothing to read yet; the next one looks again.
    if (reader === undefined) this.#reader = undefined;
    return reader;
  }

  work(...asked: Parameters<Engine["work"]>): Stop {
    const work: Work = { asked, stop: this.#engine?.work(...asked) };
    this.#works.add(work);
    return async (options) => {
      this.#works.delete(work);
      await work.stop?.(options);
    };
  }

  /** What is open there goes on as soon as the server is there, without anybody asking. */
  async goOn(): Promise<void> {
    const { log } = this.#options;
    for (let againMs = againMsMin; !this.#closing.signal.aborted; againMs = Math.min(againMsMax, againMs * 2)) {
      try {
        await this.engine();
        return;
      } catch (error) {
        log.warn("does not work for Temporal yet; tries again", { error: String(error), againMs });
      }
      await sleep(againMs, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Whether anything that has begun there is still open. */
  async hasOpen(): Promise<boolean> {
    const open = await (await this.read())?.query("instances", { status: "open" }, { limit: 1 });
    return open !== undefined && open.rows.length > 0;
  }

  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
    await this.#opening?.catch(() => undefined);
    await this.#close?.(graceMs);
    await (await this.#reader)?.close();
  }

  async #open(): Promise<Engine> {
    if (this.#closing.signal.aborted)
      throw new AppError("engine-closed", "Expected an open engine, but it was closed.");
    const { state, log, furnish } = this.#options;
    const { place } = this;
    const { engine, close } = await openTemporal({ state, place, log, places: ["repository"] });
    try {
      await furnish(engine);
      for (const work of this.#works) work.stop = engine.work(...work.asked);
    } catch (error) {
      await close(0);
      throw error;
    }
    log.info("works for Temporal", { ...place });
    this.#engine = engine;
    this.#close = close;
    return engine;
  }
}

async function openLogReader(state: StateFolder): Promise<EngineReader | undefined> {
  const store = await readTemporalLog(state);
  return store === undefined ? undefined : openReader({ store, host: createHost() });
}
