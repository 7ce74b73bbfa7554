import { itemOf } from "../activity/item.ts";
import { prepareMappedJob, retryJob } from "../activity/offer.ts";
import type { JsonObject } from "../json.ts";
import { complete, placeWrites, writeVariables } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { BusinessRuleTask } from "../program.ts";
import { evaluate, Names, type Result, resolveMappings } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

/** Decides at once. The result is written as its variable, unless outputs say what is, or a collection gathers it. */
function decide(turn: Turn, visit: Visit<BusinessRuleTask>, input: JsonObject): Result<() => void> {
  const { element, key, scope } = visit;
  const { result: name, expression } = must(element.decision, `'${element.id}' has neither a decision nor a job`);
  const names = new Names(turn.program, turn.state, { scope: key, within: scope, extra: input });
  const answer = evaluate(turn, expression, names);
  if (!answer.ok) return answer;
  const result = { [name]: answer.value };
  const kept = element.outputs !== undefined || itemOf(turn.state, key) !== undefined;
  const writes = placeWrites(turn, kept ? {} : result, scope);
  if (!writes.ok) return writes;
  return {
    ok: true,
    value: () => {
      writeVariables(turn, writes.value, element.id);
      complete(turn, key, { result });
    },
  };
}

export const businessRuleTask: ElementBehavior<BusinessRuleTask> = {
  prepare: (turn, visit, names) => {
    const { inputs, job } = visit.element;
    if (job !== undefined) return prepareMappedJob(turn, visit, { mappings: inputs, names });
    const input = resolveMappings(turn, inputs, names);
    return input.ok ? decide(turn, visit, input.value) : input;
  },
  retry: retryJob,
};
