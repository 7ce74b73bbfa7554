import type { Evaluation, Expression, VariableScope } from "@tutti/kernel";
import { FeelFunction } from "feelin";
import type { DefinitionErrorCode } from "../errors.ts";
import { CompilationCache } from "../expression/cache.ts";
import { FeelEvaluator } from "../feel/evaluator.ts";
import { BoundName, ContextNames, type Evaluating, FeelFailure, type Names, type Run } from "../feel/run.ts";
import { contextOf, type FeelValue } from "../feel/value.ts";
import type { CompiledDecision, DecisionStep, TableFunction } from "./model.ts";
import { type CompileCell, compileTable } from "./table.ts";

interface ReadyDecision {
  readonly run: (names: Names, run: Evaluating) => FeelValue;
  readonly reads: readonly string[];
}

export type DecisionCompilation =
  | { readonly ok: true; readonly expression: ReadyDecision }
  | { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string };

/** Evaluates compiled decisions: every cell is FEEL, with FEEL's limits for the whole decision together. */
export class DecisionEvaluator {
  readonly #feel: FeelEvaluator = new FeelEvaluator();
  readonly #compiled = new CompilationCache<DecisionCompilation>();

  /** The text is a `CompiledDecision` as JSON; anything else is an error value. */
  compile(text: string): DecisionCompilation {
    return this.#compiled.get(text, () => this.#compile(text));
  }

  evaluate(expression: Expression, scope: VariableScope): Evaluation {
    const compiled = this.compile(expression.text);
    if (!compiled.ok) return compiled;
    return this.#feel.answer((run) => compiled.expression.run(new VariableNames(scope), run));
  }

  #compile(text: string): DecisionCompilation {
    try {
      const { names, steps } = JSON.parse(text) as CompiledDecision;
      const reads = new Set<string>();
      const known = new Set<string>();
      const ready = steps.map((step) => {
        const parameters = step.logic.type === "function" ? step.logic.parameters : [];
        const cell = this.#cells(names, (name) => {
          if (!known.has(name) && !parameters.includes(name)) reads.add(variableOf(name));
        });
        const run = compileStep(step, cell);
        known.add(step.name);
        return { name: step.name, run };
      });
      return { ok: true, expression: { run: (outer, run) => decide(ready, outer, run), reads: [...reads] } };
    } catch (error) {
      if (error instanceof FeelFailure) return { ok: false, code: error.code, message: error.message };
      return { ok: false, code: "expression-syntax", message: "Expected a compiled decision, but found another text" };
    }
  }

  #cells(names: readonly string[], read: (name: string) => void): CompileCell {
    return (text, top) => {
      const compiled = this.#feel.compile(text, { top, names });
      if (!compiled.ok)
        throw new FeelFailure(compiled.code, `${compiled.message} (in ${JSON.stringify(text.slice(0, 60))})`);
      for (const name of compiled.expression.reads) read(name);
      return compiled.expression.run;
    };
  }
}

function compileStep(step: DecisionStep, cell: CompileCell): (names: Names, run: Evaluating) => FeelValue {
  const { name, logic } = step;
  if (logic.type === "table") return compileTable(name, logic, cell);
  if (logic.type === "function") return compileFunction(name, logic, cell);
  const literal: Run = cell(logic.text, "Expression");
  return (names) => literal(names);
}

function compileFunction(name: string, { parameters, table }: TableFunction, cell: CompileCell) {
  const decideTable = compileTable(name, table, cell);
  return (names: Names, run: Evaluating): FeelValue =>
    new FeelFunction(
      (...args: FeelValue[]) => {
        const values = contextOf(parameters.map((parameter, index) => [parameter, args[index] ?? null]));
        return decideTable(new ContextNames(values, names), run);
      },
      [...parameters],
    );
}

function decide(
  steps: readonly { readonly name: string; readonly run: (names: Names, run: Evaluating) => FeelValue }[],
  outer: Names,
  run: Evaluating,
): FeelValue {
  let names = outer;
  let result: FeelValue = null;
  for (const step of steps) {
    const value = step.run(names, run);
    names = new BoundName(step.name, () => value, names);
    result = value;
  }
  return result;
}

/** Process variables have plain names: `Guest Count` is the variable `Guest_Count`. */
export function variableOf(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_]+/gu, "_");
}

class VariableNames implements Names {
  readonly #scope: VariableScope;
  constructor(scope: VariableScope) {
    this.#scope = scope;
  }
  find(name: string): FeelValue | undefined {
    return this.#scope.get(name) ?? this.#scope.get(variableOf(name));
  }
}
