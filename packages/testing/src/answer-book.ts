import { createHost } from "@tutti/definition";
import { toCondition, toSource } from "@tutti/definition/reading";
import { AppError, type Expression, type Json, type JsonObject, type VariableScope } from "@tutti/kernel";
import type { Answer, Answering, Answers, Question } from "./answers.ts";
import { instantAfter } from "./duration.ts";

/** An answer that was chosen, its expressions evaluated, and when it comes (epoch ms). */
export interface PlannedAnswer {
  readonly answer: Answer;
  readonly dueAt: number;
}

const nowhere = { line: 1, column: 1 };
const host = createHost();

/**
 * Who answers what. It remembers what it said: a job that is offered again after a crash is answered the same, at the
 * instant it would have been answered without the crash.
 */
export class AnswerBook {
  readonly #lists: Map<string, Answer[]> = new Map();
  readonly #functions: Map<string, Answering> = new Map();
  readonly #used: Set<Answer> = new Set();
  readonly #said: Map<string, Promise<PlannedAnswer | undefined>> = new Map();

  constructor(answers: Answers["answers"]) {
    for (const [name, given] of Object.entries(answers)) this.add(name, given);
  }

  /** Further answers, after those that are there already; a function replaces another. */
  add(name: string, given: Answers["answers"][string]): void {
    if (typeof given === "function") this.#functions.set(name, given);
    else this.#lists.set(name, [...(this.#lists.get(name) ?? []), ...[given].flat()]);
  }

  /** Undefined: nobody has an answer. */
  answer(question: Question, at: number): Promise<PlannedAnswer | undefined> {
    const said = this.#said.get(question.id);
    if (said !== undefined) return said;
    const planned = this.#plan(question, at).then((plan) => {
      // Without an answer it may be asked again, once there is one.
      if (plan === undefined) this.#said.delete(question.id);
      return plan;
    });
    this.#said.set(question.id, planned);
    return planned;
  }

  /** Whether somebody may have a new answer for an element: one of a list that was not used yet, or a function. */
  hasMore(element: string): boolean {
    return (
      this.#functions.has(element) || this.#lists.get(element)?.every((answer) => this.#used.has(answer)) === false
    );
  }

  /** Answers that were never used, as `charge, answer 2 of 3`. */
  unused(): string[] {
    return [...this.#lists].flatMap(([name, list]) =>
      list.flatMap((answer, index) =>
        this.#used.has(answer) ? [] : [list.length === 1 ? name : `${name}, answer ${index + 1} of ${list.length}`],
      ),
    );
  }

  async #plan(question: Question, at: number): Promise<PlannedAnswer | undefined> {
    for (const name of [question.element, question.jobType]) {
      const answering = name === null ? undefined : this.#functions.get(name);
      if (answering !== undefined) return planned(await answering(question), question, at);
      const list = name === null ? undefined : this.#lists.get(name);
      const answer = list === undefined ? undefined : this.#choose(list, question);
      if (answer !== undefined) return planned(answer, question, at);
    }
    return undefined;
  }

  #choose(list: readonly Answer[], question: Question): Answer | undefined {
    const fitting = list.filter(({ when }) => when === undefined || holds(when, question));
    // Whoever chose and is not done would choose the same for ever.
    const again = question.kind === "choice" && question.attempt > 1 ? undefined : fitting.at(-1);
    const answer = fitting.find((each) => !this.#used.has(each)) ?? again;
    if (answer !== undefined) this.#used.add(answer);
    return answer;
  }
}

/** The answer with its expressions evaluated. */
export function planned(answer: Answer, question: Question, at: number): PlannedAnswer {
  const complete = answer.complete === undefined ? undefined : evaluated(answer.complete, question);
  const dueAt = answer.after === undefined ? at : instantAfter(at, answer.after);
  return { answer: { ...answer, ...(complete === undefined ? {} : { complete }) }, dueAt };
}

function holds(when: string, question: Question): boolean {
  const value = evaluate(toCondition(when, nowhere), question);
  if (typeof value === "boolean") return value;
  throw new AppError("answer-failed", `Expected '${when}' to be true or false, but it is ${JSON.stringify(value)}`);
}

function evaluated(given: JsonObject, question: Question): JsonObject {
  const source = toSource(given, nowhere);
  if ("literal" in source) return source.literal as JsonObject;
  // A map with an expression somewhere is one expression; a variable alone is never a map as written.
  return evaluate(source as Expression, question) as JsonObject;
}

function evaluate(expression: Expression, question: Question): Json {
  const result = host.evaluate(expression, scopeOf(question));
  if (result.ok) return result.value;
  const { element } = question;
  throw new AppError(
    "answer-failed",
    `Expected an answer for '${element}', but '${expression.text}': ${result.message}`,
  );
}

function scopeOf(question: Question): VariableScope {
  const values: JsonObject = { itemKey: question.item, attempt: question.attempt, ...question.input };
  return {
    get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    isInteger: (name) => Number.isSafeInteger(Object.hasOwn(values, name) ? values[name] : undefined),
  };
}
