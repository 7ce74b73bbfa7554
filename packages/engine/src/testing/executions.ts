import type { WorkflowClient } from "@temporalio/client";
import type { temporal } from "@temporalio/proto";

export type ServerEvent = temporal.api.history.v1.IHistoryEvent;

/** The histories of an instance's executions, the oldest first. */
export async function executionsOf(
  client: WorkflowClient,
  instanceId: string,
): Promise<readonly (readonly ServerEvent[])[]> {
  const runs: (readonly ServerEvent[])[] = [];
  for (let runId: string | undefined; ; ) {
    const { events } = await client.getHandle(instanceId, runId).fetchHistory();
    runs.unshift(events ?? []);
    const before = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    if (before == null || before === "") return runs;
    runId = before;
  }
}
