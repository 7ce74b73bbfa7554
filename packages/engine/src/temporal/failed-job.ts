import { ActivityFailure, ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from "@temporalio/common";
import type { FailureInfo } from "@tutti/kernel";
import type { JobAnswer, ShortAnswer } from "./contract.ts";

/*
 * An attempt that failed is a failed activity, with its code and message, for whoever looks at the history. To the
 * instance it is an answer like any other, which travels in the details. Both sides of the sandbox import this.
 */

const messageCharsMax = 10_000;

/** In the place of words that are not to be read in the clear. */
export const secretMessage = "The message is among the details, encrypted.";

function failedWith({ code, message }: FailureInfo, answer: JobAnswer | ShortAnswer, isSecret: boolean): Error {
  const failure = ApplicationFailure.create({
    type: code,
    message: isSecret ? secretMessage : message,
    details: [answer],
    nonRetryable: true,
    // Nothing is wrong with the worker.
    category: ApplicationFailureCategory.BENIGN,
  });
  // Where it was made is in here, and says nothing of the job.
  failure.stack = "";
  return failure;
}

/** As the local activity of a short job ends. */
export function endOfShort(answer: ShortAnswer, isSecret: boolean): ShortAnswer {
  const { done } = answer;
  if (done.ok && "error" in done.answer) throw failedWith(done.answer.error, answer, isSecret);
  return answer;
}

/** As the activity of the job ends. `isSecret`: messages of failures are no payloads, so nothing is to be told there. */
export function endOfActivity(answer: JobAnswer, isSecret: boolean): JobAnswer {
  if ("error" in answer) throw failedWith(answer.error, answer, isSecret);
  return answer;
}

/**
 * What a job came to whose activity has failed. Where that was not by its worker, but by Temporal's tools or because the
 * server did not take the result, the attempt has failed. Throws what calls a job off.
 */
export function answerIn(key: number, error: unknown): JobAnswer {
  if (!(error instanceof ActivityFailure) || error.cause instanceof CancelledFailure) throw error;
  const { cause } = error;
  const { type, details } = cause instanceof ApplicationFailure ? cause : {};
  const [answer] = details ?? [];
  if (isAnswer(key, answer)) return answer;
  const message = (cause?.message ?? error.message).slice(0, messageCharsMax);
  return { type: "fail-job", key, error: { code: type || "activity-failed", message }, retryable: true };
}

/** Others may have failed it, with details of their own. */
function isAnswer(key: number, detail: unknown): detail is JobAnswer {
  if (typeof detail !== "object" || detail === null || !("key" in detail && "type" in detail)) return false;
  return detail.key === key && (detail.type === "fail-job" || detail.type === "throw-job-error");
}
