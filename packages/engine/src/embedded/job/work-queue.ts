import {
  assert,
  type Effect,
  Heap,
  type Job,
  type JobHandler,
  type JobOutcome,
  JobQueue,
  type Key,
  type KeyLimit,
  must,
  type QueueClass,
  type QueuedJob,
  SmallMap,
} from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import type { JobRow, QueueRow, Stop, WorkOptions } from "../../port.ts";
import type { EngineLimits } from "../limits.ts";
import { NumberMap } from "../number-map.ts";
import type { InstanceNumber, InstanceRecord, OpenJob } from "../store.ts";
import { Alarm } from "../time/alarm.ts";
import type { OwnCommand } from "../turn/inbox.ts";
import { callHandler, commandOf, failJob, JobRun } from "./job-run.ts";
import { limitKeyOf } from "./limit-key.ts";
import { Roster } from "./roster.ts";

export type OfferJob = Extract<Effect, { readonly type: "offer-job" }>;

/** An open job in this process. `finishing`: its outcome is on the way to the log. */
interface Entry extends QueuedJob {
  readonly instance: InstanceNumber;
  readonly key: Key;
  readonly element: string;
  readonly attempt: number;
  readonly since: number;
  /** What the worker is given; read from the instance when recovery found the job in its table. */
  offer: OfferJob | undefined;
  names: Pick<InstanceRecord, "instanceId" | "rootId"> | undefined;
  state: "queued" | "loading" | "running" | "finishing" | "held";
  run: JobRun | undefined;
}

interface InstanceJobs {
  held: boolean;
  readonly entries: SmallMap<Key, Entry>;
}

/** Something to look at later: a job that may have run too long, been silent, or not wound down. */
interface Watch {
  readonly at: number;
  readonly entry: Entry;
  readonly run: JobRun;
  readonly what: "deadline" | "silence" | "grace";
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly limits: Pick<EngineLimits, "abortGraceMs" | "payloadCharsMax">;
  readonly keyLimits: { readonly [key: string]: KeyLimit };
  /** Tells the instance what a job came to. */
  readonly send: (instance: InstanceNumber, command: OwnCommand) => void;
  /** Asks for `provide` to be called for the open jobs of an instance. */
  readonly load: (instance: InstanceNumber) => void;
}

/**
 * Open jobs and who works on them. Nothing here is durable: recovery fills it from the table of open jobs. Leases of
 * workers in this process end with the process, so they need no row; their tokens grow by epoch, then by count.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #queue: JobQueue<Entry> = new JobQueue();
  readonly #instances: NumberMap<InstanceJobs> = new NumberMap();
  readonly #roster: Roster = new Roster();
  readonly #watches: Heap<Watch> = new Heap((a, b) => a.at - b.at);
  readonly #alarm: Alarm;
  readonly #accepts: (jobType: string) => boolean;
  #settled: (() => void)[] = [];
  #token = 0;
  #open = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#alarm = new Alarm(options.clock, () => this.#ring());
    for (const [key, limit] of Object.entries(options.keyLimits)) this.#queue.limit(key, limit);
    this.#accepts = (jobType) => this.#roster.next(jobType) !== undefined;
  }

  /** 2^32 jobs an opening, 2^21 openings. */
  setEpoch(epoch: number): void {
    this.#token = epoch * 2 ** 32;
  }

  /** While closed nothing new starts. */
  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.dispatch();
  }

  /**
   * Makes what is here match the table of open jobs: starts from it, or catches up after the store failed. Running
   * jobs that are still open go on.
   */
  reset(jobs: readonly OpenJob[], held: readonly InstanceNumber[]): void {
    const open = new Map<InstanceNumber, Map<Key, OpenJob>>();
    for (const job of jobs) {
      const of = open.get(job.instance) ?? new Map<Key, OpenJob>();
      open.set(job.instance, of.set(job.key, job));
    }
    for (const [number, of] of this.#instances.entries()) {
      for (const [key, entry] of of.entries) {
        if (open.get(number)?.get(key)?.attempt !== entry.attempt) this.cancel(number, key);
      }
    }
    const now = this.#clock.now();
    const holding = new Set(held);
    for (const [number] of this.#instances.entries()) if (!holding.has(number)) this.release(number);
    for (const number of held) this.hold(number, false);
    for (const job of jobs) {
      if (this.#instances.get(job.instance)?.entries.has(job.key)) continue;
      const entry: Entry = {
        ...job,
        limitKey: job.limitKey ?? undefined,
        eligibleAt: job.notBefore === 0 ? job.since : job.notBefore,
        offer: undefined,
        names: undefined,
        state: "queued",
        run: undefined,
        waiting: undefined,
      };
      this.#add(entry, now);
    }
  }

  /** To be called once the offer is durable. Offering what is already here changes nothing. */
  offer(record: InstanceRecord, offer: OfferJob): void {
    const { key, element, jobType, queue, priority, attempt } = offer;
    const existing = this.#instances.get(record.number)?.entries.get(key);
    if (existing !== undefined) {
      if (existing.attempt === attempt && existing.state !== "finishing") return;
      this.cancel(record.number, key);
    }
    // Recovery knows of held instances only by their open jobs; this may be the first one since.
    if (record.held) this.#of(record.number).held = true;
    const now = this.#clock.now();
    const entry: Entry = {
      instance: record.number,
      key,
      element,
      jobType,
      queue,
      priority,
      attempt,
      since: now,
      eligibleAt: offer.notBefore ?? now,
      limitKey: limitKeyOf(offer) ?? undefined,
      offer,
      names: record,
      state: "queued",
      run: undefined,
      waiting: undefined,
    };
    this.#add(entry, now);
  }

  /** The job is no longer open: whoever runs it is told to stop, and what it comes to does not matter. */
  cancel(instance: InstanceNumber, key: Key): void {
    const of = this.#instances.get(instance);
    const entry = of?.entries.get(key);
    if (of === undefined || entry === undefined) return;
    of.entries.delete(key);
    if (of.entries.size === 0 && !of.held) this.#instances.delete(instance);
    if (entry.state === "queued") this.#queue.withdraw(entry);
    else if (entry.state === "loading") this.#queue.release(entry);
    else if (entry.state === "running") this.#abort(entry, "cancelled");
    entry.state = "finishing";
  }

  /** It is durable that the job is no longer open. Whoever still runs it, because somebody else ended it, is stopped. */
  closed({ instance, key }: { readonly instance: InstanceNumber; readonly key: Key }): void {
    this.cancel(instance, key);
  }

  /** The outcome came too late to count. */
  finished(instance: InstanceNumber, key: Key): void {
    const of = this.#instances.get(instance);
    if (of?.entries.get(key)?.state !== "finishing") return;
    of.entries.delete(key);
    if (of.entries.size === 0 && !of.held) this.#instances.delete(instance);
  }

  hold(instance: InstanceNumber, stopRunning: boolean): void {
    const of = this.#of(instance);
    of.held = true;
    for (const entry of of.entries.values()) {
      if (entry.state === "queued") this.#queue.withdraw(entry);
      else if (entry.state === "loading") this.#queue.release(entry);
      else if (entry.state === "running" && stopRunning) this.#abort(entry, "cancelled");
      else continue;
      entry.state = "held";
      entry.run = undefined;
    }
  }

  release(instance: InstanceNumber): void {
    const of = this.#instances.get(instance);
    if (of === undefined) return;
    of.held = false;
    for (const entry of of.entries.values()) if (entry.state === "held") this.#enqueue(entry);
    if (of.entries.size === 0) this.#instances.delete(instance);
  }

  /** Gives the jobs that wait for it what their workers need; those no longer open are dropped. */
  provide(record: InstanceRecord, offers: readonly OfferJob[]): void {
    const of = this.#instances.get(record.number);
    if (of === undefined) return;
    const byKey = new Map(offers.map((offer) => [offer.key, offer]));
    for (const entry of [...of.entries.values()]) {
      if (entry.offer !== undefined || entry.state === "finishing") continue;
      const offer = byKey.get(entry.key);
      if (offer === undefined) {
        this.cancel(record.number, entry.key);
        continue;
      }
      entry.offer = offer;
      entry.names = record;
      if (entry.state === "loading") this.#start(entry, this.#clock.now());
    }
  }

  /** What was offered is called otherwise now: whoever has not started yet reads it again. */
  reread(instance: InstanceNumber): void {
    for (const entry of this.#instances.get(instance)?.entries.values() ?? []) {
      if (entry.state === "queued" || entry.state === "held") entry.offer = undefined;
    }
  }

  /** Starts whatever may start now. */
  dispatch(): void {
    // Asked after every outcome, and nearly always nothing waits.
    if (!this.#open || this.#queue.waiting === 0) return;
    const now = this.#clock.now();
    const { load } = this.#options;
    for (let entry = this.#queue.take(now, this.#accepts); entry; entry = this.#queue.take(now, this.#accepts)) {
      if (entry.offer !== undefined) {
        this.#start(entry, now);
      } else {
        entry.state = "loading";
        load(entry.instance);
      }
    }
    this.#alarm.wakeAt(this.#queue.nextAt(now));
  }

  work(jobType: string, handler: JobHandler, options: WorkOptions = {}): Stop {
    const registration = this.#roster.add(jobType, handler, options);
    this.dispatch();
    return async ({ graceMs = 0 } = {}) => {
      registration.stopping = true;
      await this.#drain((run) => run.registration === registration, graceMs);
      this.#roster.remove(registration);
    };
  }

  /** Starts nothing more, and ends what runs within `graceMs`. What is cut off stays open for the next opening. */
  async stop(graceMs: number): Promise<void> {
    this.#open = false;
    await this.#drain(() => true, graceMs);
    this.#alarm.stop();
  }

  /** Starts nothing by itself: the turn that adjusts may also have ended what waits for the slots. */
  adjust(queue: QueueClass, slots: number): void {
    this.#queue.adjust(queue, slots);
  }

  queueRow(queue: QueueClass): QueueRow {
    return { queue, ...this.#queue.counts(queue) };
  }

  /** How an open job stands, as far as this process knows. */
  standing(instance: InstanceNumber, key: Key): Pick<JobRow, "state" | "since" | "progress"> | undefined {
    const entry = this.#instances.get(instance)?.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.state === "held") return { state: "held", since: entry.since, progress: null };
    const { run } = entry;
    if (run !== undefined) return { state: "running", since: run.startedAt, progress: run.progress };
    const backoff = entry.eligibleAt > this.#clock.now();
    return { state: backoff ? "backoff" : "queued", since: entry.since, progress: null };
  }

  #of(instance: InstanceNumber): InstanceJobs {
    let of = this.#instances.get(instance);
    if (of === undefined) {
      of = { held: false, entries: new SmallMap() };
      this.#instances.set(instance, of);
    }
    return of;
  }

  #add(entry: Entry, now: number): void {
    const of = this.#of(entry.instance);
    of.entries.set(entry.key, entry);
    if (of.held) entry.state = "held";
    else this.#queue.offer(entry, now);
  }

  #enqueue(entry: Entry): void {
    entry.state = "queued";
    entry.run = undefined;
    this.#queue.offer(entry, this.#clock.now());
  }

  #start(entry: Entry, now: number): void {
    const registration = this.#roster.next(entry.jobType);
    if (registration === undefined || !this.#open) {
      // It was taken for a handler that has gone, or has another job, since the instance was to be loaded.
      this.#queue.release(entry);
      this.#enqueue(entry);
      return;
    }
    const run = new JobRun(registration, this.#jobOf(entry, now), { clock: this.#clock, at: now });
    entry.state = "running";
    entry.run = run;
    registration.running++;
    if (run.job.deadlineAt !== undefined) this.#watch({ at: run.job.deadlineAt, entry, run, what: "deadline" });
    const { silenceMs } = registration.options;
    if (silenceMs !== undefined) this.#watch({ at: run.startedAt + silenceMs, entry, run, what: "silence" });
    callHandler(run, (outcome) => this.#onOutcome(entry, run, outcome));
  }

  #jobOf(entry: Entry, now: number): Job {
    const offer = must(entry.offer, "a job starts with its offer");
    const { instanceId, rootId } = must(entry.names, "a job starts with the names of its instance");
    const { timeoutMs } = offer;
    const job = {
      id: `${instanceId}/${offer.key}`,
      instanceId,
      rootId,
      elementId: offer.element,
      type: offer.jobType,
      queue: offer.queue,
      priority: offer.priority,
      attempt: offer.attempt,
      attemptsMax: offer.attemptsMax,
      input: offer.input,
      headers: offer.headers,
      fencingToken: ++this.#token,
    };
    return timeoutMs === undefined ? job : { ...job, deadlineAt: now + timeoutMs };
  }

  #onOutcome(entry: Entry, run: JobRun, outcome: JobOutcome): void {
    this.#freeSlot(entry, run);
    if (!run.abandoned) {
      assert(entry.run === run, "a run that still counts is its job's");
      entry.state = "finishing";
      this.#options.send(
        entry.instance,
        commandOf(entry.key, outcome, { run, charsMax: this.#options.limits.payloadCharsMax }),
      );
    }
    if (this.#settled.length > 0) for (const check of this.#settled) check();
    this.dispatch();
  }

  #freeSlot(entry: Entry, run: JobRun): void {
    if (!run.holdsSlot) return;
    run.holdsSlot = false;
    run.registration.running--;
    this.#queue.release(entry);
  }

  #abort(entry: Entry, reason: "cancelled" | "timeout" | "lease-lost" | "shutdown"): void {
    const run = must(entry.run, "a running job has its run");
    run.abort(reason);
    this.#watch({ at: this.#clock.now() + this.#options.limits.abortGraceMs, entry, run, what: "grace" });
  }

  #watch(watch: Watch): void {
    this.#watches.push(watch);
    this.#alarm.wakeAt(watch.at);
  }

  #ring(): void {
    const now = this.#clock.now();
    for (let watch = this.#watches.peek(); watch !== undefined && watch.at <= now; watch = this.#watches.peek()) {
      this.#watches.pop();
      this.#look(watch, now);
    }
    this.#alarm.wakeAt(this.#watches.peek()?.at);
    this.dispatch();
  }

  #look({ entry, run, what }: Watch, now: number): void {
    if (what === "grace") {
      this.#freeSlot(entry, run);
      return;
    }
    if (run.abandoned || entry.run !== run || entry.state !== "running") return;
    const { silenceMs = 0 } = run.registration.options;
    if (what === "silence" && run.lastBeatAt + silenceMs > now) {
      this.#watch({ at: run.lastBeatAt + silenceMs, entry, run, what });
      return;
    }
    this.#abort(entry, what === "silence" ? "lease-lost" : "timeout");
    entry.state = "finishing";
    const error =
      what === "silence"
        ? { code: "job-silent", message: `The worker gave no sign of life for ${silenceMs} ms.` }
        : { code: "job-timeout", message: `The job ran longer than its ${entry.offer?.timeoutMs} ms.` };
    this.#options.send(entry.instance, failJob(entry.key, error));
  }

  /** Waits for the runs meant, aborts those left after `graceMs`, and puts their jobs back. */
  async #drain(meant: (run: JobRun) => boolean, graceMs: number): Promise<void> {
    const left = (): Entry[] => this.#running().filter((entry) => entry.run !== undefined && meant(entry.run));
    if (graceMs > 0 && left().length > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel();
          this.#settled = this.#settled.filter((each) => each !== check);
          resolve();
        };
        const check = (): void => {
          if (left().length === 0) done();
        };
        const cancel = this.#clock.schedule(this.#clock.now() + graceMs, done);
        this.#settled.push(check);
      });
    }
    for (const entry of left()) {
      this.#abort(entry, "shutdown");
      if (this.#of(entry.instance).held) entry.state = "held";
      else this.#enqueue(entry);
    }
  }

  #running(): Entry[] {
    const running: Entry[] = [];
    for (const of of this.#instances.values()) {
      for (const entry of of.entries.values()) if (entry.state === "running") running.push(entry);
    }
    return running;
  }
}
