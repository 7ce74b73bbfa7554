import type { Event } from "../event.ts";
import { type JobRecord, type State, useKey, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";

type WaitEvent = Extract<Event["type"], `job-${string}` | `timer-${string}` | `child-${string}` | `incident-${string}`>;

function changeJob(state: State, key: number, change: Partial<JobRecord>): void {
  const job = state.jobs.get(key);
  if (job !== undefined) writable(state, "jobs").set(key, { ...job, ...change });
}

function dropTimer(state: State, key: number): void {
  const timer = state.timers.get(key);
  if (timer === undefined) return;
  state.timers.delete(key);
  state.timersOf.remove(timer.owner, key);
}

export const waitAppliers: Appliers<WaitEvent> = {
  "job-created": (state, event) => {
    writable(state, "jobs").set(event.key, {
      key: event.key,
      element: event.element,
      jobType: event.jobType,
      queue: event.queue,
      priority: event.priority,
      attempt: 1,
      failures: 0,
      attemptsMax: event.attemptsMax,
      timeoutMs: event.timeoutMs ?? null,
      input: event.input,
      headers: event.headers,
      retryAt: null,
      parked: false,
      at: event.at,
    });
  },
  "job-completed": (state, event) => state.jobs.delete(event.key),
  "job-failed": (state, event) => {
    const failures = (state.jobs.get(event.key)?.failures ?? 0) + 1;
    changeJob(
      state,
      event.key,
      event.retryAt === undefined
        ? { failures, parked: true, retryAt: null }
        : { failures, attempt: event.attempt + 1, retryAt: event.retryAt },
    );
  },
  "job-error-thrown": (state, event) => changeJob(state, event.key, { parked: true, retryAt: null }),
  "job-cancelled": (state, event) => state.jobs.delete(event.key),
  "job-retried": (state, event) => {
    const attempt = (state.jobs.get(event.key)?.attempt ?? 0) + 1;
    changeJob(state, event.key, { attempt, failures: 0, parked: false, retryAt: null });
  },
  "timer-armed": (state, event) => {
    writable(state, "timers").set(event.key, {
      key: event.key,
      owner: event.owner,
      element: event.element,
      due: event.due,
      remaining: event.remaining,
      value: event.value,
      ...(event.rule === undefined ? {} : { rule: event.rule }),
      ...(event.trigger === undefined ? {} : { trigger: event.trigger }),
    });
    writable(state, "timersOf").add(event.owner, event.key);
    useKey(state, event.key);
  },
  "timer-fired": (state, event) => dropTimer(state, event.key),
  "timer-cancelled": (state, event) => dropTimer(state, event.key),
  "child-requested": (state, event) => {
    const before = state.calls.get(event.key);
    const undone = event.undoes === undefined ? undefined : state.compensations.get(event.undoes)?.called;
    writable(state, "calls").set(event.key, {
      key: event.key,
      element: event.element,
      childId: event.childId,
      process: event.process,
      binding: event.binding,
      variables: event.variables,
      queue: event.queue ?? null,
      priority: event.priority ?? null,
      ended: false,
      attempt: (before?.attempt ?? 0) + 1,
      ...(undone === undefined || undone.work === null ? {} : { undoes: undone }),
      ...(state.head.status === "paused" ? { unasked: true } : {}),
    });
  },
  "child-undoing": (state, event) => {
    const call = state.calls.get(event.key);
    const instance = state.elements.get(event.key);
    if (call === undefined || instance === undefined) return;
    writable(state, "calls").set(event.key, { ...call, undoesItself: true });
    writable(state, "elements").set(event.key, { ...instance, scope: event.scope });
    state.children.remove(instance.scope, event.key);
    writable(state, "children").add(event.scope, event.key);
    state.itemOf.delete(event.key);
    state.head.at = event.at;
  },
  "child-ended": (state, event) => {
    const call = state.calls.get(event.key);
    if (call === undefined) return;
    const left = event.undoable === undefined ? {} : { undoable: event.undoable };
    writable(state, "calls").set(event.key, { ...call, ended: true, ...left });
  },
  "child-cancelled": (state, event) => state.calls.delete(event.key),
  "incident-created": (state, event) => {
    writable(state, "incidents").set(event.key, {
      key: event.key,
      owner: event.owner,
      element: event.element,
      kind: event.kind,
      error: event.error,
      at: event.at,
    });
    writable(state, "incidentsOf").add(event.owner, event.key);
    useKey(state, event.key);
  },
  "incident-resolved": (state, event) => {
    const incident = state.incidents.get(event.key);
    if (incident === undefined) return;
    state.incidents.delete(event.key);
    state.incidentsOf.remove(incident.owner, event.key);
  },
};
