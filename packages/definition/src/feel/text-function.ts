import { RE2JS } from "re2js";
import { matchesIn } from "../expression/pattern.ts";
import { type Builtin, type Evaluating, FeelFailure } from "./run.ts";
import type { FeelValue } from "./value.ts";

function texts(args: readonly FeelValue[]): (string | undefined)[] {
  return args.map((arg) => (typeof arg === "string" ? arg : undefined));
}

const flagBits: { readonly [flag: string]: number } = {
  s: RE2JS.DOTALL,
  m: RE2JS.MULTILINE,
  i: RE2JS.CASE_INSENSITIVE,
};

/** A pattern as XPath reads it, with its flags: `x` leaves out the space between its parts. */
function patternOf(pattern: string, flags = ""): { readonly pattern: string; readonly flags: number } {
  let bits = 0;
  for (const flag of flags) {
    const bit = flag === "x" ? 0 : flagBits[flag];
    if (bit === undefined)
      throw new FeelFailure("expression-failed", `Expected the flags s, m, i and x, but found ${flag}`);
    bits |= bit;
  }
  const squeezed = flags.includes("x")
    ? pattern.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|\s/gs, (part) => (part.trim() === "" ? "" : part))
    : pattern;
  return { pattern: squeezed, flags: bits };
}

function matches(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern, flags] = texts(args);
  if (text === undefined || pattern === undefined) return null;
  return !matchesIn({ text, ...patternOf(pattern, flags) }, run.meter).next().done;
}

/** `$1` is a group, `\$` and `\\` mean themselves, and no other `$` or backslash may stand there. */
const inReplacement = /\\([\\$])|\$(\d)|[\\$]/g;

function replace(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern, replacement, flags] = texts(args);
  if (text === undefined || pattern === undefined || replacement === undefined) return null;
  if ([...replacement.matchAll(inReplacement)].some(([, sign, group]) => sign === undefined && group === undefined))
    return run.warn("Expected a digit after every $ of a replacement, or \\$ for the sign itself");
  let result = "";
  let from = 0;
  for (const match of matchesIn({ text, ...patternOf(pattern, flags) }, run.meter)) {
    const filled = replacement.replaceAll(
      inReplacement,
      (_whole, sign: string | undefined, group: string) => sign ?? match.groups[Number(group)] ?? "",
    );
    run.meter.charge((filled.length >> 6) + 1);
    result += text.slice(from, match.start) + filled;
    from = match.end;
  }
  return result + text.slice(from);
}

function split(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern] = texts(args);
  if (text === undefined || pattern === undefined) return null;
  if (/^[^\\^$.|?*+()[\]{}]+$/.test(pattern)) {
    // A comma is no pattern to search by.
    run.meter.charge(text.length >> 6);
    return text.split(pattern);
  }
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

function extract(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text, pattern] = texts(args);
  if (text === undefined || pattern === undefined) return null;
  return Array.from(matchesIn({ text, pattern, flags: 0 }, run.meter), ({ groups }) => groups[0] ?? "");
}

/** Characters count as a reader counts them, from 1; there is no character 0. */
function substring(args: readonly FeelValue[]): FeelValue {
  const [text, start, length] = args;
  const isWhole = (value: FeelValue): value is number => typeof value === "number";
  if (typeof text !== "string" || !isWhole(start) || Math.trunc(start) === 0) return null;
  const characters = Array.from(text);
  const from = start < 0 ? Math.max(0, characters.length + Math.trunc(start)) : Math.trunc(start) - 1;
  if (length === undefined || length === null) return characters.slice(from).join("");
  return isWhole(length) ? characters.slice(from, from + Math.trunc(length)).join("") : null;
}

export const textFunctions: { readonly [name: string]: Builtin } = {
  matches: { parameters: ["input", "pattern", "flags"], call: matches },
  replace: { parameters: ["input", "pattern", "replacement", "flags"], call: replace },
  split: { parameters: ["string", "delimiter"], call: split },
  substring: { parameters: ["string", "start position", "length"], call: substring },
  // What the engines that write most of the FEEL there is have beyond the standard.
  extract: { parameters: ["string", "pattern"], call: extract },
  trim: { parameters: ["string"], call: ([text]) => (typeof text === "string" ? text.trim() : null) },
  "is blank": { parameters: ["string"], call: ([text]) => (typeof text === "string" ? text.trim() === "" : null) },
};
