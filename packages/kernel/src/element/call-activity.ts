import { inheritedSettings } from "../activity/offer.ts";
import { childName } from "../evolve/instance.ts";
import type { JsonObject } from "../json.ts";
import type { CallActivity } from "../program.ts";
import { Names, type Result, resolveMappings, resolveName } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

/** What is called, and with what: worked out, so that calling it cannot fail. */
interface Call {
  readonly process: string;
  readonly variables: JsonObject;
}

function prepareCall(turn: Turn, { element }: Visit<CallActivity>, names: Names): Result<Call> {
  const { process: fixed, processFrom: from } = element;
  const process = resolveName(turn, { what: "the called process", fixed, from }, names);
  if (!process.ok) return process;
  const variables = resolveMappings(turn, element.inputs, names);
  return variables.ok ? { ok: true, value: { process: process.value, variables: variables.value } } : variables;
}

function request(turn: Turn, visit: Visit<CallActivity>, { process, variables }: Call): void {
  const { element, key } = visit;
  const { queue, priority } = inheritedSettings(turn.state, key);
  const attempt = (turn.state.calls.get(key)?.attempt ?? 0) + 1;
  turn.emit({
    type: "child-requested",
    key,
    element: element.id,
    childId: childName(turn.state.head.instanceId, { key, attempt }),
    process,
    binding: element.binding,
    variables,
    ...(queue === null ? {} : { queue }),
    ...(priority === null ? {} : { priority }),
    at: turn.at,
  });
}

export const callActivity: ElementBehavior<CallActivity> = {
  prepare: (turn, visit, names) => {
    const call = prepareCall(turn, visit, names);
    return call.ok ? { ok: true, value: () => request(turn, visit, call.value) } : call;
  },
  /** The called process starts afresh, with the inputs as they are now, and is the one that its name now says. */
  retry: (turn, visit) => {
    const names = new Names(turn.program, turn.state, { scope: visit.key });
    const call = prepareCall(turn, visit, names);
    if (call.ok) request(turn, visit, call.value);
    else turn.raise({ owner: visit.key, element: visit.element.id, kind: "call", error: call.error });
  },
};
