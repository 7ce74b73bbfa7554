import type { SourcePosition } from "@tutti/kernel";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { planLimits } from "./limits.ts";
import { type PlanPlace, type PlanProblem, PlanProblems } from "./problem.ts";
import { type PlanDraft, planSchema } from "./schema.ts";

export interface PlanReading {
  /** Absent when there are errors. */
  readonly plan?: PlanDraft;
  readonly place: PlanPlace;
  readonly problems: readonly PlanProblem[];
}

/** Reads a plan from YAML or JSON text. Never throws for bad input; every problem says where it is. */
export function readPlan(text: string, file: string): PlanReading {
  const start: PlanPlace = () => ({ file, line: 1, column: 1 });
  const refuse = (message: string, position: SourcePosition): PlanReading => ({
    place: start,
    problems: [{ code: "plan-unreadable", severity: "error", message, position }],
  });
  const bytes = Buffer.byteLength(text);
  if (bytes > planLimits.fileBytesMax) {
    return refuse(`Expected at most ${planLimits.fileBytesMax} bytes, but the plan has ${bytes}`, {
      file,
      line: 1,
      column: 1,
    });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    schema: "core",
    merge: false,
    stringKeys: true,
    prettyErrors: false,
  });
  const [error] = document.errors;
  if (error !== undefined) {
    return refuse(`Expected YAML, but ${error.message.split("\n")[0]}`, at(lineCounter, error.pos[0], file));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return refuse(`Expected few aliases, but ${cause instanceof Error ? cause.message : "there are many"}`, {
      file,
      line: 1,
      column: 1,
    });
  }
  return checkSchema(value, placeIn(document, lineCounter, file));
}

/** Checks a plan that is data already: from an agent, or from a file that was read. */
export function checkSchema(value: unknown, place: PlanPlace): PlanReading {
  const parsed = planSchema.safeParse(value);
  if (parsed.success) return { plan: parsed.data, place, problems: [] };
  const problems = new PlanProblems(place);
  for (const issue of parsed.error.issues) {
    const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
    const where = path.length === 0 ? "the plan" : describe(path);
    problems.error(
      "plan-schema",
      path,
      `Expected ${expectation(issue)} at ${where}, but found ${show(valueAt(value, path))}`,
    );
  }
  return { place, problems: problems.list };
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `no key ${issue.keys.map((key) => `'${key}'`).join(", ")}`;
    case "invalid_type":
      return issue.expected === "array" ? "a list" : issue.expected === "object" ? "a map" : `a ${issue.expected}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_big":
      return `at most ${issue.maximum} ${issue.origin === "string" ? "characters" : "entries"}`;
    case "too_small":
      return `at least ${issue.minimum} ${issue.origin === "string" ? "character" : "entry"}`;
    default:
      return issue.message;
  }
}

/** `units.2.title` reads better as `units[2].title`. */
function describe(path: readonly (string | number)[]): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value !== null && typeof value === "object") return "a map";
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value;
  for (const step of path) {
    if (found === null || typeof found !== "object") return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}

function at(lines: LineCounter, offset: number, file: string): SourcePosition {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The deepest part of the path that exists: a missing key is reported at what should hold it. */
function placeIn(document: { readonly contents: unknown }, lines: LineCounter, file: string): PlanPlace {
  return (path) => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        offset = startOf(pair.value) ?? startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = startOf(node) ?? offset;
      } else {
        break;
      }
    }
    return at(lines, offset, file);
  };
}

function startOf(node: unknown): number | undefined {
  return (node as { readonly range?: readonly number[] } | null | undefined)?.range?.[0];
}
