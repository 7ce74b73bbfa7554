import { resolve } from "node:path";
import { loadDefinition } from "@tutti/testing";
import type { Context } from "../command.ts";
import { plural } from "../terminal/text.ts";
import { errorsOf, showFindings } from "./findings.ts";

/** `tutti process check FILE`: everything that is known about a definition before it runs. */
export async function checkProcess({ input, out, cwd }: Context): Promise<number> {
  const file = input.argument(1) ?? "";
  const { programs, problems } = await loadDefinition(resolve(cwd, file));
  const errors = errorsOf(problems);
  const names = programs.map(({ id, version }) => `${id}@${version}`);
  out.document({ file, valid: errors.length === 0, processes: names, problems });
  showFindings(out, file, problems);
  const warnings = problems.length - errors.length;
  const found = [
    ...(errors.length > 0 ? [plural(errors.length, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ].join(" and ");
  out.text(`${file}: ${found === "" ? "nothing found" : found}${names.length === 0 ? "" : ` (${names.join(", ")})`}.`);
  return errors.length === 0 ? 0 : 2;
}
