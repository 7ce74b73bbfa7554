import type { Element, Job, JobContext, JobHandler, JobOutcome, JsonObject } from "@tutti/kernel";
import type { Engine, Stop } from "../port.ts";
import type { Ledger } from "./ledger.ts";
import type { Life } from "./life.ts";
import type { Random } from "./random.ts";
import { jobTypes } from "./world.ts";

interface Running {
  readonly job: Job;
  readonly context: JobContext;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: Error) => void;
}

const runningMax = 500;

/** The workers of one life. They do a job when told to; what is told too late is late in the engine too. */
export class Crew {
  readonly running: Running[] = [];
  /** Does every job at once, and well. */
  diligent = false;
  readonly #stops: Map<string, Stop> = new Map();
  readonly #life: Life;
  readonly #ledger: Ledger;

  constructor(life: Life, ledger: Ledger) {
    this.#life = life;
    this.#ledger = ledger;
  }

  get size(): number {
    return this.#stops.size;
  }

  /** Job ids of those who have not been told to stop. */
  busy(): string[] {
    return this.running.filter(({ context }) => !context.signal.aborted).map(({ job }) => job.id);
  }

  hire(engine: Engine, jobType: string, options: { readonly silenceMs?: number; readonly concurrency?: number }): void {
    if (this.#stops.has(jobType)) return;
    this.#stops.set(jobType, engine.work(jobType, this.handler, options));
  }

  hireAll(engine: Engine): void {
    for (const jobType of jobTypes) this.hire(engine, jobType, {});
  }

  /** Stops the workers of one type; their jobs go back. */
  async dismiss(jobType: string, graceMs: number): Promise<void> {
    const stop = this.#stops.get(jobType);
    if (stop === undefined) return;
    await stop({ graceMs });
    this.#stops.delete(jobType);
  }

  /** Handed to the engine; also what a planted bug calls once too often. */
  readonly handler: JobHandler = (job, context) => {
    // What a dead process still has in its hands comes to nothing.
    if (this.#life.dead) return new Promise(() => undefined);
    this.#ledger.check(!this.busy().includes(job.id), () => `job ${job.id} was given to two workers`);
    this.#ledger.check(this.running.length < runningMax, "more jobs run than all queues have slots");
    this.#ledger.started(job, this.#life.clock.now());
    if (this.diligent) return Promise.resolve(wellDone);
    return new Promise((resolve, reject) => this.running.push({ job, context, resolve, reject }));
  };

  /** One of the running jobs comes to something, whether anybody still waits for it or not. */
  finish(random: Random): string {
    if (this.running.length === 0) return "nobody works";
    const [done] = this.running.splice(random.below(this.running.length), 1);
    if (done === undefined) return "nobody works";
    const kind = random.weighted([
      [8, "completed"],
      [3, "failed"],
      [1, "failed-for-good"],
      [1, "error"],
      [0.7, "crashed"],
      [0.5, "nonsense"],
    ] as const);
    if (kind === "crashed") done.reject(new Error("the handler crashed"));
    else done.resolve(outcomeOf(kind, random, this.#choices(done.job)));
    return `${done.job.id} ${kind}${done.context.signal.aborted ? " (late)" : ""}`;
  }

  /** What a job may activate, if it is one that chooses. */
  #choices({ instanceId, elementId }: Job): readonly Element[] {
    return this.#ledger.byId.get(instanceId)?.program.activatable.get(elementId) ?? [];
  }

  finishAll(): void {
    for (const { resolve } of this.running.splice(0)) resolve(wellDone);
  }

  beat(random: Random): void {
    if (this.running.length > 0)
      random.pick(this.running).context.heartbeat({ note: "busy", percent: random.below(200) });
  }
}

/** A job that chooses in an ad-hoc sub-process is done with choosing, too. */
const wellDone: JobOutcome = { type: "completed", result: { flag: false, n: 1, activate: [], done: true } };

function outcomeOf(
  kind: "completed" | "failed" | "failed-for-good" | "error" | "nonsense",
  random: Random,
  choices: readonly Element[],
): JobOutcome {
  const error = { code: random.pick(["E1", "E2"]), message: "it broke" };
  switch (kind) {
    case "completed":
      return { type: "completed", result: resultOf(random, choices) };
    case "failed":
      return { type: "failed", ...error, retryable: true };
    case "failed-for-good":
      return { type: "failed", ...error, retryable: false };
    case "error":
      return { type: "error", ...error };
    case "nonsense":
      // Handlers are strangers: what their types forbid comes all the same.
      return random.pick([undefined, "done", { type: "completed" }, { type: "completed", result: [1] }]) as never;
  }
}

function resultOf(random: Random, choices: readonly Element[]): JsonObject {
  const result = random.pick<JsonObject>([{}, { flag: true, n: 2 }, { flag: false }, { flag: "no boolean" }]);
  if (choices.length === 0) return result;
  return { ...result, activate: [{ element: random.pick(choices).id }], done: random.chance(0.3) };
}
