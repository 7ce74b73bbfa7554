import type { Element, Json, ProgramDocument, VariableScope } from "@tutti/kernel";
import { compileYaml } from "../compile.ts";

/** Problems as a person reads them: `line:column severity code message`. */
export function problemsOf(text: string): string[] {
  return compileYaml(text, { file: "test.yaml" }).problems.map(
    ({ code, severity, message, position }) => `${position.line}:${position.column} ${severity} ${code} ${message}`,
  );
}

/** Code and place only, for tests that are not about the wording. */
export function placesOf(text: string): string[] {
  return problemsOf(text).map((line) => line.split(" ").slice(0, 3).join(" "));
}

/** The one program of a text without errors. */
export function programOf(text: string): ProgramDocument {
  const { programs, problems } = compileYaml(text, { file: "test.yaml" });
  const [program] = programs;
  if (program === undefined) throw new Error(`Expected a program, but found ${JSON.stringify(problems)}`);
  return program;
}

export function elementOf(program: ProgramDocument, id: string): Element {
  const element = program.elements.find((candidate) => candidate.id === id);
  if (element === undefined)
    throw new Error(`Expected ${id} among ${program.elements.map((other) => other.id).join(", ")}`);
  return element;
}

/** The same, read as the test expects it to be. */
export function partsOf<T>(program: ProgramDocument, id: string): T {
  return elementOf(program, id) as unknown as T;
}

export function flowsOf(program: ProgramDocument): string[] {
  return program.flows.map((flow) => `${flow.from} → ${flow.to}`);
}

/** Milliseconds of work, whatever else the machine is doing: time on the clock says more about its load. */
export function workMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** About four milliseconds where nothing else runs: looking up, comparing, making and sorting. */
function yardstick(): void {
  const rows = Array.from({ length: 12_000 }, (_, n) => ({ key: `k${(n * 7_919) % 12_000}`, n }));
  const byKey = new Map(rows.map((row) => [row.key, row]));
  rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  const sum = rows.reduce((total, { key }) => total + (byKey.get(key)?.n ?? 0), 0);
  if (sum !== 71_994_000) throw new Error(`Expected the same sum each time, but it is ${sum}`);
}

const yardstickMs = 4;
const triesMax = 12;

/**
 * Milliseconds that some work takes, measured by work that is known and is done right beside it: what a slow or busy
 * machine does to one it does to both. The least of several tries, which end once it is little enough.
 */
export function calibratedMs(work: () => void, enoughMs: number): number {
  let [least, known] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let result = Number.POSITIVE_INFINITY;
  for (let left = triesMax; left > 0 && result > enoughMs; left -= 1) {
    least = Math.min(least, workMs(work));
    known = Math.min(known, workMs(yardstick));
    result = (least / known) * yardstickMs;
  }
  return result;
}

export function scopeOf(values: Readonly<Record<string, Json>>, integers: readonly string[] = []): VariableScope {
  return {
    get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    isInteger: (name) => integers.includes(name),
  };
}
