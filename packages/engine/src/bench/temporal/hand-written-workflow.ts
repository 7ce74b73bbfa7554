import { proxyActivities, proxyLocalActivities, workflowInfo } from "@temporalio/workflow";

/** What one step does, whichever kind of activity does it. `n` counts from 1; `record` writes its rows to the log. */
export interface HandWrittenActivities {
  work(step: { readonly instanceId: string; readonly n: number; readonly record: boolean }): Promise<object>;
}

export interface HandWrittenInput {
  readonly steps: number;
  /** All at once instead of one after the other. */
  readonly atOnce: boolean;
  readonly local: boolean;
  readonly record: boolean;
}

const plain = proxyActivities<HandWrittenActivities>({ startToCloseTimeout: "1m" });
const local = proxyLocalActivities<HandWrittenActivities>({ startToCloseTimeout: "10s" });

/** As somebody who knows Temporal would write it for this very case. */
export async function handWritten(input: HandWrittenInput): Promise<void> {
  const { work } = input.local ? local : plain;
  const instanceId = workflowInfo().workflowId;
  const step = (n: number): Promise<object> => work({ instanceId, n, record: input.record });
  const numbers = Array.from({ length: input.steps }, (_, index) => index + 1);
  if (input.atOnce) await Promise.all(numbers.map(step));
  else for (const n of numbers) await step(n);
}
