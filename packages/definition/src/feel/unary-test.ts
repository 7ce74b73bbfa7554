import type { FeelCompiler } from "./compiler.ts";
import { anyOf, fits, holds } from "./operator.ts";
import type { FeelNode } from "./parse.ts";
import type { Run } from "./run.ts";

/**
 * A test of the value that is bound to `?`: an interval, a comparison without its left side, an expression about `?`
 * itself, or else a value that it equals or a list that contains it. Gives true, false or null.
 */
export function compileTest(node: FeelNode, compiler: FeelCompiler): Run {
  const first = compiler.part(node, 0);
  if (node.kind === "PositiveUnaryTest" && first.kind === "SimplePositiveUnaryTest")
    return compileTest(first, compiler);
  const { run } = compiler;
  if (first.kind === "CompareOp") {
    const operand = compiler.compile(compiler.part(node, 1));
    return (names) => holds(first.text, [names.find("?") ?? null, operand(names)], run);
  }
  const isTest = node.kind === "PositiveUnaryTest" || node.kind === "SimplePositiveUnaryTest";
  const expression = compiler.compile(isTest ? first : node);
  if (asksAbout(first)) return (names) => expression(names) === true;
  return (names) => fits(names.find("?") ?? null, expression(names), run);
}

function asksAbout(node: FeelNode): boolean {
  return node.kind === "?" || node.parts.some(asksAbout);
}

/** The cell of a decision table: `-` fits everything, several tests are alternatives, `not(…)` turns them round. */
export function compileUnaryTests(node: FeelNode, compiler: FeelCompiler): Run {
  if (compiler.part(node, 0).kind === "Wildcard") return () => true;
  const listed = node.parts.find((part) => part.kind === "PositiveUnaryTests");
  const tests = (listed?.parts ?? []).map((part) => compileTest(part, compiler));
  const negated = compiler.part(node, 0).kind === "not";
  return (names) => {
    const result = anyOf(tests.map((test) => test(names) as boolean | null));
    return negated && result !== null ? !result : result;
  };
}
