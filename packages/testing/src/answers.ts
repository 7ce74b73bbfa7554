import type { JsonObject } from "@tutti/kernel";

/**
 * How one job or user task is answered: exactly one of `complete`, `fail`, `throw` and `ignore`. Texts in values that start
 * with "=" are CEL expressions over the input of the job or task; `${…}` inserts one into a text.
 */
export interface Answer {
  /** The result. */
  readonly complete?: JsonObject | undefined;
  /** A failure of the world: retried as the definition says, unless `retryable` is false. Only for jobs. */
  readonly fail?: string | Failure | undefined;
  /** A BPMN error: goes to the nearest boundary event that catches its code. Only for jobs. */
  readonly throw?: string | Thrown | undefined;
  /** It is never answered. */
  readonly ignore?: true | undefined;
  /** How long it takes, as `PT2H` or `2h`; absent: no time at all. */
  readonly after?: string | undefined;
  /** Who answers. */
  readonly by?: string | undefined;
  /** Only for inputs of which this CEL condition holds; `itemKey` is the key of the item it belongs to, `attempt` counts from 1. */
  readonly when?: string | undefined;
}

export interface Failure {
  readonly code: string;
  readonly message?: string | undefined;
  readonly retryable?: boolean | undefined;
}

export interface Thrown {
  readonly code: string;
  readonly message?: string | undefined;
  readonly details?: JsonObject | undefined;
}

/** A message or signal from outside, and when it comes. */
export type Posting = (
  | {
      readonly message: string;
      /** Correlation key. */
      readonly key?: string | undefined;
      readonly id?: string | undefined;
      /** How long it is kept for one who waits later; absent: it is for those who wait already. */
      readonly ttl?: string | undefined;
    }
  | { readonly signal: string; readonly id?: string | undefined }
) & {
  readonly payload?: JsonObject | undefined;
  /** Counted from the start, or from the moment that `on` names. */
  readonly after?: string | undefined;
  /** The moment this element first starts to wait or to run. */
  readonly on?: string | undefined;
};

/**
 * One that asks: an attempt of a job, a user task, an ad-hoc sub-process in which people choose, or, of a person, an
 * element that waits for a message or a signal.
 */
export interface Question {
  /** The same for one attempt of one job, or one task, however often it is offered. */
  readonly id: string;
  readonly instanceId: string;
  readonly kind: "job" | "task" | "choice" | "message" | "signal";
  readonly element: string;
  /** Key of the item of the collection it belongs to. */
  readonly item: string | null;
  /** The type of the job; null for user tasks. */
  readonly jobType: string | null;
  readonly attempt: number;
  /** Of a message: its correlation key, if it has one. Of a choice: the `elements` to choose from. */
  readonly input: JsonObject;
  /** The title of a user task; the name of a message or signal. */
  readonly title: string | null;
  /** JSON Schema of what completing a user task brings. */
  readonly form: JsonObject | null;
}

/** Answers by a function: for those that depend on more than an expression says, or that run the real code of a worker. */
export type Answering = (question: Question) => Answer | Promise<Answer>;

/**
 * In an ad-hoc sub-process, `complete` brings what is activated, `{ activate: [ids], done }`. It is asked again at once,
 * so that the answers of a list follow one another, until one says that it is done; a list does with its last answer.
 *
 * Answers by id of the element, or by the type of the job; the element goes before the type. Of a list, the first answer
 * that was not used yet and whose `when` holds is taken; once all have been used, the last such again.
 */
export interface Answers {
  readonly answers: { readonly [elementOrJobType: string]: Answer | readonly Answer[] | Answering };
  readonly publish: readonly Posting[];
}
