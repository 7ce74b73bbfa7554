import type { Job, JobHandler, JobOutcome } from "@tutti/kernel";
import type { Engine } from "../port.ts";
import { jobTypes } from "./processes.ts";

/** A job of one seed in one attempt. */
export interface JobName {
  readonly instanceId: string;
  readonly key: number;
  readonly attempt: number;
}

interface Held {
  readonly job: Job;
  readonly resolve: (outcome: JobOutcome) => void;
}

/** Slots of each class: more than are held at once. */
const slots = 10_000;

/** Does every type of job on one engine: holds each until it is told what becomes of it. */
export class Hands {
  readonly #held: Map<string, Held> = new Map();
  /** What became of a job, until all that follows from it has happened: it may be given again meanwhile. */
  readonly #told: Map<string, JobOutcome> = new Map();
  readonly #waiting: Map<string, (held: Held) => void> = new Map();

  async work(engine: Engine): Promise<void> {
    for (const queue of ["light", "standard", "heavy"] as const) await engine.adjustQueue(queue, slots);
    for (const jobType of jobTypes) engine.work(jobType, this.#handler);
  }

  /** Gives the job; waits for it where the engine is still bringing it. */
  async finish(name: JobName, outcome: JobOutcome): Promise<Job> {
    const id = textOf(name);
    const held = this.#held.get(id) ?? (await new Promise<Held>((resolve) => this.#waiting.set(id, resolve)));
    this.#held.delete(id);
    this.#told.set(id, outcome);
    held.resolve(outcome);
    return held.job;
  }

  /** All that follows from its outcome has happened. */
  settled(name: JobName): void {
    this.#told.delete(textOf(name));
  }

  readonly #handler: JobHandler = (job, { signal }) => {
    const id = `${job.id}#${job.attempt}`;
    const told = this.#told.get(id);
    if (told !== undefined) return Promise.resolve(told);
    return new Promise((resolve) => {
      const held = { job, resolve };
      this.#held.set(id, held);
      const drop = (): void => {
        if (this.#held.get(id) === held) this.#held.delete(id);
      };
      (signal as unknown as EventTarget).addEventListener("abort", drop);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.(held);
    });
  };
}

function textOf({ instanceId, key, attempt }: JobName): string {
  return `${instanceId}/${key}#${attempt}`;
}
