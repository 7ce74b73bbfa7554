import type { Json } from "@tutti/kernel";
import { expect, test } from "vitest";
import { createHost } from "../host.ts";
import { scopeOf } from "../testing/check.ts";

const host = createHost();

function evaluate(text: string) {
  return host.evaluate({ language: "feel", text }, scopeOf({ n: 5, s: "abcabc" }));
}

/** Functions that the library lacks, or whose results differ from the standard: each with what chapter 10.3.4 says. */
const functions: readonly (readonly [text: string, value: Json])[] = [
  ["coincides(5, 5)", true],
  ["coincides([1..5], (1..5])", false],
  ["coincides([1..5], [1..5])", true],
  ["coincides(1, [1..5])", null],
  ["starts(1, [1..10])", true],
  ["starts(1, (1..10])", false],
  ["starts((1..5], (1..10])", true],
  ["starts([1..5], (1..10])", false],
  ["starts([1..10), [1..10])", true],
  ["starts([1..10], [1..10))", false],
  ["started by([1..10], [1..5])", true],
  ["started by((1..10], 1)", false],
  ["finishes(10, [1..10])", true],
  ["finishes([5..10), [1..10])", false],
  ["finishes((1..10], [1..10])", true],
  ["finished by([1..10], (1..10])", true],
  ["finished by([1..10), 10)", false],
  ["during(1, (1..10])", false],
  ["during((1..5], (1..10])", true],
  ["during([1..10], [1..10))", false],
  ['during("b", [1..10])', null],
  ["overlaps before([1..5], [5..8])", true],
  ["overlaps before([1..5], (5..8])", false],
  ["overlaps before([1..5), (1..5])", true],
  ["overlaps before([1..5), [1..5])", false],
  ["overlaps before([1..9], [3..8])", false],
  ["overlaps after([5..8], [1..5])", true],
  ["overlaps after((1..5], [1..5))", true],
  ["overlaps after([1..5], [1..5])", false],
  ['starts(@"2024-01-01", [@"2024-01-01"..@"2024-01-31"])', true],
  ['during("b", ["a".."c"])', true],
  ['range("[18..21)").start', 18],
  [String.raw`range("(..@\"2024-01-01\"]").end included`, true],
  ['5 in range(" ] 1 .. 5 [ ")', false],
  ['range("[1..now()]")', null],
  ['range("[..]")', null],
  ["round up(-1.121, 2)", -1.13],
  ["round down(-5.5, 0)", -5],
  ["round half up(1.005, 2)", 1.01],
  ["round half up(-5.5, 0)", -6],
  ["round half down(5.5, 0)", 5],
  ["decimal(2.5, 0)", 2],
  ["decimal(1.015, 2)", 1.02],
  ["floor(-1.56, 1)", -1.6],
  ["ceiling(-1.5)", -1],
  ["round up(1234, -2)", 1300],
  ["round half up(123456789.125, 2)", 123456789.13],
  ["decimal(1, 9999)", null],
  ["median([10, 9, 1])", 9],
  ['min("b", "a")', "a"],
  ['string(max([@"2024-01-01", @"2024-02-01"]))', "2024-02-01"],
  ['min(1, "a")', null],
  ["min([])", null],
  ["insert before([1, 3], -1, 2)", [1, 2, 3]],
  ["insert before([1, 3], 1, 2)", [2, 1, 3]],
  ["insert before([1], 3, 2)", null],
  ["list replace([2, 4, 7, 8], 3, 6)", [2, 4, 6, 8]],
  ["list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)", [5, 5, 7, 8]],
  ['get value({a: {b: 1}}, ["a", "b"])', 1],
  ['get value({a: 1}, ["a", "b"])', null],
  ['context([{key: "a", value: 1}, {key: "b", value: 2}])', { a: 1, b: 2 }],
  ['context put({x: 1, y: {a: 0}}, ["y", "a"], 2)', { x: 1, y: { a: 2 } }],
  ['substring("foobar", 0)', null],
  ['substring("foobar", -9)', "foobar"],
  [String.raw`substring("\U01F40Eab", 2)`, "ab"],
  ['matches("ab", " a  b ", "x")', true],
  ['matches("a b", "a[ ]b", "x")', true],
  [String.raw`replace("abc", "b", "\\$1")`, "a$1c"],
  ['replace("abc", "b", "$")', null],
  ['split("a1b22c", "[0-9]+")', ["a", "b", "c"]],
  ['string join(["a", null, "c"])', "ac"],
  ["string(date and time(2012, 12, 24, 23, 59, 0))", "2012-12-24T23:59:00"],
  ["string(date and time(2012, 12, 24, 23, 59, 0, -1))", "2012-12-24T23:59:00-01:00"],
  ['string(date and time(2012, 12, 24, 23, 59, 0, duration("PT5H30M")))', "2012-12-24T23:59:00+05:30"],
  ['date and time(2012, 7, 24, 23, 59, 0, "Europe/Paris").timezone', "Europe/Paris"],
  ["date and time(year: 2012, month: 12, day: 24, hour: 1, minute: 2, second: 3).day", 24],
  ["date and time(2012, 13, 24, 23, 59, 0)", null],
  ["date and time(2012, 1, 24, 23, 59, 0, 99)", null],
  ['string(years and months duration(@"2011-12-22", @"2013-08-24"))', "P1Y8M"],
  ['string(years and months duration(@"2013-08-24", @"2011-12-22"))', "-P1Y8M"],
  ['string(years and months duration(@"2023-01-01", @"2024-02-29"))', "P1Y1M"],
  ["is(1, 1.0)", true],
  ["get or else(null, 3)", 3],
  ["get or else(missing.a, 3)", 3],
  ["get or else(n, 3)", 5],
  ['get or else(s, "get or else(")', "abcabc"],
  ['get or else(null, "get or else(")', "get or else("],
  ["is empty([])", true],
  ["is empty({a: 1})", false],
  ['is blank(" ")', true],
  ['trim(" a ")', "a"],
  ["duplicate values([1, 2, 1, 1])", [1]],
  ["partition([1, 2, 3], 2)", [[1, 2], [3]]],
  ["partition([1], 0)", null],
  ['extract("a1b22", "[0-9]+")', ["1", "22"]],
  ['string(last day of month(@"2024-02-03"))', "2024-02-29"],
  ["assert(n, n > 1)", 5],
];

test.each(functions)("[D140] %s is %j", (text, value) => {
  expect(evaluate(text)).toMatchObject({ ok: true, value });
});

test("[D140] what is asserted says what is not so, and a function that is not there is refused by its name", () => {
  expect(evaluate('assert(1, false, "too small")')).toMatchObject({ code: "expression-failed", message: "too small" });
  expect(evaluate("string format(1)")).toMatchObject({
    code: "variable-missing",
    message: "Expected a function, but there is no string format at character 1",
  });
  expect(evaluate("[{f: function(x) x + 1}][f(1) = 2][1].f(2)")).toMatchObject({ value: 3 });
});
