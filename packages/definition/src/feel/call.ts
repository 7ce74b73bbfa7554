import { FeelFunction, FeelRange } from "feelin";
import { stepCost } from "../expression/meter.ts";
import { builtinOf, unrepeatable } from "./builtin.ts";
import { type FeelCompiler, nameOf } from "./compiler.ts";
import { fits } from "./operator.ts";
import { type FeelNode, getOrElse, sizeOf } from "./parse.ts";
import { ContextNames, type Evaluating, FeelFailure, type Names, type Run } from "./run.ts";
import { contextOf, type FeelContext, type FeelValue, normalName, typeOf } from "./value.ts";

/** Arguments by position, or by name. */
type Arguments = (names: Names) => readonly FeelValue[] | FeelContext;

const constructors: ReadonlySet<string> = new Set(["DateTimeConstructor", "SpecialFunctionName"]);

export function compileCall(node: FeelNode, compiler: FeelCompiler): Run {
  const called = compiler.part(node, 0);
  const name = called.kind === "VariableName" || constructors.has(called.kind) ? nameOf(called) : undefined;
  if (name !== undefined && unrepeatable.has(name)) {
    throw compiler.refused(called, `Expected a function that gives the same in every replay, but ${name} does not`);
  }
  const { run } = compiler;
  const listed = node.parts.find((part) => part.kind === "PositionalParameters" || part.kind === "NamedParameters");
  if (name === "is defined" && listed !== undefined) return compileIsDefined(compiler.part(listed, 0), compiler);
  if (name === getOrElse && listed !== undefined) return compileGetOrElse(listed, compiler);
  const args = compileArguments(listed, compiler);
  const target = name === undefined ? compiler.compile(called) : compileNamed(called, compiler);
  return (names) => call(target(names), { args: args(names), name: name ?? "what is called" }, run);
}

/** A function by its name: of the standard, or one that a context, a parameter or a decision file defines. */
function compileNamed(called: FeelNode, compiler: FeelCompiler): Run {
  const name = nameOf(called);
  const { run } = compiler;
  if (constructors.has(called.kind)) return () => builtinOf(name, run) ?? null;
  compiler.read(name);
  return (names) => {
    const found = names.find(name) ?? builtinOf(name, run);
    if (found !== undefined) return found;
    const place = called.from + 1;
    throw new FeelFailure("variable-missing", `Expected a function, but there is no ${name} at character ${place}`);
  };
}

/** Whether there is a value at all: asking is no mistake. */
function compileIsDefined(node: FeelNode, compiler: FeelCompiler): Run {
  const value = compileOptional(node, compiler);
  return (names) => value(names) !== undefined;
}

/** The value, or the other one when it is null or not there. */
function compileGetOrElse(listed: FeelNode, compiler: FeelCompiler): Run {
  const value = compileOptional(compiler.part(listed, 0), compiler);
  const otherwise = compiler.compile(compiler.part(listed, 1));
  return (names) => value(names) ?? otherwise(names);
}

/** Undefined where a variable that it needs is missing. */
function compileOptional(node: FeelNode, compiler: FeelCompiler): Run {
  const value = compiler.compile(node);
  return (names) => {
    try {
      return value(names);
    } catch (error) {
      if (error instanceof FeelFailure && error.code === "variable-missing") return undefined;
      throw error;
    }
  };
}

function compileArguments(node: FeelNode | undefined, compiler: FeelCompiler): Arguments {
  if (node === undefined) return () => [];
  if (node.kind === "PositionalParameters") {
    const args = node.parts.map((part) => compiler.compile(part));
    return (names) => args.map((arg) => arg(names));
  }
  const named = node.parts.map((part): [string, Run] => [
    nameOf(compiler.part(part, 0)),
    compiler.compile(compiler.part(part, 1)),
  ]);
  return (names) => contextOf(named.map(([name, arg]) => [name, arg(names)]));
}

function call(
  target: FeelValue,
  given: { readonly args: readonly FeelValue[] | FeelContext; readonly name: string },
  run: Evaluating,
): FeelValue {
  if (target instanceof FeelRange && Array.isArray(given.args)) return fits(given.args[0] ?? null, target, run);
  if (!(target instanceof FeelFunction)) {
    throw new FeelFailure("expression-failed", `Expected a function, but ${given.name} is a ${typeOf(target)}`);
  }
  const { parameterNames } = target;
  const unknown = Array.isArray(given.args)
    ? given.args.length > parameterNames.length && parameterNames.at(-1)?.startsWith("...") !== true
    : Object.keys(given.args).some((name) => !parameterNames.includes(name) && !parameterNames.includes(`...${name}`));
  if (unknown) {
    const expected = parameterNames.length === 0 ? "no arguments" : parameterNames.join(", ");
    throw new FeelFailure("expression-failed", `Expected ${expected} for ${given.name}, but it is given others`);
  }
  return run.nested(() => target.invoke(given.args), stepCost(1)) ?? null;
}

export function compileFunction(node: FeelNode, compiler: FeelCompiler): Run {
  if (node.parts.some((part) => part.kind === "external")) {
    throw compiler.refused(node, "Expected a function written in FEEL, but it is external");
  }
  const listed = node.parts.find((part) => part.kind === "FormalParameters");
  const parameters = (listed?.parts ?? []).map((part) => normalName(compiler.part(part, 0).text));
  const body = compiler.within(parameters, () => compiler.compile(compiler.part(node, -1)));
  const cost = stepCost(sizeOf(compiler.part(node, -1)));
  const { run } = compiler;
  return (names) =>
    new FeelFunction((...args: FeelValue[]) => {
      const values = contextOf(parameters.map((parameter, index) => [parameter, args[index] ?? null]));
      // Sorting calls without the detour over `call`.
      return run.nested(() => body(new ContextNames(values, names)), cost);
    }, parameters);
}
