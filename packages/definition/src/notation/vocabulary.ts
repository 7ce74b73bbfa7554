import type { SourcePosition, VariableDeclaration, VariableType } from "@tutti/kernel";
import { Languages } from "../expression/languages.ts";
import type { Problems } from "../problem.ts";
import { cel } from "../value.ts";
import type { Step } from "./block.ts";
import type { ArrowFlow, Field, Notation, Unit } from "./model.ts";

/**
 * Which names are variables rather than steps: those that are assigned or declared, that stand in a condition, an
 * argument, a composition or a result, or that a loop goes through.
 */
export class Vocabulary {
  readonly #languages = new Languages();
  readonly #problems: Problems;
  readonly #names: Set<string> = new Set();
  readonly #assigned: Map<
    string,
    { readonly type?: string; readonly literal?: VariableDeclaration["initial"]; readonly position: SourcePosition }
  > = new Map();

  constructor(notation: Notation, declared: readonly string[], problems: Problems) {
    this.#problems = problems;
    for (const name of declared) this.#names.add(name);
    for (const line of notation.lines) {
      if (line.kind === "flow") this.#learnFlow(line.flow);
      else if (line.kind === "result") this.#learnFields(line.fields, true);
      else {
        this.#names.add(line.name);
        const literal = "literal" in line.value ? { literal: line.value.literal } : {};
        if ("text" in line.value) this.#learnText(line.value.text, line.position);
        this.#assigned.set(line.name, {
          ...(line.type !== undefined && { type: line.type }),
          ...literal,
          position: line.position,
        });
      }
    }
  }

  /** A step has no arguments, agent and variable's name at once. */
  isVariable(unit: Unit): unit is Unit & { readonly kind: "call" } {
    if (unit.kind !== "call" || !this.#names.has(unit.name)) return false;
    return unit.args === undefined && unit.agent === undefined && unit.modifiers === undefined;
  }

  readsOf(field: Field): readonly string[] {
    return field.text === undefined ? [field.name] : this.readsOfText(field.text);
  }

  readsOfText(text: string): readonly string[] {
    const compiled = this.#languages.compile(cel(text, { line: 1, column: 1 }));
    return compiled.ok ? compiled.expression.reads : [];
  }

  declarations(types: Readonly<Record<string, VariableType>>): VariableDeclaration[] {
    return [...this.#names]
      .filter((name) => name !== "item" && name !== "loop")
      .map((name) => {
        const { type: written = "any", literal, position } = this.#assigned.get(name) ?? {};
        const type = types[written];
        if (type === undefined && position !== undefined) {
          this.#problems.error(
            "variable-type",
            `Expected one of ${Object.keys(types).join(", ")}, but found ${written}`,
            position,
          );
        }
        return { name, type: type ?? "any", ...(literal !== undefined && { initial: literal }) };
      });
  }

  #learnFlow(flow: ArrowFlow): void {
    for (const unit of flow.units) this.#learnUnit(unit);
  }

  #learnUnit(unit: Unit): void {
    switch (unit.kind) {
      case "call":
        this.#learnFields(unit.args ?? [], false);
        return;
      case "group":
        for (const flow of unit.flows) this.#learnFlow(flow);
        return;
      case "choice":
        this.#learnText(unit.condition, unit.position);
        this.#learnFlow(unit.yes);
        this.#learnFlow(unit.no);
        return;
      case "values":
        this.#learnFields(unit.fields, true);
        return;
      case "nested":
        this.#learnFlow(unit.flow);
        return;
      default:
        this.#names.add(unit.collection);
        this.#learnUnit(unit.call);
    }
  }

  /** `targets`: the names of the fields are variables themselves. */
  #learnFields(fields: readonly Field[], targets: boolean): void {
    for (const field of fields) {
      if (targets) this.#names.add(field.name);
      for (const name of this.readsOf(field)) this.#names.add(name);
    }
  }

  #learnText(text: string, position: SourcePosition): void {
    const compiled = this.#languages.compile(cel(text, position));
    if (!compiled.ok) this.#problems.error(compiled.code, compiled.message, position);
    else for (const name of compiled.expression.reads) this.#names.add(name);
  }
}

/** Variables that a step reads, inside of it too, except those that it gives to itself on the way. */
export function readsIn(step: Step, vocabulary: Vocabulary): readonly string[] {
  const { unit, inputs } = step;
  const reads = inputs.flatMap((field) => vocabulary.readsOf(field));
  const inside = (steps: readonly Step[]): readonly string[] => {
    const given = new Set<string>();
    return steps.flatMap((inner) => {
      const read = readsIn(inner, vocabulary).filter((name) => !given.has(name));
      for (const name of bindsIn(inner)) given.add(name);
      return read;
    });
  };
  if (unit.kind === "choice") reads.push(...vocabulary.readsOfText(unit.condition));
  if (unit.kind === "each") reads.push(unit.collection);
  if (unit.kind === "call") for (const field of unit.args ?? []) reads.push(...vocabulary.readsOf(field));
  if (unit.kind === "each") for (const field of unit.call.args ?? []) reads.push(...vocabulary.readsOf(field));
  return [...reads, ...step.branches.flatMap(inside)];
}

export function bindsIn(step: Step): readonly string[] {
  return [...step.outputs, ...step.branches.flatMap((branch) => branch.flatMap(bindsIn))];
}
