import type { Expression, Flow, Json, VariableDeclaration } from "@tutti/kernel";
import { limits } from "../limits.ts";
import { isExhaustive } from "../lint/structure.ts";
import { isGiven } from "../lint/variables.ts";
import { asWord, type Checked } from "./access.ts";
import type { Assignment } from "./assignment.ts";
import { type Finding, finding } from "./finding.ts";

type Values = ReadonlyMap<string, Json>;

/**
 * Gateways without a default route, tried with every combination of values that their conditions tell apart. What was
 * decided this way is named in `decided`, whether or not it was found wanting; of the others nothing is known.
 */
export function checkRoutes(
  checked: Checked,
  assignment: Assignment,
): { readonly findings: Finding[]; readonly decided: ReadonlySet<string> } {
  const findings: Finding[] = [];
  const decided = new Set<string>();
  for (const gateway of checked.compiled.program.elements) {
    if (gateway.kind !== "exclusive-gateway" && gateway.kind !== "inclusive-gateway") continue;
    const flows = checked.index.outgoing.get(gateway.id) ?? [];
    if (gateway.defaultFlow !== undefined || flows.some((flow) => flow.condition === undefined)) continue;
    const conditions = flows.map((flow) => flow.condition as Expression);
    const candidates = candidatesOf(checked, conditions);
    if (candidates === undefined) continue;
    decided.add(gateway.id);
    // A variable that nothing has set yet is null, or not there at all. Who writes two opposites means that there is one.
    const opposites = isExhaustive(conditions.map(({ text }) => text));
    for (const [name, values] of candidates) {
      const set = opposites || isGiven(checked, gateway, name) || assignment.isCertain(gateway, name);
      if (!set) values.push(null);
    }
    const gaps = combinations(candidates).filter((values) => !covers(checked, flows, values));
    if (gaps.length === 0) continue;
    const examples = examplesOf(gaps).map((gap) =>
      [...gap].map(([name, value]) => `${name} = ${shown(value)}`).join(" and "),
    );
    const message = `Expected a route out of ${gateway.id} for every value, but there is none when ${examples.join(", or when ")}`;
    findings.push(finding("gateway-not-exhaustive", message, { position: gateway.position, element: gateway.id }));
  }
  return { findings, decided };
}

/** A gap with nothing missing says enough; else one for each variable that may be missing, with as little more as can be. */
function examplesOf(gaps: readonly Values[]): readonly Values[] {
  const missing = (gap: Values) => [...gap.values()].filter((value) => value === null).length;
  const sorted = [...gaps].sort((a, b) => missing(a) - missing(b));
  const [first] = sorted;
  if (first === undefined || missing(first) === 0) return sorted.slice(0, 1);
  const byName = [...first.keys()].map((name) =>
    sorted.find((gap) => gap.get(name) === null && missing(gap) === missing(first)),
  );
  return [...new Set(byName.filter((gap) => gap !== undefined))];
}

function shown(value: Json): string {
  return value === null ? "null (not set)" : JSON.stringify(value);
}

function covers(checked: Checked, flows: readonly Flow[], values: Values): boolean {
  const scope = {
    get: (name: string) => values.get(name),
    isInteger: (name: string) => declarationOf(checked, name)?.type === "integer",
  };
  return flows.some((flow) => {
    const result = flow.condition === undefined ? undefined : checked.languages.evaluate(flow.condition, scope);
    return result?.ok === true && result.value === true;
  });
}

function declarationOf(checked: Checked, name: string): VariableDeclaration | undefined {
  return checked.compiled.program.variables.find((variable) => variable.name === name);
}

/** Undefined when a condition depends on more than plain values: then no list of values says it all. */
function candidatesOf(checked: Checked, conditions: readonly Expression[]): Map<string, Json[]> | undefined {
  const candidates = new Map<string, Json[]>();
  for (const condition of conditions) {
    const compilation = checked.languages.compile(condition);
    if (!compilation.ok) return undefined;
    for (const name of compilation.expression.reads) candidates.set(name, []);
  }
  const texts = conditions.map((condition) => condition.text);
  let count = 1;
  for (const [name, values] of candidates) {
    const found = valuesOf(name, declarationOf(checked, name)?.type ?? "any", texts);
    if (found === undefined) return undefined;
    values.push(...found);
    count *= values.length + 1;
    if (count > limits.routeCombinationsMax) return undefined;
  }
  return candidates.size === 0 ? undefined : candidates;
}

const literal = /"([^"\\]*)"|'([^'\\]*)'|(?<![\w.])(-?\d+(?:\.\d+)?)(?![\w.])/g;

/** Values that the conditions tell apart: those they name, and others around and beside them. */
function valuesOf(name: string, declared: string, texts: readonly string[]): Json[] | undefined {
  const all = texts.join(" ; ");
  // A field, an element or a function of it: its value is no plain one.
  const word = asWord(name);
  if (new RegExp(`${word}\\s*[.[(]|\\b(?:size|type|has)\\(`, "u").test(all)) return undefined;
  const strings: string[] = [];
  const numbers: number[] = [];
  for (const match of all.matchAll(literal)) {
    const text = match[1] ?? match[2];
    if (text !== undefined) strings.push(text);
    else numbers.push(Number(match[3]));
  }
  const compared = new RegExp(
    `${word}\\s*(?:[=!<>]=?|in)\\s*(["'[\\d\\-]|true|false)|(["'\\d]|true|false)\\s*[=!<>]=?\\s*${word}`,
    "u",
  ).exec(all);
  const sign = (compared?.[1] ?? compared?.[2] ?? "").charAt(0);
  const kind =
    declared !== "any" ? declared : /["'[]/.test(sign) ? "string" : /[\d-]/.test(sign) ? "number" : "boolean";
  if (kind === "boolean") return [true, false];
  if (kind === "string") return [...new Set([...strings, "something else"])];
  if (kind !== "number" && kind !== "integer") return undefined;
  return [...new Set(numbers.flatMap((number) => [number - 1, number, number + 1]))];
}

function combinations(candidates: ReadonlyMap<string, readonly Json[]>): Values[] {
  let all: Map<string, Json>[] = [new Map()];
  for (const [name, values] of candidates) {
    all = all.flatMap((before) => values.map((value) => new Map([...before, [name, value]])));
  }
  return all;
}
