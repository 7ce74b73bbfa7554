import { AppError, type Host, pendingEffects, type State } from "@tutti/kernel";
import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";
import { performEffect } from "./effects.ts";
import { Inbox, type Item, isCallerItem } from "./inbox.ts";
import { Instances, revive } from "./instances.ts";
import { takeItem, wantItem } from "./item.ts";
import type { EngineLimits } from "./limits.ts";
import { Programs } from "./programs.ts";
import { RecentRows } from "./recent.ts";
import type { Scope, Wants } from "./scope.ts";
import type { Change, InstanceNumber, InstanceRecord, OpenJob, Store, StoredInstance } from "./store.ts";
import { Timers } from "./timers.ts";
import { Draft, type Numbers } from "./turn.ts";
import { type OfferJob, WorkQueue, type WorkQueueOptions } from "./work-queue.ts";

/** Where what an operator should know is told; data is plain JSON. */
export interface EngineLog {
  info(message: string, data: { readonly [name: string]: unknown }): void;
  warn(message: string, data: { readonly [name: string]: unknown }): void;
  error(message: string, data: { readonly [name: string]: unknown }): void;
}

/** Moments between which a crash must lose nothing. A hook that throws is such a crash: the engine does no more. */
export type CrashPoint = "turn-loaded" | "before-commit" | "after-commit" | "after-answers" | "after-effects";

export interface PumpOptions {
  readonly store: Store;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly limits: EngineLimits;
  readonly keyLimits: WorkQueueOptions["keyLimits"];
  readonly crashPoint: ((point: CrashPoint) => void) | undefined;
}

type Status = "opening" | "open" | "storage-failed" | "closed" | "crashed";

/**
 * The one writer. A turn takes what waits, decides it, writes it in one transaction, then answers and performs.
 * 1. At most one turn is under way; between turns every state in memory is what the log says.
 * 2. Nothing is answered or performed before the commit has resolved.
 * 3. After a failed commit no state of before is used again: everything is read anew.
 */
export class Pump {
  readonly inbox: Inbox = new Inbox();
  readonly instances: Instances;
  readonly programs: Programs;
  readonly recent: RecentRows;
  readonly work: WorkQueue;
  readonly timers: Timers;
  readonly #options: PumpOptions;
  readonly #retry: Alarm;
  readonly #idle: Alarm;
  readonly #scope: Scope;
  readonly #quarantined: Map<InstanceNumber, { readonly instanceId: string; readonly error: AppError }> = new Map();
  /** Instances that could not be read in this turn, and why. */
  readonly #unreadable: Map<string | InstanceNumber, Error> = new Map();
  #newlyQuarantined: InstanceRecord[] = [];
  #numbers: Numbers = { position: 0, instance: 0, outbox: 0, deployment: 0 };
  #status: Status = "opening";
  #turn = 0;
  #busy = false;
  #scheduled = false;
  #rested: (() => void)[] = [];

  constructor(options: PumpOptions) {
    const { store, clock, limits, keyLimits } = options;
    this.#options = options;
    this.instances = new Instances(limits.recordsInMemoryMax);
    this.programs = new Programs(options.host);
    this.recent = new RecentRows(limits.recentRowsMax);
    this.work = new WorkQueue({
      clock,
      limits,
      keyLimits,
      send: (instance, command) => this.push({ type: "own", instance, command }),
      load: (instance) => this.push({ type: "load", instance }),
    });
    this.timers = new Timers({
      store,
      clock,
      nearMax: limits.nearTimersMax,
      due: ({ instance, key }) => {
        if (this.#status !== "open" || this.inbox.size >= limits.commandsPerTurnMax * 2) return false;
        this.push({ type: "own", instance, command: { type: "fire-timer", key } });
        return true;
      },
      failed: (error) => this.#failStorage([], error),
    });
    this.#retry = new Alarm(clock, () => void this.#reopen());
    this.#idle = new Alarm(clock, () => this.#rest());
    this.#scope = this.#makeScope();
  }

  get status(): Status {
    return this.#status;
  }

  async open(): Promise<void> {
    this.work.setEpoch(await this.#options.store.claimEpoch());
    for (const [queue, slots] of await this.#options.store.slots()) this.work.adjust(queue, slots);
    await this.#recover();
  }

  push(item: Item): void {
    this.inbox.push(item);
    this.#schedule();
  }

  /** Resolves once nothing waits any more, or nothing more can be done about it. */
  async rest(): Promise<void> {
    while (this.#status === "open" && (this.inbox.size > 0 || this.#busy)) {
      await new Promise<void>((resolve) => this.#rested.push(resolve));
    }
  }

  async close(): Promise<void> {
    if (this.#status !== "crashed") this.#status = "closed";
    this.timers.stop();
    this.#retry.stop();
    this.#idle.stop();
    this.recent.close();
    this.#refuseCallers(new AppError("engine-closed", "Expected an open engine, but it was closed."));
    await this.#options.store.close();
  }

  #makeScope(): Scope {
    const { instances, programs, inbox, work, timers } = this;
    return {
      instances,
      programs,
      inbox,
      work,
      timers,
      requests: new Map(),
      numbers: this.#numbers,
      refusal: ({ instanceId, number }) => this.#refusal(instanceId, number),
      quarantine: (record, error) => this.#quarantine(record, error),
      warn: (message, data) => this.#options.log.warn(message, data),
    };
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#status !== "open") return;
    this.#scheduled = true;
    this.#options.clock.defer(() => {
      this.#scheduled = false;
      if (this.#status === "open" && !this.#busy) void this.#runTurn();
    });
  }

  async #runTurn(): Promise<void> {
    this.#busy = true;
    const items = this.inbox.take(this.#options.limits.commandsPerTurnMax);
    try {
      await this.#load(items);
      this.#crashPoint("turn-loaded");
      const draft = this.#decide(items);
      this.#crashPoint("before-commit");
      if (!draft.isEmpty) await this.#options.store.commit(draft);
      this.#crashPoint("after-commit");
      this.#finish(draft);
    } catch (error) {
      if (this.#status === "open") this.#failStorage(items, error);
    } finally {
      this.#busy = false;
    }
    if (this.inbox.size > 0) this.#schedule();
    else this.#idle.wakeAt(this.#options.clock.now() + this.#options.limits.idleMs);
    if (this.#rested.length > 0) for (const resolve of this.#rested.splice(0)) resolve();
  }

  async #load(items: readonly Item[]): Promise<void> {
    const { store } = this.#options;
    const wants: Wants = { instanceIds: new Set(), numbers: new Set(), requestIds: new Set(), hashes: new Set() };
    this.#unreadable.clear();
    this.#scope.requests.clear();
    for (const item of items) wantItem(this.#scope, item, wants);
    const { instanceIds, numbers, requestIds, hashes } = wants;
    if (instanceIds.size + numbers.size + requestIds.size > 0) {
      const found = await this.#find(wants);
      for (const [requestId, instanceId] of found.requests) this.#scope.requests.set(requestId, instanceId);
      for (const stored of found.instances) hashes.add(stored.record.hash);
      await this.#loadPrograms(hashes, store);
      for (const stored of found.instances) this.#revive(stored);
    } else if (hashes.size > 0) {
      await this.#loadPrograms(hashes, store);
    }
  }

  async #find(wants: Wants): Promise<{ instances: readonly StoredInstance[]; requests: ReadonlyMap<string, string> }> {
    const instanceIds = [...wants.instanceIds];
    const numbers = [...wants.numbers];
    const requestIds = [...wants.requestIds];
    const { store } = this.#options;
    try {
      return await store.find({ instanceIds, numbers, requestIds });
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "storage-failed") throw error;
    }
    // One of them does not read back. Asked for one by one, the others still do.
    const instances: StoredInstance[] = [];
    const none = { instanceIds: [], numbers: [], requestIds: [] };
    for (const instanceId of instanceIds) {
      await this.#findOne(instanceId, store.find({ ...none, instanceIds: [instanceId] }), instances);
    }
    for (const number of numbers) await this.#findOne(number, store.find({ ...none, numbers: [number] }), instances);
    return { instances, requests: (await store.find({ ...none, requestIds })).requests };
  }

  async #findOne(
    name: string | InstanceNumber,
    finding: Promise<{ readonly instances: readonly StoredInstance[] }>,
    into: StoredInstance[],
  ): Promise<void> {
    try {
      into.push(...(await finding).instances);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "storage-failed") throw error;
      this.#options.log.error("an instance cannot be read", { instance: name, reason: error.message });
      this.#unreadable.set(name, error);
    }
  }

  async #loadPrograms(hashes: ReadonlySet<string>, store: Store): Promise<void> {
    for (const hash of hashes) {
      if (this.programs.loaded(hash) !== undefined) continue;
      const document = await store.program(hash);
      if (document !== undefined) this.programs.load(document);
    }
  }

  #revive(stored: StoredInstance): void {
    const { number, instanceId, hash } = stored.record;
    if (this.instances.number(number) !== undefined || this.#quarantined.has(number)) return;
    const program = this.programs.loaded(hash);
    if (program === undefined) {
      const error = new AppError(
        "database-damaged",
        `Expected the program ${hash} of '${instanceId}', but it is not there.`,
      );
      this.#unreadable.set(number, error).set(instanceId, error);
      return;
    }
    try {
      this.instances.add(revive(stored, program));
    } catch (error) {
      this.#quarantine(stored.record, error);
    }
  }

  #decide(items: readonly Item[]): Draft {
    this.#turn++;
    const draft = new Draft({ numbers: this.#numbers, now: this.#options.clock.now(), turn: this.#turn });
    // Views first: they show what is durable.
    for (const item of items) if (item.type === "view") this.#take(draft, item);
    for (const item of items) if (item.type !== "view") this.#take(draft, item);
    for (const record of this.#newlyQuarantined) draft.quarantine(record);
    this.#newlyQuarantined = [];
    draft.snapshot(this.#options.limits.snapshotEventsMin);
    return draft;
  }

  #take(draft: Draft, item: Item): void {
    try {
      takeItem(this.#scope, draft, item);
    } catch (error) {
      // Refused before anything was decided: only its caller is concerned.
      if (!isCallerItem(item)) throw error;
      item.answer.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #finish(draft: Draft): void {
    Object.assign(this.#numbers, draft.numbers);
    draft.settle(this.instances);
    this.recent.add(draft.named);
    for (const answer of draft.answers) answer();
    this.#crashPoint("after-answers");
    for (const { record, effect } of draft.effects) performEffect(this, record, effect);
    // A turn may offer a job and close it again, or the other way round: what it did last counts.
    for (const { instance, key } of closedJobs(draft.changes)) this.work.closed(instance, key);
    for (const { record, state } of draft.loaded) this.work.provide(record, offersOf(state));
    for (const entry of draft.deliveries) this.inbox.push({ type: "deliver", entry });
    this.work.dispatch();
    this.timers.fire();
    this.#crashPoint("after-effects");
  }

  #refusal(instanceId: string | undefined, number: InstanceNumber | undefined): Error | undefined {
    for (const [each, { instanceId: id, error }] of this.#quarantined) {
      if (each === number || id === instanceId) return error;
    }
    return this.#unreadable.get(instanceId ?? number ?? 0);
  }

  #quarantine(record: InstanceRecord, cause: unknown): AppError {
    const { number, instanceId } = record;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new AppError(
      "instance-quarantined",
      `Expected '${instanceId}' to go on, but an invariant of Tutti broke in it: ${reason}.`,
      { cause },
    );
    this.#options.log.error("an instance was put in quarantine", { instanceId, reason });
    this.#quarantined.set(number, { instanceId, error });
    const live = this.instances.number(number);
    if (live !== undefined) this.instances.drop(live);
    this.work.hold(number, true);
    this.#newlyQuarantined.push(record);
    return error;
  }

  /** Everything in memory may be ahead of the log now, so nothing of it is kept but what outcomes jobs came to. */
  #failStorage(items: readonly Item[], cause: unknown): void {
    if (this.#status === "crashed" || this.#status === "closed") return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#status = "storage-failed";
    this.#options.log.error("the store refused to write; no commands are taken until it does", { reason });
    this.work.setOpen(false);
    this.timers.stop();
    this.instances.clear();
    const error = new AppError("storage-failed", `Expected the store to take the command, but: ${reason}.`, { cause });
    for (const item of items) if (isCallerItem(item)) item.answer.reject(error);
    this.#refuseCallers(error);
    this.inbox.replace((waiting) => [...items, ...waiting].filter(isOnlyHere));
    this.#retry.wakeAt(this.#options.clock.now() + this.#options.limits.storageRetryMs);
  }

  #refuseCallers(error: Error): void {
    this.inbox.replace((waiting) => {
      for (const item of waiting) if (isCallerItem(item)) item.answer.reject(error);
      return waiting.filter((item) => !isCallerItem(item));
    });
  }

  async #reopen(): Promise<void> {
    try {
      await this.#options.store.reopen();
      await this.#recover();
      this.#options.log.info("the store writes again", {});
    } catch (error) {
      this.#options.log.warn("the store still refuses to write", { reason: String(error) });
      if (this.#status === "storage-failed" || this.#status === "opening") {
        this.#status = "storage-failed";
        this.#retry.wakeAt(this.#options.clock.now() + this.#options.limits.storageRetryMs);
      }
    }
  }

  /** Reads from the store what has to go on: outbox, timers and open jobs. Instances are loaded when first touched. */
  async #recover(): Promise<void> {
    const { store } = this.#options;
    // In place: the scope holds the same object.
    Object.assign(this.#numbers, await store.counters());
    this.recent.reset(this.#numbers.position);
    for (const each of await store.deployments()) this.programs.add(each);
    const outbox = await store.outbox();
    const jobs = await this.#openJobs();
    const held = await store.heldInstances();
    if (this.#status === "closed" || this.#status === "crashed") return;
    for (const entry of outbox) this.inbox.push({ type: "deliver", entry });
    this.work.reset(jobs, held);
    await this.timers.reset();
    this.#status = "open";
    this.work.setOpen(true);
    this.timers.fire();
    this.#schedule();
  }

  async #openJobs(): Promise<readonly OpenJob[]> {
    const pageJobs = 10_000;
    const jobs: OpenJob[] = [];
    for (;;) {
      const page = await this.#options.store.openJobs(jobs.at(-1), pageJobs);
      jobs.push(...page);
      if (page.length < pageJobs) return jobs;
    }
  }

  #rest(): void {
    if (this.#status === "open" && !this.#busy && this.inbox.size === 0) this.#options.store.idle();
  }

  #crashPoint(point: CrashPoint): void {
    const { crashPoint } = this.#options;
    if (crashPoint === undefined) return;
    try {
      crashPoint(point);
    } catch (error) {
      this.#status = "crashed";
      this.work.setOpen(false);
      this.timers.stop();
      throw error;
    }
  }
}

/** What a job came to, and what one waits for, is not in the store; timers and messages are read from there again. */
function isOnlyHere(item: Item): boolean {
  return item.type === "load" || (item.type === "own" && item.command.type !== "fire-timer");
}

type JobDelete = Extract<Change, { readonly type: "job-delete" }>;

/** Jobs that a turn closed and did not offer again afterwards. */
function closedJobs(changes: readonly Change[]): JobDelete[] {
  const closed: JobDelete[] = [];
  const reopened = new Set<string>();
  // From the last to the first. Only a further attempt can follow a close: nearly no turn has one.
  for (let index = changes.length - 1; index >= 0; index--) {
    const change = changes[index];
    if (change?.type === "job-delete") {
      if (reopened.size === 0 || !reopened.has(`${change.instance}.${change.key}`)) closed.push(change);
    } else if (change?.type === "job-put" && change.job.attempt > 1) {
      reopened.add(`${change.job.instance}.${change.job.key}`);
    }
  }
  return closed;
}

function offersOf(state: State): readonly OfferJob[] {
  return pendingEffects(state).filter((effect): effect is OfferJob => effect.type === "offer-job");
}
