import type { ElementId, MultiInstance, ProgramDocument } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import { Languages } from "../expression/languages.ts";
import type { Problem } from "../problem.ts";
import { Problems } from "../problem.ts";
import { type Index, indexOf } from "./program-index.ts";
import { lintStructure } from "./structure.ts";
import { lintVariables } from "./variables.ts";

/** Looks at compiled programs as a whole and reports into their problems. Programs of one file are deployed together. */
export function lint(compiled: readonly CompiledProgram[]): void {
  const languages = new Languages();
  for (const entry of compiled) {
    const index = indexOf(entry.program);
    // A step that could not be compiled leaves a hole that would be reported again as missing paths.
    if (entry.problems.errors === 0) lintStructure(entry, index);
    lintLoops(entry, index);
    lintVariables(entry, index, languages);
    // A file with one process says nothing about what it is deployed with.
    if (compiled.length > 1)
      lintCalls(
        entry.program,
        compiled.map((other) => other.program),
        entry.problems,
      );
  }
}

/** Calls that would find nothing when these programs, of whatever files, are deployed together. */
export function checkCalls(
  programs: readonly ProgramDocument[],
  options: { readonly file: string },
): readonly Problem[] {
  const problems = new Problems(options.file);
  for (const program of programs) lintCalls(program, programs, problems);
  return problems.list();
}

function lintCalls(program: ProgramDocument, together: readonly ProgramDocument[], problems: Problems): void {
  const known = new Set(together.map((other) => other.id));
  for (const element of program.elements) {
    if (element.kind !== "call-activity" || element.binding !== "deployment" || known.has(element.process)) continue;
    // Which one it calls is known as it calls.
    if (element.processFrom !== undefined) continue;
    const message = `Expected a process of the same deployment, but ${element.id} calls ${element.process}, which is not there`;
    problems.error("call-unknown", message, element.position ?? { line: 1, column: 1 });
  }
}

function lintLoops(compiled: CompiledProgram, index: Index): void {
  for (const element of compiled.program.elements) {
    const loop = "loop" in element ? element.loop : undefined;
    const position = element.position ?? { line: 1, column: 1 };
    if (loop === undefined || loop.mode === "standard") continue;
    const problem = loopProblem(loop);
    if (problem !== undefined) compiled.problems.error("loop-invalid", `${problem} (in ${element.id})`, position);
    if (shadows(compiled, index, { parent: element.parent, item: loop.item })) {
      const message = `Expected an item name of its own, but ${loop.item} in ${element.id} hides a variable of that name`;
      compiled.problems.warn("loop-invalid", message, position);
    }
  }
}

function loopProblem(loop: MultiInstance): string | undefined {
  const { collection, fields = {}, mode, maxParallel, item } = loop;
  if (item === "loop") return "Expected another item name, but loop is what the kernel calls the item's key and number";
  if ("literal" in collection && !Array.isArray(collection.literal))
    return "Expected a list as collection, but it is another value";
  if (mode !== "graph" && (fields.dependsOn !== undefined || fields.locks !== undefined)) {
    return `Expected mode graph for dependsOn and locks, but it is ${mode}`;
  }
  if (mode === "sequential" && maxParallel !== undefined)
    return "Expected no maxParallel in a sequential loop, but there is one";
  if (maxParallel === undefined || !("literal" in maxParallel)) return undefined;
  const limit = maxParallel.literal;
  const fine = limit === null || (typeof limit === "number" && Number.isInteger(limit) && limit >= 1);
  return fine ? undefined : `Expected maxParallel of at least 1, but it is ${JSON.stringify(limit)}`;
}

function shadows(
  compiled: CompiledProgram,
  index: Index,
  at: { readonly parent: ElementId | null; readonly item: string },
): boolean {
  if (compiled.program.variables.some((variable) => variable.name === at.item)) return true;
  for (let parent = at.parent; parent !== null; parent = index.elements.get(parent)?.parent ?? null) {
    const container = index.elements.get(parent);
    if (
      container !== undefined &&
      "variables" in container &&
      container.variables?.some((variable) => variable.name === at.item)
    )
      return true;
  }
  return false;
}
