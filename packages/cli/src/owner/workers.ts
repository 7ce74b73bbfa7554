import { randomUUID } from "node:crypto";
import type { Engine, Stop } from "@tutti/engine";
import { AppError, type Job, type JobContext, type JobOutcome } from "@tutti/kernel";
import type { HeldJob, HireWorker, JobDone, WorkerNews } from "@tutti/protocol";

/** A worker that says nothing for this long has lost its jobs. It gives signs of life several times as often. */
const silenceMs = 15_000;
/** Who drains lets its jobs end, however long they take: the timeouts of their definitions count. */
const drainMsMax = 24 * 3_600_000;

interface Held {
  readonly context: JobContext;
  settle(outcome: JobOutcome): void;
}

function nameOf({ job, fencingToken }: HeldJob): string {
  return `${fencingToken} ${job}`;
}

/** Somebody in another process, who is a handler of each of its job types to the engine as long as its stream lasts. */
export class RemoteWorker {
  readonly id: string = randomUUID();
  readonly jobTypes: readonly string[];
  readonly #say: (news: WorkerNews) => void;
  readonly #held: Map<string, Held> = new Map();
  readonly #stops: Stop[] = [];
  #gone = false;

  /** Shares its types with others like it. Throws `handler-exists` when the owner itself does jobs of one; then it does none. */
  constructor(work: Engine["work"], hire: HireWorker, say: (news: WorkerNews) => void) {
    const { jobTypes, concurrency, short = false, actor } = hire;
    this.#say = say;
    this.jobTypes = [...new Set(jobTypes)];
    say({ type: "hired", worker: this.id, silenceMs });
    try {
      for (const jobType of this.jobTypes) {
        this.#stops.push(work(jobType, this.#work, { actor, concurrency, short, silenceMs, shared: true }));
      }
    } catch (error) {
      void this.lost();
      throw error;
    }
  }

  readonly #work = (job: Job, context: JobContext): Promise<JobOutcome> =>
    new Promise((resolve) => {
      const held = { job: job.id, fencingToken: job.fencingToken };
      const name = nameOf(held);
      const settle = (outcome: JobOutcome): void => {
        if (this.#held.delete(name)) resolve(outcome);
      };
      this.#held.set(name, { context, settle });
      if (this.#gone) return settle(gone);
      context.signal.addEventListener("abort", () => {
        if (!this.#gone) this.#say({ type: "abort", ...held, reason: context.signal.reason });
        settle(gone);
      });
      this.#say({ type: "job", job });
    });

  /** Throws `job-unknown` when the job is not its own any more. */
  done({ outcome, ...held }: JobDone): void {
    const found = this.#held.get(nameOf(held));
    if (found === undefined) {
      throw new AppError("job-unknown", `Expected a job that this worker holds, but ${held.job} is none`);
    }
    found.settle(outcome);
  }

  heartbeat(): void {
    for (const { context } of this.#held.values()) context.heartbeat();
  }

  /** Takes nothing more; resolves when what is under way has ended. */
  async drain(): Promise<void> {
    await this.#stop(drainMsMax);
    if (!this.#gone) this.#say({ type: "drained" });
  }

  /** Its stream broke: what it was doing failed, and is tried again as its definition says. */
  async lost(): Promise<void> {
    this.#gone = true;
    // First nothing more is taken, then what is under way ends by what is said here.
    const stopped = this.#stop(drainMsMax);
    for (const { settle } of [...this.#held.values()]) settle(gone);
    await stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop({ graceMs })));
  }
}

const gone: JobOutcome = {
  type: "failed",
  code: "worker-lost",
  message: "Its worker ended, or was not heard of any more, before the job was done.",
  retryable: true,
};

/** Who works from other processes. */
export class Workers {
  readonly #workers: Map<string, RemoteWorker> = new Map();

  get jobTypes(): readonly string[] {
    return [...new Set([...this.#workers.values()].flatMap(({ jobTypes }) => jobTypes))];
  }

  add(worker: RemoteWorker): void {
    this.#workers.set(worker.id, worker);
  }

  remove(worker: RemoteWorker): void {
    this.#workers.delete(worker.id);
  }

  /** Throws `worker-unknown`. */
  get(id: string): RemoteWorker {
    const worker = this.#workers.get(id);
    if (worker !== undefined) return worker;
    throw new AppError("worker-unknown", `Expected a worker that is connected, but there is no '${id}'`);
  }
}
