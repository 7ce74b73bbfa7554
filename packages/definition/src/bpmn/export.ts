import { type Json, must, type ProgramDocument } from "@tutti/kernel";
import { withoutPositions } from "../hash.ts";
import { Problems } from "../problem.ts";
import { amendDrawing, isDrawnAlike } from "./amend.ts";
import { extendDrawing } from "./extend.ts";
import { type Generated, generate } from "./generate.ts";
import { compileBpmnText } from "./import.ts";
import { type Change, changesBetween } from "./patch.ts";
import { node, type OutNode, writeXml } from "./write.ts";

/**
 * BPMN 2.0 of a program. One that came from a BPMN file gives that file again, diagram, comments and everything else
 * included, with the processes that stood beside it; what changed since without changing what is drawn is added to it.
 * Any other is written anew: what BPMN and Zeebe's extensions have words for in their words, the rest field by field in a
 * namespace of ours. Importing the result gives an equal program.
 */
export function exportBpmn(program: ProgramDocument): string {
  const source = program.source?.text;
  const kept = source === undefined ? undefined : keptDrawing(source, program);
  if (kept !== undefined) return saysUtf8(kept);
  const generated = generate(program);
  const drawn = must(compiledFrom(writeXml(generated.root), program.id), "what was generated can be read");
  complete(generated, drawn, program);
  const text = writeXml(generated.root);
  const again = compiledFrom(text, program.id);
  must(again?.hash === program.hash ? again : undefined, `'${program.id}' is the same after its export`);
  return text;
}

/** Texts are written as UTF-8, in whatever encoding the file was that they came from. */
function saysUtf8(text: string): string {
  const declared = /^(\s*<\?xml[^>]*?\sencoding\s*=\s*)(["'])(?!utf-?8\2)[^"'>]*\2/i;
  return text.replace(declared, "$1$2UTF-8$2");
}

/** The file that the program came from, with what changed since; undefined where it cannot say that. */
function keptDrawing(source: string, program: ProgramDocument): string | undefined {
  const drawn = compiledFrom(source, program.id);
  if (drawn === undefined || drawn.hash === program.hash) return drawn && source;
  if (!isDrawnAlike(drawn, program)) {
    const extended = extendDrawing(source, drawn, program);
    const alike = extended === undefined ? undefined : compiledFrom(extended, program.id);
    return extended === undefined || alike === undefined ? undefined : amended(extended, alike, program);
  }
  return amended(source, drawn, program);
}

/**
 * Twice, as a name may say more than itself: where a drawing names no message, it is called like its event, and the
 * message must keep its name when the event gets another.
 */
function amended(source: string, drawn: ProgramDocument, program: ProgramDocument): string | undefined {
  const once = amendedOnce(source, drawn, program);
  const now = once === undefined ? undefined : compiledFrom(once, program.id);
  if (once === undefined || now === undefined || now.hash === program.hash) return now && once;
  const twice = amendedOnce(once, now, program);
  return twice !== undefined && compiledFrom(twice, program.id)?.hash === program.hash ? twice : undefined;
}

function amendedOnce(source: string, drawn: ProgramDocument, program: ProgramDocument): string | undefined {
  if (!isDrawnAlike(drawn, program)) return undefined;
  const amendments = differences(drawn, program).map(({ id, changes }) => ({ id, changes }));
  return amendDrawing(source, program.id, amendments);
}

function compiledFrom(text: string, id: string): ProgramDocument | undefined {
  const problems = new Problems("export");
  const compiled = compileBpmnText(text, problems);
  return problems.errors > 0 ? undefined : compiled.find(({ program }) => program.id === id)?.program;
}

/** Adds what the drawing does not say of the program. */
function complete({ nodes, process }: Generated, drawn: ProgramDocument, program: ProgramDocument): void {
  for (const { kind, id, changes } of differences(drawn, program))
    add(id === undefined ? process : nodes.get(`${kind} ${id}`)?.[0], changes);
}

interface Difference {
  readonly kind: "element" | "flow" | "process";
  /** Undefined: the process itself. */
  readonly id: string | undefined;
  readonly changes: readonly Change[];
}

/** What makes the second program of the first, by the parts it is about. */
function differences(drawn: ProgramDocument, program: ProgramDocument): readonly Difference[] {
  const parts = (["element", "flow"] as const).flatMap((kind) => {
    const list = kind === "element" ? "elements" : "flows";
    const before = new Map<string, Json>(drawn[list].map((part) => [part.id, plain(part)]));
    return program[list].map((part) => ({
      kind,
      id: part.id,
      changes: changesBetween(before.get(part.id), plain(part)),
    }));
  });
  const head = changesBetween(headOf(drawn), headOf(program));
  return [...parts, { kind: "process" as const, id: undefined, changes: head }].filter(
    ({ changes }) => changes.length > 0,
  );
}

function plain(value: unknown): Json {
  return withoutPositions(JSON.parse(JSON.stringify(value)) as Json);
}

/** The fields of the process itself; the order of its parts only where it is not the drawing's. */
function headOf(program: ProgramDocument): Json {
  const { id: _id, format: _format, hash: _hash, source: _source, elements, flows, ...head } = program;
  return plain({
    ...head,
    elementOrder: elements.map((element) => element.id),
    flowOrder: flows.map((flow) => flow.id),
  });
}

function add(element: OutNode | undefined, changes: readonly Change[]): void {
  const extensions = element?.children.find((inner) => inner.name === "bpmn:extensionElements");
  for (const { path, value } of changes) {
    extensions?.children.push(
      value === undefined ? node("tutti:remove", { path }) : node("tutti:set", { path }, JSON.stringify(value)),
    );
  }
}
