import type { Key } from "../command.ts";
import type { Json } from "../json.ts";
import { complete, needsInstance, pass, placeWrites, type ScopeWrites, writeVariables } from "../lifecycle.ts";
import type { ScriptTask } from "../program.ts";
import { Names, type Result, resolve } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior } from "./behavior.ts";

/** Assignments in order, each seeing the ones before it; then placed where the names belong. */
function run(
  turn: Turn,
  element: ScriptTask,
  at: { readonly scope: Key; readonly within: Key },
): Result<readonly ScopeWrites[]> {
  const values: { [name: string]: Json } = {};
  const names = new Names(turn.program, turn.state, { ...at, extra: values });
  for (const assignment of element.assignments) {
    const result = resolve(turn, assignment.source, names);
    if (!result.ok) return result;
    values[assignment.target] = result.value;
  }
  return placeWrites(turn, values, at.within);
}

export const scriptTask: ElementBehavior<ScriptTask> = {
  arrive: (turn, element, scope) => {
    if (needsInstance(turn, element, scope)) return false;
    const writes = run(turn, element, { scope, within: scope });
    if (!writes.ok) return false;
    writeVariables(turn, writes.value, element.id);
    pass(turn, element, scope);
    return true;
  },
  prepare: (turn, visit) => {
    const { element, key, scope } = visit;
    const writes = run(turn, element, { scope: key, within: scope });
    if (!writes.ok) return writes;
    return {
      ok: true,
      value: () => {
        writeVariables(turn, writes.value, element.id);
        complete(turn, key);
      },
    };
  },
};
