import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeJson } from "./json.ts";

const print = (value: unknown, indent: string | number = 2): string => `${JSON.stringify(value, null, indent)}\n`;
function merge(base: string, ours: string, theirs: string, path = "x.json"): string {
  const result = mergeJson({ path, base, ours, theirs });
  if ("declined" in result) return `declined: ${result.declined}`;
  return result.resolved;
}

test("[W72] keys of both, in order, with the indentation that was there", () => {
  const base = print({ name: "x", scripts: { test: "t" }, dependencies: { m: "1" } }, "\t");
  const ours = print({ name: "x", scripts: { test: "t", build: "b" }, dependencies: { a: "1", m: "1" } }, "\t");
  const theirs = print({ name: "x", scripts: { test: "t2" }, dependencies: { m: "1", z: "1" }, type: "module" }, "\t");
  expect(merge(base, ours, theirs)).toBe(
    print(
      { name: "x", scripts: { test: "t2", build: "b" }, dependencies: { a: "1", m: "1", z: "1" }, type: "module" },
      "\t",
    ),
  );
});

test("[W72] two different changes of one value decline, and so does change against removal", () => {
  expect(merge(print({ a: { b: 1 } }), print({ a: { b: 2 } }), print({ a: { b: 3 } }))).toBe(
    "declined: both sides changed a.b differently",
  );
  expect(merge(print({ a: 1 }), print({}), print({ a: 2 }))).toContain("declined");
  expect(merge(print({ a: [1, 2] }), print({ a: [3, 2] }), print({ a: [4, 2] }))).toContain("the list a");
  expect(merge("{", "{}", "{}")).toContain("not valid JSON");
  expect(merge("{}", '{"a":1,"a":2}', '{"b":1}')).toContain("twice");
  expect(merge("{}", '{"a":12345678901234567890}', '{"b":1}')).toContain("survive");
  expect(merge("{}", "{}", "{}", "x.js")).toContain("not a JSON file");
});

test("[W72] lists take what both added", () => {
  expect(merge(print({ files: ["a"] }), print({ files: ["a", "b"] }), print({ files: ["a", "c"] }))).toBe(
    print({ files: ["a", "b", "c"] }),
  );
  expect(merge(print(["a", "x", "y", "z"]), print(["x", "y", "z"]), print(["a", "x", "y", "z", "b"]))).toBe(
    print(["x", "y", "z", "b"]),
  );
});

test("[W72] text that JSON.stringify would not write so keeps its look and comments", () => {
  const base = '{\n  // why\n  "a": [1, 2],\n  "b": { "c": 1 }\n}\n';
  const ours = '{\n  // why\n  "a": [1, 2],\n  "b": { "c": 1, "d": 2 }\n}\n';
  const theirs = '{\n  // why\n  "a": [1, 2],\n  "b": { "c": 1 },\n  "e": true\n}\n';
  const result = merge(base, ours, theirs, "tsconfig.json");
  expect(result).toContain("// why");
  expect(result).toContain('"a": [1, 2]');
  expect(JSON.parse(result.replace("// why", ""))).toEqual({ a: [1, 2], b: { c: 1, d: 2 }, e: true });
});

test("[W72] strange keys are keys", () => {
  const text = (key: string): string => `{\n  "${key}": 1\n}\n`;
  expect(merge("{}", text("__proto__"), text("constructor"))).toBe('{\n  "__proto__": 1,\n  "constructor": 1\n}\n');
  expect(merge("{}", text("10"), text("9"))).toBe('{\n  "10": 1,\n  "9": 1\n}\n');
});

const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    tie("object"),
    fc.array(fc.string(), { maxLength: 3 }),
  ),
  object: fc.dictionary(
    fc.oneof(fc.constantFrom("a", "b", "c", "d"), fc.string({ minLength: 1, maxLength: 3 })),
    tie("value"),
    { maxKeys: 5, noNullPrototype: true },
  ),
})).object as fc.Arbitrary<{ [key: string]: unknown }>;

test("[W71] [W72] the result is valid JSON and the same with the sides swapped", () => {
  fc.assert(
    fc.property(tree, tree, tree, (base, ours, theirs) => {
      const result = merge(print(base), print(ours), print(theirs));
      expect(merge(print(base), print(theirs), print(ours))).toBe(result);
      if (!result.startsWith("declined")) JSON.parse(result);
    }),
    { numRuns: 500 },
  );
});

test("[W70] every key that one side added or changed is in the result, every key that one removed is not", () => {
  fc.assert(
    fc.property(tree, tree, tree, (base, mine, yours) => {
      // Both start from the base, so that much merges.
      const [ours, theirs] = [
        { ...base, ...mine },
        { ...base, ...yours },
      ];
      const text = merge(print(base), print(ours), print(theirs));
      if (text.startsWith("declined")) return;
      const result = JSON.parse(text) as { [key: string]: unknown };
      for (const [side, other] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        for (const [key, value] of Object.entries(side)) {
          const untouched = Object.hasOwn(base, key)
            ? JSON.stringify(base[key]) === JSON.stringify(other[key])
            : !Object.hasOwn(other, key);
          if (untouched) expect(result[key]).toEqual(value);
          expect(Object.hasOwn(result, key)).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("[W70] merging with an unchanged side gives the other", () => {
  fc.assert(
    fc.property(tree, tree, (base, ours) => {
      expect(JSON.parse(merge(print(base), print(ours), print(base)))).toEqual(JSON.parse(print(ours)));
    }),
  );
});

test("[W83] documents made to be slow or deep are declined in time", () => {
  const startedAt = performance.now();
  const many = (first: string): string => `[${first}${",0".repeat(200_000)}]`;
  expect(merge(many("0"), many("1"), many("2"))).toContain("declined");
  const deep = (inner: string): string => "[".repeat(100_000) + inner + "]".repeat(100_000);
  expect(merge(deep("0"), deep("1"), deep("2"))).toContain("declined");
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
