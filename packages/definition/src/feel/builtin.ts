import { evaluate, FeelFunction } from "feelin";
import { RE2JS } from "re2js";
import { matchesIn, matchesLinear } from "../expression/pattern.ts";
import { type Evaluating, FeelFailure } from "./run.ts";
import { type FeelValue, typeOf, withLibrary } from "./value.ts";

/** The library's functions that are taken as they are. Clocks are not among them; patterns are replaced below. */
const names: readonly string[] = (
  "number,string,date,time,duration,not,substring,string length,upper case,lower case,substring before," +
  "substring after,contains,starts with,ends with,string join,list contains,list replace,count,min,max,sum,mean,all," +
  "any,sublist,append,concatenate,insert before,remove,reverse,index of,union,distinct values,flatten,product,stddev," +
  "mode,decimal,floor,ceiling,abs,round up,round down,round half up,round half down,modulo,sqrt,log,exp,odd,even,is," +
  "before,after,meets,met by,overlaps,includes,day of year,day of week,month of year,week of year,sort,get value," +
  "get entries,context,context merge,context put"
).split(",");

export const clockFunctions: ReadonlySet<string> = new Set(["now", "today"]);

/** Functions that compare every element with every other. */
const quadratic: ReadonlySet<string> = new Set(["union", "distinct values"]);
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

type Call = (args: readonly FeelValue[], run: Evaluating) => FeelValue;

interface Builtin {
  readonly parameters: readonly string[];
  readonly call: Call;
}

const special: { readonly [name: string]: Builtin } = {
  "date and time": {
    parameters: ["date", "time", "from"],
    call: (args, run) => libraryCall("date and time", args, run),
  },
  "years and months duration": {
    parameters: ["from", "to"],
    call: (args, run) => libraryCall("years and months duration", args, run),
  },
  matches: {
    parameters: ["input", "pattern", "flags"],
    call: (args, run) => {
      const [input, pattern, flags] = texts(args);
      if (input === undefined || pattern === undefined) return null;
      if (flags === undefined) return matchesLinear(input, pattern, run.meter);
      return !matchesIn({ text: input, pattern, flags: flagsOf(flags) }, run.meter).next().done;
    },
  },
  replace: { parameters: ["input", "pattern", "replacement", "flags"], call: replace },
  split: { parameters: ["string", "delimiter"], call: split },
  median: { parameters: ["...list"], call: median },
};

function texts(args: readonly FeelValue[]): (string | undefined)[] {
  return args.map((arg) => (typeof arg === "string" ? arg : undefined));
}

const flagBits: { readonly [flag: string]: number } = {
  s: RE2JS.DOTALL,
  m: RE2JS.MULTILINE,
  i: RE2JS.CASE_INSENSITIVE,
};

function flagsOf(flags: string): number {
  let bits = 0;
  for (const flag of flags) {
    const bit = flagBits[flag];
    if (bit === undefined)
      throw new FeelFailure("expression-failed", `Expected the flags s, m and i, but found ${flag}`);
    bits |= bit;
  }
  return bits;
}

function replace(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern, replacement, flags] = texts(args);
  if (text === undefined || pattern === undefined || replacement === undefined) return null;
  let result = "";
  let from = 0;
  for (const match of matchesIn({ text, pattern, flags: flagsOf(flags ?? "") }, run.meter)) {
    const filled = replacement.replaceAll(/\$(\d)/g, (_whole, group: string) => match.groups[Number(group)] ?? "");
    run.meter.charge((filled.length >> 6) + 1);
    result += text.slice(from, match.start) + filled;
    from = match.end;
  }
  return result + text.slice(from);
}

function split(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern] = texts(args);
  if (text === undefined || pattern === undefined) return null;
  const parts: string[] = [];
  let from = 0;
  for (const match of matchesIn({ text, pattern, flags: 0 }, run.meter)) {
    // Between nothing and nothing there is no part.
    if (match.end === match.start && (match.start === 0 || match.start === text.length)) continue;
    parts.push(text.slice(from, match.start));
    from = match.end;
  }
  return [...parts, text.slice(from)];
}

/** The library orders numbers as texts here: it says that 10 is the median of 1, 9 and 10. */
function median(args: readonly FeelValue[]): FeelValue {
  const list = Array.isArray(args[0]) && args.length === 1 ? (args[0] as FeelValue[]) : args;
  if (list.length === 0 || !list.every((one): one is number => typeof one === "number")) return null;
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] as number;
  return sorted.length % 2 === 1 ? middle : ((sorted[sorted.length / 2 - 1] as number) + middle) / 2;
}

/** The library's parser alone knows some functions, those whose names contain a word of the language. */
function libraryCall(name: string, args: readonly FeelValue[], run: Evaluating): FeelValue {
  const given = args.map((arg, index): [string, FeelValue] => [`a${index}`, arg]);
  const expression = `${name}(${given.map(([parameter]) => parameter).join(", ")})`;
  return withLibrary(expression, Object.fromEntries(given), run.meter);
}

type LibraryFunction = ((...args: FeelValue[]) => FeelValue) & { readonly $args: readonly string[] };

function fromLibrary(name: string): Builtin {
  const found = evaluate(name).value as LibraryFunction;
  return { parameters: found.$args, call: (args) => found(...args) };
}

/** Made when the first expression needs it: asking the library for each takes longer than most commands. */
let made: ReadonlyMap<string, Builtin> | undefined;

function builtins(): ReadonlyMap<string, Builtin> {
  made ??= new Map([...names.map((name): [string, Builtin] => [name, fromLibrary(name)]), ...Object.entries(special)]);
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
