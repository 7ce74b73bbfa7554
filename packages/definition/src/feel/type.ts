import type { FeelCompiler } from "./compiler.ts";
import type { FeelNode } from "./parse.ts";
import type { Run } from "./run.ts";
import { type FeelContext, type FeelValue, normalName, propertyOf, typeOf } from "./value.ts";

type IsOfType = (value: FeelValue) => boolean;

/** `value instanceof type`, for the types of the standard. */
export function compileInstanceOf(node: FeelNode, compiler: FeelCompiler): Run {
  const value = compiler.compile(compiler.part(node, 0));
  const test = compileType(compiler.part(node, -1), compiler);
  return (names) => test(value(names));
}

const named: { readonly [name: string]: IsOfType } = {
  Any: (value) => value !== null,
  Null: (value) => value === null,
  "days and time duration": (value) => typeOf(value) === "duration" && !isYearly(value),
  "years and months duration": (value) => typeOf(value) === "duration" && isYearly(value),
};

const plain: ReadonlySet<string> = new Set(
  "number,string,boolean,date,time,date and time,duration,context,list,range,function".split(","),
);

function isYearly(value: FeelValue): boolean {
  return (value as { readonly yearsMonths?: boolean }).yearsMonths === true;
}

function compileType(node: FeelNode, compiler: FeelCompiler): IsOfType {
  const inner = node.kind === "Type" ? compiler.part(node, 0) : node;
  if (inner.kind === "ListType") {
    const element = compileType(compiler.part(inner, 2), compiler);
    return (value) => Array.isArray(value) && value.every(element);
  }
  if (inner.kind === "ContextType") return contextType(inner, compiler);
  if (inner.kind === "FunctionType") return (value) => typeOf(value) === "function";
  const name = normalName(inner.text);
  const test = named[name];
  if (test !== undefined) return test;
  if (!plain.has(name)) throw compiler.refused(inner, `Expected a type of FEEL, but found ${name}`);
  return (value) => typeOf(value) === name;
}

function contextType(node: FeelNode, compiler: FeelCompiler): IsOfType {
  const entries = (node.parts.find((part) => part.kind === "ContextEntryTypes")?.parts ?? [])
    .filter((part) => part.kind === "ContextEntryType")
    .map((part): [string, IsOfType] => [
      normalName(compiler.part(part, 0).text),
      compileType(compiler.part(part, -1), compiler),
    ]);
  return (value) =>
    typeOf(value) === "context" &&
    entries.every(([name, test]) => test(propertyOf(value as FeelContext, name) ?? null));
}
