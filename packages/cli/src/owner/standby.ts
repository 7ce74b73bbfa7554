import type { Ownership } from "@tutti/engine";
import { openPostgresStore } from "@tutti/engine";
import { must } from "@tutti/kernel";
import type { Health } from "@tutti/protocol";
import { Hono } from "hono";
import type { HouseEngine } from "../engines/joined-engine.ts";
import { codeOf } from "../problem.ts";
import { RunReader } from "../run/reader.ts";
import { openStateReader } from "../state-reader.ts";
import { version } from "../version.ts";
import { ownerApp, problemResponse } from "./app.ts";
import { forward } from "./forward.ts";
import { noteOf, type OwnerOptions, openHouse, openOwner, type Serving, takeFolder } from "./owner.ts";
import { type Listening, listen } from "./socket.ts";
import { Workers } from "./workers.ts";

/** Owns the state folder and its store, or waits for a store that another process owns. Throws `state-owned`. */
export async function openServing(options: OwnerOptions): Promise<Serving> {
  try {
    return await openOwner(options);
  } catch (error) {
    if (codeOf(error) !== "database-owned") throw error;
    return Standby.open(options);
  }
}

/**
 * Answers at the folder's socket while another process owns the store: what is asked it reads from there, everything
 * else it sends on to the owner. Becomes the owner once that one is gone.
 */
class Standby implements Serving {
  readonly waits = true;
  readonly ended: Promise<Error | undefined>;
  readonly #options: OwnerOptions;
  readonly #store: string;
  readonly #ownership: Ownership;
  readonly #waiting: AbortController = new AbortController();
  readonly #resolveEnded: (lost: Error | undefined) => void;
  #listening: Listening | undefined;
  #reader: { close(): Promise<void> } | undefined;
  #next: Serving | undefined;
  #usedAt = Date.now();
  #idleTimer: NodeJS.Timeout | undefined;

  private constructor(options: OwnerOptions) {
    this.#options = options;
    this.#store = must(options.state.store, "only a store that others share has a standby");
    this.#ownership = takeFolder(options.state);
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  static async open(options: OwnerOptions): Promise<Standby> {
    const standby = new Standby(options);
    try {
      await standby.#answer();
    } catch (error) {
      await standby.#leave();
      standby.#ownership.release();
      throw error;
    }
    void standby.#wait();
    return standby;
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#next !== undefined) return this.#next.stop(graceMs);
    this.#waiting.abort();
    await this.ended;
  }

  async endAgents(): Promise<void> {
    await this.#next?.endAgents();
  }

  async #wait(): Promise<void> {
    const { log, state, idleMs } = this.#options;
    if (idleMs !== undefined) this.#watchIdle(idleMs);
    try {
      const onWaiting = (owner: unknown): void => log.warn("waits for the owner of the store", { owner });
      const waiting = { signal: this.#waiting.signal, onWaiting };
      const store = await openPostgresStore(this.#store, { note: noteOf(state), waiting });
      await this.#leave();
      this.#next = await openHouse({ ...this.#options, ownership: this.#ownership, store });
      log.warn("took over the store", {});
      if (this.#waiting.signal.aborted) void this.#next.stop(0);
      this.#resolveEnded(await this.#next.ended);
    } catch (error) {
      await this.#leave();
      this.#ownership.release();
      this.#resolveEnded(this.#waiting.signal.aborted ? undefined : (error as Error));
    }
  }

  async #answer(): Promise<void> {
    const { state } = this.#options;
    const reader = await openStateReader(state);
    this.#reader = reader;
    const app = new Hono();
    app.onError((error) => problemResponse(error));
    app.use(async (context, next) => {
      this.#usedAt = Date.now();
      const isRead = context.req.method === "GET" || context.req.path === "/v1/stop";
      return isRead ? next() : forward(this.#store, context.req.raw);
    });
    const reads = ownerApp({
      // Only questions get this far.
      engine: () => reader as unknown as HouseEngine,
      sharing: () => undefined,
      work: () => async () => undefined,
      ownProcesses: new Set(),
      runs: new RunReader(reader),
      workers: new Workers(),
      state,
      health: async () => this.#health(await reader.query("instances", { status: "open" }, { limit: 1_000 })),
      stop: (graceMs) => void this.stop(graceMs),
      touch: () => undefined,
      watch: () => () => undefined,
    });
    app.route("/", reads);
    this.#listening = await listen(app, state);
  }

  async #health(open: { readonly rows: readonly unknown[] }): Promise<Health> {
    const { state, idleMs } = this.#options;
    const { since } = this.#ownership.owner;
    const asked = new Request("http://owner/v1/health");
    const owner = (await forward(this.#store, asked)
      .then((answer) => answer.json())
      .catch(() => ({}))) as Partial<Health>;
    return {
      ...{ pid: process.pid, version: version(), state: state.path, since, open: open.rows.length },
      ...{ jobTypes: owner.jobTypes ?? [], storage: owner.storage ?? "writes" },
      ...{ background: idleMs !== undefined, stopping: this.#waiting.signal.aborted },
    };
  }

  async #leave(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await this.#listening?.close();
    await this.#reader?.close();
    this.#listening = undefined;
    this.#reader = undefined;
  }

  #watchIdle(idleMs: number): void {
    const look = (): void => {
      if (Date.now() - this.#usedAt >= idleMs) this.#waiting.abort();
      else this.#idleTimer = setTimeout(look, Math.min(5_000, Math.max(50, idleMs / 4)));
    };
    look();
  }
}
