import { Context } from "@temporalio/activity";
import { ApplicationFailure, ApplicationFailureCategory, type CancelledFailure } from "@temporalio/common";
import type { Job, JobAbortReason, JobHandler, QueueClass } from "@tutti/kernel";
import type { Clock } from "../clock.ts";
import { callHandler, commandOf, failJob, JobRun, type Registration } from "../embedded/job/job-run.ts";
import { Roster } from "../embedded/job/roster.ts";
import type { JobRow, Stop, WorkOptions } from "../port.ts";
import type { JobAnswer, JobOrder, ShortDone } from "./contract.ts";

/** How often Temporal is told that a job is alive; it answers whether it is still wanted. */
const heartbeatMs = 1_000;
/** How long Temporal waits before it offers a job again that this worker cannot do now. */
const refusedMs = 250;
/** Tokens of one offer leave room for so many leases of it. */
const leasesMax = 1_000_000;
/** A short job that is not done by then is none: others wait for it. */
export const shortMs = 2_000;
/** All that a workflow task brings goes to the server in one message. */
const shortCharsMax = 64 * 1_024;

interface CrewOptions {
  readonly clock: Clock;
  readonly payloadCharsMax: number;
  /** Whether an activity is still wanted: asked once Temporal has said that it is paused, since it says no more then. */
  readonly isWanted: (instanceId: string, activityId: string) => Promise<boolean>;
}

const tooLong = "too-long";

/** Ends an attempt before its handler does, with what it came to or with why it is to be offered again. */
type End = (reason: JobAbortReason, answer: JobAnswer | Error) => void;

/** Who works here on which type of job, and the jobs under way: the activities of the workers for jobs. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #roster: Roster = new Roster();
  readonly #runs: Map<JobRun, End> = new Map();
  #idle: (() => void)[] = [];

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  work(jobType: string, handler: JobHandler, options: WorkOptions): Stop {
    const registration = this.#roster.add(jobType, handler, options);
    return ({ graceMs = 5_000 } = {}) => this.#stop([registration], graceMs);
  }

  /** Lets the running jobs end within `graceMs`, and gives the others back. */
  stop(graceMs: number): Promise<void> {
    return this.#stop(this.#roster.all(), graceMs);
  }

  /** Jobs of a class that are under way here. */
  runningIn(queue: QueueClass): number {
    return [...this.#runs.keys()].filter(({ job }) => job.queue === queue).length;
  }

  /** What only this process knows of a job. */
  standing(instanceId: string, key: number): Pick<JobRow, "state" | "since" | "progress"> | undefined {
    const id = idOf(instanceId, key);
    for (const { job, abandoned, startedAt, progress } of this.#runs.keys()) {
      if (job.id === id && !abandoned) return { state: "running", since: startedAt, progress };
    }
    return undefined;
  }

  /** Types that are short whatever their definitions say. */
  shortTypes(): readonly string[] {
    const short = this.#roster.all().filter(({ options, stopping }) => options.short && !stopping);
    return [...new Set(short.map(({ jobType }) => jobType))].sort();
  }

  /** One attempt of a short job, inside a local activity. Whatever keeps it from its end in time, others may do it. */
  async performShort(jobType: string, order: JobOrder): Promise<ShortDone> {
    try {
      const answer = await this.perform(jobType, order, shortMs);
      const chars = JSON.stringify(answer).length;
      return chars > shortCharsMax ? { ok: false, unfit: true } : { ok: true, answer, chars };
    } catch (error) {
      if (error instanceof ApplicationFailure) return { ok: false, unfit: error.type === tooLong };
      throw error;
    }
  }

  /** One attempt of one job, inside its activity. Rejects when the job is to be offered again, also after `limitMs`. */
  async perform(jobType: string, order: JobOrder, limitMs?: number): Promise<JobAnswer> {
    const registration = this.#roster.next(jobType);
    if (registration === undefined) {
      throw this.#roster.has(jobType)
        ? offeredAgain("handler-busy", `Whoever works on '${jobType}' here has as many of them as it takes already.`)
        : offeredAgain("no-handler", `Nobody works on '${jobType}' here.`);
    }
    const { clock } = this.#options;
    const at = clock.now();
    const run = new JobRun(registration, jobOf(jobType, order, at), { clock, at });
    registration.running++;
    try {
      return await this.#attend(run, order, limitMs);
    } finally {
      registration.running--;
      this.#runs.delete(run);
      for (const wake of this.#idle.splice(0)) wake();
    }
  }

  #attend(run: JobRun, { instanceId, key, timeoutMs }: JobOrder, limitMs?: number): Promise<JobAnswer> {
    const { clock, payloadCharsMax, isWanted } = this.#options;
    const { silenceMs } = run.registration.options;
    const context = Context.current();
    const callOffs: (() => void)[] = [];
    const ended = new Promise<JobAnswer>((resolve, reject) => {
      const end: End = (reason, answer) => {
        run.abort(reason);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      this.#runs.set(run, end);
      let wasPaused = false;
      const beat = (): void => {
        context.heartbeat(run.progress);
        if (!wasPaused) return;
        // Of an activity that was paused Temporal does not say by itself any more that it was cancelled. A server that does
        // not answer is asked again with the next beat.
        isWanted(instanceId, context.info.activityId).then(
          (wanted) => wanted || end("cancelled", offeredAgain("cancelled", "")),
          () => undefined,
        );
      };
      if (limitMs === undefined) {
        const beating = setInterval(beat, heartbeatMs);
        callOffs.push(() => clearInterval(beating));
      } else {
        const long = offeredAgain(tooLong, `A short job ran longer than ${limitMs} ms.`);
        callOffs.push(clock.schedule(run.startedAt + limitMs, () => end("lease-lost", long)));
      }
      context.cancelled.catch((error: CancelledFailure) => {
        wasPaused = context.cancellationDetails?.paused === true;
        if (wasPaused) return;
        if (error.message === "WORKER_SHUTDOWN") end("shutdown", offeredAgain("shutdown", "The worker was stopped."));
        else end(isUnwanted(error) ? "cancelled" : "lease-lost", error);
      });
      if (timeoutMs !== null) {
        const late = failJob(key, { code: "job-timeout", message: `The job ran longer than its ${timeoutMs} ms.` });
        callOffs.push(clock.schedule(run.startedAt + timeoutMs, () => end("timeout", late)));
      }
      if (silenceMs !== undefined) {
        const message = `The worker gave no sign of life for ${silenceMs} ms.`;
        const silent = failJob(key, { code: "job-silent", message });
        callOffs.push(watchSilence(clock, run, { silenceMs, silent: () => end("lease-lost", silent) }));
      }
      callHandler(run, (outcome) => resolve(commandOf(key, outcome, { run, charsMax: payloadCharsMax })));
    });
    return ended.finally(() => {
      for (const callOff of callOffs) callOff();
    });
  }

  async #stop(registrations: readonly Registration[], graceMs: number): Promise<void> {
    const stopping = new Set(registrations);
    for (const registration of stopping) registration.stopping = true;
    const { clock } = this.#options;
    const endAll = (): void => {
      for (const [run, end] of this.#runs) {
        if (stopping.has(run.registration)) end("shutdown", offeredAgain("shutdown", "The worker was stopped."));
      }
    };
    if (graceMs <= 0) endAll();
    const callOff = clock.schedule(clock.now() + graceMs, endAll);
    while (registrations.some(({ running }) => running > 0)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    callOff();
    for (const registration of stopping) this.#roster.remove(registration);
  }
}

/** A job without a sign of life for `silenceMs` is called silent. Gives what calls the watch off. */
function watchSilence(
  clock: Clock,
  run: JobRun,
  { silenceMs, silent }: { readonly silenceMs: number; readonly silent: () => void },
): () => void {
  let callOff: () => void;
  const look = (): void => {
    const at = run.lastBeatAt + silenceMs;
    if (at <= clock.now()) silent();
    else callOff = clock.schedule(at, look);
  };
  callOff = clock.schedule(run.startedAt + silenceMs, look);
  return () => callOff();
}

/** Cancelled by its instance, or that has ended. Otherwise Temporal has given the job to another worker. */
function isUnwanted({ message }: CancelledFailure): boolean {
  return message === "CANCELLED" || message === "NOT_FOUND";
}

/** A failure that Temporal answers by offering the job again; it is none of the job's own. */
function offeredAgain(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nextRetryDelay: refusedMs,
    category: ApplicationFailureCategory.BENIGN,
  });
}

function idOf(instanceId: string, key: number): string {
  return `${instanceId}/${key}`;
}

function jobOf(jobType: string, order: JobOrder, startedAt: number): Job {
  const {
    instanceId,
    rootId,
    key,
    elementId,
    queue,
    priority,
    attempt,
    attemptsMax,
    timeoutMs,
    input,
    headers,
    offer,
  } = order;
  return {
    id: idOf(instanceId, key),
    type: jobType,
    ...{ instanceId, rootId, elementId, queue, priority, attempt, attemptsMax, input, headers },
    fencingToken: offer * leasesMax + Context.current().info.attempt,
    ...(timeoutMs === null ? {} : { deadlineAt: startedAt + timeoutMs }),
  };
}
