import type { InstanceView, Job, JobHandler, JobOutcome, JsonObject, ProgramDocument } from "@tutti/kernel";
import type { Engine, RecordedEvent } from "../port.ts";

/** One engine under test, with its own store that outlives a close. */
export interface Harness {
  /** Opens the engine on the store as it was left. */
  open(): Promise<Engine>;
  /** Ends the engine as the end of its process would: nothing is finished, nothing more is written. */
  crash(engine: Engine): Promise<void>;
  now(): number;
  /** Lets time pass for the engine. */
  advance(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface SuiteOptions {
  readonly name: string;
  readonly make: () => Promise<Harness>;
  /** Branches of a collection that is larger than one command activates. Default 2 500. */
  readonly branchesMany?: number;
  /** Those rules in which jobs take part: of an engine that has another way to do them. */
  readonly jobsOnly?: boolean;
  /** Several rules at once: of an engine that mostly waits for its server. */
  readonly concurrent?: boolean;
}

/** An engine in this process needs some rounds of the event loop; one on a server needs real time. */
const roundsMax = 2_000;
const patienceMs = 150_000;

/** Waits, without time passing for the engine, until `check` gives something. */
export async function eventually<T>(check: () => Promise<T | undefined> | T | undefined, what = "it"): Promise<T> {
  const begun = Date.now();
  for (let round = 0; round < roundsMax || Date.now() - begun < patienceMs; round++) {
    const found = await check();
    if (found !== undefined) return found;
    await new Promise((resolve) => (round < roundsMax ? setImmediate(resolve) : setTimeout(resolve, 5)));
  }
  throw new Error(`Expected ${what} to happen, but it did not.`);
}

/** A handler that answers nothing until it is told. */
export class ManualWorker {
  static readonly #handlers: WeakSet<JobHandler> = new WeakSet();

  constructor() {
    ManualWorker.#handlers.add(this.handler);
  }

  static isOf(handler: JobHandler): boolean {
    return ManualWorker.#handlers.has(handler);
  }

  readonly jobs: Job[] = [];
  readonly aborts: { readonly job: Job; readonly reason: unknown }[] = [];
  readonly #finish: Map<Job, (outcome: JobOutcome) => void> = new Map();

  readonly handler: JobHandler = (job, { signal }) => {
    this.jobs.push(job);
    (signal as unknown as EventTarget).addEventListener("abort", () => {
      this.aborts.push({ job, reason: (signal as unknown as { reason: unknown }).reason });
    });
    return new Promise((resolve) => this.#finish.set(job, resolve));
  };

  /** The nth job it was given, from 1. */
  async job(n: number): Promise<Job> {
    return eventually(() => this.jobs[n - 1], `job ${n}`);
  }

  async finish(n: number, outcome: JobOutcome = completed()): Promise<void> {
    this.#finish.get(await this.job(n))?.(outcome);
  }
}

export function completed(result: JsonObject = {}): JobOutcome {
  return { type: "completed", result };
}

export function failed(code = "broken", retryable = true): JobOutcome {
  return { type: "failed", code, message: "it broke", retryable };
}

let requests = 0;

/** Deploys the programs and starts the last one. */
export async function begin(
  engine: Engine,
  programs: readonly ProgramDocument[],
  variables: JsonObject = {},
): Promise<string> {
  await engine.deploy(programs);
  const process = programs.at(-1)?.id ?? "";
  requests++;
  return engine.start({ requestId: `request-${requests}`, process, variables, actor: "tester" });
}

export async function ended(engine: Engine, instanceId: string): Promise<InstanceView> {
  return eventually(async () => {
    const view = await engine.instance(instanceId);
    return view.endedAt === null ? undefined : view;
  }, `the end of ${instanceId}`);
}

export async function incidentOf(engine: Engine, instanceId: string): Promise<InstanceView["incidents"][number]> {
  return eventually(async () => (await engine.instance(instanceId)).incidents[0], `an incident of ${instanceId}`);
}

export async function historyOf(engine: Engine, request: Parameters<Engine["history"]>[0]): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of engine.history(request)) events.push(event);
  return events;
}
