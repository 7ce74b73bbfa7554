import type { WorkflowClient } from "@temporalio/client";
import { defaultPayloadConverter } from "@temporalio/common";
import type { temporal } from "@temporalio/proto";
import type { Effect } from "@tutti/kernel";
import { sameJson } from "../simulation/same.ts";
import type { JobOrder } from "../temporal/contract.ts";
import { executionsOf, type ServerEvent } from "../testing/executions.ts";
import type { Shadow } from "./shadows.ts";

type Payload = temporal.api.common.v1.IPayload;

/** What the server was asked for one instance, over all its executions. */
export interface Asked {
  readonly executions: number;
  readonly activities: readonly {
    readonly id: string;
    readonly type: string;
    readonly queue: string;
    readonly order: JobOrder;
  }[];
  readonly children: readonly { readonly id: string; readonly type: string; readonly survives: boolean }[];
  /** When each timer is due. */
  readonly timers: readonly number[];
  /** Of the newest execution, those that are still to fire. */
  readonly pending: readonly number[];
  /** The most at once, between two tasks. */
  readonly pendingMax: number;
}

const parentClosePolicyAbandon = 2;

export async function askedOf(client: WorkflowClient, instanceId: string): Promise<Asked> {
  return readAsked(await executionsOf(client, instanceId));
}

/** Of histories, the oldest execution first. */
function readAsked(runs: readonly (readonly ServerEvent[])[]): Asked {
  const activities: Asked["activities"][number][] = [];
  const children: Asked["children"][number][] = [];
  const timers: number[] = [];
  let pending = new Map<string, number>();
  let pendingMax = 0;
  for (const events of runs) {
    pending = new Map();
    const inThis = new Set<string>();
    for (const event of events) {
      const activity = event.activityTaskScheduledEventAttributes;
      if (activity) {
        activities.push({
          id: activity.activityId ?? "",
          type: activity.activityType?.name ?? "",
          queue: activity.taskQueue?.name ?? "",
          order: contentOf(activity.input?.payloads?.[0]) as JobOrder,
        });
      }
      const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
      if (child) {
        const survives = child.parentClosePolicy === parentClosePolicyAbandon;
        const id = child.workflowId ?? "";
        // A new execution asks again for those that are open, and is told that they are.
        const isAgain = children.some((each) => each.id === id) && !inThis.has(id);
        if (!isAgain) children.push({ id, type: child.workflowType?.name ?? "", survives });
        inThis.add(id);
      }
      const due = dueOf(event);
      if (due !== undefined) {
        timers.push(due);
        pending.set(event.timerStartedEventAttributes?.timerId ?? "", due);
      }
      // Of one task the commands stand in any order.
      if (event.workflowTaskScheduledEventAttributes) pendingMax = Math.max(pendingMax, pending.size);
      const over = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
      if (over) pending.delete(over.timerId ?? "");
    }
  }
  return { executions: runs.length, activities, children, timers, pending: [...pending.values()], pendingMax };
}

/** Timers that are no appointment of the instance have no summary. */
function dueOf({ timerStartedEventAttributes: started, userMetadata }: ServerEvent): number | undefined {
  if (!started || !userMetadata?.summary) return undefined;
  return Number(contentOf(userMetadata.summary));
}

function contentOf(payload: Payload | null | undefined): unknown {
  return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
}

type Of<K extends Effect["type"]> = Extract<Effect, { readonly type: K }>;

function demanded<K extends Effect["type"]>({ demands }: Shadow, type: K): Of<K>[] {
  return demands.filter((effect): effect is Of<K> => effect.type === type);
}

/** What the server was asked and the kernel did not demand, or the other way round; undefined: they are the same. */
export function unlike(
  asked: Asked,
  shadow: Shadow,
  at: { readonly deployed: ReadonlySet<string>; readonly now: number },
): string | undefined {
  return (
    activitiesUnlike(asked, shadow) ?? childrenUnlike(asked, shadow, at.deployed) ?? timersUnlike(asked, shadow, at.now)
  );
}

function activitiesUnlike({ activities }: Asked, shadow: Shadow): string | undefined {
  const demands = new Map(demanded(shadow, "offer-job").map((job) => [`${job.key}#${job.attempt}`, job]));
  const ids = new Set<string>();
  const scheduled = new Set<string>();
  for (const { id, type, queue, order } of activities) {
    const name = `${order.key}#${order.attempt}`;
    const job = demands.get(name);
    if (job === undefined) return `an activity '${id}' for job ${name}, which nothing demands`;
    scheduled.add(name);
    if (ids.has(id)) return `two activities '${id}'`;
    ids.add(id);
    const { jobType, element, input, headers, priority, attemptsMax, timeoutMs = null } = job;
    const wanted = { jobType, queue: job.queue, element, input, headers, priority, attemptsMax, timeoutMs };
    const { elementId, input: given, headers: told, priority: first, attemptsMax: most, timeoutMs: limit } = order;
    const got = { jobType: type, queue: order.queue, element: elementId, input: given, headers: told };
    const all = { ...got, priority: first, attemptsMax: most, timeoutMs: limit };
    if (!sameJson(JSON.stringify(wanted), JSON.stringify(all)))
      return `an activity '${id}' with ${JSON.stringify(all)} for ${JSON.stringify(wanted)}`;
    if (!queue.endsWith(`-${job.queue}`)) return `an activity '${id}' on '${queue}' for the class ${job.queue}`;
  }
  const missing = [...shadow.offered].filter((name) => !scheduled.has(name));
  return missing.length === 0 ? undefined : `no activity for job ${missing.join()}`;
}

function childrenUnlike({ children }: Asked, shadow: Shadow, deployed: ReadonlySet<string>): string | undefined {
  // A resume demands those that are open once more.
  const wanted = demanded(shadow, "start-child").filter(({ process }) => deployed.has(process));
  const missing = new Set(wanted.map(({ childId }) => childId));
  for (const { id, type, survives } of children) {
    const index = wanted.findIndex(({ childId, process }) => childId === id && process === type);
    if (index === -1) return `a child '${id}' of type '${type}', which nothing demands`;
    if (!survives) return `a child '${id}' that ends with its caller's execution`;
    wanted.splice(index, 1);
    missing.delete(id);
  }
  return missing.size === 0 ? undefined : `no child ${[...missing].join()}`;
}

function timersUnlike({ timers, pending, pendingMax }: Asked, shadow: Shadow, now: number): string | undefined {
  const dues = new Set<number>(demanded(shadow, "arm-timer").map(({ due }) => due));
  for (const { notBefore } of demanded(shadow, "offer-job")) if (notBefore !== undefined) dues.add(notBefore);
  const idle = timers.find((due) => !dues.has(due));
  if (idle !== undefined) return `a timer for ${idle}, which nothing demands`;
  if (pendingMax > 1) return `${pendingMax} timers at once`;
  // What came due during a pause waits for its end.
  const open = [...shadow.state.timers.values()].map(({ due }) => due).filter((due) => due > now);
  if (!shadow.isOpen || open.length === 0) return undefined;
  const soonest = Math.min(...open);
  return pending.some((due) => due <= soonest) ? undefined : `no timer for ${soonest}`;
}
