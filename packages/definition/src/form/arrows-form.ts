import type { CompiledProgram } from "../draft.ts";
import { Draft } from "../draft.ts";
import { compileNotation } from "../notation/compile.ts";
import { parseNotation } from "../notation/parse.ts";
import type { Place, Problems } from "../problem.ts";
import type { ArrowsForm } from "../schema/arrows.ts";
import { compileVariables } from "./parts.ts";

/** Compiles a process whose flow is written in arrow notation. */
export function compileArrowsForm(form: ArrowsForm, problems: Problems, place: Place): CompiledProgram | undefined {
  const variables = compileVariables(new Draft(problems, place), form.variables, ["variables"]);
  const notation = parseNotation(form.flow, problems, startOf(form, place));
  if (problems.errors > 0) return undefined;
  const head = { id: form.arrows, version: form.version ?? "1", name: form.name ?? form.arrows, variables };
  return compileNotation(notation, head, { problems, place });
}

/** A text of several lines begins below its key, as far in as YAML is usually written. */
function startOf(form: ArrowsForm, place: Place): { readonly line: number; readonly column: number } {
  const value = place(["flow"]);
  if (!form.flow.includes("\n")) return value;
  const key = place(["flow"], "key");
  return { ...value, line: value.line + 1, column: key.column + 2 };
}
