import type { Evaluation, Expression, VariableScope } from "@tutti/kernel";
import type { DefinitionErrorCode } from "../errors.ts";
import { CompilationCache } from "../expression/cache.ts";
import { toJson } from "../expression/json.ts";
import { CostExceeded, Meter } from "../expression/meter.ts";
import { limits } from "../limits.ts";
import { compilers } from "./compile.ts";
import { FeelCompiler } from "./compiler.ts";
import { type FeelGrammar, parseFeel } from "./parse.ts";
import { Evaluating, FeelFailure, type Run, ScopeNames } from "./run.ts";
import { type FeelValue, foreignToJson } from "./value.ts";

/** FEEL ready to run, and the variables it reads from outside. */
export interface CompiledFeel {
  readonly run: Run;
  readonly reads: readonly string[];
}

export type FeelCompilation =
  | { readonly ok: true; readonly expression: CompiledFeel }
  | { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string };

/**
 * Evaluates FEEL (DMN 1.5): deterministic, total, bounded by counted work. The grammar and most functions are the
 * library's; what loops, reads variables or matches patterns is compiled here, since the library has no budget.
 * One evaluation at a time: evaluating never calls back.
 */
export class FeelEvaluator {
  readonly #run: Evaluating = new Evaluating(new Meter(limits.feelCostMax));
  readonly #compiled = new CompilationCache<FeelCompilation>();

  compile(text: string, grammar: FeelGrammar = { top: "Expression" }): FeelCompilation {
    const key = `${grammar.top} ${JSON.stringify(grammar.names ?? [])} ${text}`;
    return this.#compiled.get(key, () => this.#compile(text, grammar));
  }

  #compile(text: string, grammar: FeelGrammar): FeelCompilation {
    const parsed = parseFeel(text, grammar);
    if (!parsed.ok) return parsed;
    try {
      const compiler = new FeelCompiler(this.#run, compilers);
      const run = compiler.compile(parsed.root);
      return { ok: true, expression: { run, reads: [...compiler.reads] } };
    } catch (error) {
      return this.#failure(error);
    }
  }

  evaluate(expression: Expression, scope: VariableScope): Evaluation {
    const compiled = this.compile(expression.text);
    if (!compiled.ok) return compiled;
    return this.answer(() => compiled.expression.run(new ScopeNames(scope)));
  }

  /** One evaluation of any shape: what it gives as JSON, with the budget, warnings and failures of an expression. */
  answer(compute: (run: Evaluating) => FeelValue): Evaluation {
    this.#run.begin();
    try {
      const json = toJson(compute(this.#run), this.#run.meter, foreignToJson);
      if (!json.ok) {
        return { ok: false, code: json.overflow ? "expression-overflow" : "expression-result", message: json.message };
      }
      const { warnings } = this.#run;
      return warnings.length === 0 ? json : { ...json, warnings };
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string } {
    // A stack that overflows ends what the budget would have ended a little later.
    if (error instanceof CostExceeded || error instanceof RangeError) {
      return { ok: false, code: "expression-cost", message: new CostExceeded(limits.feelCostMax).message };
    }
    const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]?.slice(0, 500) ?? "";
    return { ok: false, code: error instanceof FeelFailure ? error.code : "expression-failed", message };
  }
}
