import { checkDefinition, loadDefinition } from "@tutti/testing";
import type { Context } from "../command.ts";
import { plural } from "../terminal/text.ts";
import { errorsOf, showFindings } from "./findings.ts";

/** `tutti process check FILE`: everything that is known about a definition before it runs. */
export async function checkProcess({ input, out }: Context): Promise<number> {
  const file = input.argument(1) ?? "";
  const loaded = await loadDefinition(file);
  const findings = checkDefinition(loaded, file);
  const errors = errorsOf(findings);
  const names = loaded.programs.map(({ id, version }) => `${id}@${version}`);
  out.document({ file, valid: errors.length === 0, processes: names, findings });
  showFindings(out, file, findings);
  const warnings = findings.length - errors.length;
  const found = [
    ...(errors.length > 0 ? [plural(errors.length, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ].join(" and ");
  out.text(`${file}: ${found === "" ? "nothing found" : found}${names.length === 0 ? "" : ` (${names.join(", ")})`}.`);
  return errors.length > 0 || (input.flag("strict") && findings.length > 0) ? 2 : 0;
}
