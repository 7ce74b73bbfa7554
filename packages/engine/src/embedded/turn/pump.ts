import { AppError, type Host } from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import { WorkQueue, type WorkQueueOptions } from "../job/work-queue.ts";
import type { EngineLimits } from "../limits.ts";
import { RecentRows } from "../log/recent.ts";
import type { Begin } from "../message/begin.ts";
import { Channels } from "../message/channels.ts";
import type { OpenSubscription, SignalWanted } from "../message/coordination.ts";
import { matchOpened } from "../message/matching.ts";
import type { InstanceNumber, InstanceRecord, OpenJob, Store } from "../store.ts";
import { Alarm } from "../time/alarm.ts";
import { Schedules } from "../time/schedules.ts";
import { Timers } from "../time/timers.ts";
import { Figures, settleFigures } from "../version/figures.ts";
import { Programs } from "../version/programs.ts";
import { settleRollouts } from "../version/rollouts.ts";
import { closedJobs, isOnlyHere, offersOf } from "./after.ts";
import { each } from "./each.ts";
import { performEffect } from "./effects.ts";
import { Inbox, type Item, isCallerItem } from "./inbox.ts";
import { Instances } from "./instances.ts";
import { takeItem, wantItem } from "./item.ts";
import { KeptParcels } from "./kept.ts";
import { Loader } from "./loader.ts";
import { Quarantine } from "./quarantine.ts";
import { noWants, type Scope, type Wants, wantNumber } from "./scope.ts";
import { Draft, type Numbers } from "./turn.ts";

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
  /** Another process owns the store now: nothing more is done here. */
  readonly onLost: (error: Error) => void;
}

/** What has to be forgotten is collected for so long. */
const forgetEveryMs = 1_000;

type Status = "opening" | "open" | "storage-failed" | "lost" | "closed" | "crashed";

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
  readonly schedules: Schedules;
  readonly channels: Channels = new Channels();
  readonly #kept: KeptParcels = new KeptParcels();
  readonly #signalled: Map<SignalWanted, readonly OpenSubscription[]> = new Map();
  readonly #forgetting: Alarm;
  readonly #options: PumpOptions;
  readonly #retry: Alarm;
  readonly #idle: Alarm;
  readonly #scope: Scope;
  readonly #loader: Loader;
  readonly #quarantined: Quarantine = new Quarantine();
  #newlyQuarantined: InstanceRecord[] = [];
  #numbers: Numbers = { position: 0, instance: 0, created: 0, outbox: 0, deployment: 0 };
  #status: Status = "opening";
  #turn = 0;
  #busy = false;
  #scheduled = false;
  #rested: (() => void)[] = [];
  #storeLost: Error | undefined;

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
    this.schedules = new Schedules(clock, (schedule) =>
      this.push({ type: "schedule", firing: { schedule, number: 0 } }),
    );
    this.#forgetting = new Alarm(clock, () => this.push({ type: "forget" }));
    this.#retry = new Alarm(clock, () => void this.#reopen());
    this.#idle = new Alarm(clock, () => this.#rest());
    this.#scope = this.#makeScope();
    this.#loader = new Loader({
      store,
      instances: this.instances,
      programs: this.programs,
      requests: this.#scope.requests,
      moved: this.#scope.moved,
      isQuarantined: (instance) => this.#quarantined.has(instance),
      quarantine: (record, error) => this.#quarantine(record, error),
      error: (message, data) => options.log.error(message, data),
    });
  }

  now(): number {
    return this.#options.clock.now();
  }

  get status(): Status {
    return this.#status;
  }

  async open(): Promise<void> {
    this.#options.store.watch?.((error) => {
      this.#storeLost = error;
      if (!this.#busy) this.#noticeLoss();
    });
    const epoch = await this.#options.store.claimEpoch();
    this.work.setEpoch(epoch);
    this.channels.setEpoch(epoch);
    for (const [queue, slots] of await this.#options.store.slots()) this.work.adjust(queue, slots);
    for (const instance of await this.#options.store.quarantined()) {
      this.#scope.listed.add(instance);
      this.inbox.push({ type: "acquit", instance });
    }
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
    this.#stopClocks();
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
      schedules: this.schedules,
      channels: this.channels,
      kept: this.#kept,
      signalled: this.#signalled,
      host: this.#options.host,
      limits: this.#options.limits,
      requests: new Map(),
      moved: new Map(),
      listed: new Set(),
      figures: new Figures(),
      numbers: this.#numbers,
      refusal: ({ instanceId, number }) => this.#refusal(instanceId, number),
      setAside: (instanceId) => this.#quarantined.record(instanceId),
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
      if (!draft.exchange.isIdle) await this.#match(draft);
      this.#seal(draft);
      this.#crashPoint("before-commit");
      if (!draft.isEmpty) await this.#options.store.commit(draft);
      this.#crashPoint("after-commit");
      this.#finish(draft);
      if (draft.forgets) await this.#recount();
    } catch (error) {
      if (this.#status === "open") this.#failStorage(items, error);
    } finally {
      this.#busy = false;
    }
    this.#noticeLoss();
    if (this.inbox.size > 0) this.#schedule();
    else this.#idle.wakeAt(this.#options.clock.now() + this.#options.limits.idleMs);
    if (this.#rested.length > 0) for (const resolve of this.#rested.splice(0)) resolve();
  }

  async #load(items: readonly Item[]): Promise<void> {
    const wants = noWants();
    this.#loader.begin();
    for (const { begin } of items.filter((item) => item.type === "begin")) {
      begin.channels ??= await this.#options.store.beginning({ ...begin, now: this.now() });
    }
    each(items, (item) => wantItem(this.#scope, item, wants));
    if (wants.channels.size + wants.signals.length > 0) await this.#loadWaiting(wants);
    await this.#loader.load(wants);
  }

  /** Who waits on the channels and for the signals of this turn, and then their instances. */
  async #loadWaiting(wants: Wants): Promise<void> {
    const { store } = this.#options;
    const channels = await store.channels([...wants.channels.values()]);
    this.channels.begin(channels, wants.channels);
    for (const { waiting } of channels) for (const each of waiting) wantNumber(this.#scope, each.instance, wants);
    this.#signalled.clear();
    for (const wanted of wants.signals) {
      const waiting = await store.signalled(wanted);
      this.#signalled.set(wanted, waiting);
      for (const each of waiting) wantNumber(this.#scope, each.instance, wants);
    }
  }

  #decide(items: readonly Item[]): Draft {
    this.#turn++;
    const draft = new Draft({
      numbers: this.#numbers,
      now: this.#options.clock.now(),
      turn: this.#turn,
    });
    // Views first: they show what is durable.
    const take = (item: Item): void => this.#take(draft, item);
    const views = items.filter(({ type }) => type === "view");
    each(views, take);
    each(views.length === 0 ? items : items.filter(({ type }) => type !== "view"), take);
    return draft;
  }

  /** Whoever came to wait in this turn gets what is kept for them. */
  #match(draft: Draft): Promise<void> {
    return matchOpened({ scope: this.#scope, draft }, this.#options.store, (wants) => this.#loader.load(wants));
  }

  #seal(draft: Draft): void {
    for (const record of this.#newlyQuarantined) {
      if (this.#scope.listed.has(record.number)) continue;
      draft.quarantine(record);
      draft.answers.push(() => this.#scope.listed.add(record.number));
    }
    this.#newlyQuarantined = [];
    if (draft.counted.length > 0) settleFigures({ scope: this.#scope, draft });
    if (draft.counted.length + draft.plans.length > 0) settleRollouts({ scope: this.#scope, draft });
    draft.snapshot(this.#options.limits.snapshotEventsMin);
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
    this.recent.add(draft.rows);
    each(draft.answers, (answer) => answer());
    this.#crashPoint("after-answers");
    each(draft.effects, (performed) => performEffect(this, performed));
    // A turn may offer a job and close it again, or the other way round: what it did last counts.
    each(closedJobs(draft.changes), (job) => this.work.closed(job));
    for (const { record, state } of draft.loaded) this.work.provide(record, offersOf(state));
    for (const entry of draft.deliveries) this.inbox.push({ type: "deliver", entry });
    const begins = [...draft.begins, ...this.#beginsOf(draft.began)];
    this.inbox.putBack([
      ...draft.matches.map((unmatched): Item => ({ type: "match", unmatched })),
      ...begins.map((begin): Item => ({ type: "begin", begin })),
      ...draft.later,
    ]);
    // Nobody else tells what was kept for those that will never take it.
    if (!this.#kept.isEmpty)
      for (const { record } of draft.touched) if (record.endedAt !== null) this.goesOn(record.number);
    this.#wakeToForget();
    this.work.dispatch();
    this.timers.fire();
    this.#crashPoint("after-effects");
  }

  /** What is kept may start these. Nobody may publish what they begin with before that: they come first. */
  #beginsOf(processes: Iterable<string>): Begin[] {
    if (!this.channels.anythingKept(this.now())) return [];
    return [...processes].flatMap((process) =>
      this.programs.messagesOf(process).map((name) => ({ process, name, goesOn: false })),
    );
  }

  goesOn(instance: InstanceNumber): void {
    for (const entry of this.#kept.release(instance)) this.inbox.push({ type: "deliver", entry });
  }

  #wakeToForget(): void {
    const next = this.channels.nextForgotten;
    if (next !== undefined) this.#forgetting.wakeAt(next + forgetEveryMs);
  }

  async #recount(): Promise<void> {
    this.channels.recount(await this.#options.store.messageCounts());
    this.#wakeToForget();
  }

  #refusal(instanceId: string | undefined, number: InstanceNumber | undefined): Error | undefined {
    if (this.#quarantined.isEmpty && this.#loader.allReadable) return undefined;
    return this.#quarantined.refusal(instanceId, number) ?? this.#loader.unreadable(instanceId ?? number ?? 0);
  }

  #quarantine(record: InstanceRecord, cause: unknown): AppError {
    const { number, instanceId } = record;
    const error = this.#quarantined.add(record, cause);
    this.#options.log.error("an instance was put in quarantine", { instanceId, reason: error.message });
    const live = this.instances.number(number);
    if (live !== undefined) this.instances.drop(live);
    this.work.hold(number, true);
    this.#newlyQuarantined.push(record);
    return error;
  }

  /** Everything in memory may be ahead of the log now, so nothing of it is kept but what outcomes jobs came to. */
  #failStorage(items: readonly Item[], cause: unknown): void {
    if (this.#status === "crashed" || this.#status === "closed" || this.#status === "lost") return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#status = "storage-failed";
    this.#options.log.error("the store refused to write; no commands are taken until it does", { reason });
    this.work.setOpen(false);
    this.#stopClocks();
    this.#kept.clear();
    this.instances.clear();
    const error = new AppError("storage-failed", `Expected the store to take the command, but: ${reason}.`, { cause });
    for (const item of items) if (isCallerItem(item)) item.answer.reject(error);
    this.#refuseCallers(error);
    this.inbox.replace((waiting) => [...items, ...waiting].filter(isOnlyHere));
    this.#retry.wakeAt(this.#options.clock.now() + this.#options.limits.storageRetryMs);
  }

  /** The store can be lost without a turn that finds out. */
  #noticeLoss(): void {
    if (this.#storeLost !== undefined && this.#status === "open") this.#failStorage([], this.#storeLost);
  }

  #refuseCallers(error: Error): void {
    this.inbox.replace((waiting) => {
      for (const item of waiting) if (isCallerItem(item)) item.answer.reject(error);
      return waiting.filter((item) => !isCallerItem(item));
    });
  }

  async #reopen(): Promise<void> {
    try {
      this.#storeLost = undefined;
      await this.#options.store.reopen();
      await this.#recover();
      this.#noticeLoss();
      this.#options.log.info("the store writes again", {});
    } catch (error) {
      if (error instanceof AppError && error.code === "ownership-lost") return this.#giveUp(error);
      this.#options.log.warn("the store still refuses to write", { reason: String(error) });
      if (this.#status === "storage-failed" || this.#status === "opening") {
        this.#status = "storage-failed";
        this.#retry.wakeAt(this.#options.clock.now() + this.#options.limits.storageRetryMs);
      }
    }
  }

  /** Whoever owns the store now offers the jobs again: nobody may work on them here any more. */
  #giveUp(error: AppError): void {
    if (this.#status === "closed" || this.#status === "crashed") return;
    this.#status = "lost";
    this.#options.log.error("another process owns the store now; this engine has stopped", { reason: error.message });
    this.#refuseCallers(error);
    this.recent.close();
    void this.work.stop(0);
    this.#options.onLost(error);
  }

  /** Reads from the store what has to go on: outbox, timers and open jobs. Instances are loaded when first touched. */
  async #recover(): Promise<void> {
    const { store } = this.#options;
    // In place: the scope holds the same object.
    const counters = await store.counters();
    Object.assign(this.#numbers, counters, { created: counters.instance });
    this.recent.reset(this.#numbers.position);
    for (const each of await store.deployments()) this.programs.add(each);
    const outbox = await store.outbox();
    const jobs = await this.#openJobs();
    const held = await store.heldInstances();
    const rollouts = await store.rollouts();
    const figures = await store.versionFigures(undefined);
    const schedules = await store.schedules();
    const counts = await store.messageCounts();
    const unmatched = await store.unmatched(this.#options.clock.now());
    if (this.#status === "closed" || this.#status === "crashed") return;
    this.programs.resetRollouts(rollouts);
    this.#scope.figures.reset(figures);
    this.schedules.reset(schedules);
    this.channels.reset(counts);
    for (const each of unmatched) this.channels.wait(each);
    this.inbox.putBack([
      ...unmatched.map((each): Item => ({ type: "match", unmatched: each })),
      ...this.#beginsOf(this.programs.processes).map((begin): Item => ({ type: "begin", begin })),
    ]);
    for (const entry of outbox) this.inbox.push({ type: "deliver", entry });
    this.work.reset(jobs, held);
    await this.timers.reset();
    this.#status = "open";
    this.work.setOpen(true);
    this.timers.fire();
    this.schedules.fire();
    this.#wakeToForget();
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
      this.#stopClocks();
      throw error;
    }
  }

  #stopClocks(): void {
    this.timers.stop();
    this.schedules.stop();
    this.#forgetting.stop();
  }
}
