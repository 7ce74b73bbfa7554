import type { Key } from "./command.ts";
import type { Effect } from "./effect.ts";
import type { Event, EventType } from "./event.ts";
import { lookup } from "./state/lookup.ts";
import type { CallRecord, JobRecord, State, SubscriptionRecord } from "./state/state.ts";

const nothing: readonly Effect[] = [];

type OfferJob = Extract<Effect, { readonly type: "offer-job" }>;

/** What is optional is put in afterwards: as a spread in the middle it cost more than all the rest. */
function offer(job: JobRecord): Effect {
  const effect: { -readonly [K in keyof OfferJob]: OfferJob[K] } = {
    type: "offer-job",
    key: job.key,
    element: job.element,
    jobType: job.jobType,
    queue: job.queue,
    priority: job.priority,
    attempt: job.attempt,
    attemptsMax: job.attemptsMax,
    input: job.input,
    headers: job.headers,
  };
  if (job.timeoutMs !== null) effect.timeoutMs = job.timeoutMs;
  if (job.retryAt !== null) effect.notBefore = job.retryAt;
  return effect;
}

function offerOf(state: State, key: number): readonly Effect[] {
  const job = state.jobs.get(key);
  return job === undefined || job.parked ? nothing : [offer(job)];
}

function startChild(call: CallRecord): Effect {
  return {
    type: "start-child",
    key: call.key,
    childId: call.childId,
    process: call.process,
    binding: call.binding,
    variables: call.variables,
    ...(call.queue === null ? {} : { queue: call.queue }),
    ...(call.priority === null ? {} : { priority: call.priority }),
    ...(call.undoes === undefined ? {} : { undoes: call.undoes }),
  };
}

/** What the child of an open call is to do. */
function askOf(call: CallRecord): Effect {
  if (call.undoes !== undefined || call.undoesItself === undefined) return startChild(call);
  return { type: "cancel-child", childId: call.childId, reason: "What called it is undone.", undo: true };
}

/** After a pause, which may have held back what it is asked, and held the child as well. */
function askAnew(call: CallRecord): readonly Effect[] {
  return [askOf(call), { type: "resume-child", childId: call.childId }];
}

/** While paused no child starts, and none begins to undo anything; resuming asks for every open one. */
function askedOf(state: State, key: Key): readonly Effect[] {
  const call = state.calls.get(key);
  return call === undefined || state.head.status === "paused" ? nothing : [askOf(call)];
}

function* openCalls(state: State): IterableIterator<CallRecord> {
  for (const call of state.calls.values()) if (!call.ended) yield call;
}

function answerParent(state: State): readonly Effect[] {
  const { parent, outcome, undoable } = state.head;
  if (parent === null || outcome === null) return nothing;
  return [{ type: "answer-parent", parent, outcome, ...(undoable === undefined ? {} : { undoable }) }];
}

/** A condition is looked at by the instance itself: nobody outside waits for it. */
function openSubscription(subscription: SubscriptionRecord | undefined): readonly Effect[] {
  if (subscription?.kind !== "message" && subscription?.kind !== "signal") return nothing;
  const { key, element, kind, name, correlationKey } = subscription;
  return [{ type: "open-subscription", key, element, kind, name, correlationKey }];
}

/** While paused a step does not go on; resuming asks for it again. */
function continuation({ head }: State): readonly Effect[] {
  return head.continuing && head.status !== "paused" ? [{ type: "continue" }] : nothing;
}

type Emitters = {
  readonly [K in EventType]?: (state: State, event: Extract<Event, { readonly type: K }>) => readonly Effect[];
};

/** Events that are not here ask nothing of the world. */
const emitters: Emitters = lookup({
  "job-created": (state, event) => offerOf(state, event.key),
  "job-failed": (state, event) => offerOf(state, event.key),
  "job-retried": (state, event) => offerOf(state, event.key),
  "job-cancelled": (_state, event) => [{ type: "cancel-job", key: event.key }],
  "timer-armed": (_state, event) => [{ type: "arm-timer", key: event.key, due: event.due }],
  "timer-cancelled": (_state, event) => [{ type: "cancel-timer", key: event.key }],
  "subscription-opened": (state, event) => openSubscription(state.subscriptions.get(event.key)),
  "subscription-triggered": (_state, event) =>
    event.stays ? nothing : [{ type: "close-subscription", key: event.key }],
  "subscription-closed": (_state, event) => [{ type: "close-subscription", key: event.key }],
  "message-published": (state, { key, name, correlationKey, ttlMs, payload }) => {
    const messageId = `${state.head.instanceId}/${key}`;
    return [{ type: "publish-message", key, messageId, name, correlationKey, ttlMs, payload }];
  },
  "escalation-thrown": (state, { caughtBy, code, payload }) => {
    const { parent, sequence } = state.head;
    if (caughtBy !== null || parent === null) return nothing;
    return [{ type: "escalate-parent", parent, number: sequence, code, payload }];
  },
  "signal-broadcast": (_state, { name, payload }) => [{ type: "broadcast-signal", name, payload }],
  "task-created": (_state, event) => [{ type: "open-task", key: event.key, element: event.element }],
  "task-completed": (_state, event) => [{ type: "close-task", key: event.key }],
  "task-error-thrown": (_state, event) => [{ type: "close-task", key: event.key }],
  "task-cancelled": (_state, event) => [{ type: "close-task", key: event.key }],
  "task-notified": (_state, { key: task, timer: key, to, message }) => [{ type: "notify", key, task, to, message }],
  "child-requested": (state, event) => askedOf(state, event.key),
  // Of an instance that is undone as a whole all are asked as that begins, when no pause holds them back any more.
  "child-undoing": (state, event) => (event.scope === 0 ? nothing : askedOf(state, event.key)),
  "child-cancelled": (_state, event) => [
    { type: "cancel-child", childId: event.childId, reason: "The instance that called it ended it." },
  ],
  "instance-paused": (state, event) => [
    { type: "hold-jobs", stopRunning: event.stopRunning },
    ...[...openCalls(state)].map(
      (call): Effect => ({
        type: "pause-child",
        childId: call.childId,
        stopRunning: event.stopRunning,
        reason: event.reason,
      }),
    ),
  ],
  // A pause ends with it: what undoes the work must not wait for somebody to resume an instance that is lost.
  "instance-failing": (state) => [
    { type: "release-jobs" },
    ...[...openCalls(state)].flatMap(askAnew),
    ...continuation(state),
  ],
  "instance-resumed": (state) => [
    { type: "release-jobs" },
    ...[...openCalls(state)].flatMap(askAnew),
    // A timer that came due meanwhile was refused, and fires now; so was a message.
    ...[...state.subscriptions.values()].flatMap(openSubscription),
    ...[...state.timers.values()].map((timer): Effect => ({ type: "arm-timer", key: timer.key, due: timer.due })),
    ...continuation(state),
  ],
  // Nothing of what was open under the other's id is this one's.
  "instance-forked": (state) => pendingEffects(state),
  "instance-completed": answerParent,
  "instance-failed": answerParent,
  "instance-cancelled": answerParent,
  "continuation-requested": continuation,
});

/** What the world must do because of an event; `state` is the state right after it. */
export function effectsOf(state: State, event: Event): readonly Effect[] {
  const emit = emitters[event.type] as ((state: State, event: Event) => readonly Effect[]) | undefined;
  return emit === undefined ? nothing : emit(state, event);
}

/** Everything the world still owes an instance: what an engine asks for again after it lost its memory. */
export function pendingEffects(state: State): readonly Effect[] {
  const effects: Effect[] = [];
  const { status } = state.head;
  if (status === "paused") effects.push({ type: "hold-jobs", stopRunning: false });
  for (const job of state.jobs.values()) if (!job.parked) effects.push(offer(job));
  for (const timer of state.timers.values()) effects.push({ type: "arm-timer", key: timer.key, due: timer.due });
  for (const subscription of state.subscriptions.values()) effects.push(...openSubscription(subscription));
  for (const task of state.tasks.values()) effects.push({ type: "open-task", key: task.key, element: task.element });
  if (status !== "paused") for (const call of openCalls(state)) effects.push(askOf(call));
  effects.push(...continuation(state));
  effects.push(...answerParent(state));
  return effects;
}
