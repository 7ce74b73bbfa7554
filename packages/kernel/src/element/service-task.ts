import type { Key } from "../command.ts";
import { itemAt, itemOf } from "../item.ts";
import type { JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import type { QueueClass, ServiceTask } from "../program.ts";
import { resolveMappings } from "../scope.ts";
import type { State } from "../state.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

const standardPriority = 3;

/** Class and priority of the nearest item it runs in, else of the instance. */
export function inheritedSettings(
  state: State,
  from: Key,
): { readonly queue: QueueClass | null; readonly priority: number | null } {
  for (let scope = from; scope !== 0; scope = must(state.elements.get(scope), `there is no scope ${scope}`).scope) {
    const item = itemOf(state, scope);
    if (item === undefined) continue;
    const { definition } = itemAt(state, item);
    return { queue: definition.queue ?? state.head.queue, priority: definition.priority };
  }
  return { queue: state.head.queue, priority: state.head.priority };
}

function createJob(turn: Turn, visit: Visit<ServiceTask>, input: JsonObject): void {
  const { element, key } = visit;
  const { job } = element;
  const inherited = inheritedSettings(turn.state, key);
  turn.emit({
    type: "job-created",
    key,
    element: element.id,
    jobType: job.type,
    queue: job.queue ?? inherited.queue ?? "standard",
    priority: job.priority ?? inherited.priority ?? standardPriority,
    attemptsMax: job.retry.attemptsMax,
    ...(job.timeoutMs === undefined ? {} : { timeoutMs: job.timeoutMs }),
    input,
    headers: job.headers ?? {},
    at: turn.at,
  });
}

export const serviceTask: ElementBehavior<ServiceTask> = {
  prepare: (turn, visit, names) => {
    const input = resolveMappings(turn.program, visit.element.inputs, names);
    return input.ok ? { ok: true, value: () => createJob(turn, visit, input.value) } : input;
  },
  retry: (turn, visit) => turn.emit({ type: "job-retried", key: visit.key, at: turn.at }),
};
