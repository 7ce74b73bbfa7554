import type { Key } from "../command.ts";
import type { Event } from "../event.ts";
import { type State, type TaskRecord, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";

type TaskEvent = Extract<Event["type"], `task-${string}`>;

function change(state: State, key: Key, changes: (task: TaskRecord) => Partial<TaskRecord>): void {
  const task = state.tasks.get(key);
  if (task !== undefined) writable(state, "tasks").set(key, { ...task, ...changes(task) });
}

/** Somebody else has it, or nobody: nobody has begun it, and it is lent to nobody. */
function handOver(state: State, key: Key, to: Pick<TaskRecord, "assignee"> & Partial<TaskRecord>): void {
  const task = state.tasks.get(key);
  if (task === undefined) return;
  const { owner: _owner, startedAt: _startedAt, ...rest } = task;
  writable(state, "tasks").set(key, { ...rest, ...to });
}

export const taskAppliers: Appliers<TaskEvent> = {
  "task-created": (state, event) => {
    const { priority, followUpAt, sla } = event;
    writable(state, "tasks").set(event.key, {
      key: event.key,
      element: event.element,
      title: event.title,
      assignee: event.assignee ?? null,
      candidates: event.candidates,
      dueAt: event.dueAt ?? null,
      form: event.form ?? null,
      input: event.input,
      at: event.at,
      ...(priority === undefined ? {} : { priority }),
      ...(followUpAt === undefined ? {} : { followUpAt }),
      ...(sla === undefined ? {} : { sla }),
    });
  },
  "task-claimed": (state, event) => change(state, event.key, () => ({ assignee: event.actor })),
  "task-released": (state, event) => handOver(state, event.key, { assignee: null }),
  "task-started": (state, event) => change(state, event.key, () => ({ startedAt: event.at })),
  "task-delegated": (state, event) => change(state, event.key, () => ({ assignee: event.to, owner: event.owner })),
  "task-resolved": (state, { key, owner }) => {
    const task = state.tasks.get(key);
    if (task === undefined) return;
    const { owner: _owner, ...rest } = task;
    writable(state, "tasks").set(key, { ...rest, assignee: owner });
  },
  "task-reassigned": (state, { key, assignee, candidates }) =>
    handOver(state, key, { assignee, ...(candidates === undefined ? {} : { candidates }) }),
  "task-updated": (state, { key, changes }) => change(state, key, () => changes),
  "task-escalated": (state, { key, to }) => {
    if (to !== undefined) handOver(state, key, { assignee: null, candidates: to });
    change(state, key, ({ escalations = 0 }) => ({ escalations: escalations + 1 }));
  },
  "task-notified": (state, { key }) =>
    change(state, key, ({ notifications = 0 }) => ({ notifications: notifications + 1 })),
  "task-completed": (state, event) => state.tasks.delete(event.key),
  "task-error-thrown": (state, event) => state.tasks.delete(event.key),
  "task-cancelled": (state, event) => state.tasks.delete(event.key),
};
