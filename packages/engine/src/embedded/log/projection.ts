import { type Event, type EventType, type IncidentView, type Key, lookup, type State } from "@tutti/kernel";
import { type Change, type InstanceRecord, taskDefaults } from "../store.ts";

type Projections = {
  readonly [K in EventType]?: (of: Of, event: Extract<Event, { readonly type: K }>, changes: Change[]) => void;
};

/** What is known of an instance, and its state right after the event. */
export interface Of {
  readonly record: InstanceRecord;
  readonly state: State;
}

function putIncident(
  record: InstanceRecord,
  { key, element, kind, error, at }: Pick<IncidentView, "key" | "element" | "kind" | "error" | "at">,
  changes: Change[],
): void {
  const { code, message, details = null } = error;
  changes.push({
    type: "incident-put",
    incident: { instance: record.number, key, element, kind, code, message, details, at },
  });
}

/** A task's row says what its state does. One that ended in the same command has none any more. */
function putTask({ record, state }: Of, { key }: { readonly key: Key }, changes: Change[]): void {
  const task = state.tasks.get(key);
  if (task === undefined) return;
  changes.push({
    type: "task-put",
    task: {
      instance: record.number,
      key,
      element: task.element,
      title: task.title,
      assignee: task.assignee,
      candidates: task.candidates,
      createdAt: task.at,
      dueAt: task.dueAt,
      form: task.form,
      input: task.input,
      priority: task.priority ?? taskDefaults.priority,
      followUpAt: task.followUpAt ?? null,
      owner: task.owner ?? null,
      startedAt: task.startedAt ?? null,
      escalations: task.escalations ?? 0,
      notifications: task.notifications ?? 0,
    },
  });
}

/** What an event changes in the tables of open things. Those not named here change none; effects change the rest. */
const projections: Projections = lookup({
  "job-completed": ({ record }, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  "job-error-thrown": ({ record }, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  "job-cancelled": ({ record }, { key }, changes) => {
    changes.push({ type: "job-delete", instance: record.number, key });
  },
  // While attempts are left the next offer takes the row's place.
  "job-failed": ({ record }, { key, retryAt }, changes) => {
    if (retryAt === undefined) changes.push({ type: "job-delete", instance: record.number, key });
  },
  "timer-fired": ({ record }, { key }, changes) => {
    changes.push({ type: "timer-delete", instance: record.number, key });
  },
  "timer-cancelled": ({ record }, { key }, changes) => {
    changes.push({ type: "timer-delete", instance: record.number, key });
  },
  "task-created": putTask,
  "task-claimed": putTask,
  "task-released": putTask,
  "task-started": putTask,
  "task-delegated": putTask,
  "task-resolved": putTask,
  "task-reassigned": putTask,
  "task-updated": putTask,
  "task-escalated": putTask,
  "task-notified": putTask,
  "task-completed": ({ record }, { key }, changes) => {
    changes.push({ type: "task-delete", instance: record.number, key });
  },
  "task-error-thrown": ({ record }, { key }, changes) => {
    changes.push({ type: "task-delete", instance: record.number, key });
  },
  "task-cancelled": ({ record }, { key }, changes) => {
    changes.push({ type: "task-delete", instance: record.number, key });
  },
  "incident-created": ({ record }, event, changes) => {
    record.incidents++;
    putIncident(record, event, changes);
  },
  // What is listed names elements.
  "instance-migrated": (of, _event, changes) => {
    const { record, state } = of;
    for (const { key, element } of state.jobs.values()) {
      changes.push({ type: "job-move", instance: record.number, key, element });
    }
    projectOpen(of, changes);
  },
  "incident-resolved": ({ record }, { key }, changes) => {
    record.incidents--;
    changes.push({ type: "incident-delete", instance: record.number, key });
  },
});

/** Everything of a state that is listed by what its events said. */
export function projectOpen(of: Of, changes: Change[]): void {
  const { record, state } = of;
  for (const task of state.tasks.values()) putTask(of, task, changes);
  record.incidents = 0;
  for (const incident of state.incidents.values()) {
    record.incidents++;
    putIncident(record, incident, changes);
  }
}

export function project(of: Of, event: Event, changes: Change[]): void {
  // Indexing by a union loses which projection belongs to which event; the type of `projections` has proven it.
  const apply = projections[event.type] as ((of: Of, event: Event, changes: Change[]) => void) | undefined;
  apply?.(of, event, changes);
}
