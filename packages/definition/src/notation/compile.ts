import type { ElementId, Mapping, SourcePosition, VariableType } from "@tutti/kernel";
import { type CompiledProgram, Draft, endOf, type Head } from "../draft.ts";
import { circleIn, reduce } from "../form/order.ts";
import type { Place, Problems } from "../problem.ts";
import { Blocks } from "./block.ts";
import type { Line, Notation, Unit } from "./model.ts";
import { bindsIn, readsIn, Vocabulary } from "./vocabulary.ts";

export interface NotationHead {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly variables: Head["variables"];
}

/** A unit of the outermost chains: where tokens come in, and where they come out. */
interface Vertex {
  readonly key: string;
  readonly entry: ElementId;
  readonly exit: ElementId;
  readonly position: SourcePosition;
}

const types: Readonly<Record<string, VariableType>> = {
  int: "integer",
  integer: "integer",
  float: "number",
  number: "number",
  str: "string",
  string: "string",
  bool: "boolean",
  boolean: "boolean",
  list: "list",
  object: "object",
  any: "any",
};

/**
 * Compiles notation to a program: units of all lines form one graph, in which a unit waits for those before it in its
 * chain and for those that give the variables it reads. What depends on nothing starts at once.
 */
export function compileNotation(
  notation: Notation,
  head: NotationHead,
  at: { readonly problems: Problems; readonly place: Place },
): CompiledProgram | undefined {
  const { problems, place } = at;
  const draft = new Draft(problems, place);
  const vocabulary = new Vocabulary(
    notation,
    head.variables.map(({ name }) => name),
    problems,
  );
  const position = place([]);
  draft.add({ kind: "start-event", id: "start", parent: null, trigger: { type: "none" }, position });
  const graph = new Graph(draft, vocabulary);
  for (const line of notation.lines) graph.add(line);
  if (graph.isEmpty) problems.error("notation-invalid", "Expected a step, but there is none", position);
  if (problems.errors > 0) return undefined;
  graph.connect(position);
  if (problems.errors > 0) return undefined;
  const declared = new Set(head.variables.map(({ name }) => name));
  const found = vocabulary.declarations(types).filter(({ name }) => !declared.has(name));
  const outputs = notation.lines.flatMap((line) => (line.kind === "result" ? line.fields.map(({ name }) => name) : []));
  const program = draft.finish({ ...head, variables: [...head.variables, ...found], outputs, onError: "fail" });
  return { program, problems, place, legacy: true, fallsInto: [] };
}

class Graph {
  readonly #draft: Draft;
  readonly #vocabulary: Vocabulary;
  readonly #blocks: Blocks;
  readonly #vertices: Map<string, Vertex> = new Map();
  readonly #before: Map<string, string[]> = new Map();
  /** Who gave a variable last, in the order of the lines. */
  readonly #binders: Map<string, string> = new Map();
  #count = 0;

  constructor(draft: Draft, vocabulary: Vocabulary) {
    this.#draft = draft;
    this.#vocabulary = vocabulary;
    this.#blocks = new Blocks(draft, vocabulary);
  }

  get isEmpty(): boolean {
    return this.#vertices.size === 0;
  }

  add(line: Line): void {
    if (line.kind === "flow") this.#addChain(line.flow.units);
    else if (line.kind === "assign" && "text" in line.value)
      this.#addScript(line.name, [{ name: line.name, text: line.value.text }], line.position);
    else if (line.kind === "result") {
      const computed = line.fields.filter(({ text }) => text !== undefined);
      if (computed.length > 0) this.#addScript("result", computed, line.position);
    }
  }

  #addScript(
    name: string,
    fields: readonly { readonly name: string; readonly text?: string }[],
    position: SourcePosition,
  ): void {
    const id = this.#draft.has(name) ? `${name}.value` : `set-${name}`;
    const assignments: Mapping[] = fields.map((field) => this.#blocks.mapping(field, position));
    this.#draft.add({ kind: "script-task", id, parent: null, assignments, position });
    const reads = fields.flatMap((field) => this.#vocabulary.readsOf(field));
    this.#addVertex({ key: id, entry: id, exit: id, position }, { reads, binds: fields.map((field) => field.name) });
  }

  #addChain(units: readonly Unit[]): void {
    let previous: string | undefined;
    const steps = this.#blocks.stepsOf(units);
    for (const step of steps) {
      const { unit } = step;
      const known = unit.kind === "call" ? this.#vertices.get(unit.name) : undefined;
      const key = unit.kind === "call" ? unit.name : `unit-${++this.#count}`;
      if (known === undefined) {
        const { entry, exit } = this.#blocks.compile(step);
        this.#addVertex(
          { key, entry, exit, position: unit.position },
          { reads: readsIn(step, this.#vocabulary), binds: bindsIn(step) },
        );
      } else this.#blocks.refuseSecond(step);
      if (previous !== undefined && previous !== key) this.#before.get(key)?.push(previous);
      previous = key;
    }
  }

  #addVertex(vertex: Vertex, data: { readonly reads: readonly string[]; readonly binds: readonly string[] }): void {
    this.#vertices.set(vertex.key, vertex);
    const before = new Set<string>();
    for (const name of [...data.reads, ...data.binds]) {
      const binder = this.#binders.get(name);
      if (binder !== undefined && binder !== vertex.key) before.add(binder);
    }
    this.#before.set(vertex.key, [...before]);
    for (const name of data.binds) this.#binders.set(name, vertex.key);
  }

  /** Flows, with a fork where several follow and a join where several come before. */
  connect(position: SourcePosition): void {
    const circle = circleIn(this.#before);
    if (circle !== undefined) {
      const message = `Expected steps that can run one after the other, but ${circle.join(" → ")} is a circle`;
      this.#draft.problems.error("cycle", message, this.#vertices.get(circle[0] ?? "")?.position ?? position);
      return;
    }
    const before = reduce(this.#before);
    const after = new Map<string, string[]>();
    for (const [key, list] of before) for (const one of list) after.set(one, [...(after.get(one) ?? []), key]);
    const exits = new Map<string, ElementId>();
    const first = [...before].filter(([, list]) => list.length === 0).map(([key]) => key);
    const begin = this.#fork("start", first.length, position);
    for (const { key, exit, position: at } of this.#vertices.values()) {
      exits.set(key, this.#fork(exit, after.get(key)?.length ?? 0, at));
    }
    for (const { key, entry, exit, position: at } of this.#vertices.values()) {
      const list = before.get(key) ?? [];
      const into = list.length > 1 ? this.#join(entry, at) : entry;
      for (const from of list.length === 0 ? [begin] : list.map((one) => exits.get(one) ?? ""))
        this.#draft.flow(from, into);
      if (!after.has(key)) this.#draft.flow(exit, endOf(this.#draft, null, position));
    }
  }

  #fork(from: ElementId, count: number, position: SourcePosition): ElementId {
    if (count < 2) return from;
    const id = `${from}.fork`;
    this.#draft.add({ kind: "parallel-gateway", id, parent: null, position });
    this.#draft.flow(from, id);
    return id;
  }

  #join(to: ElementId, position: SourcePosition): ElementId {
    const id = `${to}.join`;
    this.#draft.add({ kind: "parallel-gateway", id, parent: null, position });
    this.#draft.flow(id, to);
    return id;
  }
}
