import { endCallUndone } from "../activity/compensation.ts";
import { isUndoing } from "../activity/compensation-plan.ts";
import { jobOf } from "../activity/offer.ts";
import { failHandler, handlerAround, throwEscalation, throwFromWork } from "../bpmn-event/throw.ts";
import { triggerTimer } from "../bpmn-event/trigger.ts";
import type { Command, EscalateCall, FailJob, FireTimer, Key, Rejection } from "../command.ts";
import { complete, endUndoing, visitOf } from "../lifecycle.ts";
import type { CallRecord, JobRecord } from "../state/state.ts";
import { isRejection, refusal, type Turn } from "../turn.ts";
import { isNothing } from "../undoable.ts";
import type { Handlers } from "./instance.ts";

type WorkCommand = Extract<
  Command["type"],
  `${string}-job` | "throw-job-error" | "fire-timer" | "end-child" | "escalate-call"
>;

/** A job that may still be answered. A parked one is not: its last attempt has already been counted. */
function openJob(turn: Turn, key: Key): JobRecord | Rejection {
  const job = turn.state.jobs.get(key);
  if (job !== undefined && !job.parked) return job;
  const why = job === undefined ? "there is none" : "it waits for a person";
  return refusal("job-not-found", `Expected an open job ${key}, but ${why}`);
}

function failJob(turn: Turn, command: FailJob): Rejection | undefined {
  const { key, error, at } = command;
  const job = openJob(turn, key);
  if (isRejection(job)) return job;
  const policy = jobOf(turn.element(job.element)).retry;
  const { attempt } = job;
  if (command.retryable && job.failures + 1 < policy.attemptsMax) {
    const { firstMs, factor, maxMs } = policy.backoff;
    // A power too large for a number is infinite, and infinity times nothing is not a number.
    const delayMs = firstMs === 0 ? 0 : Math.min(maxMs, Math.round(firstMs * factor ** job.failures));
    const retryAt = at + delayMs;
    turn.emit({ type: "job-failed", key, attempt, error, retryAt, at });
    return undefined;
  }
  turn.emit({ type: "job-failed", key, attempt, error, at });
  const handler = handlerAround(turn, key);
  if (policy.exhausted === "error") throwFromWork(turn, key, error);
  else if (handler !== undefined) failHandler(turn, handler, error);
  else turn.raise({ owner: key, element: job.element, kind: "job", error });
  return undefined;
}

function fireTimer(turn: Turn, command: FireTimer): Rejection | undefined {
  const timer = turn.state.timers.get(command.key);
  if (timer === undefined)
    return refusal("timer-not-found", `Expected an armed timer ${command.key}, but there is none`);
  if (turn.state.head.status === "paused") {
    return refusal("instance-paused", "Expected a running instance, but it is paused; the timer fires on resume");
  }
  if (command.at < timer.due) {
    return refusal("timer-not-due", `Expected timer ${timer.key} to be due, but it is due at ${timer.due}`);
  }
  turn.emit({ type: "timer-fired", key: timer.key, at: command.at });
  const { onTimer } = turn.behavior(turn.element(timer.element));
  if (onTimer === undefined) triggerTimer(turn, timer);
  else onTimer(turn, visitOf(turn, timer.owner), timer);
  return undefined;
}

function openCall(turn: Turn, key: Key, childId: string): CallRecord | Rejection {
  const call = turn.state.calls.get(key);
  if (call !== undefined && !call.ended && call.childId === childId) return call;
  return refusal("child-not-found", `Expected '${childId}' to be called from ${key}, but it is not`);
}

function escalateCall(turn: Turn, command: EscalateCall): Rejection | undefined {
  const { key, childId, number, code, payload } = command;
  const call = openCall(turn, key, childId);
  if (isRejection(call)) return call;
  if (call.escalation !== undefined && call.escalation >= number) {
    return refusal(
      "message-duplicate",
      `Expected a new escalation of '${childId}', but ${number} was received already`,
    );
  }
  throwEscalation(turn, key, { code, payload, source: number });
  return undefined;
}

export const workHandlers: Handlers<WorkCommand> = {
  "complete-job": (turn, { key, result, actor, at }) => {
    const job = openJob(turn, key);
    if (isRejection(job)) return job;
    const visit = visitOf(turn, key);
    const answer = turn.behavior(visit.element).answer?.(turn, visit, { result, actor });
    if (answer?.ok === false) return failJob(turn, { type: "fail-job", key, error: answer.error, retryable: true, at });
    turn.emit({ type: "job-completed", key, actor, at });
    if (answer === undefined) complete(turn, key, { result, actor });
    else answer.value();
    return undefined;
  },
  "fail-job": failJob,
  "throw-job-error": (turn, { key, error, at }) => {
    const job = openJob(turn, key);
    if (isRejection(job)) return job;
    turn.emit({ type: "job-error-thrown", key, error, at });
    throwFromWork(turn, key, error);
    return undefined;
  },
  "fire-timer": fireTimer,
  "escalate-call": escalateCall,
  "end-child": (turn, { key, childId, outcome, undoable, at }) => {
    const call = openCall(turn, key, childId);
    if (isRejection(call)) return call;
    const { undoesItself } = call;
    // A handler at the call undoes it, whatever the child could; but one that failed, or is undone as it is open, never completed.
    const isCompleted = outcome.type === "completed" && undoesItself === undefined;
    const isHandled = isCompleted && turn.program.handlerOf.has(call.element);
    const left = undoable === undefined || isHandled || isNothing(undoable) ? {} : { undoable };
    turn.emit({ type: "child-ended", key, childId, outcome: outcome.type, at, ...left });
    const isDone = outcome.type !== "failed" || undoable !== undefined;
    if (undoesItself && call.undoes === undefined && isDone) {
      endCallUndone(turn, key);
      return undefined;
    }
    if (outcome.type === "completed") {
      if (isUndoing(turn.state, key)) endUndoing(turn, key);
      else complete(turn, key, { result: outcome.result, actor: childId });
      return undefined;
    }
    const error =
      outcome.type === "failed"
        ? outcome.error
        : { code: "child-cancelled", message: `'${childId}' was cancelled: ${outcome.reason}` };
    throwFromWork(turn, key, error);
    return undefined;
  },
};
