import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { checkDrawing } from "@tutti/definition";
import { checkDefinition } from "@tutti/testing";
import type { Context } from "../command.ts";
import { plural } from "../terminal/text.ts";
import { type DrawnFinding, errorsOf, type Finding, showDrawingFindings, showFindings } from "./findings.ts";
import { loadProcess } from "./load.ts";

/** `tutti process check FILE`: everything that is known about a definition before it runs. */
export async function checkProcess(context: Context): Promise<number> {
  const { input, out } = context;
  const file = input.argument(0) ?? "";
  const loaded = await loadProcess(context, file);
  const found = checkDefinition(loaded, file);
  const drawn = await drawingFindings(file, found);
  const findings = [...found, ...drawn].sort(byPlace);
  const errors = errorsOf(findings);
  const names = loaded.programs.map(({ id, version }) => `${id}@${version}`);
  const decided = loaded.decisions.length === 0 ? {} : { decisions: loaded.decisions };
  out.document({ file, valid: errors.length === 0, processes: names, ...decided, findings });
  showFindings(out, file, [...found].sort(byPlace));
  showDrawingFindings(out, file, drawn);
  const warnings = findings.length - errors.length;
  const counted = [
    ...(errors.length > 0 ? [plural(errors.length, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ].join(" and ");
  out.text(
    `${file}: ${counted === "" ? "nothing found" : counted}${names.length === 0 ? "" : ` (${names.join(", ")})`}.`,
  );
  return errors.length > 0 || (input.flag("strict") && findings.length > 0) ? 2 : 0;
}

/** What bpmnlint says of a drawing beyond that. A module is no drawing. */
async function drawingFindings(
  file: string,
  found: ReturnType<typeof checkDefinition>,
): Promise<readonly DrawnFinding[]> {
  if (/^\.[cm]?[jt]s$/.test(extname(file))) return [];
  const findings = await checkDrawing(await readFile(file), { file, said: found });
  return findings.map((finding) => ({ ...finding, severity: "warning", position: { ...finding.position, file } }));
}

function byPlace({ position: a }: Finding, { position: b }: Finding): number {
  return (a?.line ?? 1) - (b?.line ?? 1) || (a?.column ?? 1) - (b?.column ?? 1);
}
