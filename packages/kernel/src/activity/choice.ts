import type { Chosen } from "../command.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import type { AdHocSubProcess } from "../program.ts";
import { activityKinds } from "../program-check.ts";
import { failure, type Result } from "../scope.ts";

/** Elements that may be chosen and not have started yet. */
export const chosenMax = 1_000;

/** Reads what somebody chose to activate: ids, or `{element, variables}`. Refused as a whole. */
export function readChosen(
  program: Program,
  element: AdHocSubProcess,
  said: { readonly value: Json; readonly before: number },
): Result<readonly Chosen[]> {
  const { value, before } = said;
  if (!Array.isArray(value)) {
    return failure("choice-invalid", `Expected a list of elements to activate, but it is ${shown(value)}`);
  }
  if (before + value.length > chosenMax) {
    const count = before + value.length;
    return failure("choice-too-large", `Expected at most ${chosenMax} chosen elements, but there would be ${count}`);
  }
  const chosen: Chosen[] = [];
  for (const entry of value as readonly Json[]) {
    const one = readOne(program, element, entry);
    if (!one.ok) return one;
    chosen.push(one.value);
  }
  return { ok: true, value: chosen };
}

function readOne(program: Program, adHoc: AdHocSubProcess, entry: Json): Result<Chosen> {
  const { element, variables } = isJsonObject(entry) ? entry : { element: entry, variables: undefined };
  const known = must(program.activatable.get(adHoc.id), `'${adHoc.id}' is no ad-hoc sub-process`);
  const found = known.find(({ id }) => id === element);
  if (found === undefined) {
    const ids = known.map(({ id }) => `'${id}'`).join(", ");
    return failure("choice-invalid", `Expected one of ${ids} to activate, but it is ${shown(element ?? null)}`);
  }
  if (variables === undefined || variables === null) return { ok: true, value: { element: found.id } };
  if (!isJsonObject(variables) || !activityKinds.has(found.kind)) {
    const what = `Expected the variables for '${found.id}' to be an object, and it to be an activity`;
    return failure("choice-invalid", `${what}, but they are ${shown(variables)} for a ${found.kind}`);
  }
  return { ok: true, value: { element: found.id, variables } };
}

function shown(value: Json): string {
  return JSON.stringify(value).slice(0, 100);
}

/** What the job that chooses is told of the elements there are. */
export function offered(program: Program, element: AdHocSubProcess): JsonObject[] {
  const known = must(program.activatable.get(element.id), `'${element.id}' is no ad-hoc sub-process`);
  return known.map((each) => ({
    id: each.id,
    name: each.name ?? each.id,
    ...(each.documentation === undefined ? {} : { documentation: each.documentation }),
    inputs: (("inputs" in each && each.inputs) || []).map(({ target }) => target),
  }));
}
