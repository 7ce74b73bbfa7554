import { AppError, isEnded, type JsonObject, type ProgramDocument } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import type { EngineLimits } from "../embedded/limits.ts";
import type { Store } from "../embedded/store.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Crew } from "./crew.ts";
import { Follower } from "./follower.ts";
import { traitsOf } from "./language-world.ts";
import { Ledger } from "./ledger.ts";
import { Life } from "./life.ts";
import type { Medium } from "./medium.ts";
import type { Random } from "./random.ts";
import { checkTables } from "./tables.ts";
import type { World } from "./world.ts";

/** What a planted bug may put between the engine and the world. */
export interface Shim {
  readonly store?: (store: Store, random: () => Random) => Store;
  readonly engine?: (engine: Engine) => Engine;
}

export interface SessionOptions {
  readonly medium: Medium;
  readonly world: World;
  readonly limits: Partial<EngineLimits>;
  readonly shim: Shim;
  readonly random: Random;
  readonly trace: ((line: string) => void) | undefined;
}

/** Refusals that a caller must expect at any time. Everything else that is thrown at one is a finding. */
const expectedCodes: ReadonlySet<string> = new Set([
  "storage-failed",
  "engine-closed",
  "engine-busy",
  "instance-not-found",
  "start-refused",
  "fork-refused",
  "program-not-found",
  "payload-invalid",
]);

const opensMax = 20;

/** One history of the world: a disk, a clock, and one process after the other that works on them. */
export class Session {
  readonly clock: FakeClock = new FakeClock();
  readonly ledger: Ledger;
  readonly documents: readonly ProgramDocument[];
  readonly medium: Medium;
  /** Request id → the instance that was answered, or undefined while no answer came. */
  readonly requests: Map<string, string | undefined> = new Map();
  readonly counts: Map<string, number> = new Map();
  readonly follower: Follower;
  deployed = false;
  /** The engine waits for its store. */
  refused = false;
  life: Life;
  crew: Crew;
  engine: Engine | undefined;
  store: Store | undefined;
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.medium = options.medium;
    this.documents = options.world.documents;
    this.ledger = new Ledger(options.world);
    this.follower = new Follower(this.ledger);
    this.life = new Life(this.clock);
    this.crew = new Crew(this.life, this.ledger);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  trace(line: () => string): void {
    this.#options.trace?.(line());
  }

  /** Sends a request, and looks at its answer whenever that comes. */
  ask<T>(what: string, request: Promise<T>, answered: (answer: T) => void = () => undefined): void {
    const { life } = this;
    request.then(
      (answer) => {
        if (!life.dead) answered(answer);
      },
      (error: unknown) => {
        if (life.dead) return;
        const code = error instanceof AppError ? error.code : "";
        this.ledger.check(expectedCodes.has(code), () => `${what} was answered by ${String(error)}`);
        if (code === "program-not-found" && this.deployed) {
          this.ledger.check(false, () => `${what}: what was deployed is gone (${String(error)})`);
        }
        this.trace(() => `  ${what} refused: ${code}`);
      },
    );
  }

  start(requestId: string, options: { readonly process: string; readonly variables: JsonObject }): void {
    const { engine } = this;
    if (engine === undefined) return;
    if (!this.requests.has(requestId)) this.requests.set(requestId, undefined);
    const request = engine.start({ requestId, ...options, actor: "simulation" });
    this.ask(`start ${requestId}`, request, (instanceId) => {
      const before = this.requests.get(requestId);
      const same = before === undefined || before === instanceId;
      this.ledger.check(same, () => `request ${requestId} started '${before}' and '${instanceId}'`);
      this.ledger.check(this.ledger.byId.has(instanceId), () => `'${instanceId}' was answered, but is not in the log`);
      this.requests.set(requestId, instanceId);
      this.count("starts");
    });
  }

  async settle(): Promise<void> {
    this.ledger.sees(this.clock.now());
    await this.clock.settle(20_000);
  }

  /** A living engine, after as many attempts as the disk and the plans for crashes make necessary. */
  async ensureOpen(): Promise<void> {
    for (let opens = 0; this.engine === undefined || this.life.dead; opens++) {
      if (this.ledger.violation !== undefined) return;
      if (opens === opensMax) {
        this.ledger.check(false, `the engine did not open in ${opensMax} attempts`);
        return;
      }
      if (opens > 3) this.medium.heal();
      await this.#open(opens);
    }
  }

  async #open(opens: number): Promise<void> {
    const { random } = this.#options;
    if (this.life.dead || opens > 0) this.crash();
    this.life = new Life(this.clock);
    this.crew = new Crew(this.life, this.ledger);
    if (opens < 3 && random.chance(0.15)) this.life.expect({ at: "disk:", left: random.below(12) });
    const { life } = this;
    let failed: unknown;
    this.#build(life).then(
      (engine) => {
        this.engine = engine;
      },
      (error: unknown) => {
        failed = error;
      },
    );
    await this.settle();
    if (life.dead || failed === undefined) return this.#opened(life);
    const code = failed instanceof AppError ? failed.code : "";
    this.ledger.check(code === "storage-failed", () => `the engine does not open: ${explain(failed)}`);
    this.count("refused openings");
    life.die("a refused opening");
  }

  #opened(life: Life): void {
    const { engine } = this;
    if (life.dead) return;
    if (engine === undefined) {
      this.ledger.check(false, "opening the engine never ends");
      return;
    }
    this.count("openings");
    this.crew.hireAll(engine);
    this.follower.follow(engine, life).then(undefined, (error: unknown) => {
      this.ledger.check(life.dead, () => `following the log failed: ${explain(error)}`);
    });
  }

  async #build(life: Life): Promise<Engine> {
    const { limits, shim, random, world } = this.#options;
    const inner = await this.medium.open(life);
    const store = this.#watch(shim.store?.(inner, () => random) ?? inner, life);
    this.store = store;
    const engine = await createEmbeddedEngine({
      store,
      limits,
      host: world.host,
      clock: life.clock,
      keyLimits: { narrow: { runningMax: 1 } },
      log: { info: noted, warn: noted, error: (message, data) => this.#alarmed(message, data) },
      crashPoint: (point) => {
        life.pass(`engine:${point}`);
        if (life.dead) throw new Error("the process died");
      },
    });
    return shim.engine?.(engine) ?? engine;
  }

  #alarmed(message: string, data: { readonly [name: string]: unknown }): void {
    const fine = message.startsWith("the store refused");
    this.ledger.check(fine, () => `the engine says: ${message} ${JSON.stringify(data)}`);
    if (!fine) return;
    this.count("refused turns");
    this.refused = true;
  }

  /** Tells the ledger what the store answered, before the engine hears it. */
  #watch(store: Store, life: Life): Store {
    const recovered = async (): Promise<void> => {
      await life.alive();
      await this.ledger.recovered(store);
      await checkTables(store, this.ledger);
    };
    return {
      ...store,
      // Its write is synced, and with it all that was left before: from here on it counts.
      claimEpoch: async () => {
        const epoch = await store.claimEpoch();
        await recovered();
        return epoch;
      },
      commit: async (turn) => {
        this.ledger.offered(turn);
        await store.commit(turn).catch((error: unknown) => {
          this.count(`turn refused: ${reasonOf(error)}`);
          throw error;
        });
        await life.alive();
        this.ledger.committed(turn);
        this.count("turns");
      },
      reopen: async () => {
        await store.reopen();
        await recovered();
      },
    };
  }

  /** Ends the process, wherever it stands, and leaves the disk as that leaves it. */
  crash(): void {
    if (!this.life.dead) this.life.die("anywhere");
    this.clock.forget();
    const damage = this.medium.crash(this.#options.random);
    this.count(this.life.diedAt === "the end of a closing" ? "closings" : "crashes");
    this.count(`died at ${this.life.diedAt}`);
    this.count(`left ${damage}`);
    this.trace(() => `  crash at ${this.life.diedAt}, left ${damage}`);
    for (const trait of this.#metTraits()) this.count(`crashed in: ${trait}`);
    this.engine = undefined;
    this.store = undefined;
  }

  /** What the instances that were open came by so far. */
  #metTraits(): ReadonlySet<string> {
    const traits = new Set<string>();
    for (const { program, state, entered } of this.ledger.shadows.values()) {
      if (isEnded(state)) continue;
      for (const id of entered) {
        const element = program.elements.get(id);
        for (const trait of element === undefined ? [] : traitsOf(element)) traits.add(trait);
      }
    }
    return traits;
  }
}

/** Why a disk refused, in the words it gave. */
function reasonOf(error: unknown): string {
  const { cause, message } = error instanceof Error ? error : { cause: undefined, message: String(error) };
  const text = cause instanceof Error ? cause.message : message;
  return /full|ENOSPC/.test(text) ? "full" : /sync/.test(text) ? "not synced" : text;
}

function noted(): void {
  // Only alarms matter here; the rest is read by people.
}

export function explain(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
