import { expect, test } from "vitest";
import { NumberMap } from "./number-map.ts";

/** A sequence that looks random and is always the same (Lehmer). */
function* random(): Generator<number, never> {
  for (let seed = 7; ; seed = (seed * 48_271) % 2_147_483_647) yield seed;
}

test.each([1, 64, 2 ** 33])("holds what a Map holds, whatever comes and goes, for numbers %i apart", (step) => {
  const numbers = random();
  const next = (below: number): number => numbers.next().value % below;
  const expected = new Map<number, string>();
  const map = new NumberMap<string>();
  for (let round = 0; round < 20_000; round++) {
    const key = (1 + next(round % 4_000 < 2_000 ? 600 : 20)) * step;
    if (next(3) > 0) {
      map.set(key, `${round}`);
      expected.set(key, `${round}`);
    } else {
      expect(map.delete(key)).toBe(expected.delete(key));
    }
    const asked = (1 + next(600)) * step;
    expect(map.get(asked)).toBe(expected.get(asked));
    expect(map.size).toBe(expected.size);
  }
  expect(new Map(map.entries())).toEqual(expected);
  expect(map.values().sort()).toEqual([...expected.values()].sort());
  map.clear();
  expect([map.size, map.get(step), map.values()]).toEqual([0, undefined, []]);
});
