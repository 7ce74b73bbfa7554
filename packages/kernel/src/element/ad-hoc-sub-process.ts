import { answerChoice, choose } from "../activity/ad-hoc.ts";
import { readChosen } from "../activity/choice.ts";
import { retryJob } from "../activity/offer.ts";
import { armEventSubProcesses } from "../bpmn-event/event-sub-process.ts";
import type { Chosen } from "../command.ts";
import type { JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import type { AdHocSubProcess } from "../program.ts";
import { failure, Names, type Result, resolve, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";
import { localsOf, setLocals } from "./sub-process.ts";

/** What its definition activates as it starts; undefined when that is left to others. */
function firstChosen(turn: Turn, visit: Visit<AdHocSubProcess>, locals: JsonObject): Result<readonly Chosen[]> {
  const { element, key, scope, bare = false } = visit;
  if (element.activate === undefined || bare) return { ok: true, value: [] };
  const names = new Names(turn.program, turn.state, { scope: key, within: scope, extra: locals });
  const value = resolve(turn, element.activate, names);
  return value.ok ? readChosen(turn.program, element, { value: value.value, before: 0 }) : value;
}

export const adHocSubProcess: ElementBehavior<AdHocSubProcess> = {
  prepare: (turn, visit, names) => {
    const { element, key } = visit;
    const inputs = resolveMappings(turn, element.inputs, names);
    const locals = inputs.ok ? localsOf(element, inputs.value) : inputs;
    if (!locals.ok) return locals;
    const elements = firstChosen(turn, visit, locals.value);
    if (!elements.ok) return elements;
    return {
      ok: true,
      value: () => {
        setLocals(turn, visit, locals.value);
        turn.emit({ type: "ad-hoc-opened", body: key, at: turn.at });
        armEventSubProcesses(turn, key);
        turn.stirred.add(key);
        if (element.activate === undefined) return;
        const done = element.job === undefined && element.completion === undefined;
        choose(turn, key, { elements: elements.value, done, actor: element.id });
      },
    };
  },
  answer: (turn, visit, { result, actor }) => {
    const { activate = [], done = false } = result;
    const before = must(turn.state.adHocs.get(visit.scope), "its job runs inside it").chosen.length;
    const elements = readChosen(turn.program, visit.element, { value: activate, before });
    if (!elements.ok) return elements;
    if (typeof done !== "boolean") {
      return failure("choice-invalid", `Expected done to be true or false, but it is ${JSON.stringify(done)}`);
    }
    return { ok: true, value: () => answerChoice(turn, visit.key, { elements: elements.value, done, actor }) };
  },
  retry: retryJob,
};
