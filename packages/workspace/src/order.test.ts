import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeOrder, nextBatch, type OrderConflict, type OrderUnit } from "./order.ts";

const unit = (id: string, dependsOn: string[] = [], lines = 1): OrderUnit => ({ id, dependsOn, lines });
const conflict = (a: string, b: string): OrderConflict => ({ a, b });

test("[W54] dependencies first, conflicting ones not together", () => {
  const units = [unit("a"), unit("b"), unit("c", ["a", "b"]), unit("d"), unit("e", ["c", "d"])];
  expect(mergeOrder(units, [conflict("a", "d")])).toEqual([["b", "a"], ["c", "d"], ["e"]]);
  expect(nextBatch([], [])).toEqual([]);
  expect(() => nextBatch([unit("a", ["b"]), unit("b", ["a"])], [])).toThrow(RangeError);
});

test("[W55] fewer rivals first, then the smaller change, then the id", () => {
  const star = [conflict("hub", "x"), conflict("hub", "y"), conflict("hub", "z")];
  expect(nextBatch([unit("hub"), unit("x"), unit("y"), unit("z")], star)).toEqual(["x", "y", "z"]);
  expect(nextBatch([unit("p", [], 9), unit("q", [], 2)], [conflict("p", "q")])).toEqual(["q"]);
  expect(nextBatch([unit("q"), unit("p")], [conflict("p", "q")])).toEqual(["p"]);
});

const graphs = fc.integer({ min: 1, max: 14 }).chain((n) =>
  fc.record({
    units: fc.tuple(
      ...Array.from({ length: n }, (_, i) =>
        fc.record({
          id: fc.constant(`u${i}`),
          dependsOn:
            i === 0
              ? fc.constant([])
              : fc.uniqueArray(
                  fc.integer({ min: 0, max: i - 1 }).map((d) => `u${d}`),
                  { maxLength: 3 },
                ),
          lines: fc.nat(50),
        }),
      ),
    ),
    conflicts: fc.array(fc.record({ a: fc.nat(n - 1).map((i) => `u${i}`), b: fc.nat(n - 1).map((i) => `u${i}`) }), {
      maxLength: 30,
    }),
  }),
);

test("[W54] every unit lands once, after what it needs, never beside a rival", () => {
  fc.assert(
    fc.property(graphs, ({ units, conflicts }) => {
      const batches = mergeOrder(units, conflicts);
      expect(batches.flat().sort()).toEqual(units.map(({ id }) => id).sort());
      const batchOf = new Map(batches.flatMap((batch, i) => batch.map((id) => [id, i] as const)));
      for (const { id, dependsOn } of units)
        for (const other of dependsOn) expect(batchOf.get(other)).toBeLessThan(batchOf.get(id) ?? 0);
      for (const { a, b } of conflicts) if (a !== b) expect(batchOf.get(a)).not.toBe(batchOf.get(b));
    }),
  );
});

test("[W55] the order does not depend on how the units are listed", () => {
  fc.assert(
    fc.property(graphs, ({ units, conflicts }) => {
      expect(nextBatch([...units].reverse(), [...conflicts].reverse())).toEqual(nextBatch(units, conflicts));
    }),
  );
});
