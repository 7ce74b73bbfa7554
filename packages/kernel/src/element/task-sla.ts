import { throwEscalation } from "../bpmn-event/throw.ts";
import { armTimer, computeTimer, type DueTimer } from "../bpmn-event/timer.ts";
import type { FailureInfo, Key } from "../command.ts";
import { visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { SlaRule, UserTask } from "../program.ts";
import { Names, type Result, resolve } from "../scope.ts";
import type { TaskRecord, TimerRecord } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import type { Visit } from "./behavior.ts";
import type { SlaPlan } from "./task-event.ts";

/** A rule that repeats comes at most this often, however short its time. */
const repeatMsMin = 1_000;

/** What the SLA rules of a task come to as it is created. */
export interface PlannedSla {
  readonly plans: readonly SlaPlan[];
  readonly timers: readonly DueTimer[];
}

const words: { readonly [O in SlaRule["on"]]: string } = { "not-started": "begun", "not-completed": "completed" };

/** Text and time of every rule, so that nothing is left that could fail when one comes due. */
export function planSla(
  turn: Turn,
  element: UserTask,
  at: { readonly names: Names; readonly title: string },
): Result<PlannedSla> {
  const plans: SlaPlan[] = [];
  const timers: DueTimer[] = [];
  for (const [rule, { on, after, action }] of (element.sla ?? []).entries()) {
    const timer = computeTimer(turn, { element: element.id, definition: after }, at.names);
    if (!timer.ok) return timer;
    let message = `'${at.title}' has not been ${words[on]} in time.`;
    if (action.type === "notify" && action.message !== undefined) {
      const said = resolve(turn, action.message, at.names);
      if (!said.ok) return said;
      message = typeof said.value === "string" ? said.value : JSON.stringify(said.value);
    }
    plans.push({ value: timer.value.value, message });
    timers.push({ ...timer.value, rule });
  }
  return { ok: true, value: { plans, timers } };
}

function rulesOf(turn: Turn, key: Key): readonly SlaRule[] {
  return (visitOf(turn, key).element as UserTask).sla ?? [];
}

/** Its rules watch it no longer: those that watch for its beginning, or all. */
export function stopRules(turn: Turn, key: Key, which: "not-started" | "all"): void {
  const rules = rulesOf(turn, key);
  for (const timer of [...turn.state.timersOf.of(key)]) {
    const { rule } = must(turn.state.timers.get(timer), "the index names timers that are armed");
    if (rule === undefined) continue;
    if (which === "all" || rules[rule]?.on === which) turn.emit({ type: "timer-cancelled", key: timer });
  }
}

/** A person gave it up or to somebody else: the time to begin counts from now, for every rule that watches it. */
export function restartStartRules(turn: Turn, task: TaskRecord): void {
  stopRules(turn, task.key, "not-started");
  for (const [rule, { on }] of rulesOf(turn, task.key).entries()) {
    if (on === "not-started") armRule(turn, task, { rule, from: turn.at });
  }
}

interface Arming {
  readonly rule: number;
  readonly from: number;
  readonly remaining?: number | null;
  readonly earliest?: number;
}

/** A rule whose time cannot be computed again is an incident that leaves the task as it is; a retry computes it then. */
export function armRule(turn: Turn, task: TaskRecord, { rule, from, remaining, earliest = 0 }: Arming): void {
  const { key, element } = task;
  const { after } = must(rulesOf(turn, key)[rule], `'${element}' has no SLA rule ${rule}`);
  const { value } = must(task.sla?.[rule], "every rule was planned");
  const next = turn.program.host.nextDue(after, value, from, remaining);
  if (next.ok) {
    armTimer(turn, key, { element, due: Math.max(next.due, earliest), remaining: next.remaining, value, rule });
  } else {
    const error = { code: next.code, message: next.message, details: { rule } };
    turn.raise({ owner: key, element, kind: "timer", error });
  }
}

/** A rule came due: it does what it says, and comes again if it says so. */
export function fireRule(turn: Turn, visit: Visit<UserTask>, timer: TimerRecord): void {
  const { key, element } = visit;
  const index = must(timer.rule, "a user task's own timers are for its rules");
  const { on, action } = must(element.sla?.[index], `'${element.id}' has no SLA rule ${index}`);
  const task = must(turn.state.tasks.get(key), "its timers end with a task");
  repeatRule(turn, task, timer);
  const by = { key, actor: "kernel", reason: `It has not been ${words[on]} in time.`, at: turn.at };
  switch (action.type) {
    case "notify": {
      const { message } = must(task.sla?.[index], "every rule was planned");
      turn.emit({ type: "task-notified", key, timer: timer.key, to: action.to, message, at: turn.at });
      break;
    }
    case "reassign":
      turn.emit({ type: "task-reassigned", ...by, assignee: null, candidates: action.to });
      break;
    case "escalate":
      turn.emit({ type: "task-escalated", ...by, code: action.code });
      throwEscalation(turn, key, { code: action.code, payload: { message: by.reason } });
      break;
  }
}

/** A cycle counts from when it was due, as a boundary timer's does; a duration from now, without making up for delays. */
function repeatRule(turn: Turn, task: TaskRecord, { rule = 0, due, remaining }: TimerRecord): void {
  const { repeat, after } = must(rulesOf(turn, task.key)[rule], "it is of a rule of its task");
  if (remaining !== 0) armRule(turn, task, { rule, from: due, remaining });
  else if (repeat && after.kind === "duration") {
    armRule(turn, task, { rule, from: turn.at, earliest: turn.at + repeatMsMin });
  }
}

/** Tries again to compute when a rule comes; without its task there is nothing left to watch. */
export function retryRule(turn: Turn, visit: Visit<UserTask>, error: FailureInfo): void {
  const task = turn.state.tasks.get(visit.key);
  if (task === undefined) return;
  const rule = error.details?.["rule"];
  if (typeof rule === "number") armRule(turn, task, { rule, from: turn.at });
  else replaceRules(turn, task, []);
}

/**
 * After a migration: a rule that was there before goes on with the time that is left to it, or stays done; the others
 * count from now. What cannot be worked out is an incident that leaves the task without rules.
 */
export function replaceRules(turn: Turn, task: TaskRecord, before: readonly SlaRule[]): void {
  const { key, title } = task;
  const element = visitOf(turn, key).element as UserTask;
  const names = new Names(turn.program, turn.state, { scope: key });
  const planned = planSla(turn, element, { names, title });
  const armed = [...turn.state.timersOf.of(key)].map((timer) =>
    must(turn.state.timers.get(timer), "the index names timers that are armed"),
  );
  stopRules(turn, key, "all");
  if (!planned.ok) {
    turn.raise({ owner: key, element: element.id, kind: "timer", error: planned.error });
    return;
  }
  const { plans, timers } = planned.value;
  const old = before.map((rule) => JSON.stringify(rule));
  const rules = rulesOf(turn, key).map((rule, index) => ({ index, rule, same: old.indexOf(JSON.stringify(rule)) }));
  const sla = rules.map(({ index, same }) => task.sla?.[same] ?? must(plans[index], "every rule was planned"));
  turn.emit({ type: "task-updated", key, changes: { sla }, actor: "kernel", at: turn.at });
  for (const { index, rule, same } of rules) {
    const left = armed.find((each) => each.rule === same);
    const isNew = same === -1 && (rule.on === "not-completed" || task.startedAt === undefined);
    if (left !== undefined) armTimer(turn, key, { ...dueOf(left), element: element.id, rule: index });
    else if (isNew) armTimer(turn, key, must(timers[index], "every rule was planned"));
  }
}

function dueOf({ due, remaining, value }: TimerRecord): Omit<DueTimer, "element"> {
  return { due, remaining, value };
}
