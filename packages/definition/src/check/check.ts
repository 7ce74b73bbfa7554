import type { ProgramDocument, SourcePosition } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import { Languages } from "../expression/languages.ts";
import { limits } from "../limits.ts";
import { lint } from "../lint/lint.ts";
import { indexOf } from "../lint/program-index.ts";
import { Problems } from "../problem.ts";
import { checkSoundness, type SoundnessOptions } from "../soundness/soundness.ts";
import type { Checked } from "./access.ts";
import { Assignment } from "./assignment.ts";
import { checkCircles } from "./circle.ts";
import { checkDataFlow } from "./data-flow.ts";
import { checkDecisions } from "./decision.ts";
import { type Finding, finding } from "./finding.ts";
import { Concurrency } from "./order.ts";
import { checkRoutes } from "./route.ts";

export interface CheckOptions extends Omit<SoundnessOptions, "from"> {
  /** Only names the place. */
  readonly file?: string;
}

/**
 * Everything that can be said about a process before it runs, wherever it came from: what lint says, data flow, routes,
 * decisions and soundness, in the order of their places. A sound process without findings may still be wrong; each
 * finding is worth a look.
 */
export function check(document: ProgramDocument, options: CheckOptions = {}): readonly Finding[] {
  const problems = new Problems(options.file ?? "");
  const nowhere = () => ({ line: 1, column: 1 });
  const compiled: CompiledProgram = { program: document, problems, place: nowhere, legacy: false, fallsInto: [] };
  lint([compiled]);
  const checked: Checked = { compiled, index: indexOf(document), languages: new Languages() };
  const data = checkData(checked);
  const circles = checkCircles(checked);
  const found = [...data.findings, ...checkDecisions(checked), ...circles, ...soundness(document, options)];
  const linted = problems
    .list()
    .map(({ code, message, position }) => finding(code, message, { position }))
    .filter((one) => !isSaidBetter(one, found) && !isDecided(one, checked, data.decided));
  return [...linted, ...found].sort(byPlace);
}

/** Of programs too large to be followed from element to element, lint alone has to do. */
function checkData(checked: Checked): { readonly findings: readonly Finding[]; readonly decided: ReadonlySet<string> } {
  if (checked.compiled.program.elements.length > limits.dataFlowElementsMax)
    return { findings: [], decided: new Set() };
  const concurrency = new Concurrency(checked);
  const assignment = new Assignment(checked, concurrency, "counts");
  const { findings, decided } = checkRoutes(checked, new Assignment(checked, concurrency, "may be absent"));
  return { findings: [...checkDataFlow(checked, { concurrency, assignment }), ...findings], decided };
}

function byPlace(a: Finding, b: Finding): number {
  return a.position.line - b.position.line || a.position.column - b.position.column;
}

/** Lint looks at one thing at a time: what another check found out about the same thing says more. */
const sharper: Readonly<Record<string, readonly string[]>> = {
  "variable-read-early": ["variable-read-early", "variable-race"],
  "output-dead": ["decision-unread"],
  "end-missing": ["process-endless"],
};

function isSaidBetter(linted: Finding, found: readonly Finding[]): boolean {
  const codes = sharper[linted.code] ?? [];
  return found.some(
    ({ code, position }) => codes.includes(code) && (code === "process-endless" || isAt(position, linted)),
  );
}

/** A gateway that was tried with all values needs no guess from the text of its conditions. */
function isDecided(linted: Finding, checked: Checked, decided: ReadonlySet<string>): boolean {
  if (linted.code !== "gateway-not-exhaustive") return false;
  return [...decided].some((id) => isAt(checked.index.elements.get(id)?.position, linted));
}

function isAt(position: SourcePosition | undefined, { position: { line, column } }: Finding): boolean {
  return (position?.line ?? 1) === line && (position?.column ?? 1) === column;
}

function soundness(document: ProgramDocument, options: CheckOptions): Finding[] {
  const { verdict, reason = "", findings } = checkSoundness(document, options);
  if (verdict === "unknown") return [finding("soundness-unknown", reason, {})];
  const unreachable = new Set(document.elements.map((element) => element.id));
  for (const id of indexOf(document).reached) unreachable.delete(id);
  return findings
    .filter(({ code, element }) => !(code === "element-dead" && element !== undefined && unreachable.has(element)))
    .map(({ code, message, path, element, position }) =>
      finding(code, message, { position, ...(element !== undefined && { element }), ...(path.length > 0 && { path }) }),
    );
}
