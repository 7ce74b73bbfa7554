import { CancellationScope, isCancellation, proxyActivities, workflowInfo } from "@temporalio/workflow";
import { type CreateInstance, type Effect, Heap, type Key, type State } from "@tutti/kernel";
import { type JobAnswer, type JobOrder, jobTaskQueue } from "../contract.ts";
import { answerIn } from "../failed-job.ts";
import type { WorkflowClock } from "./clock.ts";
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

interface Ready {
  readonly effect: OfferJob;
  readonly open: Open;
}

interface Open {
  readonly element: string;
  readonly scope: CancellationScope;
  readonly offer: number;
  /** Its activity, once Temporal has been asked for it. */
  activityId: string | undefined;
}

interface JobsOptions {
  readonly state: State;
  readonly create: Pick<CreateInstance, "instanceId" | "rootId">;
  readonly clock: WorkflowClock;
  readonly tell: Tell;
  /** `run` must bear being called for a job that is gone. */
  readonly at: (due: number, run: () => void) => void;
  /** So many were made by executions before. */
  readonly offers: number;
}

/** The open jobs of an instance, each an activity on the task queue of its class. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #open: Map<Key, Open> = new Map();
  readonly #ready: Heap<Ready> = new Heap(
    (a, b) => a.effect.priority - b.effect.priority || a.open.offer - b.open.offer,
  );
  /** Activities that Temporal knows of. */
  #active = 0;
  #held = false;
  #draining = false;
  #offers: number;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#offers = options.offers;
  }

  get offers(): number {
    return this.#offers;
  }

  get isIdle(): boolean {
    return this.#active === 0;
  }

  /** No more begin: the next execution asks for them again. */
  drain(): void {
    this.#draining = true;
  }

  /** One that is open already under another attempt is offered anew. What is offered while held starts on release. */
  offer(effect: OfferJob): void {
    this.cancel(effect.key);
    if (this.#held) return;
    const { clock, at } = this.#options;
    const { key, element, notBefore } = effect;
    const open: Open = { element, scope: new CancellationScope(), offer: ++this.#offers, activityId: undefined };
    this.#open.set(key, open);
    const ready = { effect, open };
    if (notBefore === undefined || notBefore <= clock.now()) this.#enqueue(ready);
    else at(notBefore, () => this.#enqueue(ready));
  }

  cancel(key: Key): void {
    this.#open.get(key)?.scope.cancel();
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
      const ready = this.#ready.pop();
      if (ready === undefined) return;
      this.#start(ready);
    }
  }

  #start({ effect, open }: Ready): void {
    const { key } = effect;
    if (this.#open.get(key) !== open) return;
    if (this.#held) return this.#forget(key, open);
    this.#active++;
    open.activityId = `${effect.element}/${key}/${open.offer}`;
    open.scope
      .run(() => this.#work(effect, open))
      .then((command) => {
        // It counts as open until that is decided: a release that comes between must not offer it again.
        if (this.#open.get(key) === open) this.#options.tell(command, () => this.#forget(key, open));
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      })
      .finally(() => {
        this.#active--;
        this.#startReady();
      });
  }

  async #work(effect: OfferJob, { offer, activityId = "" }: Open): Promise<JobAnswer> {
    const { key, element, jobType, queue, priority, attempt, attemptsMax, timeoutMs = null, input, headers } = effect;
    const { instanceId, rootId } = this.#options.create;
    const activities = proxyActivities<{ readonly [jobType: string]: (order: JobOrder) => Promise<JobAnswer> }>({
      taskQueue: jobTaskQueue(workflowInfo().taskQueue, { queue, headers }),
      startToCloseTimeout: attemptTimeoutMs,
      heartbeatTimeout: heartbeatTimeoutMs,
      cancellationType: "TRY_CANCEL",
      retry: { initialInterval: retryMs, backoffCoefficient: 1 },
      activityId,
      summary: attempt === 1 ? element : `${element}, attempt ${attempt}`,
      priority: { priorityKey: priorityKeyOf(priority) },
    });
    const place = { instanceId, rootId, key, elementId: element, queue, priority };
    const work = activities[jobType] as (order: JobOrder) => Promise<JobAnswer>;
    return work({ ...place, attempt, attemptsMax, timeoutMs, input, headers, offer }).catch(answerIn);
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
