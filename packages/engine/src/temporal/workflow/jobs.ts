import { CancellationScope, isCancellation, proxyActivities, workflowInfo } from "@temporalio/workflow";
import { type CreateInstance, type Effect, Heap, type Key, must, type State } from "@tutti/kernel";
import {
  type JobAnswer,
  type JobOrder,
  jobTaskQueue,
  type Projected,
  type Projection,
  type ShortAnswer,
} from "../contract.ts";
import { answerIn } from "../failed-job.ts";
import { tooLargeInline } from "../inline-payload.ts";
import type { WorkflowClock } from "./clock.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import { ShortJobs, shortAtOnceMax, summaryOf } from "./short-jobs.ts";
import type { TaskRoom } from "./task-room.ts";
import type { Tell } from "./world.ts";

type OfferJob = Extract<Effect, { readonly type: "offer-job" }>;

/** An activity whose worker is silent for so long is given to another one. */
const heartbeatTimeoutMs = 4_000;
/** Attempts end by their own rules; Temporal wants a limit all the same. */
const attemptTimeoutMs = 365 * 86_400_000;
/** How long a job waits after its worker was lost. */
const retryMs = 100;

/** Temporal takes 2 000 at most, and asks for fewer. The others wait here for their turn. */
const activeMax = 500;

/** The next lease of what an execution has lost is a greater one, by the time that has passed. */
const leaseMs = 100;

interface Ready {
  readonly effect: OfferJob;
  readonly open: Open;
  /** What is short, but could not be done as such. */
  readonly refused?: true;
}

interface Open {
  readonly element: string;
  /** None where nothing can come between. */
  readonly scope: CancellationScope | undefined;
  readonly offer: number;
  /** Its activity, once Temporal has been asked for it. A short one has none that could be held. */
  activityId: string | undefined;
}

/** A short job that is done with the rows of its turn. */
interface Begun {
  readonly key: Key;
  readonly ends: Promise<ShortAnswer>;
  /** To be called with what `ends` gives. Gives what came of the rows. */
  readonly ended: (answer: ShortAnswer) => Projected;
}

interface JobsOptions {
  readonly state: State;
  readonly create: Pick<CreateInstance, "instanceId" | "rootId">;
  readonly askedAt: number;
  readonly clock: WorkflowClock;
  readonly oneAtATime: OneAtATime;
  readonly room: TaskRoom;
  /** Nothing takes payloads that are too large for the server elsewhere. */
  readonly limited: true | undefined;
  readonly tell: Tell;
  /** `run` must bear being called for a job that is gone. */
  readonly at: (due: number, run: () => void) => void;
  /** So many were made by executions before. */
  readonly offers: number;
}

/** The open jobs of an instance: each an activity on the task queue of its class, or a local one if it is short. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #open: Map<Key, Open> = new Map();
  readonly #ready: Heap<Ready> = new Heap(
    (a, b) => a.effect.priority - b.effect.priority || a.open.offer - b.open.offer,
  );
  /** Short jobs whose turn it is, to be done all at once. */
  readonly #batch: Ready[] = [];
  /** Activities that Temporal knows of. */
  #active = 0;
  readonly #short: ShortJobs;
  #held = false;
  #draining = false;
  /** For a task that has room. */
  #isWaiting = false;
  #offers: number;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#offers = options.offers;
    this.#short = new ShortJobs(options.room);
  }

  get short(): ShortJobs {
    return this.#short;
  }

  /**
   * Has the rows of a turn written, and then its short job done, if that is all that the turn does. Otherwise undefined,
   * and nothing is done.
   */
  begin(effects: readonly { readonly effect: Effect }[], projection: Projection): Begun | undefined {
    const effect = this.#shortOf(effects);
    if (effect === undefined) return undefined;
    const { key } = effect;
    const open = this.#opened(effect, undefined);
    this.#active++;
    const order = { order: this.#orderOf(effect, open), projection };
    const ends = this.#options.oneAtATime.run(() => this.#short.perform(effect, order));
    const ended = (answer: ShortAnswer): Projected => {
      const done = this.#short.ended(effect, answer);
      const written = must(answer.projected, "there were rows to write");
      if (!written.ok) this.#forget(key, open);
      else if (done === undefined) this.#again({ effect, open });
      else this.#done(key, open, done);
      this.#ended();
      return written;
    };
    return { key, ends, ended };
  }

  /** All that is to be done, as far as anything is, and can be begun now. */
  #shortOf(effects: readonly { readonly effect: Effect }[]): OfferJob | undefined {
    let found: OfferJob | undefined;
    for (const { effect } of effects) {
      if (effect.type === "cancel-timer") continue;
      if (found !== undefined || effect.type !== "offer-job") return undefined;
      found = effect;
    }
    if (found === undefined || !this.#short.has(found) || !this.#isOffered(found)) return undefined;
    const { notBefore = 0 } = found;
    const isNext = this.#ready.size === 0 && this.#batch.length === 0;
    const mayBegin = !this.#held && !this.#draining && isNext && notBefore <= this.#options.clock.now();
    return mayBegin ? found : undefined;
  }

  /** Whether there are short jobs to be done, by `workBatch`. */
  get hasBatch(): boolean {
    return this.#batch.length > 0 && !this.#draining;
  }

  /**
   * Does short jobs beside each other, and nothing else meanwhile. What comes of them is told once all are done, in the
   * order in which they were offered: a replay has them end in another order than they did, several at a time.
   */
  async workBatch(): Promise<void> {
    const batch = this.#batch.splice(0).filter(({ effect, open }) => this.#open.get(effect.key) === open);
    if (this.#held) {
      for (const { effect, open } of batch) this.#forget(effect.key, open);
      return;
    }
    this.#active += batch.length;
    const work = ({ effect, open }: Ready): Promise<ShortAnswer> =>
      this.#short.perform(effect, { order: this.#orderOf(effect, open), projection: null });
    const answers = await this.#options.oneAtATime.run(() => Promise.all(batch.map(work)));
    for (const [index, { effect, open }] of batch.entries()) {
      const done = this.#short.ended(effect, must(answers[index], "each has one"));
      if (done === undefined) this.#again({ effect, open });
      else this.#done(effect.key, open, done);
    }
    this.#active -= batch.length;
    this.#startReady();
  }

  get offers(): number {
    return this.#offers;
  }

  get isIdle(): boolean {
    return this.#active === 0;
  }

  /** No more begin: the next execution asks for them again. Where that has to come now, those that run are called off. */
  makeWay({ isOverfull }: { readonly isOverfull: boolean }): void {
    this.#draining = true;
    if (isOverfull) this.close();
  }

  /** One that is open already under another attempt is offered anew. What is offered while held starts on release. */
  offer(effect: OfferJob): void {
    // What the log had for this turn may hold its end already.
    if (!this.#isOffered(effect)) return;
    if (this.#held) return this.cancel(effect.key);
    const { clock, at } = this.#options;
    const { notBefore } = effect;
    const ready = { effect, open: this.#opened(effect, new CancellationScope()) };
    if (notBefore === undefined || notBefore <= clock.now()) this.#enqueue(ready);
    else at(notBefore, () => this.#enqueue(ready));
  }

  #isOffered({ key, attempt }: OfferJob): boolean {
    return this.#options.state.jobs.get(key)?.attempt === attempt;
  }

  #opened(effect: OfferJob, scope: CancellationScope | undefined): Open {
    const { key, element } = effect;
    this.cancel(key);
    const { clock, askedAt } = this.#options;
    const leases = this.#short.has(effect) ? Math.floor((clock.now() - askedAt) / leaseMs) : 0;
    this.#offers = Math.max(this.#offers + 1, leases);
    const open: Open = { element, scope, offer: this.#offers, activityId: undefined };
    this.#open.set(key, open);
    return open;
  }

  cancel(key: Key): void {
    this.#open.get(key)?.scope?.cancel();
    this.#open.delete(key);
  }

  /** Those that run go on unless `stopRunning`. Gives the activities that Temporal has to hold back. */
  hold(stopRunning: boolean): readonly string[] {
    this.#held = true;
    if (stopRunning) this.close();
    return this.#activityIds();
  }

  /** Gives the activities that Temporal may let go. */
  release(): readonly string[] {
    this.#held = false;
    const activityIds = this.#activityIds();
    for (const { key } of this.#options.state.jobs.values()) if (!this.#open.has(key)) this.#offerAgain(key);
    return activityIds;
  }

  get isHeld(): boolean {
    return this.#held;
  }

  /** Activities of jobs that are called otherwise since a migration. Only Temporal knows whether somebody has begun. */
  renamed(): readonly string[] {
    return [...this.#open.entries()].flatMap(([key, { element, activityId }]) =>
      activityId !== undefined && this.#options.state.jobs.get(key)?.element !== element ? [activityId] : [],
    );
  }

  /** Offers what is called otherwise by its new name, unless somebody works on it: `waiting` is held back for good. */
  offerRenamed(waiting: readonly string[]): void {
    const held = new Set(waiting);
    for (const [key, { element, activityId }] of [...this.#open]) {
      const isRenamed = this.#options.state.jobs.get(key)?.element !== element;
      if (held.has(activityId ?? "") || (isRenamed && activityId === undefined)) this.#offerAgain(key);
    }
  }

  #offerAgain(key: Key): void {
    for (const effect of effectsOfJob(this.#options.state, key)) this.offer(effect);
  }

  #activityIds(): string[] {
    return [...this.#open.values()].flatMap(({ activityId }) => activityId ?? []);
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.cancel(key);
  }

  #forget(key: Key, open: Open): void {
    if (this.#open.get(key) === open) this.#open.delete(key);
  }

  #enqueue(ready: Ready): void {
    this.#ready.push(ready);
    this.#startReady();
  }

  #startReady(): void {
    while (this.#active < activeMax && !this.#draining) {
      const next = this.#ready.peek();
      if (next === undefined || (this.#isShort(next) && this.#batch.length >= shortAtOnceMax)) return;
      if (this.#options.room.isFull) return this.#startInNextTask();
      this.#ready.pop();
      if (this.#isShort(next)) this.#batch.push(next);
      else this.#start(next);
    }
  }

  #startInNextTask(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void this.#options.room.next().then(() => {
      this.#isWaiting = false;
      this.#startReady();
    });
  }

  #isShort({ effect, refused }: Ready): boolean {
    return refused === undefined && this.#short.has(effect);
  }

  #start({ effect, open }: Ready): void {
    const { key } = effect;
    if (this.#open.get(key) !== open) return;
    if (this.#held) return this.#forget(key, open);
    this.#active++;
    must(open.scope, "what waits can be cancelled")
      .run(() => this.#work(effect, open))
      .then((command) => this.#done(key, open, command))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      })
      .finally(() => this.#ended());
  }

  /** What could not be done as a short job is an ordinary one, unless it was called off. */
  #again({ effect, open }: Ready): void {
    const { key } = effect;
    if (this.#open.get(key) !== open) return;
    const again = { ...open, scope: new CancellationScope(), offer: ++this.#offers };
    this.#open.set(key, again);
    this.#ready.push({ effect, open: again, refused: true });
  }

  #done(key: Key, open: Open, command: JobAnswer): void {
    // It counts as open until that is decided: a release that comes between must not offer it again.
    if (this.#open.get(key) === open) this.#options.tell(command, () => this.#forget(key, open));
  }

  #ended(): void {
    this.#active--;
    this.#startReady();
  }

  #orderOf(effect: OfferJob, { offer }: Open): JobOrder {
    const { key, element, queue, priority, attempt, attemptsMax, timeoutMs = null, input, headers } = effect;
    const { instanceId, rootId } = this.#options.create;
    const place = { instanceId, rootId, key, elementId: element, queue, priority };
    return { ...place, attempt, attemptsMax, timeoutMs, input, headers, offer };
  }

  #work(effect: OfferJob, open: Open): Promise<JobAnswer> {
    const { key, element, jobType, queue, priority, attempt, headers } = effect;
    open.activityId = `${element}/${key}/${open.offer}`;
    const activities = proxyActivities<{ readonly [jobType: string]: (order: JobOrder) => Promise<JobAnswer> }>({
      taskQueue: jobTaskQueue(workflowInfo().taskQueue, { queue, headers }),
      startToCloseTimeout: attemptTimeoutMs,
      heartbeatTimeout: heartbeatTimeoutMs,
      cancellationType: "TRY_CANCEL",
      retry: { initialInterval: retryMs, backoffCoefficient: 1 },
      activityId: open.activityId,
      summary: summaryOf(element, attempt),
      priority: { priorityKey: priorityKeyOf(priority) },
    });
    const work = activities[jobType] as (order: JobOrder) => Promise<JobAnswer>;
    const order = this.#orderOf(effect, open);
    const json = JSON.stringify(order);
    this.#options.room.take(json.length);
    const message = this.#options.limited === true ? tooLargeInline(json) : undefined;
    if (message !== undefined) {
      return Promise.resolve({ type: "fail-job", key, error: { code: "input-too-large", message }, retryable: false });
    }
    return work(order).catch((error: unknown) => answerIn(key, error));
  }
}

/** As the kernel offers it: nothing for one that a person has to look at first. */
function effectsOfJob(state: State, wanted: Key): OfferJob[] {
  const job = state.jobs.get(wanted);
  if (job === undefined || job.parked) return [];
  const { timeoutMs, retryAt } = job;
  const limits = {
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(retryAt === null ? {} : { notBefore: retryAt }),
  };
  return [{ ...job, type: "offer-job", ...limits } as OfferJob];
}

/** Temporal has five classes of priority, the first before all others; ours are numbers, the smallest first. */
function priorityKeyOf(priority: number): number {
  return Math.min(5, Math.max(1, Math.round(priority)));
}
