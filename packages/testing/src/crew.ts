import type { Engine, InstanceCommand, RecordedEvent } from "@tutti/engine";
import { AppError, type Event, type Job, type JobHandler, type JobOutcome, type Json } from "@tutti/kernel";
import { AnswerBook, type PlannedAnswer, planned } from "./answer-book.ts";
import type { Answer, Answers, Posting, Question } from "./answers.ts";
import { instantAfter } from "./duration.ts";
import type { Machine } from "./machine.ts";
import type { StepReader } from "./path.ts";

/** Asked and not answered yet. */
interface Open {
  readonly question: Question;
  /** Undefined for one who was told nothing, and waits. */
  answer(plan: PlannedAnswer): void;
}

/** One of the times that people choose in an ad-hoc sub-process. */
interface Choice {
  readonly instanceId: string;
  readonly key: number;
  readonly element: string;
  /** Counts from 1. */
  readonly number: number;
}

/** An answer that came and was refused. */
export interface Refusal {
  readonly question: Question;
  readonly reason: string;
}

export interface CrewOptions {
  readonly answers: Answers;
  readonly jobTypes: ReadonlySet<string>;
  /** Ad-hoc sub-processes in which people choose, each with what there is to choose from. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
  readonly steps: StepReader;
}

/** Workers, people and senders of a trial: everybody whom a process waits for. */
export class Crew {
  readonly book: AnswerBook;
  readonly refusals: Refusal[] = [];
  /** Messages that nobody waited for and that were not kept. */
  readonly lost: Posting[] = [];
  readonly #machine: Machine;
  /** Those that are known beforehand, and those that came up. */
  readonly #jobTypes: Set<string>;
  #engine: Engine | undefined;
  readonly #choices: CrewOptions["choices"];
  /** By instance and element instance. */
  readonly #open: Map<string, Open> = new Map();
  readonly #steps: StepReader;
  readonly #postings: Set<Posting>;
  /** Whose time has not come. */
  readonly #planned: Set<Posting> = new Set();
  #posted = 0;

  constructor(machine: Machine, options: CrewOptions) {
    this.#machine = machine;
    this.#steps = options.steps;
    this.#postings = new Set(options.answers.publish);
    this.#jobTypes = new Set(options.jobTypes);
    this.#choices = options.choices;
    this.book = new AnswerBook(options.answers.answers);
  }

  /** What nobody has an answer for, in the order it was asked. */
  get unanswered(): readonly Question[] {
    return [...this.#open.values()].map(({ question }) => question);
  }

  /** Messages and signals that were not sent, because the element they are to follow never came. */
  get unsent(): readonly Posting[] {
    return [...this.#postings].filter(({ on }) => on !== undefined);
  }

  /** Sends what follows no element, each when its time has come. */
  begin(): void {
    for (const posting of this.#postings) if (posting.on === undefined) this.plan(posting);
  }

  /** Sends a message or a signal when its time has come. */
  plan(posting: Posting): void {
    this.#postings.delete(posting);
    const { now } = this.#machine;
    const at = posting.after === undefined ? now : instantAfter(now, posting.after);
    this.#planned.add(posting);
    this.#machine.at(at, () => {
      this.#planned.delete(posting);
      this.#post(posting);
    });
  }

  /** Whether something is to be sent at a time that is known. */
  get sends(): boolean {
    return this.#planned.size > 0;
  }

  work(engine: Engine): void {
    this.#engine = engine;
    for (const jobType of this.#jobTypes) engine.work(jobType, this.#handler);
  }

  /** Answers one open question by hand; one that is not asked any more is passed over. */
  answer(question: Question, answer: Answer): void {
    const open = [...this.#open.values()].find((each) => each.question.id === question.id);
    open?.answer(planned(answer, question, this.#machine.now));
  }

  /** Asks again what nobody had an answer for: there may be one now. */
  async retry(): Promise<void> {
    for (const [, { question, answer }] of [...this.#open]) {
      const plan = await this.book.answer(question, this.#machine.now);
      if (plan !== undefined) answer(plan);
    }
  }

  onEvent(recorded: RecordedEvent): void {
    const { event, instanceId } = recorded;
    if (event.type === "job-created" && !this.#jobTypes.has(event.jobType)) {
      this.#jobTypes.add(event.jobType);
      this.#engine?.work(event.jobType, this.#handler);
    }
    if (event.type === "element-activated" || event.type === "element-passed") {
      for (const posting of this.#postings) if (posting.on === event.element) this.plan(posting);
    }
    if (event.type === "task-created") this.#openTask(instanceId, event);
    if (event.type === "element-activated" && this.#choices.has(event.element))
      this.#openChoice({ instanceId, key: event.key, element: event.element, number: 1 });
    if (closing.has(event.type) && "key" in event) this.#open.delete(`${instanceId}/${event.key}`);
  }

  readonly #handler: JobHandler = (job) =>
    new Promise<JobOutcome>((resolve) => {
      // Not at once: the events that say which item it belongs to are read first.
      this.#machine.at(this.#machine.now, () => {
        this.#ask(job.id, this.#jobQuestion(job), ({ answer, dueAt }) => {
          if (answer.ignore !== true) this.#machine.at(dueAt, () => resolve(outcomeOf(answer)));
        });
      });
    });

  #ask(id: string, question: Question, answer: (plan: PlannedAnswer) => void): void {
    const given = (plan: PlannedAnswer): void => {
      this.#open.delete(id);
      answer(plan);
    };
    this.#open.set(id, { question, answer: given });
    this.#machine.watch(
      this.book.answer(question, this.#machine.now).then((plan) => {
        if (plan !== undefined) given(plan);
      }),
    );
  }

  #jobQuestion({ id, instanceId, elementId, type, attempt, input }: Job): Question {
    return {
      id: `${id}#${attempt}`,
      instanceId,
      kind: "job",
      element: elementId,
      item: this.#itemOf(id),
      jobType: type,
      attempt,
      input,
      title: null,
      form: null,
    };
  }

  /** Ids of jobs and tasks are `<instance>/<element instance>`. */
  #itemOf(id: string): string | null {
    const slash = id.lastIndexOf("/");
    return this.#steps.item(id.slice(0, slash), Number(id.slice(slash + 1)));
  }

  #openTask(instanceId: string, task: Extract<Event, { type: "task-created" }>): void {
    const { key, element, input, title, form, assignee, candidates } = task;
    const id = `${instanceId}/${key}`;
    const item = this.#itemOf(id);
    const question: Question = {
      ...{ id, instanceId, kind: "task", element, item, jobType: null, attempt: 1 },
      ...{ input, title, form: form ?? null },
    };
    this.#ask(id, question, ({ answer, dueAt }) => {
      if (answer.ignore === true) return;
      const outcome = outcomeOf(answer);
      if (outcome.type === "failed") {
        this.refusals.push({ question, reason: "Expected a result or an error, as a person does not fail" });
        return;
      }
      const actor = answer.by ?? assignee ?? candidates[0] ?? "tester";
      this.#machine.at(dueAt, () => this.#answerTask({ question, key }, { outcome, actor }));
    });
  }

  /** People choose in an ad-hoc sub-process, as often as they like, until they say that they are done. */
  #openChoice(choice: Choice): void {
    const { instanceId, key, element, number } = choice;
    const id = `${instanceId}/${key}`;
    const input = { elements: [...(this.#choices.get(element) ?? [])] };
    const question: Question = {
      ...{ id: `${id}#${number}`, instanceId, kind: "choice", element, item: this.#itemOf(id), input },
      ...{ jobType: null, attempt: number, title: null, form: null },
    };
    this.#ask(id, question, ({ answer, dueAt }) => {
      if (answer.ignore === true) return;
      const { activate = [], done = !this.book.hasMore(element) } = answer.complete ?? {};
      this.#machine.at(dueAt, () =>
        this.#choose({ question, key }, { activate, done: done === true, actor: answer.by }),
      );
      if (done !== true) this.#machine.at(dueAt, () => this.#openChoice({ ...choice, number: number + 1 }));
    });
  }

  #choose(
    { question, key }: { readonly question: Question; readonly key: number },
    chosen: { readonly activate: Json; readonly done: boolean; readonly actor: string | undefined },
  ): void {
    const elements = [chosen.activate].flat().map((element) => ({ element: String(element) }));
    const command = { type: "activate-elements" as const, key, elements, complete: chosen.done };
    this.#machine.send(async (engine) => {
      const outcome = await engine.command(question.instanceId, { ...command, actor: chosen.actor ?? "tester" });
      if (outcome.ok) return;
      // It has completed meanwhile, as its condition says, or an engine that died had taken the choice.
      const { code, reason } = outcome.rejection;
      if (code !== "ad-hoc-not-found" && code !== "instance-ended") this.refusals.push({ question, reason });
    });
  }

  #answerTask(
    task: { readonly question: Question; readonly key: number },
    { outcome: said, actor }: { readonly outcome: TaskOutcome; readonly actor: string },
  ): void {
    const { question, key } = task;
    this.#machine.send(async (engine) => {
      const outcome = await engine.command(question.instanceId, taskCommand(key, said, actor)).catch(refusalOf);
      if (outcome.ok) return;
      // It has ended meanwhile, or an engine that died had taken the answer.
      const { code, reason } = outcome.rejection;
      if (code !== "task-not-found" && code !== "instance-ended") this.refusals.push({ question, reason });
    });
  }

  #post(posting: Posting): void {
    // Repeated after a crash under the same id, so that it is sent once.
    const { id = `posting-${++this.#posted}`, payload: variables = {} } = posting;
    if ("signal" in posting) {
      this.#machine.send((engine) => engine.broadcast({ name: posting.signal, id, variables }));
      return;
    }
    const { message: name, key, ttl } = posting;
    const { now } = this.#machine;
    const ttlMs = ttl === undefined ? 0 : instantAfter(now, ttl) - now;
    const keyed = key === undefined ? {} : { correlationKey: key };
    this.#machine.send(async (engine) => {
      const { instances, keptUntil } = await engine.publish({ name, id, ttlMs, variables, ...keyed });
      if (instances.length === 0 && keptUntil === null) this.lost.push(posting);
    });
  }
}

/** What does not fit the form of its task is refused like what the process refuses. */
function refusalOf(error: unknown): { readonly ok: false; readonly rejection: { code: string; reason: string } } {
  if (!(error instanceof AppError) || error.code !== "form-misfit") throw error;
  return { ok: false, rejection: { code: error.code, reason: error.message } };
}

/** What whoever has a task may say. */
type TaskOutcome = Exclude<JobOutcome, { readonly type: "failed" }>;

function taskCommand(key: number, said: TaskOutcome, actor: string): InstanceCommand {
  if (said.type === "completed") return { type: "complete-task", key, result: said.result, actor };
  const { type: _type, ...error } = said;
  return { type: "throw-task-error", key, error, actor };
}

/** After these nobody asks any more under this key. */
const closing: ReadonlySet<Event["type"]> = new Set([
  "job-completed",
  "job-failed",
  "job-error-thrown",
  "job-cancelled",
  "task-completed",
  "task-error-thrown",
  "task-cancelled",
  "element-completed",
  "element-terminated",
]);

function outcomeOf({ complete, fail, throw: thrown }: Answer): JobOutcome {
  if (fail !== undefined) {
    const { code, message = "as answered", retryable = true } = typeof fail === "string" ? { code: fail } : fail;
    return { type: "failed", code, message, retryable };
  }
  if (thrown !== undefined) {
    const { code, message = "as answered", details } = typeof thrown === "string" ? { code: thrown } : thrown;
    return { type: "error", code, message, ...(details === undefined ? {} : { details }) };
  }
  return { type: "completed", result: complete ?? {} };
}
