import { diff3Merge } from "node-diff3";

/** A stretch of the merge of two sequences: what all agree on, or what both sides changed differently. */
export type Region<T> =
  | { readonly type: "agreed"; readonly items: readonly T[] }
  | {
      readonly type: "conflict";
      readonly base: readonly T[];
      readonly ours: readonly T[];
      readonly theirs: readonly T[];
    };

// Comparing takes time and memory for each pair of equal items: a second or two for so many.
const equalPairsMax = 400_000;

/**
 * Three-way merge of sequences. Two sides that did the same agree. Items are told apart by `keyOf`. Throws RangeError
 * for sequences that repeat the same items too often to be compared in time.
 */
export function mergeSequences<T>(
  sides: { readonly base: readonly T[]; readonly ours: readonly T[]; readonly theirs: readonly T[] },
  keyOf: (item: T) => string,
): Region<T>[] {
  const items = new Map<string, T>();
  const keys = (side: readonly T[]): string[] =>
    side.map((item) => {
      // The prefix keeps keys such as "__proto__" away from the library's lookup by property.
      const key = `=${keyOf(item)}`;
      if (!items.has(key)) items.set(key, item);
      return key;
    });
  const back = (side: readonly string[]): T[] => side.map((key) => items.get(key) as T);
  const [ours, base, theirs] = [keys(sides.ours), keys(sides.base), keys(sides.theirs)];
  const counts = countsOf(base);
  for (const side of [ours, theirs]) {
    const pairs = side.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
    if (pairs > equalPairsMax) throw new RangeError("it repeats the same parts too often");
  }
  const blocks = diff3Merge(ours, base, theirs, { excludeFalseConflicts: true });
  return blocks.map(({ ok, conflict }): Region<T> => {
    if (conflict === undefined) return { type: "agreed", items: back(ok ?? []) };
    return { type: "conflict", base: back(conflict.o), ours: back(conflict.a), theirs: back(conflict.b) };
  });
}

function countsOf(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** How many items the two have in common at the front. */
export function commonPrefix<T>(x: readonly T[], y: readonly T[]): number {
  let n = 0;
  while (n < x.length && n < y.length && x[n] === y[n]) n += 1;
  return n;
}

/** Lines of a text without their breaks; a text that ends with a break has an empty last line. */
export function linesOf(text: string): string[] {
  return text.split("\n");
}

/** Puts two insertions at one place into the order that does not depend on which side is called ours. */
export function inOrder<T>(
  x: readonly T[],
  y: readonly T[],
  keyOf: (items: readonly T[]) => string,
): [readonly T[], readonly T[]] {
  return keyOf(x) <= keyOf(y) ? [x, y] : [y, x];
}
