import type { z } from "zod";
import type { Path, Place, Problems } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** Turns what zod found into problems that read "Expected X, but Y" and point at the key or value. */
export function reportIssues(issues: readonly Issue[], context: IssueContext): void {
  for (const issue of issues) report(issue, [], context);
}

export interface IssueContext {
  readonly value: unknown;
  readonly problems: Problems;
  readonly place: Place;
}

function report(issue: Issue, base: Path, context: IssueContext): void {
  const path = [...base, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
  const { problems, place } = context;
  const where = path.length === 0 ? "here" : `at ${path.join(".")}`;
  switch (issue.code) {
    case "unrecognized_keys":
      for (const key of issue.keys) {
        problems.error(
          "schema-invalid",
          `Expected a known key ${where}, but found ${quote(key)}`,
          place([...path, key], "key"),
        );
      }
      return;
    case "invalid_union": {
      const branch = bestBranch(issue.errors, valueAt(context.value, path));
      if (branch !== undefined) for (const inner of branch) report(inner, path, context);
      else
        problems.error(
          "schema-invalid",
          `Expected another kind of value ${where}, but found ${found(context, path)}`,
          place(path),
        );
      return;
    }
    case "invalid_key":
      problems.error(
        "schema-invalid",
        `Expected an id of letters, digits, _ and - ${where}, but found ${quote(String(path.at(-1)))}`,
        place(path, "key"),
      );
      return;
    case "invalid_type":
      if (valueAt(context.value, path) === undefined) {
        problems.error(
          "schema-invalid",
          `Expected ${expected(issue)} for ${path.at(-1)}, but it is missing`,
          place(path.slice(0, -1), "key"),
        );
        return;
      }
      break;
    default:
  }
  problems.error(
    "schema-invalid",
    `Expected ${expected(issue)} ${where}, but found ${found(context, path)}`,
    place(path),
  );
}

/** The branch the author most likely meant: the one whose complaints lie deepest, then the one with fewest. */
function bestBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (branch) =>
      !branch.some((issue) => issue.path.length === 0 && issue.code === "invalid_type" && value !== undefined),
  );
  const candidates = fitting.length > 0 ? fitting : [];
  const depth = (branch: readonly Issue[]) => Math.max(0, ...branch.map((issue) => issue.path.length));
  return [...candidates].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return article(issue.expected);
    case "invalid_value":
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return issue.format === "regex"
        ? "letters, digits, _ and - (at most 64, starting with a letter or _)"
        : `a valid ${issue.format}`;
    case "too_small":
      return `at least ${issue.minimum}${sizeUnit(issue.origin)}`;
    case "too_big":
      return `at most ${issue.maximum}${sizeUnit(issue.origin)}`;
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  }
}

function sizeUnit(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" || origin === "set" ? " entries" : "";
}

function article(type: string): string {
  if (type === "record" || type === "object") return "a map";
  if (type === "array") return "a list";
  if (type === "int") return "a whole number";
  return type === "string" ? "a text" : `a ${type}`;
}

function found(context: IssueContext, path: Path): string {
  const value = valueAt(context.value, path);
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value !== null && typeof value === "object") return "a map";
  const text = quote(value);
  return typeof value === "number" ? `the number ${text}` : text;
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (current === null || typeof current !== "object") return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}
