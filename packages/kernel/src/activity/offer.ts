import type { Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import type { JsonObject } from "../json.ts";
import { assert, must } from "../problem.ts";
import type { Element, JobDefinition, Mapping, QueueClass } from "../program.ts";
import { type Names, type Result, resolveMappings, resolveName } from "../scope.ts";
import type { State } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import { itemAt, itemOf } from "./item.ts";

const standardPriority = 3;

/** Class and priority of the nearest item it runs in, else of the instance. */
export function inheritedSettings(
  state: State,
  from: Key,
): { readonly queue: QueueClass | null; readonly priority: number | null } {
  for (let scope = from; scope !== 0; scope = must(state.elements.get(scope), "there is no scope", scope).scope) {
    const item = itemOf(state, scope);
    if (item === undefined) continue;
    const { definition } = itemAt(state, item);
    return { queue: definition.queue ?? state.head.queue, priority: definition.priority };
  }
  return { queue: state.head.queue, priority: state.head.priority };
}

function typeOf(turn: Turn, job: JobDefinition, names: Names): Result<string> {
  // Nearly all name it as it is.
  if (job.typeFrom === undefined) return { ok: true, value: job.type };
  return resolveName(turn, { what: "the job type", fixed: job.type, from: job.typeFrom }, names);
}

/** Works out the job that an element leaves its work to. The function it gives offers it to an instance of that. */
export function prepareJob(turn: Turn, element: Element, names: Names): Result<(key: Key, input: JsonObject) => void> {
  const job = jobOf(element);
  const type = typeOf(turn, job, names);
  if (!type.ok) return type;
  return { ok: true, value: (key, input) => offer(turn, { element, key }, { job, type: type.value, input }) };
}

/** The same for an element whose mappings say what its job is given. Not by way of it: most steps are such a job. */
export function prepareMappedJob(
  turn: Turn,
  visit: Visit,
  from: { readonly mappings: readonly Mapping[] | undefined; readonly names: Names },
): Result<() => void> {
  const input = resolveMappings(turn, from.mappings, from.names);
  if (!input.ok) return input;
  const job = jobOf(visit.element);
  const type = typeOf(turn, job, from.names);
  if (!type.ok) return type;
  return { ok: true, value: () => offer(turn, visit, { job, type: type.value, input: input.value }) };
}

function offer(
  turn: Turn,
  { element, key }: Pick<Visit, "element" | "key">,
  { job, type, input }: { readonly job: JobDefinition; readonly type: string; readonly input: JsonObject },
): void {
  const inherited = inheritedSettings(turn.state, key);
  const created = {
    type: "job-created" as const,
    key,
    element: element.id,
    jobType: type,
    queue: job.queue ?? inherited.queue ?? "standard",
    priority: job.priority ?? inherited.priority ?? standardPriority,
    attemptsMax: job.retry.attemptsMax,
    input,
    headers: job.headers ?? {},
    at: turn.at,
  };
  turn.emit(job.timeoutMs === undefined ? created : { ...created, timeoutMs: job.timeoutMs });
}

/** The job of an element that has one. */
export function jobOf(element: Element): JobDefinition {
  if ("job" in element) return must(element.job, "there is no job in", element.id);
  const isThrown = element.kind === "intermediate-throw-event" || element.kind === "end-event";
  assert(isThrown && element.trigger.type === "message", `'${element.id}' has no job`);
  return must(element.trigger.job, `'${element.id}' has no job`);
}

/** After a person decided that a job is to be tried again. */
export function retryJob(turn: Turn, visit: Visit): void {
  turn.emit({ type: "job-retried", key: visit.key, at: turn.at });
}
