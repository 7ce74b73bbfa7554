import type { Engine, InstanceCommand, Outcome, RecordedEvent, Store } from "@tutti/engine";
import { AppError, type JsonObject, must, type ProgramDocument } from "@tutti/kernel";
import type { Answer, Answers, Posting, Question } from "./answers.ts";
import { Crew, type Refusal } from "./crew.ts";
import { instantAfter } from "./duration.ts";
import { FileJournal } from "./file-journal.ts";
import { Machine, type PlannedCrash } from "./machine.ts";
import { type Step, StepReader } from "./path.ts";
import { choicesOf, jobTypesOf, mainProcess } from "./programs.ts";
import { TrialInstance } from "./trial-instance.ts";

export interface TrialOptions {
  /** Deployed together; see `load`. */
  readonly programs: readonly ProgramDocument[];
  readonly answers?: Partial<Answers>;
  /** When the trial begins: epoch ms or an ISO 8601 instant. Default 2024-01-01T00:00:00Z. Ignored when time is real. */
  readonly now?: number | string;
  /** Time passes as it does outside. Default: it jumps to what is due next. */
  readonly realTime?: boolean;
  readonly crashes?: readonly PlannedCrash[];
  /**
   * Where lies what a crash leaves: `memory`, or `file`, which is SQLite as `tutti` itself uses it, in a temporary folder.
   * Default `memory`, which is faster.
   */
  readonly journal?: "memory" | "file";
  /** In place of `journal`; closed by the trial. After a crash it is asked for another, while the dead one has its files. */
  readonly openStore?: () => Promise<Store>;
  /** What nobody has an answer for, once nothing else can move without time passing. Undefined leaves it waiting. */
  readonly ask?: (question: Question) => Promise<Answer | undefined>;
  /** Every event as it became durable, in order. */
  readonly onEvent?: (event: RecordedEvent) => void;
  readonly onStep?: (step: Step) => void;
  /** Ends a wait for real time, and `finish` with it. */
  readonly signal?: AbortSignal;
  /** Events after which `finish` gives up. Default 100 000. */
  readonly eventsMax?: number;
}

/** How `finish` ended: all instances have; something waits that nobody answers; too much happened; it was interrupted. */
export type Finish = "ended" | "waiting" | "limit" | "interrupted";

const eventsMaxDefault = 100_000;
const beginDefault = Date.UTC(2024, 0, 1);

/** Opens an engine of its own with the programs deployed. Close it when done. */
export async function openTrial(options: TrialOptions): Promise<Trial> {
  const trial = new Trial(options);
  await trial.open();
  return trial;
}

/**
 * A process, tried: the embedded engine, its jobs, people and messages answered as the answers say, on a clock that moves
 * only when told. The same trial gives the same events every time.
 */
export class Trial {
  readonly #options: TrialOptions;
  readonly #machine: Machine;
  readonly #journal: FileJournal | undefined;
  readonly #crew: Crew;
  readonly #steps: StepReader = new StepReader();
  readonly #instances: Map<string, TrialInstance> = new Map();
  readonly #eventsMax: number;
  readonly #skipped: Set<string> = new Set();
  #events = 0;
  #started = 0;
  #begun = false;
  #lastEventAt: number | undefined;

  constructor(options: TrialOptions) {
    const { answers = {}, now = beginDefault, crashes = [], programs, realTime = false, openStore } = options;
    this.#options = options;
    this.#eventsMax = options.eventsMax ?? eventsMaxDefault;
    const journal = options.journal === "file" ? new FileJournal() : undefined;
    this.#journal = journal;
    this.#machine = new Machine({
      now: typeof now === "number" ? now : Date.parse(now),
      realTime,
      openStore: openStore ?? (journal === undefined ? undefined : async () => journal.open()),
      crashes,
      onOpen: (engine) => this.#crew.work(engine),
      onEvent: (event) => this.#onEvent(event),
      isOver: () => this.#events > this.#eventsMax || options.signal?.aborted === true,
    });
    this.#crew = new Crew(this.#machine, {
      answers: { answers: answers.answers ?? {}, publish: answers.publish ?? [] },
      jobTypes: jobTypesOf(programs),
      choices: choicesOf(programs),
      steps: this.#steps,
    });
  }

  async open(): Promise<void> {
    await this.#machine.open();
    await this.#machine.ask((engine) => engine.deploy(this.#options.programs));
  }

  /** Epoch ms. */
  get now(): number {
    return this.#machine.now;
  }

  /** Epoch ms; undefined while nothing happened. The clock may be ahead of it, when nothing came of what was due. */
  get lastEventAt(): number | undefined {
    return this.#lastEventAt;
  }

  /** Durable writes so far: there can be a crash before and after each. */
  get writes(): number {
    return this.#machine.writes;
  }

  /** Every instance so far, called ones included, in the order they came up. */
  get instances(): readonly TrialInstance[] {
    return [...this.#instances.values()];
  }

  /** What nobody has an answer for. */
  get unanswered(): readonly Question[] {
    return this.#crew.unanswered;
  }

  get refusals(): readonly Refusal[] {
    return this.#crew.refusals;
  }

  /** Answers, messages and signals that were given and came to nothing, each in a few words. */
  unused(): readonly string[] {
    return [
      ...this.#crew.book.unused(),
      ...this.#crew.unsent.map((posting) => `${postingName(posting)} on ${posting.on}`),
      ...this.#crew.lost.map((posting) => `${postingName(posting)}, which nobody waited for`),
    ];
  }

  /** Starts a process (default: the first that no other calls) and lets everything move that can without time passing. */
  async start(
    options: {
      readonly process?: string;
      readonly variables?: JsonObject;
      readonly businessKey?: string;
      /** The start event to begin at, where there are several. Default: the first that needs no trigger. */
      readonly start?: string;
    } = {},
  ): Promise<TrialInstance> {
    const { process = mainProcess(this.#options.programs), variables = {}, businessKey, start } = options;
    if (process === undefined)
      throw new AppError("program-not-found", "Expected a process to start, but there is none");
    this.#begin();
    const number = ++this.#started;
    const instanceId = number === 1 ? process : `${process}-${number}`;
    const request = { requestId: `start-${number}`, process, instanceId, variables, actor: "tester" };
    await this.#machine.ask((engine) =>
      engine.start({
        ...request,
        ...(businessKey === undefined ? {} : { businessKey }),
        ...(start === undefined ? {} : { start }),
      }),
    );
    await this.#rest();
    return this.instance(instanceId);
  }

  /** Starts nothing itself: messages, signals and timers that start a process do. */
  async begin(): Promise<void> {
    this.#begin();
    await this.#rest();
  }

  /** The instance of this id; throws when there is none. */
  instance(instanceId: string): TrialInstance {
    const instance = this.#instances.get(instanceId);
    if (instance !== undefined) return instance;
    throw new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none in this trial`);
  }

  /** Lets time pass (`P7D`, `2h`), stopping at everything that is due on the way. */
  async advance(duration: string): Promise<void> {
    const until = instantAfter(this.now, duration);
    if ((await this.#pass(until)) === "limit") {
      const message = `Expected at most ${this.#eventsMax} events in ${duration}, but there are more`;
      throw new AppError("trial-limit", message);
    }
    await this.#machine.moveTo(until);
    await this.#rest();
  }

  /**
   * Goes from what is due to what is due next, until every instance has ended, something is asked that nobody answers, or
   * nothing can come any more.
   */
  async finish(): Promise<Finish> {
    const finish = await this.#pass(Number.POSITIVE_INFINITY);
    await this.#rest();
    return finish;
  }

  /** More answers, for what is asked already and what will be. */
  async answer(elementOrJobType: string, answer: Answers["answers"][string]): Promise<void> {
    this.#crew.book.add(elementOrJobType, answer);
    await this.#crew.retry();
    await this.#rest();
  }

  /** Sends a message or a signal, now or after its time. */
  async publish(posting: Posting): Promise<void> {
    this.#crew.plan(posting);
    await this.#rest();
  }

  /** Any command of the engine's port: `resolve-incident`, `cancel-instance`, `claim-task`, … A refusal is a value. */
  async command(instanceId: string, command: InstanceCommand): Promise<Outcome> {
    const before = this.instance(instanceId).events.length;
    let tries = 0;
    const outcome = await this.ask((engine) => {
      tries++;
      return engine.command(instanceId, command);
    });
    await this.#rest();
    const last = this.instance(instanceId).events.slice(before).at(-1);
    // An engine that died before it could answer had taken it: the repetition is refused, and nothing is wrong.
    return outcome.ok || tries === 1 || last === undefined ? outcome : { ok: true, position: last.cursor.position };
  }

  /** Asks the engine itself. Repeated when it dies before it answers. */
  async ask<T>(request: (engine: Engine) => Promise<T>): Promise<T> {
    return this.#machine.ask(request);
  }

  /** The engine dies here and now, and another one goes on with what is durable. */
  async crash(): Promise<void> {
    this.#machine.kill();
    await this.#rest();
  }

  async close(): Promise<void> {
    try {
      await this.#machine.close();
    } finally {
      await this.#journal?.remove();
    }
  }

  #begin(): void {
    if (!this.#begun) this.#crew.begin();
    this.#begun = true;
  }

  get #ended(): boolean {
    // What is still to be sent may begin another one.
    return !this.#crew.sends && this.instances.length > 0 && this.instances.every(({ hasEnded }) => hasEnded);
  }

  async #pass(until: number): Promise<Finish> {
    for (;;) {
      await this.#machine.settle();
      if (until === Number.POSITIVE_INFINITY && this.#ended) return "ended";
      if (this.#options.signal?.aborted === true) return "interrupted";
      if (this.#events > this.#eventsMax) return "limit";
      if (await this.#askSomebody()) continue;
      // Whoever wants to see what becomes of something that nobody answers says so: with `ignore`, or by advancing.
      if (until === Number.POSITIVE_INFINITY && this.#neverAsked !== undefined) return "waiting";
      const at = this.#machine.nextAt();
      if (at === undefined || at > until) return "waiting";
      await this.#machine.moveTo(at, this.#options.signal);
    }
  }

  /** The first question that nobody has an answer for and nobody left waiting. */
  get #neverAsked(): Question | undefined {
    return this.#crew.unanswered.find(({ id }) => !this.#skipped.has(id));
  }

  /** Whether somebody was asked: for what nobody else answers, then for what is to come from outside, each once. */
  async #askSomebody(): Promise<boolean> {
    const { ask } = this.#options;
    const question = ask === undefined ? undefined : (this.#neverAsked ?? (await this.#awaited()));
    if (ask === undefined || question === undefined) return false;
    const answer = await ask(question);
    if (answer === undefined || question.kind === "message" || question.kind === "signal")
      this.#skipped.add(question.id);
    if (answer !== undefined) this.#give(question, answer);
    return true;
  }

  #give(question: Question, answer: Answer): void {
    const { kind, title, input } = question;
    if (kind !== "message" && kind !== "signal") return this.#crew.answer(question, answer);
    const { complete: payload = {}, after } = answer;
    const name = must(title, "it waits for something that has a name");
    const key = typeof input["key"] === "string" ? { key: input["key"] } : {};
    const when = after === undefined ? {} : { after };
    this.#crew.plan(
      kind === "signal" ? { signal: name, payload, ...when } : { message: name, payload, ...key, ...when },
    );
  }

  /** The oldest wait for a message or a signal that nobody was asked for. */
  async #awaited(): Promise<Question | undefined> {
    const { rows } = await this.#machine.ask((engine) => engine.query("subscriptions", {}, { limit: 1_000 }));
    const waiting = rows.toReversed().map(
      ({ instanceId, key, element, kind, name, correlationKey }): Question => ({
        ...{
          id: `${instanceId}/${key}:${name}`,
          instanceId,
          kind,
          element,
          title: name,
          form: null,
          jobType: null,
          attempt: 1,
        },
        item: this.#steps.item(instanceId, key),
        input: correlationKey === null ? {} : { key: correlationKey },
      }),
    );
    return waiting.find(({ id }) => !this.#skipped.has(id));
  }

  async #rest(): Promise<void> {
    await this.#machine.settle();
    for (const instance of this.#instances.values()) {
      if (!instance.isStale) continue;
      instance.show(await this.#machine.ask((engine) => engine.instance(instance.id)));
    }
  }

  #onEvent(recorded: RecordedEvent): void {
    this.#events++;
    this.#lastEventAt = recorded.at;
    const { instanceId } = recorded;
    const instance = this.#instances.get(instanceId) ?? new TrialInstance(instanceId, recorded);
    this.#instances.set(instanceId, instance);
    const step = this.#steps.read(recorded);
    instance.take(recorded, step);
    this.#crew.onEvent(recorded);
    this.#options.onEvent?.(recorded);
    if (step !== undefined) this.#options.onStep?.(step);
  }
}

function postingName(posting: Posting): string {
  return "message" in posting ? `message ${posting.message}` : `signal ${posting.signal}`;
}
