import { evaluate, FeelFunction } from "feelin";
import { listFunctions } from "./list-function.ts";
import { numberFunctions } from "./number-function.ts";
import { rangeFunctions } from "./range-function.ts";
import type { Builtin, Evaluating } from "./run.ts";
import { textFunctions } from "./text-function.ts";
import { timeFunctions } from "./time-function.ts";
import { type FeelValue, typeOf } from "./value.ts";

/** The library's functions that are taken as they are: what it lacks or gives otherwise than the standard is ours. */
const names: readonly string[] = (
  "number,string,date,time,duration,not,string length,upper case,lower case,substring before,substring after,contains," +
  "starts with,ends with,string join,list contains,list replace,count,sum,mean,all,any,sublist,append,concatenate," +
  "remove,reverse,index of,union,distinct values,flatten,product,stddev,mode,abs,modulo,sqrt,log,exp,odd,even,is," +
  "before,after,meets,met by,overlaps,includes,day of year,day of week,month of year,week of year,sort,get entries," +
  "context,context merge,context put"
).split(",");

/** Functions that give something else each time. */
export const unrepeatable: ReadonlySet<string> = new Set(["now", "today", "uuid", "random number"]);

/** Functions that compare every element with every other. */
const quadratic: ReadonlySet<string> = new Set(["union", "distinct values", "duplicate values"]);
/** Functions for which null is an answer rather than a failure. */
const nullable: ReadonlySet<string> = new Set([
  "get value",
  "min",
  "max",
  "sum",
  "mean",
  "median",
  "product",
  "list replace",
]);

type LibraryFunction = ((...args: FeelValue[]) => FeelValue) & { readonly $args: readonly string[] };

function fromLibrary(name: string): Builtin {
  const found = evaluate(name).value as LibraryFunction;
  return { parameters: found.$args, call: (args) => found(...args) };
}

/** Made when the first expression needs it: asking the library for each takes longer than most commands. */
let made: ReadonlyMap<string, Builtin> | undefined;

function builtins(): ReadonlyMap<string, Builtin> {
  made ??= new Map([
    ...names.map((name): [string, Builtin] => [name, fromLibrary(name)]),
    ...[textFunctions, listFunctions, numberFunctions, timeFunctions, rangeFunctions].flatMap(Object.entries<Builtin>),
  ]);
  return made;
}

export function isBuiltin(name: string): boolean {
  return builtins().has(name);
}

/** A function of the standard as a value of one evaluation, whose budget it uses. */
export function builtinOf(name: string, run: Evaluating): FeelFunction | undefined {
  const builtin = builtins().get(name);
  if (builtin === undefined) return undefined;
  return new FeelFunction((...args: FeelValue[]) => callBuiltin({ name, builtin }, args, run), [...builtin.parameters]);
}

function callBuiltin(
  called: { readonly name: string; readonly builtin: Builtin },
  args: readonly FeelValue[],
  run: Evaluating,
): FeelValue {
  const { name, builtin } = called;
  chargeArguments(name, args, run);
  const result = builtin.call(args, run);
  if (isRefusal(result)) return run.warn(`Expected other arguments of ${name}: ${result.template}`);
  if (result === null || result === undefined) {
    if (!nullable.has(name))
      run.warn(`Expected other arguments of ${name}, but they are ${args.map(typeOf).join(", ")}`);
    return null;
  }
  run.meter.charge(typeof result === "string" ? result.length >> 6 : Array.isArray(result) ? result.length : 1);
  return result;
}

function chargeArguments(name: string, args: readonly FeelValue[], run: Evaluating): void {
  const { meter } = run;
  meter.charge(5);
  for (const arg of args) {
    // The size of a list is stored, not counted.
    if (name !== "count" && typeOf(arg) !== "function") meter.chargeDeep(arg);
    if (quadratic.has(name) && Array.isArray(arg)) meter.charge((arg.length * arg.length) >> 3);
  }
  // Joined, the text between stands once per entry.
  const [list, between] = args;
  if (name === "string join" && Array.isArray(list) && typeof between === "string") {
    meter.charge((list.length * between.length) >> 6);
  }
}

interface Refusal {
  readonly warning: string;
  readonly template: string;
}

/** How the library says that arguments do not fit: a value of a class that it keeps to itself. */
function isRefusal(value: FeelValue): value is Refusal {
  const refusal = typeOf(value) === "context" ? (value as Partial<Refusal>) : undefined;
  return typeof refusal?.template === "string" && Object.getPrototypeOf(refusal) !== Object.prototype;
}
