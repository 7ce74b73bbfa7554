import fc from "fast-check";
import { expect, test } from "vitest";
import { bisect } from "./bisect.ts";

/** A world in which each group is red as soon as all of it is there. */
const world =
  (groups: readonly (readonly number[])[]) =>
  async (subset: readonly number[]): Promise<boolean> =>
    !groups.some((group) => group.every((item) => subset.includes(item)));

test("[W80] finds one culprit, several, and one that is only red with another", async () => {
  const items = Array.from({ length: 16 }, (_, i) => i);
  expect((await bisect({ items, isGreen: world([]) })).culprits).toEqual([]);
  expect((await bisect({ items, isGreen: world([[5]]) })).culprits).toEqual([5]);
  expect((await bisect({ items, isGreen: world([[3], [12], [0]]) })).culprits).toEqual([0, 3, 12]);
  expect((await bisect({ items, isGreen: world([[2, 9]]) })).culprits).toEqual([9]);
  expect(await bisect({ items: [], isGreen: world([[1]]) })).toEqual({ culprits: [], kept: [], verifications: 0 });
});

test("[W80] [W81] what is kept is green, nobody is taken without need, and questions are few", async () => {
  const groups = fc.array(fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 3 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(20), { minLength: 1 }), groups, async (items, red) => {
      const isGreen = world(red);
      const { culprits, kept, verifications } = await bisect({ items, isGreen });
      expect(kept).toEqual(items.filter((item) => !culprits.includes(item)));
      expect(await isGreen(kept)).toBe(true);
      for (const culprit of culprits) {
        const upTo = items
          .slice(0, items.indexOf(culprit) + 1)
          .filter((item) => item === culprit || !culprits.includes(item));
        expect(await isGreen(upTo)).toBe(false);
      }
      expect(verifications).toBeLessThanOrEqual(culprits.length * (Math.ceil(Math.log2(items.length)) + 1) + 1);
    }),
  );
});

test("[W81] the same key is asked once", async () => {
  const asked: string[] = [];
  const keyOf = async (subset: readonly number[]): Promise<string> => String(subset.filter((item) => item > 3).length);
  const isGreen = async (subset: readonly number[]): Promise<boolean> => {
    asked.push(await keyOf(subset));
    return !subset.includes(7);
  };
  const { culprits } = await bisect({ items: [0, 1, 2, 3, 4, 5, 6, 7], isGreen, keyOf });
  expect(culprits).toEqual([7]);
  expect(new Set(asked).size).toBe(asked.length);
});
