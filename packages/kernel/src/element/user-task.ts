import type { Json, JsonObject } from "../json.ts";
import type { Source, UserTask } from "../program.ts";
import { type Names, type Result, resolve, resolveMappings } from "../scope.ts";
import { computeTimer } from "../timer.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

interface Prepared {
  readonly title: string;
  readonly assignee: string | undefined;
  readonly dueAt: number | undefined;
  readonly input: JsonObject;
}

function text(turn: Turn, source: Source | undefined, names: Names): Result<string | undefined> {
  if (source === undefined) return { ok: true, value: undefined };
  const result: Result<Json> = resolve(turn.program, source, names);
  if (!result.ok) return result;
  if (result.value === null) return { ok: true, value: undefined };
  return { ok: true, value: typeof result.value === "string" ? result.value : JSON.stringify(result.value) };
}

function prepareTask(turn: Turn, element: UserTask, names: Names): Result<Prepared> {
  const title = text(turn, element.title, names);
  if (!title.ok) return title;
  const assignee = text(turn, element.assignee, names);
  if (!assignee.ok) return assignee;
  const input = resolveMappings(turn.program, element.inputs, names);
  if (!input.ok) return input;
  const timer =
    element.due === undefined ? undefined : computeTimer(turn, { element: element.id, definition: element.due }, names);
  if (timer !== undefined && !timer.ok) return timer;
  const fallback = element.name ?? element.id;
  return {
    ok: true,
    value: { title: title.value ?? fallback, assignee: assignee.value, dueAt: timer?.value.due, input: input.value },
  };
}

function createTask(turn: Turn, visit: Visit<UserTask>, prepared: Prepared): void {
  const { element, key } = visit;
  const { title, assignee, dueAt, input } = prepared;
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
    at: turn.at,
  });
}

export const userTask: ElementBehavior<UserTask> = {
  prepare: (turn, visit, names) => {
    const prepared = prepareTask(turn, visit.element, names);
    return prepared.ok ? { ok: true, value: () => createTask(turn, visit, prepared.value) } : prepared;
  },
};
