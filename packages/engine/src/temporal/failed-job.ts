import { ActivityFailure, ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import type { FailureInfo } from "@tutti/kernel";
import type { JobAnswer, ShortAnswer } from "./contract.ts";

/*
 * An attempt that failed is a failed activity, with its code and message, for whoever looks at the history. To the
 * instance it is an answer like any other, which travels in the details. Both sides of the sandbox import this.
 */

/** In the place of words that are not to be read in the clear. */
export const secretMessage = "The message is among the details, encrypted.";

function failedWith({ code, message }: FailureInfo, answer: JobAnswer | ShortAnswer, isSecret: boolean): Error {
  return ApplicationFailure.create({
    type: code,
    message: isSecret ? secretMessage : message,
    details: [answer],
    nonRetryable: true,
    // Nothing is wrong with the worker.
    category: ApplicationFailureCategory.BENIGN,
  });
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

/** What a job came to whose activity has failed. Throws what is no answer. */
export function answerIn(error: unknown): JobAnswer {
  const failure = error instanceof ActivityFailure ? error.cause : undefined;
  const [answer] = failure instanceof ApplicationFailure ? (failure.details ?? []) : [];
  if (answer === undefined) throw error;
  return answer as JobAnswer;
}
