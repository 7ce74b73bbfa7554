import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, RetryState } from "@temporalio/common";
import type { FailureInfo, State } from "@tutti/kernel";
import type { UntimedCommand } from "../contract.ts";
import { secretMessage } from "../failed-job.ts";
import { summaryOf } from "./short-jobs.ts";

type Of<T extends UntimedCommand["type"]> = Extract<UntimedCommand, { readonly type: T }>;

const endedSo = RetryState.NON_RETRYABLE_FAILURE;

/** What Temporal shows of something that failed. Messages of failures are no payloads: `isSecret` keeps them from there. */
export function failureOf(
  { code, message, details }: FailureInfo,
  { isSecret, cause }: { readonly isSecret: boolean; readonly cause?: Error | undefined },
): ApplicationFailure {
  const told = isSecret ? { message: secretMessage, details: [{ message, details }] } : { message, details: [details] };
  return ApplicationFailure.create({
    type: code,
    nonRetryable: true,
    ...told,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The failed job or child that an instance failed with, as far as this execution was told of it. */
export class FailureBehind {
  readonly #isSecret: boolean;
  cause: Error | undefined;

  constructor(isSecret: boolean) {
    this.#isSecret = isSecret;
  }

  /** To be called before a command is decided; what it gives, after that. */
  before(command: UntimedCommand, state: State): () => void {
    const told = isFailing(state) ? undefined : this.#toldBy(command, state);
    return () => {
      if (told !== undefined && isFailing(state)) this.cause = told;
    };
  }

  #toldBy(command: UntimedCommand, state: State): Error | undefined {
    if (command.type === "fail-job" || command.type === "throw-job-error") return this.#ofJob(command, state);
    return command.type === "end-child" ? this.#ofChild(command, state) : undefined;
  }

  #ofJob({ key, error }: Of<"fail-job" | "throw-job-error">, { jobs }: State): Error | undefined {
    const job = jobs.get(key);
    if (job === undefined) return undefined;
    const { element, jobType, attempt } = job;
    const message = `${summaryOf(element, attempt)}: ${error.code}`;
    return new ActivityFailure(message, jobType, `${element}/${key}`, endedSo, undefined, this.#causeOf(error));
  }

  #ofChild({ key, childId: workflowId, outcome }: Of<"end-child">, { calls }: State): Error | undefined {
    const call = calls.get(key);
    if (call === undefined || outcome.type !== "failed") return undefined;
    return new ChildWorkflowFailure(undefined, { workflowId }, call.process, endedSo, this.#causeOf(outcome.error));
  }

  #causeOf(error: FailureInfo): ApplicationFailure {
    return failureOf(error, { isSecret: this.#isSecret });
  }
}

function isFailing({ head }: State): boolean {
  return head.status === "failing" || head.status === "failed";
}
