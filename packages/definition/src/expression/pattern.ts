import { type Matcher, RE2JS } from "re2js";
import { limits } from "../limits.ts";
import type { Meter } from "./meter.ts";

const patterns = new Map<string, RE2JS>();

/** CEL's `matches` in time linear in the text (RE2): no pattern can make it backtrack. */
export function matchesLinear(text: string, pattern: string, meter: Meter): boolean {
  const { matcher, size } = matcherOf({ text, pattern, flags: 0 }, meter);
  return findNext(matcher, text.length * size, meter);
}

export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  /** The whole match, then what each group matched. */
  readonly groups: readonly string[];
}

/**
 * Every match in the text, from left to right. Each search costs what is left of the text: where a match ends does not
 * tell how far was looked for a better one. A unit of FEEL's budget stands for about four of CEL's.
 */
export function* matchesIn(
  search: { readonly text: string; readonly pattern: string; readonly flags: number },
  meter: Meter,
): IterableIterator<PatternMatch> {
  const { matcher, size } = matcherOf(search, meter);
  let from = 0;
  while (findNext(matcher, ((search.text.length - from) * size) >> 2, meter)) {
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? "");
    const [start, end] = [matcher.start(), matcher.end()];
    from = end;
    yield { start, end, groups };
  }
}

function findNext(matcher: Matcher, work: number, meter: Meter): boolean {
  // The matcher keeps every state of the pattern beside every character.
  meter.charge(1 + work);
  return matcher.find();
}

function matcherOf(
  search: { readonly text: string; readonly pattern: string; readonly flags: number },
  meter: Meter,
): { readonly matcher: Matcher; readonly size: number } {
  const { text, pattern, flags } = search;
  if (pattern.length > limits.patternCharactersMax) {
    throw new Error(
      `Expected a pattern of at most ${limits.patternCharactersMax} characters, but it has ${pattern.length}`,
    );
  }
  const written = pattern.length * Math.max(1, repetitionsIn(pattern));
  if (written > limits.patternSizeMax) {
    throw new Error(`Expected a pattern of at most ${limits.patternSizeMax} states, but it may have ${written}`);
  }
  meter.charge(written);
  const key = `${flags}/${pattern}`;
  let compiled = patterns.get(key);
  if (compiled === undefined) {
    if (patterns.size >= 1_000) patterns.clear();
    compiled = RE2JS.compile(pattern, flags);
    patterns.set(key, compiled);
  }
  return { matcher: compiled.matcher(text) as Matcher, size: compiled.programSize() };
}

/** `a{3}` stands for three of them in what is compiled. */
function repetitionsIn(pattern: string): number {
  let sum = 0;
  for (const [, least = "0", most = ""] of pattern.matchAll(/\{(\d{1,4})(?:,(\d{0,4}))?\}/g)) {
    sum += Math.max(Number(least), Number(most));
  }
  return sum;
}
