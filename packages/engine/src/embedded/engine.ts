import {
  AppError,
  type defaultSlots,
  type Host,
  type JsonObject,
  queueClasses,
  type RolloutPlan,
  slotsMax,
  startTriggers,
  ttlMaxMs,
} from "@tutti/kernel";
import { checkedCommand, checkedPayload, checkId } from "../caller.ts";
import { type Clock, realClock } from "../clock.ts";
import { refuseMisfit } from "../form.ts";
import type {
  AdoptOptions,
  Engine,
  ForkRequest,
  InstanceCommand,
  MessageRequest,
  MigrateRequest,
  Migration,
  MovedInstance,
  SignalRequest,
  StartRequest,
} from "../port.ts";
import type { WorkQueueOptions } from "./job/work-queue.ts";
import { defaultLimits, type EngineLimits } from "./limits.ts";
import { readHistory } from "./log/history.ts";
import { movedInstance } from "./log/moved-instance.ts";
import { queryStore } from "./read/query.ts";
import type { Store } from "./store.ts";
import { readPrefix } from "./turn/fork.ts";
import type { CallerItem } from "./turn/inbox.ts";
import { targetOf } from "./turn/migrate.ts";
import { type CrashPoint, type EngineLog, Pump } from "./turn/pump.ts";
import { deploymentOf, programNotFound } from "./version/programs.ts";

export interface EmbeddedEngineOptions {
  /** Closed by the engine. */
  readonly store: Store;
  readonly host: Host;
  readonly clock?: Clock;
  readonly log?: EngineLog;
  readonly limits?: Partial<EngineLimits>;
  /** Limits of jobs that share the header `limitKey`, by its value. */
  readonly keyLimits?: WorkQueueOptions["keyLimits"];
  /** Another process owns the store now. The engine has stopped and refuses everything; all that is left is to close it. */
  readonly onLost?: (error: Error) => void;
  /** For tests: called at named moments; what it throws stops the engine there, as a crash would. */
  readonly crashPoint?: (point: CrashPoint) => void;
}

const silent = (): void => undefined;
const noLog: EngineLog = { info: silent, warn: silent, error: silent };

/** Opens the engine on a store and recovers what was open. Resolves when commands are taken. */
export async function createEmbeddedEngine(options: EmbeddedEngineOptions): Promise<Engine> {
  const { store, host, clock = realClock, log = noLog, keyLimits = {}, crashPoint, onLost = silent } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const pump = new Pump({ store, host, clock, log, limits, keyLimits, crashPoint, onLost });
  try {
    await pump.open();
  } catch (error) {
    await pump.close();
    throw error;
  }
  return new EmbeddedEngine(pump, store, limits);
}

/** Checks what comes from callers and hands it to the pump. */
class EmbeddedEngine implements Engine {
  readonly #pump: Pump;
  readonly #store: Store;
  readonly #limits: EngineLimits;
  #closing: Promise<void> | undefined;

  constructor(pump: Pump, store: Store, limits: EngineLimits) {
    this.#pump = pump;
    this.#store = store;
    this.#limits = limits;
  }

  async deploy(documents: Parameters<Engine["deploy"]>[0]): ReturnType<Engine["deploy"]> {
    // Refuses what is not a program before anything is written.
    const loaded = documents.map((document) => this.#pump.programs.load(document));
    const starts = Object.fromEntries(loaded.map((program) => [program.document.hash, startTriggers(program)]));
    return this.#ask((answer) => ({ type: "deploy", deployment: deploymentOf(documents), documents, starts, answer }));
  }

  /** Asked a hundred thousand times a second: checked within its one promise, since an async function makes a second. */
  start(request: StartRequest): Promise<string> {
    return this.#ask((answer) => ({
      type: "start",
      request: this.#checkedStart(request),
      answer,
      number: 0,
      instanceId: "",
    }));
  }

  #checkedStart(request: StartRequest): StartRequest {
    checkId("request id", request.requestId);
    if (request.instanceId !== undefined) checkId("instance id", request.instanceId);
    const { programs } = this.#pump;
    const { process, version } = request;
    if (request.routingKey !== undefined) checkId("routing key", request.routingKey);
    const named = version === undefined ? programs.latest(process) : programs.version(process, version);
    if (named === undefined) throw programNotFound(process, version);
    return { ...request, variables: this.#payload("variables", request.variables) };
  }

  async command(instanceId: string, command: InstanceCommand): ReturnType<Engine["command"]> {
    const checked = checkedCommand(command, this.#limits.payloadCharsMax);
    await refuseMisfit(this, instanceId, checked);
    return this.#ask((answer) => ({ type: "command", instanceId, command: checked, answer }));
  }

  async publish(request: MessageRequest): ReturnType<Engine["publish"]> {
    const { ttlMs = 0, correlationKey = null, id = null } = request;
    checkId("message name", request.name);
    if (correlationKey !== null) checkId("correlation key", correlationKey);
    if (id !== null) checkId("message id", id);
    if (!Number.isInteger(ttlMs) || ttlMs < 0 || ttlMs > ttlMaxMs) {
      throw new AppError("limit-invalid", `Expected ttlMs as a whole number from 0 to ${ttlMaxMs}, but got ${ttlMs}.`);
    }
    const { messagesKeptMax, messageCharsMax } = this.#limits;
    if (this.#pump.channels.kept >= messagesKeptMax && (ttlMs > 0 || id !== null)) {
      throw new AppError("engine-busy", `Expected at most ${messagesKeptMax} kept messages, but there are more.`);
    }
    const payload = this.#payload("message's variables", request.variables, messageCharsMax);
    const said = { name: request.name, correlationKey, id, ttlMs, payload };
    return this.#ask((answer) => ({ type: "publish", publication: { said, starts: new Map(), window: 1 }, answer }));
  }

  async broadcast(request: SignalRequest): Promise<void> {
    const { name, id = null } = request;
    checkId("signal name", name);
    if (id !== null) checkId("signal id", id);
    const payload = this.#payload("signal's variables", request.variables, this.#limits.messageCharsMax);
    return this.#ask((answer) => ({ type: "broadcast", signal: { name, payload }, id, starts: new Map(), answer }));
  }

  async rollout(process: string, plan: RolloutPlan | null): ReturnType<Engine["rollout"]> {
    checkId("process", process);
    if (plan === null) return this.#ask((answer) => ({ type: "rollout", process, plan, answer }));
    const checked = this.#payload("plan", plan) as unknown as RolloutPlan;
    return this.#ask((answer) => ({ type: "rollout", process, plan: checked, answer }));
  }

  async migrate(instanceId: string, request: MigrateRequest): Promise<Migration> {
    targetOf(this.#pump.programs, request);
    const mapping = this.#payload("mapping", request.mapping ?? {}) as { readonly [element: string]: string };
    const checked = { ...request, mapping };
    return this.#ask((answer) => ({ type: "migrate", instanceId, request: checked, answer }));
  }

  async fork(request: ForkRequest): Promise<string> {
    checkId("request id", request.requestId);
    if (request.newId !== undefined) checkId("instance id", request.newId);
    this.#refuseClosed();
    const prefix = await readPrefix(this.#store, request);
    return this.#ask((answer) => ({ type: "fork", request, ...prefix, answer, number: 0 }));
  }

  async release(instanceId: string): Promise<MovedInstance> {
    this.#refuseClosed();
    // What cannot be given whole is not given up.
    await movedInstance(this.#store, instanceId);
    await this.#ask<void>((answer) => ({ type: "release", instanceId, answer }));
    return movedInstance(this.#store, instanceId);
  }

  async adopt(moved: MovedInstance, options: AdoptOptions): Promise<void> {
    checkId("instance id", moved.instanceId);
    for (const document of moved.programs) this.#pump.programs.load(document);
    return this.#ask((answer) => ({ type: "adopt", moved, options, answer, number: 0 }));
  }

  instance(instanceId: string): ReturnType<Engine["instance"]> {
    return this.#ask((answer) => ({ type: "view", instanceId, answer }));
  }

  async query<V extends Parameters<Engine["query"]>[0]>(
    view: V,
    filter?: Parameters<Engine["query"]>[1],
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<never> {
    this.#refuseClosed();
    const { work } = this.#pump;
    const rows = await queryStore(
      this.#store,
      { view, filter, page },
      {
        standing: (job) => work.standing(job.instance, job.key),
        now: () => this.#pump.now(),
        queues: async () => queueClasses.map((queue) => work.queueRow(queue)),
      },
    );
    return rows as never;
  }

  history(request: Parameters<Engine["history"]>[0] = {}): ReturnType<Engine["history"]> {
    return readHistory(this.#store, this.#pump.recent, request);
  }

  work(...args: Parameters<Engine["work"]>): ReturnType<Engine["work"]> {
    this.#refuseClosed();
    return this.#pump.work.work(...args);
  }

  async adjustQueue(queue: keyof typeof defaultSlots, slots: number): Promise<void> {
    if (!Number.isInteger(slots) || slots < 0 || slots > slotsMax) {
      throw new AppError("limit-invalid", `Expected slots as a whole number from 0 to ${slotsMax}, but got ${slots}.`);
    }
    return this.#ask((answer) => ({ type: "slots", queue, slots, answer }));
  }

  close({ graceMs = 5_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    await this.#pump.work.stop(graceMs);
    await this.#pump.rest();
    await this.#pump.close();
  }

  #ask<T>(
    item: (answer: { readonly resolve: (value: T) => void; readonly reject: (error: Error) => void }) => CallerItem,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#refuseClosed();
      if (this.#pump.inbox.size >= this.#limits.waitingCommandsMax) {
        throw new AppError(
          "engine-busy",
          `Expected at most ${this.#limits.waitingCommandsMax} waiting commands, but there are more.`,
        );
      }
      this.#pump.push(item({ resolve, reject }));
    });
  }

  #refuseClosed(): void {
    const { status } = this.#pump;
    if (status === "storage-failed") {
      throw new AppError("storage-failed", "Expected the store to take commands, but it refuses to write.");
    }
    if (status === "lost") {
      throw new AppError("ownership-lost", "Expected to own the store, but another process has taken it over.");
    }
    if (this.#closing !== undefined || status !== "open") {
      throw new AppError("engine-closed", "Expected an open engine, but it was closed.");
    }
  }

  #payload(what: string, value: unknown, charsMax = this.#limits.payloadCharsMax): JsonObject {
    return checkedPayload(what, value, charsMax);
  }
}
