import { beginContent } from "../bpmn-event/begin.ts";
import { armEventSubProcesses, closeEventSubProcesses } from "../bpmn-event/event-sub-process.ts";
import type { Json, JsonObject } from "../json.ts";
import { complete } from "../lifecycle.ts";
import type { Container, SubProcess } from "../program.ts";
import { failure, misfit, type Result, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

/** What a container holds when it opens: its inputs, and its declared variables. */
export function localsOf(element: Container, inputs: JsonObject): Result<JsonObject> {
  const locals: { [name: string]: Json } = { ...inputs };
  for (const declaration of element.variables ?? []) {
    const value = inputs[declaration.name] ?? declaration.initial ?? null;
    const problem = misfit(declaration, value);
    if (problem !== undefined) return failure("variable-type", problem);
    locals[declaration.name] = value;
  }
  return { ok: true, value: locals };
}

export function setLocals(turn: Turn, visit: Visit<Container>, locals: JsonObject): void {
  const { element, key } = visit;
  if (Object.keys(locals).length === 0) return;
  turn.emit({ type: "variables-set", scope: key, values: locals, actor: element.id, at: turn.at });
}

export const subProcess: ElementBehavior<SubProcess> = {
  prepare: (turn, visit, names) => {
    const inputs = resolveMappings(turn, visit.element.inputs, names);
    const locals = inputs.ok ? localsOf(visit.element, inputs.value) : inputs;
    if (!locals.ok) return locals;
    return {
      ok: true,
      value: () => {
        setLocals(turn, visit, locals.value);
        armEventSubProcesses(turn, visit.key);
        if (!visit.bare) beginContent(turn, visit.element.id, visit.key);
      },
    };
  },
  onContentEnded: (turn, visit) => {
    closeEventSubProcesses(turn, visit.key);
    complete(turn, visit.key);
  },
};
