import { builtinOf } from "./builtin.ts";
import { compileCall, compileFunction } from "./call.ts";
import { type Compile, type FeelCompiler, nameOf } from "./compiler.ts";
import { compileFilter, compileFor, compileQuantified } from "./loop.ts";
import { calculate, fits, holds, rangeOf } from "./operator.ts";
import type { FeelNode } from "./parse.ts";
import { BoundName, FeelFailure, type Run } from "./run.ts";
import { compileInstanceOf } from "./type.ts";
import { compileTest, compileUnaryTests } from "./unary-test.ts";
import { contextOf, type FeelValue, normalName, propertyOf, typeOf, writtenValue } from "./value.ts";

/** How each kind of node is compiled; a kind that is not here is refused. */
export const compilers: { readonly [kind: string]: Compile } = {
  Expression: (node, compiler) => compiler.compile(compiler.part(node, -1)),
  ParenthesizedExpression: (node, compiler) => compiler.compile(compiler.part(node, 1)),
  FunctionBody: (node, compiler) => compiler.compile(compiler.part(node, 0)),
  UnaryTests: compileUnaryTests,
  PositiveUnaryTest: compileTest,
  SimplePositiveUnaryTest: compileRange,
  NumericLiteral: compileNumber,
  StringLiteral: (node) => constant(textOf(node.text)),
  BooleanLiteral: (node) => constant(node.text === "true"),
  null: () => constant(null),
  "?": () => (names) => names.find("?") ?? null,
  VariableName: compileVariable,
  PathExpression: compilePath,
  ArithmeticExpression: compileArithmetic,
  Comparison: compileComparison,
  Conjunction: (node, compiler) => compileLogic(node, compiler, false),
  Disjunction: (node, compiler) => compileLogic(node, compiler, true),
  IfExpression: compileIf,
  List: compileList,
  Context: compileContext,
  Interval: compileInterval,
  ForExpression: compileFor,
  QuantifiedExpression: compileQuantified,
  FilterExpression: compileFilter,
  FunctionInvocation: compileCall,
  FunctionDefinition: compileFunction,
  DateTimeLiteral: compileDate,
  InstanceOfExpression: compileInstanceOf,
};

function constant(value: FeelValue): Run {
  return () => value;
}

function compileNumber(node: FeelNode): Run {
  const value = Number(node.text);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new FeelFailure(
      "expression-overflow",
      `Expected a number within ±(2^53 − 1), but found ${node.text.slice(0, 40)}`,
    );
  }
  return constant(value);
}

const escapes: { readonly [sign: string]: string } = { n: "\n", r: "\r", t: "\t" };

/** What a text in quotes means. */
function textOf(literal: string): string {
  return literal.slice(1, -1).replaceAll(/\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|[\s\S])/g, (escaped) => {
    const sign = escaped.slice(1, 2);
    if (escaped.length === 2) return escapes[sign] ?? sign;
    const point = Number.parseInt(escaped.slice(2), 16);
    return point > 0x10_ff_ff ? "\ufffd" : String.fromCodePoint(point);
  });
}

function compileVariable(node: FeelNode, compiler: FeelCompiler): Run {
  const name = nameOf(node);
  const { run } = compiler;
  compiler.read(name);
  return (names) => {
    const value = names.find(name);
    if (value !== undefined) return value;
    const builtin = builtinOf(name, run);
    if (builtin !== undefined) return builtin;
    throw new FeelFailure("variable-missing", `Expected the variable ${name} to be set, but it is not`);
  };
}

function compilePath(node: FeelNode, compiler: FeelCompiler): Run {
  const target = compiler.compile(compiler.part(node, 0));
  const name = nameOf(compiler.part(node, -1));
  const { run } = compiler;
  const own = (value: FeelValue): FeelValue => {
    const found = propertyOf(value, name);
    return found === undefined ? run.warn(`Expected ${name} in a value, but the ${typeOf(value)} has none`) : found;
  };
  return (names) => {
    const value = target(names);
    if (!Array.isArray(value)) return own(value);
    run.meter.charge(value.length);
    return value.map(own);
  };
}

function compileArithmetic(node: FeelNode, compiler: FeelCompiler): Run {
  const { run } = compiler;
  if (node.parts.length === 2) {
    const operand = compiler.compile(compiler.part(node, 1));
    return (names) => {
      const value = operand(names);
      return typeOf(value) === "duration" ? calculate("*", [value, -1], run) : calculate("-", [0, value], run);
    };
  }
  const left = compiler.compile(compiler.part(node, 0));
  const sign = compiler.part(node, 1).text;
  const right = compiler.compile(compiler.part(node, 2));
  return (names) => calculate(sign, [left(names), right(names)], run);
}

function compileComparison(node: FeelNode, compiler: FeelCompiler): Run {
  const { run } = compiler;
  const sign = compiler.part(node, 1);
  if (sign.kind === "between") {
    const [value, low, high] = [0, 2, 4].map((index) => compiler.compile(compiler.part(node, index))) as [
      Run,
      Run,
      Run,
    ];
    return (names) => {
      const between = rangeOf([low(names), high(names)], { startIncluded: true, endIncluded: true }, run);
      return between === null ? null : fits(value(names), between, run);
    };
  }
  if (sign.kind === "in") return compileIn(node, compiler);
  const [left, right] = [compiler.part(node, 0), compiler.part(node, 2)];
  // `x = null` is how FEEL asks whether there is an x at all.
  const asks = left.kind === "null" || right.kind === "null";
  const [a, b] = [left, right].map((side) => (asks ? orNull(side, compiler) : compiler.compile(side))) as [Run, Run];
  return (names) => holds(sign.text, [a(names), b(names)], run);
}

/** A variable that may be missing, where that is the question. */
function orNull(node: FeelNode, compiler: FeelCompiler): Run {
  if (node.kind !== "VariableName") return compiler.compile(node);
  const name = nameOf(node);
  return (names) => names.find(name) ?? null;
}

function compileIn(node: FeelNode, compiler: FeelCompiler): Run {
  const value = compiler.compile(compiler.part(node, 0));
  const listed = node.parts.find((part) => part.kind === "PositiveUnaryTests");
  const tests = (listed?.parts ?? [compiler.part(node, -1)]).map((part) => compileTest(part, compiler));
  return (names) => {
    const subject = value(names);
    const inner = new BoundName("?", () => subject, names);
    const results = tests.map((test) => test(inner));
    if (results.includes(true)) return true;
    return results.includes(null) ? null : false;
  };
}

/** FEEL's logic has three values: what decides wins, else null makes it null. */
function compileLogic(node: FeelNode, compiler: FeelCompiler, decides: boolean): Run {
  const left = compiler.compile(compiler.part(node, 0));
  const right = compiler.compile(compiler.part(node, 2));
  return (names) => {
    const a = left(names);
    if (a === decides) return decides;
    const b = right(names);
    if (b === decides) return decides;
    return a === !decides && b === !decides ? !decides : null;
  };
}

function compileIf(node: FeelNode, compiler: FeelCompiler): Run {
  const [condition, yes, no] = [1, 3, 5].map((index) => compiler.compile(compiler.part(node, index))) as [
    Run,
    Run,
    Run,
  ];
  return (names) => {
    const value = condition(names);
    if (typeof value !== "boolean") compiler.run.warn(`Expected true or false after if, but it is a ${typeOf(value)}`);
    return value === true ? yes(names) : no(names);
  };
}

function compileList(node: FeelNode, compiler: FeelCompiler): Run {
  const elements = node.parts.slice(1, -1).map((part) => compiler.compile(part));
  return (names) => {
    compiler.run.meter.charge(elements.length + 1);
    return elements.map((element) => element(names));
  };
}

/** An entry sees those before it. */
function compileContext(node: FeelNode, compiler: FeelCompiler): Run {
  const keys = node.parts.slice(1, -1).map((entry) => keyOf(compiler.part(compiler.part(entry, 0), 0)));
  const entries = node.parts.slice(1, -1).map((entry, index) => ({
    key: keys[index] as string,
    value: compiler.within(keys.slice(0, index), () => compiler.compile(compiler.part(entry, 1))),
  }));
  return (names) => {
    compiler.run.meter.charge(entries.length + 1);
    let inner = names;
    const found: [string, FeelValue][] = [];
    for (const { key, value } of entries) {
      const result = value(inner);
      found.push([key, result]);
      inner = new BoundName(normalName(key), () => result, inner);
    }
    return contextOf(found);
  };
}

function keyOf(node: FeelNode): string {
  return node.kind === "StringLiteral" ? textOf(node.text) : nameOf(node);
}

/** `[1..3]` and `< 3` as values: both are ranges. */
function compileRange(node: FeelNode, compiler: FeelCompiler): Run {
  const first = compiler.part(node, 0);
  if (first.kind !== "CompareOp") return compiler.compile(first);
  const end = compiler.compile(compiler.part(node, 1));
  const below = first.text.startsWith("<");
  const bounds = { startIncluded: first.text === ">=", endIncluded: first.text === "<=" };
  return (names) => rangeOf(below ? [null, end(names)] : [end(names), null], bounds, compiler.run);
}

function compileInterval(node: FeelNode, compiler: FeelCompiler): Run {
  const [from, to] = [compiler.compile(compiler.part(node, 1)), compiler.compile(compiler.part(node, 3))];
  const bounds = {
    startIncluded: compiler.part(node, 0).text === "[",
    endIncluded: compiler.part(node, 4).text === "]",
  };
  return (names) => rangeOf([from(names), to(names)], bounds, compiler.run);
}

/** `@"2026-01-31"` is read once; `date(…)` and its like are functions with names of their own. */
function compileDate(node: FeelNode, compiler: FeelCompiler): Run {
  const [first] = node.parts;
  if (first?.kind !== "AtLiteral") return compileCall(node, compiler);
  const literal = compiler.part(first, 0).text;
  const value = writtenValue(`@${literal}`);
  return () => value ?? compiler.run.warn(`Expected a date, time or duration, but found ${literal.slice(0, 40)}`);
}
