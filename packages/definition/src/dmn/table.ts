import { BoundName, type Evaluating, FeelFailure, type Names, type Run } from "../feel/run.ts";
import { contextOf, equal, type FeelValue } from "../feel/value.ts";
import type { Aggregator, DecisionTable, TableOutput } from "./model.ts";

export type CompileCell = (text: string, top: "Expression" | "UnaryTests") => Run;

interface ReadyRule {
  readonly when: readonly Run[];
  readonly then: readonly Run[];
}

interface ReadyTable {
  readonly name: string;
  readonly table: DecisionTable;
  readonly inputs: readonly { readonly value: Run; readonly allowed: Run | undefined }[];
  readonly rules: readonly ReadyRule[];
  /** Values of each output, the most important first. */
  readonly ranks: readonly (readonly Run[])[];
  readonly otherwise: readonly (Run | undefined)[];
}

/** A rule that fits, with what it gives. */
type Hit = readonly FeelValue[];

export function compileTable(
  name: string,
  table: DecisionTable,
  cell: CompileCell,
): (names: Names, run: Evaluating) => FeelValue {
  const ready: ReadyTable = {
    name,
    table,
    inputs: table.inputs.map(({ text, allowed }) => ({
      value: cell(text, "Expression"),
      allowed: allowed === undefined ? undefined : cell(allowed, "UnaryTests"),
    })),
    rules: table.rules.map(({ when, then }) => ({
      when: when.map((text) => (isAnything(text) ? anything : cell(text, "UnaryTests"))),
      then: then.map((text) => (text.trim() === "" ? nothing : cell(text, "Expression"))),
    })),
    ranks: table.outputs.map(({ values = [] }) => values.map((text) => cell(text, "Expression"))),
    otherwise: table.outputs.map(({ otherwise }) =>
      otherwise === undefined ? undefined : cell(otherwise, "Expression"),
    ),
  };
  return (names, run) => decideTable(ready, names, run);
}

const anything: Run = () => true;
const nothing: Run = () => null;

function isAnything(text: string): boolean {
  return /^\s*-?\s*$/.test(text);
}

function decideTable(ready: ReadyTable, names: Names, run: Evaluating): FeelValue {
  const values = ready.inputs.map((input, index) => inputValue(ready, { input, index }, names));
  const hits: Hit[] = [];
  for (const rule of ready.rules) {
    run.meter.charge(rule.when.length + 1);
    if (!fitsRule(rule, values, names)) continue;
    hits.push(rule.then.map((output) => output(names)));
    if (ready.table.hit === "F") break;
  }
  return hits.length === 0 ? noHit(ready, names, run) : resultOf(ready, hits, { names, run });
}

function inputValue(
  ready: ReadyTable,
  at: { readonly input: ReadyTable["inputs"][number]; readonly index: number },
  names: Names,
): FeelValue {
  const value = at.input.value(names);
  if (at.input.allowed?.(new BoundName("?", () => value, names)) === false) {
    const text = ready.table.inputs[at.index]?.text ?? "";
    throw new FeelFailure(
      "decision-input",
      `Expected an allowed value of ${text} in ${ready.name}, but found ${JSON.stringify(value)?.slice(0, 80)}`,
    );
  }
  return value;
}

function fitsRule(rule: ReadyRule, values: readonly FeelValue[], names: Names): boolean {
  return rule.when.every((test, index) => test(new BoundName("?", () => values[index] ?? null, names)) === true);
}

/** Default values if there are any; else null, or the empty collection. */
function noHit(ready: ReadyTable, names: Names, run: Evaluating): FeelValue {
  const { hit, aggregate } = ready.table;
  if (ready.otherwise.some((value) => value !== undefined)) {
    return shape(
      ready.table.outputs,
      ready.otherwise.map((value) => value?.(names) ?? null),
    );
  }
  if (hit === "C" && aggregate === "count") return 0;
  if (hit === "R" || hit === "O" || (hit === "C" && aggregate === undefined)) return [];
  return run.warn(`Expected a rule of ${ready.name} to fit, but none does`);
}

interface Deciding {
  readonly names: Names;
  readonly run: Evaluating;
}

function resultOf(ready: ReadyTable, hits: readonly Hit[], deciding: Deciding): FeelValue {
  const { table } = ready;
  const first = hits[0] as Hit;
  const all = (list: readonly Hit[]) => list.map((hit) => shape(table.outputs, hit));
  switch (table.hit) {
    case "U":
      if (hits.length > 1) throw ambiguous(ready, `${hits.length} rules fit`);
      return shape(table.outputs, first);
    case "A":
      if (hits.some((hit) => equal([...hit], [...first], deciding.run.meter) !== true))
        throw ambiguous(ready, "rules that fit give different results");
      return shape(table.outputs, first);
    case "F":
      return shape(table.outputs, first);
    case "P":
      return shape(table.outputs, ranked(ready, hits, deciding)[0] as Hit);
    case "O":
      return all(ranked(ready, hits, deciding));
    case "R":
      return all(hits);
    default:
      return table.aggregate === undefined ? all(hits) : aggregated(table.aggregate, hits, ready);
  }
}

function ambiguous(ready: ReadyTable, found: string): FeelFailure {
  return new FeelFailure("decision-ambiguous", `Expected one result of ${ready.name}, but ${found}`);
}

/** One output gives its value, several give a context. */
function shape(outputs: readonly TableOutput[], values: readonly FeelValue[]): FeelValue {
  if (outputs.length === 1) return values[0] ?? null;
  return contextOf(outputs.map((output, index) => [output.name ?? `output ${index + 1}`, values[index] ?? null]));
}

/** By the values of the first output, then the second; within equals, and for values that are not listed, by rule. */
function ranked(ready: ReadyTable, hits: readonly Hit[], { names, run }: Deciding): readonly Hit[] {
  const ranks = ready.ranks.map((values) => values.map((value) => value(names)));
  const rankOf = (value: FeelValue, column: number): number => {
    const found = (ranks[column] ?? []).findIndex((rank) => equal(rank, value, run.meter) === true);
    return found < 0 ? Number.MAX_SAFE_INTEGER : found;
  };
  const placed = hits.map((hit) => ({ hit, ranks: hit.map(rankOf) }));
  placed.sort(
    (a, b) => a.ranks.map((rank, column) => rank - (b.ranks[column] ?? 0)).find((difference) => difference !== 0) ?? 0,
  );
  return placed.map(({ hit }) => hit);
}

function aggregated(aggregate: Aggregator, hits: readonly Hit[], ready: ReadyTable): FeelValue {
  if (aggregate === "count") return hits.length;
  const numbers = hits.map(([value]) => value);
  if (!numbers.every((value): value is number => typeof value === "number")) {
    throw new FeelFailure(
      "expression-failed",
      `Expected numbers to ${aggregate} in ${ready.name}, but found other values`,
    );
  }
  if (aggregate === "sum") return numbers.reduce((sum, number) => sum + number, 0);
  return numbers.reduce((best, number) => (aggregate === "min" ? Math.min(best, number) : Math.max(best, number)));
}
