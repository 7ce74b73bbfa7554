import { armTimer, computeTimer } from "../bpmn-event/timer.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Source, TimerDefinition, UserTask } from "../program.ts";
import { failure, type Names, type Result, resolve, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";
import { fireRule, type PlannedSla, planSla, retryRule } from "./task-sla.ts";

interface Prepared {
  readonly title: string;
  readonly assignee: string | undefined;
  readonly dueAt: number | undefined;
  readonly followUpAt: number | undefined;
  readonly priority: number | undefined;
  readonly input: JsonObject;
  readonly sla: PlannedSla;
}

function text(turn: Turn, source: Source | undefined, names: Names): Result<string | undefined> {
  if (source === undefined) return { ok: true, value: undefined };
  const result: Result<Json> = resolve(turn, source, names);
  if (!result.ok) return result;
  if (result.value === null) return { ok: true, value: undefined };
  return { ok: true, value: typeof result.value === "string" ? result.value : JSON.stringify(result.value) };
}

/** The instant of a date that is only shown, and fires nothing. */
function instant(
  turn: Turn,
  date: { readonly element: string; readonly definition: TimerDefinition | undefined },
  names: Names,
): Result<number | undefined> {
  const { element, definition } = date;
  if (definition === undefined) return { ok: true, value: undefined };
  const timer = computeTimer(turn, { element, definition }, names);
  return timer.ok ? { ok: true, value: timer.value.due } : timer;
}

export function isPriority(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100;
}

function priorityOf(turn: Turn, source: Source | undefined, names: Names): Result<number | undefined> {
  if (source === undefined) return { ok: true, value: undefined };
  const result = resolve(turn, source, names);
  if (!result.ok) return result;
  if (isPriority(result.value)) return { ok: true, value: result.value };
  const found = JSON.stringify(result.value);
  return failure("task-priority", `Expected a priority as a whole number from 0 to 100, but it is ${found}`);
}

function prepareTask(turn: Turn, element: UserTask, names: Names): Result<Prepared> {
  const named = text(turn, element.title, names);
  if (!named.ok) return named;
  const title = named.value ?? element.name ?? element.id;
  const assignee = text(turn, element.assignee, names);
  if (!assignee.ok) return assignee;
  const input = resolveMappings(turn, element.inputs, names);
  if (!input.ok) return input;
  const due = instant(turn, { element: element.id, definition: element.due }, names);
  if (!due.ok) return due;
  const followUp = instant(turn, { element: element.id, definition: element.followUp }, names);
  if (!followUp.ok) return followUp;
  const priority = priorityOf(turn, element.priority, names);
  if (!priority.ok) return priority;
  const sla = planSla(turn, element, { names, title });
  if (!sla.ok) return sla;
  return {
    ok: true,
    value: {
      title,
      assignee: assignee.value,
      dueAt: due.value,
      followUpAt: followUp.value,
      priority: priority.value,
      input: input.value,
      sla: sla.value,
    },
  };
}

function createTask(turn: Turn, visit: Visit<UserTask>, prepared: Prepared): void {
  const { element, key } = visit;
  const { title, assignee, dueAt, followUpAt, priority, input, sla } = prepared;
  turn.emit({
    type: "task-created",
    key,
    element: element.id,
    title,
    ...(assignee === undefined ? {} : { assignee }),
    candidates: element.candidates ?? [],
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(element.form === undefined ? {} : { form: element.form }),
    input,
    ...(priority === undefined ? {} : { priority }),
    ...(followUpAt === undefined ? {} : { followUpAt }),
    ...(element.sla === undefined ? {} : { sla: sla.plans }),
    at: turn.at,
  });
  for (const timer of sla.timers) armTimer(turn, key, timer);
}

export const userTask: ElementBehavior<UserTask> = {
  prepare: (turn, visit, names) => {
    const prepared = prepareTask(turn, visit.element, names);
    return prepared.ok ? { ok: true, value: () => createTask(turn, visit, prepared.value) } : prepared;
  },
  onTimer: fireRule,
  retryTimer: retryRule,
};
