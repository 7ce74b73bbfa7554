import { inheritedSettings } from "../activity/offer.ts";
import { childName } from "../evolve/instance.ts";
import type { JsonObject } from "../json.ts";
import type { CallActivity } from "../program.ts";
import { Names, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

function request(turn: Turn, visit: Visit<CallActivity>, variables: JsonObject): void {
  const { element, key } = visit;
  const { queue, priority } = inheritedSettings(turn.state, key);
  const attempt = (turn.state.calls.get(key)?.attempt ?? 0) + 1;
  turn.emit({
    type: "child-requested",
    key,
    element: element.id,
    childId: childName(turn.state.head.instanceId, { key, attempt }),
    process: element.process,
    binding: element.binding,
    variables,
    ...(queue === null ? {} : { queue }),
    ...(priority === null ? {} : { priority }),
    at: turn.at,
  });
}

export const callActivity: ElementBehavior<CallActivity> = {
  prepare: (turn, visit, names) => {
    const inputs = resolveMappings(turn, visit.element.inputs, names);
    return inputs.ok ? { ok: true, value: () => request(turn, visit, inputs.value) } : inputs;
  },
  /** The called process starts afresh, with the inputs as they are now. */
  retry: (turn, visit) => {
    const names = new Names(turn.program, turn.state, { scope: visit.key });
    const inputs = resolveMappings(turn, visit.element.inputs, names);
    if (inputs.ok) request(turn, visit, inputs.value);
    else turn.raise({ owner: visit.key, element: visit.element.id, kind: "call", error: inputs.error });
  },
};
