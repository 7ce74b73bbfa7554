import { AppError, type State } from "@tutti/kernel";
import type { Change, InstanceNumber, InstanceRecord } from "./embedded/store.ts";
import type { MovedInstance, MovedRow } from "./port.ts";

/*
 * What moving is to both engines, also inside the sandbox. An instance that was given up keeps its rows and its record, which says `moved`, and
 * nothing else. When it comes back, the log gets the rows that it lacks.
 */

const namesMax = 5;

/** For those who ask for one that is not here any more; its details have `moved`. */
export function movedAway(instanceId: string): AppError {
  return new AppError(
    "instance-not-found",
    `Expected an instance '${instanceId}' on this engine, but it has moved to another one.`,
    { details: { moved: true } },
  );
}

export function moveRefused(reason: string): AppError {
  return new AppError("move-refused", `${reason}.`);
}

/** Somebody works on a job of it: that passes. */
export function moveBusy(instanceId: string, job: string): AppError {
  const message = `Expected nobody to work for '${instanceId}', but ${job} is being worked on.`;
  return new AppError("move-refused", message, { details: { busy: true } });
}

export function isBusy(error: unknown): boolean {
  return error instanceof AppError && error.code === "move-refused" && error.details?.["busy"] === true;
}

/** Why an instance cannot be given up as it stands; undefined: it can, as far as its state says. */
export function staysFor({ head, calls }: State): string | undefined {
  const { instanceId, parent, status } = head;
  if (parent !== null) {
    return `Expected '${instanceId}' to be called by nobody, but '${parent.instanceId}' waits for it`;
  }
  if (status !== "paused") return `Expected '${instanceId}' to be paused, but it is ${status}`;
  const open = [...calls.values()].filter(({ ended }) => !ended).map(({ childId }) => childId);
  if (open.length === 0) return undefined;
  const named = open.slice(0, namesMax).join("', '");
  const more = open.length > namesMax ? ` and ${open.length - namesMax} more` : "";
  return `Expected no called instance of '${instanceId}' to be open, but '${named}'${more} is: resume it until they have ended`;
}

export function hasKept(instanceId: string): string {
  return `Expected nothing to be kept for '${instanceId}', but a message or signal is: resume it, so that it takes that`;
}

/** What is open of it is not listed any more. */
export function closeOpen(
  { jobs, timers, tasks, incidents, subscriptions }: State,
  instance: InstanceNumber,
): Change[] {
  return [
    ...[...jobs.values()].map(({ key }): Change => ({ type: "job-delete", instance, key })),
    ...[...timers.values()].map(({ key }): Change => ({ type: "timer-delete", instance, key })),
    ...[...tasks.values()].map(({ key }): Change => ({ type: "task-delete", instance, key })),
    ...[...incidents.values()].map(({ key }): Change => ({ type: "incident-delete", instance, key })),
    ...[...subscriptions.values()].map(({ key }): Change => ({ type: "subscription-delete", instance, key })),
  ];
}

export function eventsIn(rows: readonly MovedRow[]): number {
  const last = rows.at(-1);
  return last === undefined ? 0 : last.sequence + last.events.length - 1;
}

/** What the log has of the instance already: `events` of it. */
interface Known {
  readonly record: InstanceRecord;
  readonly events: number;
}

/**
 * The rows that the log lacks. Undefined: it has gone on with the instance already. Throws `move-refused` where this is
 * another instance, or less of it than the log has.
 */
export function rowsLacking(moved: MovedInstance, known: Known | undefined): readonly MovedRow[] | undefined {
  const { instanceId, rows } = moved;
  const given = eventsIn(rows);
  if (rows.length === 0) throw moveRefused(`Expected events of '${instanceId}', but there are none`);
  refuseHoles(moved);
  if (known === undefined) return rows;
  const { record, events } = known;
  if (record.startedAt !== rows[0]?.at) {
    throw moveRefused(`Expected no other instance '${instanceId}' on this engine, but there is one`);
  }
  if (record.status !== "moved") {
    if (record.copied === given) return undefined;
    throw moveRefused(`Expected '${instanceId}' to have left this engine, but it is there`);
  }
  if (given < events) {
    throw moveRefused(`Expected all ${events} events of '${instanceId}', but there are ${given}: it has gone on since`);
  }
  return rows.filter(({ sequence }) => sequence > events);
}

/** A hole would make a state that never was. */
function refuseHoles({ instanceId, rows }: MovedInstance): void {
  let next = 1;
  for (const { sequence, events } of rows) {
    if (sequence !== next) throw moveRefused(`Expected event ${next} of '${instanceId}', but found event ${sequence}`);
    next += events.length;
  }
}

/** What is known of it when it begins here. */
export function adoptedRecord(
  { instanceId, businessKey, requestId, startedBy, hash, deployment, rows }: MovedInstance,
  named: Pick<InstanceRecord, "number" | "process" | "version">,
): Omit<InstanceRecord, "status" | "held" | "incidents" | "startedAt" | "endedAt"> {
  return {
    ...named,
    ...{ instanceId, rootId: instanceId, parentId: null, businessKey, requestId, startedBy },
    ...{ hash, deployment: deployment.id, copied: eventsIn(rows) },
  };
}
