import { type Client, isGrpcServiceError } from "@temporalio/client";
import { notDone } from "./connection.ts";
import type { LocalActivities } from "./contract.ts";
import { isGone } from "./courier.ts";

/** gRPC: NOT_FOUND. */
const notFound = 5;

/** Of an activity: SCHEDULED and PAUSED. Others have a worker. */
const waitingStates: ReadonlySet<number> = new Set([1, 4]);

/** Of an activity: CANCEL_REQUESTED, whether it is paused or not. */
const calledOff = 3;

interface Execution {
  readonly isRunning: boolean;
  /** Types of the jobs that a worker has at this moment. */
  readonly workedOn: readonly string[];
}

/** Temporal forgets an execution that has ended once its time to keep those is over; the log does not. */
export async function executionOf(client: Client, instanceId: string): Promise<Execution> {
  try {
    const { status, raw } = await client.workflow.getHandle(instanceId).describe();
    const pending = (raw.pendingActivities ?? []).filter(({ state }) => !waitingStates.has(state ?? 0));
    return {
      isRunning: status.name === "RUNNING",
      workedOn: pending.map(({ activityType }) => activityType?.name ?? ""),
    };
  } catch (error) {
    if (isGone(error)) return { isRunning: false, workedOn: [] };
    throw notDone(error);
  }
}

/** Whether an activity goes on: it has neither ended nor been called off. */
export async function isWanted(client: Client, instanceId: string, activityId: string): Promise<boolean> {
  const { raw } = await client.workflow.getHandle(instanceId).describe();
  const activity = (raw.pendingActivities ?? []).find((each) => each.activityId === activityId);
  return activity !== undefined && activity.state !== calledOff;
}

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

/** Holds activities back that wait for a worker, and gives their ids. Those that run go on, unless `held`. */
export async function holdWaiting(
  client: Client,
  { instanceId, activityIds, held }: Parameters<LocalActivities["holdWaiting"]>[0],
): Promise<readonly string[]> {
  await setHeld(client, { instanceId, activityIds, held: true });
  // From here on none of them starts.
  const { raw } = await client.workflow.getHandle(instanceId).describe();
  const wanted = new Set(activityIds);
  const pending = (raw.pendingActivities ?? []).filter(({ activityId }) => wanted.has(activityId ?? ""));
  const ids = (isWaiting: boolean): string[] =>
    pending
      .filter(({ state }) => waitingStates.has(state ?? 0) === isWaiting)
      .map(({ activityId }) => activityId ?? "");
  if (!held) await setHeld(client, { instanceId, activityIds: ids(false), held: false });
  return ids(true);
}
