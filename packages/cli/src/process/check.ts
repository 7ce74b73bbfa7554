import { resolve } from "node:path";
import { check } from "@tutti/definition";
import { type LoadedDefinition, loadDefinition } from "@tutti/testing";
import type { Context } from "../command.ts";
import { plural } from "../terminal/text.ts";
import { errorsOf, type Finding, showFindings } from "./findings.ts";

/** `tutti process check FILE`: everything that is known about a definition before it runs. */
export async function checkProcess({ input, out, cwd }: Context): Promise<number> {
  const file = input.argument(1) ?? "";
  const path = resolve(cwd, file);
  const loaded = await loadDefinition(path);
  const findings = allFindings(loaded, path);
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

/** What compiling said and what the checks found. Of one place the checks know more, for they see the whole process. */
function allFindings({ programs, problems }: LoadedDefinition, file: string): readonly Finding[] {
  const checked = programs.flatMap((program) =>
    check(program, { file }).map(
      (finding): Finding => ({
        ...finding,
        severity: "warning",
        position: { ...finding.position, file: finding.position.file ?? file },
      }),
    ),
  );
  const places = new Set(checked.map(placeOf));
  const compiled = problems.filter((problem) => problem.severity === "error" || !places.has(placeOf(problem)));
  return [...compiled, ...checked].sort(byPlace);
}

function placeOf({ position }: Finding): string {
  return `${position?.line ?? 1}:${position?.column ?? 1}`;
}

function byPlace({ position: a }: Finding, { position: b }: Finding): number {
  return (a?.line ?? 1) - (b?.line ?? 1) || (a?.column ?? 1) - (b?.column ?? 1);
}
