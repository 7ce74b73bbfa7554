import { RE2JS } from "re2js";
import { limits } from "../limits.ts";
import type { Meter } from "./meter.ts";

const patterns = new Map<string, RE2JS>();

/** CEL's `matches` in time linear in the text (RE2): no pattern can make it backtrack. */
export function matchesLinear(text: string, pattern: string, meter: Meter): boolean {
  if (pattern.length > limits.patternCharactersMax) {
    throw new Error(
      `Expected a pattern of at most ${limits.patternCharactersMax} characters, but it has ${pattern.length}`,
    );
  }
  // The matcher keeps every state of the pattern beside every character.
  meter.charge(pattern.length + ((text.length * pattern.length) >> 3));
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    if (patterns.size >= 1_000) patterns.clear();
    compiled = RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}
