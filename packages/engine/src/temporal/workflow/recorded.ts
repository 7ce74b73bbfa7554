import { sleep } from "@temporalio/workflow";

/**
 * Resolves once all that was read and chosen so far is in the history. What local activities say gets there only with
 * the end of the workflow task: a worker that is lost before would have the next one read, and choose, anew.
 */
export function recorded(): Promise<void> {
  return sleep(1);
}
