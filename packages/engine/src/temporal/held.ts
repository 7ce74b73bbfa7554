import { type Client, isGrpcServiceError } from "@temporalio/client";
import type { LocalActivities } from "./contract.ts";

/** gRPC: NOT_FOUND. */
const notFound = 5;

/** Pauses activities, or lets them go on. One that has ended meanwhile is left alone. */
export async function setHeld(
  { workflow }: Client,
  { instanceId, activityIds, held }: Parameters<LocalActivities["setHeld"]>[0],
): Promise<void> {
  const { workflowService, options } = workflow;
  const { namespace, identity } = options;
  for (const id of activityIds) {
    const of = { namespace, execution: { workflowId: instanceId }, identity, id };
    try {
      if (held) await workflowService.pauseActivity({ ...of, reason: "The instance is paused." });
      else await workflowService.unpauseActivity(of);
    } catch (error) {
      if (!isGrpcServiceError(error) || error.code !== notFound) throw error;
    }
  }
}
