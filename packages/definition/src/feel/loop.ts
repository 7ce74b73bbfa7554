import { stepCost } from "../expression/meter.ts";
import { type FeelCompiler, nameOf } from "./compiler.ts";
import { numbersBetween } from "./operator.ts";
import { type FeelNode, sizeOf } from "./parse.ts";
import { BoundName, FeelFailure, ItemNames, type Names, type Run } from "./run.ts";
import { compileTest } from "./unary-test.ts";
import type { FeelValue } from "./value.ts";

/** One `name in list` of a loop. */
interface Iteration {
  readonly name: string;
  /** What it takes to ask for its values. */
  readonly cost: number;
  readonly values: (names: Names) => Iterable<FeelValue>;
}

function compileIterations(node: FeelNode, compiler: FeelCompiler): Iteration[] {
  const iterations: Iteration[] = [];
  for (const part of node.parts) {
    const known = iterations.map((iteration) => iteration.name);
    const name = nameOf(compiler.part(part, 0));
    const values = compiler.within(known, () => compileValues(compiler.part(part, -1), compiler));
    iterations.push({ name, values, cost: stepCost(sizeOf(compiler.part(part, -1))) });
  }
  return iterations;
}

function compileValues(node: FeelNode, compiler: FeelCompiler): Iteration["values"] {
  const { run } = compiler;
  const from = compiler.compile(compiler.part(node, 0));
  if (node.parts.length > 1) {
    const to = compiler.compile(compiler.part(node, 2));
    return (names) => numbersBetween([from(names), to(names)], run);
  }
  return (names) => {
    const list = from(names);
    if (Array.isArray(list)) return list;
    if (list === null) throw new FeelFailure("expression-failed", "Expected a list to go through, but it is null");
    return [list];
  };
}

/** Every combination, the last name changing fastest. */
function* combinations(
  loop: { readonly iterations: readonly Iteration[]; readonly charge: (cost: number) => void; readonly cost: number },
  names: Names,
  at = 0,
): IterableIterator<Names> {
  const iteration = loop.iterations[at];
  if (iteration === undefined) {
    loop.charge(loop.cost);
    yield names;
    return;
  }
  loop.charge(iteration.cost);
  for (const value of iteration.values(names)) {
    yield* combinations(loop, new BoundName(iteration.name, () => value, names), at + 1);
  }
}

function compileLoop(
  node: FeelNode,
  compiler: FeelCompiler,
  alsoKnown: readonly string[],
): {
  readonly each: (names: Names) => IterableIterator<Names>;
  readonly body: Run;
} {
  const iterations = compileIterations(compiler.part(node, 1), compiler);
  const known = [...iterations.map((iteration) => iteration.name), ...alsoKnown];
  const body = compiler.within(known, () => compiler.compile(compiler.part(node, -1)));
  const cost = stepCost(sizeOf(compiler.part(node, -1)));
  const loop = { iterations, cost, charge: (units: number) => compiler.run.meter.charge(units) };
  return { each: (names) => combinations(loop, names), body };
}

/** `partial` is what the loop has given so far. */
export function compileFor(node: FeelNode, compiler: FeelCompiler): Run {
  const { each, body } = compileLoop(node, compiler, ["partial"]);
  return (names) => {
    const results: FeelValue[] = [];
    const partial = () => {
      compiler.run.meter.charge(results.length);
      return [...results];
    };
    for (const inner of each(names)) results.push(body(new BoundName("partial", partial, inner)));
    return results;
  };
}

export function compileQuantified(node: FeelNode, compiler: FeelCompiler): Run {
  const decides = compiler.part(node, 0).kind === "some";
  const { each, body } = compileLoop(node, compiler, []);
  return (names) => {
    for (const inner of each(names)) if ((body(inner) === true) === decides) return decides;
    return !decides;
  };
}

/**
 * `list[3]`, `list[-1]`, `list[item > 2]`, `list[price > 2]`, `list[> 2]`. Whether a filter is a number or a condition
 * shows when it is evaluated.
 */
export function compileFilter(node: FeelNode, compiler: FeelCompiler): Run {
  const target = compiler.compile(compiler.part(node, 0));
  const inside = compiler.part(node, 2);
  // An entry of the elements looks like a variable here, and nobody can tell which it is.
  const filter =
    inside.kind === "SimplePositiveUnaryTest"
      ? compileTest(inside, compiler)
      : compiler.within(["item"], () => compiler.compile(inside));
  const cost = stepCost(sizeOf(inside));
  const { run } = compiler;
  return (names) => {
    const value = target(names);
    if (value === null) return null;
    const list = Array.isArray(value) ? value : [value];
    const kept: FeelValue[] = [];
    for (const [index, item] of list.entries()) {
      run.meter.charge(cost);
      const result = filter(new ItemNames(item, names));
      if (typeof result === "number" && index === 0) return at(list, result) ?? null;
      if (result === true) kept.push(item);
    }
    if (list.length === 0 && inside.kind === "NumericLiteral") return null;
    return kept;
  };
}

function at(list: readonly FeelValue[], index: number): FeelValue {
  return index < 0 ? list.at(index) : list[index - 1];
}
