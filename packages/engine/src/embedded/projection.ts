import type { Event, EventType } from "@tutti/kernel";
import type { Change, InstanceRecord } from "./store.ts";

type Projections = {
  readonly [K in EventType]?: (
    record: InstanceRecord,
    event: Extract<Event, { readonly type: K }>,
    changes: Change[],
  ) => void;
};

/** What an event changes in the tables of open things. Those not named here change none; effects change the rest. */
const projections: Projections = {
  "job-completed": (record, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  "job-error-thrown": (record, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  "job-cancelled": (record, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  // While attempts are left the next offer takes the row's place.
  "job-failed": (record, { key, retryAt }, changes) => {
    if (retryAt === undefined) changes.push({ type: "job-delete", instance: record.number, key });
  },
  "timer-fired": (record, { key }, changes) => {
    changes.push({ type: "timer-delete", instance: record.number, key });
  },
  "timer-cancelled": (record, { key }, changes) => {
    changes.push({ type: "timer-delete", instance: record.number, key });
  },
  "task-created": (record, event, changes) => {
    changes.push({
      type: "task-put",
      task: {
        instance: record.number,
        key: event.key,
        element: event.element,
        title: event.title,
        assignee: event.assignee ?? null,
        candidates: event.candidates,
        createdAt: event.at,
        dueAt: event.dueAt ?? null,
        form: event.form ?? null,
        input: event.input,
      },
    });
  },
  "task-claimed": (record, { key, actor }, changes) => {
    changes.push({ type: "task-assign", instance: record.number, key, assignee: actor });
  },
  "task-released": (record, { key }, changes) => {
    changes.push({ type: "task-assign", instance: record.number, key, assignee: null });
  },
  "task-completed": (record, { key }, changes) => {
    changes.push({ type: "task-delete", instance: record.number, key });
  },
  "task-cancelled": (record, { key }, changes) => {
    changes.push({ type: "task-delete", instance: record.number, key });
  },
  "incident-created": (record, event, changes) => {
    record.incidents++;
    changes.push({
      type: "incident-put",
      incident: {
        instance: record.number,
        key: event.key,
        element: event.element,
        kind: event.kind,
        code: event.error.code,
        message: event.error.message,
        details: event.error.details ?? null,
        at: event.at,
      },
    });
  },
  "incident-resolved": (record, { key }, changes) => {
    record.incidents--;
    changes.push({ type: "incident-delete", instance: record.number, key });
  },
};

export function project(record: InstanceRecord, event: Event, changes: Change[]): void {
  // Indexing by a union loses which projection belongs to which event; the type of `projections` has proven it.
  const apply = projections[event.type] as ((r: InstanceRecord, e: Event, c: Change[]) => void) | undefined;
  apply?.(record, event, changes);
}
