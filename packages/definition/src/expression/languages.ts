import type { Evaluation, Expression, VariableScope } from "@tutti/kernel";
import { DecisionEvaluator } from "../dmn/evaluator.ts";
import type { DefinitionErrorCode } from "../errors.ts";
import { FeelEvaluator } from "../feel/evaluator.ts";
import { Evaluator } from "./evaluator.ts";

/** What every language can say about a text before it is evaluated. */
export type Compiled =
  | { readonly ok: true; readonly expression: { readonly reads: readonly string[] } }
  | { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string };

interface Language {
  compile(text: string): Compiled;
  evaluate(expression: Expression, scope: VariableScope): Evaluation;
}

/** Every expression language, each with its own cache. */
export class Languages {
  readonly #languages: { readonly [L in Expression["language"]]: Language } = {
    cel: new Evaluator(),
    feel: new FeelEvaluator(),
    dmn: new DecisionEvaluator(),
  };

  compile(expression: Expression): Compiled {
    return this.#of(expression)?.compile(expression.text) ?? unknown(expression);
  }

  evaluate(expression: Expression, scope: VariableScope): Evaluation {
    return this.#of(expression)?.evaluate(expression, scope) ?? unknown(expression);
  }

  /** A program may have been written by a later version, with a language that is not here. */
  #of(expression: Expression): Language | undefined {
    return Object.hasOwn(this.#languages, expression.language) ? this.#languages[expression.language] : undefined;
  }
}

function unknown(expression: Expression): { ok: false; code: DefinitionErrorCode; message: string } {
  const message = `Expected a known language, but the expression is in ${expression.language}`;
  return { ok: false, code: "expression-language-unknown", message };
}
