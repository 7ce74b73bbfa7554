import { expect, test } from "vitest";
import { SmallMap } from "../index.ts";
import { Random } from "../testing/random.ts";

/** Whole numbers that count up, as the keys of an instance do; but some come late, and some after a long gap. */
function nextKey(random: Random, newest: number, inOrder: number): number {
  if (random.chance(inOrder)) return newest + 1 + random.below(3);
  return random.chance(0.9) ? random.below(newest + 2) : newest + random.below(100);
}

test.each(["number", "string"])("[K106] a table holds what a Map does, in its order, by any %s", (kind) => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    const map = new Map<string | number, number | undefined>();
    const table = new SmallMap<string | number, number | undefined>();
    const [stays, inOrder] = [random.pick([0, 0.1, 0.5, 0.9]), random.pick([0.5, 0.99, 1])];
    let newest = 0;
    for (let step = 0; step < 200; step += 1) {
      const number = nextKey(random, newest, inOrder);
      newest = Math.max(newest, number);
      const key = kind === "number" ? number : String(number);
      map.set(key, step % 7 === 0 ? undefined : step);
      table.set(key, step % 7 === 0 ? undefined : step);
      const [oldest = key] = map.keys();
      if (!random.chance(stays)) expect(table.delete(oldest)).toBe(map.delete(oldest));
      const other = kind === "number" ? random.below(newest + 2) : String(random.below(newest + 2));
      if (random.chance(0.2)) expect(table.delete(other)).toBe(map.delete(other));
      expect([table.size, table.has(other), table.get(other)]).toEqual([map.size, map.has(other), map.get(other)]);
      if (step % 20 > 0) continue;
      expect([...table]).toEqual([...map]);
      expect([[...table.keys()], [...table.values()]]).toEqual([[...map.keys()], [...map.values()]]);
    }
    for (const key of [...map.keys()]) expect([table.delete(key), table.has(key)]).toEqual([true, false]);
    expect([...table]).toEqual([]);
    for (const key of [1, 2, 3]) table.set(key, key);
    table.clear();
    expect([table.size, ...table]).toEqual([0]);
  }
});
