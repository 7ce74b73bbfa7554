import { historyFromJSON } from "@temporalio/common/lib/proto-utils.js";
import { Worker } from "@temporalio/worker";

/** A history as Temporal's tools and SDKs write it. */
export type History = ReturnType<typeof historyFromJSON>;

export function historyIn(json: string): History {
  return historyFromJSON(JSON.parse(json));
}

/** Has a bundle do again what an execution did, without a server. Rejects where it would do otherwise. */
export async function replayHistory(workflowBundle: { readonly code: string }, history: History): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, history);
}
