import type { Evaluation, Expression, Json, VariableScope } from "@tutti/kernel";
import type { DefinitionErrorCode } from "../errors.ts";
import { limits } from "../limits.ts";
import { CompilationCache } from "./cache.ts";
import { type Compilation, Compiler } from "./compile.ts";
import { toJson } from "./json.ts";
import { Meter } from "./meter.ts";
import { outerName } from "./reserved.ts";

/**
 * Evaluates CEL: deterministic, total, bounded by counted work. Compiled expressions are cached by their text.
 * One evaluation at a time: evaluating never calls back.
 */
export class Evaluator {
  readonly #meter = new Meter();
  readonly #compiler: Compiler = new Compiler(this.#meter);
  readonly #compiled = new CompilationCache<Compilation>();
  readonly #variables = new Variables();

  compile(text: string): Compilation {
    return this.#compiled.get(text, () => this.#compiler.compile(text));
  }

  evaluate(expression: Expression, scope: VariableScope): Evaluation {
    const compiled = this.compile(expression.text);
    if (!compiled.ok) return compiled;
    this.#meter.reset();
    this.#variables.enter(scope);
    try {
      const value = compiled.expression.run(this.#variables);
      if (this.#meter.exhausted) return tooExpensive();
      const json = toJson(value, this.#meter);
      return json.ok ? json : refuse(json.overflow ? "expression-overflow" : "expression-result", json.message);
    } catch (error) {
      if (this.#meter.exhausted) return tooExpensive();
      return this.#failure(error);
    } finally {
      this.#variables.leave();
    }
  }

  #failure(error: unknown): Evaluation {
    const text = error instanceof Error ? error.message : String(error);
    const message = (text.split("\n")[0] ?? text).replaceAll(/\b__(?=[a-z])/g, "").slice(0, 500);
    const missing = this.#variables.missing;
    if (missing !== undefined && text.startsWith("Unknown variable")) {
      // The kernel knows this code: an optional mapping then writes nothing.
      return refuse("variable-missing", `Expected the variable ${missing} to be set, but it is not`);
    }
    if (/overflow/i.test(text)) return refuse("expression-overflow", message);
    return refuse("expression-failed", message);
  }
}

function refuse(code: DefinitionErrorCode, message: string): Evaluation {
  return { ok: false, code, message };
}

function tooExpensive(): Evaluation {
  const message = `Expected at most ${limits.expressionCostMax} units of work, but the expression needs more`;
  return refuse("expression-cost", message);
}

const nothing: VariableScope = { get: () => undefined, isInteger: () => false };

/** Lets the library read a scope lazily, by the one method it calls on a Map. */
class Variables extends Map<string, unknown> {
  #scope = nothing;
  missing: string | undefined;

  enter(scope: VariableScope): void {
    this.#scope = scope;
    this.missing = undefined;
  }

  leave(): void {
    this.#scope = nothing;
  }

  override get(name: string): Json | bigint | undefined {
    const outer = outerName(name);
    const value = this.#scope.get(outer);
    if (value === undefined) this.missing = outer;
    if (typeof value === "number" && Number.isSafeInteger(value) && this.#scope.isInteger(outer)) return BigInt(value);
    return value;
  }
}
