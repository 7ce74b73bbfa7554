import { linesOf } from "./sequence.ts";

const listedMax = 50;

/**
 * Lines that a side added and the result does not have (≤ 50). A comma at the end does not count: it comes and goes
 * with a line's place in its list.
 */
export function unaccountedLines(texts: {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}): string[] {
  const result = countLines(texts.result);
  const base = countLines(texts.base);
  const lost = new Set<string>();
  for (const side of [texts.ours, texts.theirs]) {
    for (const [line, count] of countLines(side)) {
      const before = base.get(line) ?? 0;
      if (count > before && (result.get(line) ?? 0) === 0) lost.add(line);
    }
  }
  return [...lost].slice(0, listedMax);
}

function countLines(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of linesOf(text)) {
    const plain = line.trim().replace(/,$/, "");
    if (plain !== "") counts.set(plain, (counts.get(plain) ?? 0) + 1);
  }
  return counts;
}

/** Conflict markers in the result that neither side had as a line of its own. */
export function hasNewMarkers(texts: {
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}): boolean {
  const known = new Set([...linesOf(texts.ours), ...linesOf(texts.theirs)]);
  return linesOf(texts.result).some((line) => /^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)/.test(line) && !known.has(line));
}
