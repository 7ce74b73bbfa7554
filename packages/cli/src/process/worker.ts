import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobOutcome } from "@tutti/kernel";
import { type HireWorker, type WorkerNews, workerNewsSchema } from "@tutti/protocol";
import { z } from "zod";
import type { OwnerClient } from "../owner/client.ts";
import { codeOf } from "../problem.ts";

const beatsPerSilence = 5;
const noAnswer = z.unknown();

export interface WorkerOptions {
  readonly hire: HireWorker;
  /** Does one job; aborted when that does not matter any more. Never rejects. */
  readonly work: (job: Job, signal: AbortSignal) => Promise<JobOutcome>;
  /** Takes nothing more, and ends when what is under way has ended. */
  readonly drain: AbortSignal;
  onHired(): void;
}

/**
 * Works for an owner until it is drained, which is true, or the owner is gone, which is false; then what was under way is
 * stopped. Rejects when the owner refuses it.
 */
export async function workFor(client: OwnerClient, options: WorkerOptions): Promise<boolean> {
  const worker = new ConnectedWorker(client, options);
  try {
    const stream = client.stream({ method: "POST", path: "/v1/workers", body: options.hire }, undefined);
    for await (const data of stream) {
      const news = workerNewsSchema.parse(data);
      if (news.type === "drained") return true;
      worker.hear(news);
    }
    return false;
  } finally {
    await worker.end();
  }
}

class ConnectedWorker {
  readonly #client: OwnerClient;
  readonly #options: WorkerOptions;
  /** By attempt. */
  readonly #running: Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }> = new Map();
  #path = "";
  #beat: NodeJS.Timeout | undefined;
  readonly #onDrain = (): void => void this.#say("drain", {});

  constructor(client: OwnerClient, options: WorkerOptions) {
    this.#client = client;
    this.#options = options;
  }

  hear(news: Exclude<WorkerNews, { readonly type: "drained" }>): void {
    switch (news.type) {
      case "hired":
        this.#path = `/v1/workers/${news.worker}`;
        this.#beat = setInterval(() => void this.#say("heartbeats", {}), news.silenceMs / beatsPerSilence);
        this.#options.onHired();
        if (this.#options.drain.aborted) this.#onDrain();
        else this.#options.drain.addEventListener("abort", this.#onDrain, { once: true });
        break;
      case "job":
        this.#begin(news.job);
        break;
      case "abort":
        this.#running.get(`${news.fencingToken} ${news.job}`)?.stop.abort();
        break;
    }
  }

  /** Stops what is under way. */
  async end(): Promise<void> {
    clearInterval(this.#beat);
    this.#options.drain.removeEventListener("abort", this.#onDrain);
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #begin(job: Job): void {
    const name = `${job.fencingToken} ${job.id}`;
    const stop = new AbortController();
    this.#running.set(name, { stop, ended: this.#run(job, stop.signal).finally(() => this.#running.delete(name)) });
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const outcome = await this.#options.work(job, signal);
    if (!signal.aborted) await this.#say("outcomes", { job: job.id, fencingToken: job.fencingToken, outcome });
  }

  /** An owner that is gone, or lost sight of the job, offers it again by itself: there is nothing to do here. */
  async #say(what: "outcomes" | "heartbeats" | "drain", body: object): Promise<void> {
    for (let again = 3; again > 0; again -= 1) {
      try {
        await this.#client.ask({ method: "POST", path: `${this.#path}/${what}`, body }, noAnswer);
        return;
      } catch (error) {
        if (codeOf(error) !== "owner-silent") return;
        await sleep(100);
      }
    }
  }
}
