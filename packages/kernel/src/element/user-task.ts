import { armTimer, computeTimer } from "../bpmn-event/timer.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Source, TimerDefinition, UserTask } from "../program.ts";
import { failure, Names, type Result, resolve, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";
import { fireRule, type PlannedSla, planSla, retryRule } from "./task-sla.ts";

interface Prepared {
  readonly title: string;
  readonly assignee: string | undefined;
  readonly candidates: readonly string[];
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

/** Who has it: a text, or nobody. */
function assigneeOf(turn: Turn, source: Source | undefined, names: Names): Result<string | undefined> {
  const result: Result<Json> = source === undefined ? { ok: true, value: null } : resolve(turn, source, names);
  if (!result.ok) return result;
  const { value } = result;
  if (value === null || typeof value === "string") return { ok: true, value: value ?? undefined };
  return misnamed("the assignee to be a text or null", value);
}

/** Who may take it: those that are fixed, and those that are worked out. */
function candidatesOf(turn: Turn, element: UserTask, names: Names): Result<readonly string[]> {
  const { candidates = [], candidatesFrom } = element;
  if (candidatesFrom === undefined) return { ok: true, value: candidates };
  const all = new Set(candidates);
  for (const source of candidatesFrom) {
    const result = resolve(turn, source, names);
    if (!result.ok) return result;
    const { value } = result;
    const list = typeof value === "string" ? value.split(",") : value;
    if (!Array.isArray(list) || !list.every((name) => typeof name === "string")) {
      return misnamed("candidates to be a text or a list of texts", value);
    }
    for (const name of list as string[]) if (name.trim() !== "") all.add(name.trim());
  }
  return { ok: true, value: [...all] };
}

function misnamed(wanted: string, value: Json) {
  return failure("name-invalid", `Expected ${wanted}, but found ${JSON.stringify(value).slice(0, 100)}`);
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
  const assignee = assigneeOf(turn, element.assignee, names);
  if (!assignee.ok) return assignee;
  const candidates = candidatesOf(turn, element, names);
  if (!candidates.ok) return candidates;
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
      candidates: candidates.value,
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
  const { title, assignee, candidates, dueAt, followUpAt, priority, input, sla } = prepared;
  turn.emit({
    type: "task-created",
    key,
    element: element.id,
    title,
    ...(assignee === undefined ? {} : { assignee }),
    candidates,
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
  /** After an error that nothing caught: the task is created anew. */
  retry: (turn, visit) => {
    const { element, key } = visit;
    const prepared = prepareTask(turn, element, new Names(turn.program, turn.state, { scope: key }));
    if (prepared.ok) createTask(turn, visit, prepared.value);
    else turn.raise({ owner: key, element: element.id, kind: "error", error: prepared.error });
  },
};
