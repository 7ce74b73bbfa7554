import { sleep } from "@temporalio/workflow";

/** The only source of time and of "later" in a workflow: a function of its history, like everything in it. */
export interface WorkflowClock {
  /** Epoch ms. */
  now(): number;
  /** Resolves at `at` or later; rejects when the scope it was called in is cancelled. */
  until(at: number): Promise<void>;
}

/** Temporal's time: that of the workflow task, and timers of the server. */
export function serverClock(): WorkflowClock {
  return {
    now: () => Date.now(),
    until: (at) => sleep(Math.max(1, at - Date.now())),
  };
}
