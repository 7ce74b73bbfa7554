import { AppError, type Host, loadProgram, type ProgramDocument, type SourcePosition } from "@tutti/kernel";
import type { CompiledProgram } from "../draft.ts";
import { lint } from "../lint/lint.ts";
import { type Problem, Problems } from "../problem.ts";
import { decodeXml } from "./encoding.ts";
import { attribute, BpmnFile, extension, flag } from "./file.ts";
import { compileProcess } from "./process.ts";
import { readXml, type XmlNode } from "./xml.ts";

export interface BpmnResult {
  /** The executable processes of the file, in its order; none when anything in it is an error. */
  readonly documents: readonly ProgramDocument[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a BPMN 2.0 file, as text or in whatever encoding it declares. Never throws for bad input: everything that is
 * wrong, or that Tutti does not run, is in `problems` with its line and column. `file` only names the place.
 */
export function compileBpmn(source: string | Uint8Array, options: { readonly file: string }): BpmnResult {
  const problems = new Problems(options.file);
  const text = decodeXml(source, problems);
  const compiled = text === undefined ? [] : compileBpmnText(text, problems);
  lint(compiled);
  if (problems.errors === 0) checkLoads(compiled);
  const documents = compiled.map(({ program }) => ({
    ...program,
    source: { format: "bpmn" as const, text: text ?? "" },
  }));
  return { documents: problems.errors === 0 ? documents : [], problems: problems.list() };
}

/** What a drawing can say and the kernel does not take, beyond what was found at its place. */
function checkLoads(compiled: readonly CompiledProgram[]): void {
  for (const { program, problems, place } of compiled) {
    try {
      loadProgram(program, noHost);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.error("bpmn-invalid", error.message, placeNamed(program, error.message) ?? place([]));
    }
  }
}

/** Loading evaluates nothing. */
const noHost: Host = {
  evaluate: () => ({ ok: false, code: "expression-failed", message: "Expected no evaluation, but there was one" }),
  nextDue: () => ({ ok: false, code: "timer-value", message: "Expected no timer, but there was one" }),
};

/** The place of the last element or flow that a message names. */
function placeNamed(program: ProgramDocument, message: string): SourcePosition | undefined {
  const named = new Set([...message.matchAll(/'([^']+)'/g)].slice(1).map((match) => match[1]));
  return program.elements.findLast((element) => named.has(element.id))?.position;
}

/** The same without what only lint finds, and without the text as it was. */
export function compileBpmnText(text: string, problems: Problems): CompiledProgram[] {
  const root = readXml(text, problems);
  if (root === undefined) return [];
  if (root.name !== "bpmn:definitions") {
    problems.error(
      "form-unknown",
      `Expected definitions of BPMN 2.0, but the root is ${root.name.slice(0, 120)}`,
      root.position,
    );
    return [];
  }
  const file = new BpmnFile(root, problems);
  const processes = executable(file);
  if (processes.length === 0)
    problems.error("bpmn-invalid", "Expected a process with elements, but there is none", root.position);
  const ids = new Set(processes.map((process) => file.idOf(process)));
  return processes.map((process) => compileProcess(file, process, ids));
}

/**
 * Processes that say they are executable, and those of the file that they call; when none does, all that have elements:
 * drawings made for people say `isExecutable="false"` without meaning it. A pool without content is another party, and
 * nothing to run.
 */
function executable(file: BpmnFile): readonly XmlNode[] {
  const processes = file
    .roots("bpmn:process")
    .filter((process) =>
      process.children.some(
        (node) => attribute(node, "id") !== undefined && /Event$|ask$|Process$|Activity$|ransaction$/.test(node.name),
      ),
    );
  const wanted = processes.filter((process) => flag(process, "isExecutable", false));
  if (wanted.length === 0) return processes;
  const found = new Set(wanted);
  // A set goes on with what is added to it on the way.
  for (const process of found)
    for (const called of calledBy(file, process)) if (processes.includes(called)) found.add(called);
  return processes.filter((process) => found.has(process));
}

function calledBy(file: BpmnFile, container: XmlNode): XmlNode[] {
  return container.children.flatMap((node) => {
    const called = attribute(extension(node, "zeebe:calledElement"), "processId") ?? attribute(node, "calledElement");
    return [file.find(called) ?? [], calledBy(file, node)].flat();
  });
}
