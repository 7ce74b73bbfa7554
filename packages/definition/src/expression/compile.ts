import { Environment } from "@marcbachmann/cel-js";
import type { DefinitionErrorCode } from "../errors.ts";
import { limits } from "../limits.ts";
import { CostExceeded, type Meter } from "./meter.ts";
import { meterErrors, meterNode } from "./metered.ts";
import { type CelNode, children, eachNode } from "./node.ts";
import { matchesLinear } from "./pattern.ts";
import { isTypeName, outerName, type Renamed, renameReserved } from "./reserved.ts";

/** A CEL expression ready to run, and the variables it reads from outside. */
export interface CompiledExpression {
  readonly run: (scope: ReadonlyMap<string, unknown>) => unknown;
  readonly reads: readonly string[];
}

export type Compilation =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string };

/** Compiles CEL text against one meter. Never throws. The text decides the result, so it may be cached by text. */
export class Compiler {
  readonly #environment: Environment;
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#environment = environment(meter);
  }

  compile(text: string): Compilation {
    if (text.length > limits.expressionCharactersMax) {
      const message = `Expected at most ${limits.expressionCharactersMax} characters, but the expression has ${text.length}`;
      return { ok: false, code: "expression-too-large", message };
    }
    const renamed = renameReserved(text);
    try {
      const parsed = this.#environment.parse(renamed.text);
      const tree = parsed.ast as unknown as CelNode;
      const reads = new Set<string>();
      const refused = inspect(tree, new Set(), reads);
      if (refused !== undefined) return { ok: false, code: "expression-function-refused", message: refused };
      const checked = parsed.check();
      if (!checked.valid) return failure(checked.error, renamed);
      const errorCost = 400 + (text.length >> 3);
      eachNode(tree, (node) => {
        meterNode(node, this.#meter);
        meterErrors(node, errorCost, this.#meter);
      });
      return {
        ok: true,
        expression: { run: (scope) => parsed(scope as Map<string, unknown>), reads: [...reads].map(outerName) },
      };
    } catch (error) {
      return failure(error, renamed);
    }
  }
}

function environment(meter: Meter): Environment {
  const env = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: limits.expressionNodesMax,
      maxDepth: limits.expressionDepthMax,
      maxListElements: limits.expressionNodesMax,
      maxMapEntries: limits.expressionNodesMax,
    },
  });
  // JSON numbers are doubles while the literal 1 is an int: without these, `item.size + 1` would always fail.
  for (const [left, right] of [
    ["int", "double"],
    ["double", "int"],
  ]) {
    env.registerOperator(`${left} + ${right}`, (a, b) => Number(a) + Number(b));
    env.registerOperator(`${left} - ${right}`, (a, b) => Number(a) - Number(b));
    env.registerOperator(`${left} * ${right}`, (a, b) => Number(a) * Number(b));
    env.registerOperator(`${left} / ${right}`, (a, b) => Number(a) / Number(b));
  }
  const sync = { async: false };
  const matches = (text: string, pattern: string) => matchesLinear(text, pattern, meter);
  env.registerFunction("string.matchesLinear(string): bool", matches, sync);
  env.registerFunction("instant(string): google.protobuf.Timestamp", instantOf, sync);
  env.registerFunction(
    "instant(int): google.protobuf.Timestamp",
    (seconds: bigint) => date(Number(seconds) * 1000),
    sync,
  );
  return env;
}

/** The functions of the library that ask the machine are exchanged for ours before anything is evaluated. */
const exchanged: Readonly<Record<string, string>> = { matches: "matchesLinear", timestamp: "instant" };

function instantOf(text: string): Date {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw new Error(`Expected an instant with its offset, but found ${JSON.stringify(text.slice(0, 40))}`);
  }
  return date(Date.parse(text));
}

function date(ms: number): Date {
  if (!(Math.abs(ms) <= 253_402_300_799_999)) throw new Error("Expected an instant before the year 10 000");
  return new Date(ms);
}

function failure(error: unknown, renamed: Renamed): Compilation {
  if (error instanceof CostExceeded) return { ok: false, code: "expression-cost", message: error.message };
  const { summary, range, message: text } = error as { summary?: string; range?: { start: number }; message?: string };
  const what = (summary ?? text ?? String(error)).split("\n")[0]?.slice(0, 300) ?? "";
  const at = range === undefined ? "" : ` at character ${renamed.original(range.start) + 1}`;
  const tooLarge = /^Exceeded max/.test(what) || error instanceof RangeError;
  const message = `Expected a CEL expression, but ${what.replaceAll(/\b__(?=[a-z])/g, "")}${at}`;
  return { ok: false, code: tooLarge ? "expression-too-large" : "expression-syntax", message };
}

const quantifiers: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);
/** Date parts are only deterministic in UTC: with a zone, or by day of year, the library asks the machine's own zone. */
const zoned = /^get(?:Date|DayOfMonth|DayOfWeek|DayOfYear|FullYear|Hours|Milliseconds|Minutes|Month|Seconds)$/;

/** Collects free variables, points `matches` at the linear-time matcher, and says what it must refuse. */
function inspect(node: CelNode, bound: ReadonlySet<string>, reads: Set<string>): string | undefined {
  if (node.op === "id") {
    const name = node.args as string;
    if (!bound.has(name) && !isTypeName(name)) reads.add(name);
    return undefined;
  }
  if (node.op === "call" || node.op === "rcall") {
    const parts = node.args as [string, ...unknown[]];
    parts[0] = exchanged[parts[0]] ?? parts[0];
  }
  if (node.op === "rcall") return inspectMethod(node, bound, reads);
  for (const child of children(node)) {
    const refused = inspect(child, bound, reads);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function inspectMethod(node: CelNode, bound: ReadonlySet<string>, reads: Set<string>): string | undefined {
  const parts = node.args as unknown as [string, CelNode, CelNode[]];
  const [name, receiver, args] = parts;
  if (zoned.test(name) && (args.length > 0 || name === "getDayOfYear")) {
    return `Expected a function that gives the same everywhere, but ${name} with a zone asks this machine`;
  }
  const first = args[0];
  const binds = first?.op === "id" && (quantifiers.has(name) || (name === "bind" && isId(receiver, "cel")));
  const inner = binds ? new Set([...bound, first.args as unknown as string]) : bound;
  const rest = binds ? args.slice(1) : args;
  if (!(name === "bind" && isId(receiver, "cel"))) {
    const refused = inspect(receiver, bound, reads);
    if (refused !== undefined) return refused;
  }
  for (const child of rest) {
    const refused = inspect(child, inner, reads);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function isId(node: CelNode, name: string): boolean {
  return node.op === "id" && (node.args as unknown as string) === name;
}
