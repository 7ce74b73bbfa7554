import { Context } from "@temporalio/activity";
import type { Worker, WorkerOptions } from "@temporalio/worker";
import { defaultSlots, type JobHandler, must, type QueueClass, queueClasses } from "@tutti/kernel";
import type { Clock } from "../clock.ts";
import type { EngineLimits } from "../embedded/limits.ts";
import { everyRow } from "../embedded/read/every-row.ts";
import type { StoreReader } from "../embedded/store.ts";
import type { EngineLog } from "../embedded/turn/pump.ts";
import type { QueueRow, Stop, WorkOptions } from "../port.ts";
import type { TemporalConnection } from "./connection.ts";
import {
  classTaskQueue,
  type JobAnswer,
  type JobOrder,
  type LocalActivities,
  placeTaskQueue,
  type ShortAnswer,
  type ShortOrder,
} from "./contract.ts";
import { Crew, shortMs } from "./crew.ts";
import { endOfActivity, endOfShort } from "./failed-job.ts";
import { isWanted } from "./held.ts";
import { type BrokerActivities, brokerTaskQueue, type PostActivities } from "./message/contract.ts";
import { areSecret } from "./payload-codecs.ts";
import { makeCurrent, type Release, versioningOf } from "./release.ts";
import { Slots } from "./slots.ts";
import { UnwatchedWorker } from "./unwatched-worker.ts";

/** What workflows have done beside them, each kind on the workers of its own. */
interface WorkflowActivities {
  readonly instances: LocalActivities & PostActivities;
  readonly brokers: BrokerActivities;
}

interface WorkersOptions {
  readonly connection: TemporalConnection;
  readonly taskQueue: string;
  readonly namespace?: string;
  readonly workflowBundle: { readonly code: string };
  readonly queues?: readonly QueueClass[];
  readonly places?: readonly string[];
  readonly release?: Release;
  readonly clock: Clock;
  readonly log?: EngineLog;
  readonly limits: EngineLimits;
  readonly store: StoreReader;
}

/** After so long a workflow that its worker lost is replayed by another one. */
const stickyTimeout = "2s";
/** Short jobs that wait for a slot keep none of the others from being written. */
const localActivitiesMax = 1_000;
/** A broker may wait for an instance that does not answer. Another worker asks it again. */
const brokersEndMs = 5_000;
/** Heartbeats are passed on at once: what they bring back is whether the job is still wanted. */
const heartbeatThrottle = "500ms";

/** So many jobs of one place at once, of whatever class. */
const placeSlots = 10;

interface Running {
  readonly worker: Worker;
  readonly ended: Promise<void>;
}

async function end({ worker, ended }: Running): Promise<void> {
  if (worker.getState() === "RUNNING") worker.shutdown();
  await ended;
}

/** The workers of this process: one for instances, one for brokers, and one for the jobs of each class once somebody works. */
export class Workers {
  readonly crew: Crew;
  readonly #options: WorkersOptions;
  readonly #local: WorkflowActivities;
  readonly #slots: ReadonlyMap<QueueClass, Slots>;
  readonly #running: Running[] = [];
  #brokers: Running | undefined;
  #jobs: Promise<void> | undefined;

  constructor(options: WorkersOptions, local: WorkflowActivities) {
    this.#options = options;
    this.#local = local;
    const { clock, limits } = options;
    this.crew = new Crew({
      clock,
      payloadCharsMax: limits.payloadCharsMax,
      isWanted: (instanceId, activityId) => isWanted(options.connection.client, instanceId, activityId),
    });
    this.#slots = new Map(queueClasses.map((queue) => [queue, new Slots(defaultSlots[queue])]));
  }

  async open(): Promise<void> {
    const { workflowBundle, taskQueue, release, connection } = this.#options;
    const versioning = versioningOf(release, taskQueue);
    const workflows = { workflowBundle, stickyQueueScheduleToStartTimeout: stickyTimeout, ...versioning };
    const { instances, brokers } = this.#local;
    const short = async (order: ShortOrder): Promise<ShortAnswer> =>
      endOfShort(await this.#short(order), this.#isSecret);
    await this.#begin({
      ...workflows,
      taskQueue,
      // Does every type that has no activity of its own: those of short jobs.
      activities: { ...instances, default: short },
      maxConcurrentLocalActivityExecutions: localActivitiesMax,
    });
    // Apart, because brokers wait for instances: they must not take the places that those need to answer.
    this.#brokers = await this.#begin({
      ...workflows,
      taskQueue: brokerTaskQueue(taskQueue),
      activities: { ...brokers },
      shutdownForceTime: brokersEndMs,
    });
    if (release?.current) await makeCurrent(connection.client, taskQueue, release.name);
  }

  work(jobType: string, handler: JobHandler, options: WorkOptions): Stop {
    const stop = this.crew.work(jobType, handler, options);
    this.#jobs ??= this.#beginJobs().catch((error: unknown) => {
      this.#options.log?.error("no worker for jobs could begin", { error: String(error) });
    });
    return stop;
  }

  /** Writes what the turn has to say, and then does the short job that it offers. */
  async #short({ order, projection }: ShortOrder): Promise<ShortAnswer> {
    const jobType = Context.current().info.activityType;
    const projected = projection === null ? null : await this.#local.instances.project(projection);
    if (projected?.ok === false) return { projected, done: { ok: false, unfit: false } };
    const slots = this.#of(order.queue);
    const { queues = queueClasses } = this.#options;
    const isOurs = queues.includes(order.queue) && (await slots.enter(shortMs));
    if (!isOurs) return { projected, done: { ok: false, unfit: false } };
    try {
      return { projected, done: await this.crew.performShort(jobType, order) };
    } finally {
      slots.leave();
    }
  }

  resize(queue: QueueClass, slots: number): void {
    this.#of(queue).resize(slots);
  }

  async queueRow(queue: QueueClass): Promise<QueueRow> {
    const { size: slots } = this.#of(queue);
    const running = this.crew.runningIn(queue);
    const { store, clock } = this.#options;
    let open = 0;
    for await (const { held, notBefore } of everyRow((page) => store.listJobs({ queue }, page))) {
      if (!held && notBefore <= clock.now()) open++;
    }
    return { queue, slots, running, waiting: Math.max(0, open - running) };
  }

  /** Jobs may end within `graceMs`; their outcomes are Temporal's when this resolves. */
  async close(graceMs: number): Promise<void> {
    await this.crew.stop(graceMs);
    await this.#jobs;
    // Brokers wait for instances.
    if (this.#brokers !== undefined) await end(this.#brokers);
    await Promise.all(this.#running.map(end));
  }

  async #beginJobs(): Promise<void> {
    const { taskQueue, queues = queueClasses, places = [] } = this.#options;
    await Promise.all([
      ...queues.map((queue) => this.#beginQueue(classTaskQueue(taskQueue, queue), this.#of(queue))),
      ...places.map((place) => this.#beginQueue(placeTaskQueue(taskQueue, place), new Slots(placeSlots))),
    ]);
  }

  #beginQueue(taskQueue: string, slots: Slots): Promise<Running> {
    const perform = async (order: JobOrder): Promise<JobAnswer> => {
      const { activityType } = Context.current().info;
      await slots.begin();
      try {
        return endOfActivity(await this.crew.perform(activityType, order), this.#isSecret);
      } finally {
        slots.ended();
      }
    };
    return this.#begin({
      taskQueue,
      // Does every type that has no activity of its own.
      activities: { default: perform },
      tuner: {
        activityTaskSlotSupplier: slots,
        workflowTaskSlotSupplier: { type: "fixed-size", numSlots: 1 },
        localActivityTaskSlotSupplier: { type: "fixed-size", numSlots: 1 },
        nexusTaskSlotSupplier: { type: "fixed-size", numSlots: 1 },
      },
      maxHeartbeatThrottleInterval: heartbeatThrottle,
      defaultHeartbeatThrottleInterval: heartbeatThrottle,
    });
  }

  async #begin(options: WorkerOptions): Promise<Running> {
    const { connection, namespace = "default", log } = this.#options;
    const { native, dataConverter } = connection;
    const worker = await UnwatchedWorker.create({ connection: native, namespace, dataConverter, ...options });
    const ended = worker.run().catch((error: unknown) => log?.error("a worker ended", { error: String(error) }));
    const running = { worker, ended };
    this.#running.push(running);
    return running;
  }

  /** Nothing that payloads say is to be told beside them. */
  get #isSecret(): boolean {
    return areSecret(this.#options.connection.dataConverter.payloadCodecs ?? []);
  }

  #of(queue: QueueClass): Slots {
    return must(this.#slots.get(queue), `there is no class '${queue}'`);
  }
}
