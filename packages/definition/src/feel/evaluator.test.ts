import type { Json } from "@tutti/kernel";
import fc from "fast-check";
import { evaluate as library } from "feelin";
import { expect, test } from "vitest";
import { createHost } from "../host.ts";
import { limits } from "../limits.ts";
import { calibratedMs, scopeOf, workMs } from "../testing/check.ts";
import { FeelEvaluator } from "./evaluator.ts";

const host = createHost();

function evaluate(text: string, values: Readonly<Record<string, Json>> = {}) {
  return host.evaluate({ language: "feel", text }, scopeOf(values));
}

function valueIn(text: string, values: Readonly<Record<string, Json>> = {}): Json {
  const result = evaluate(text, values);
  if (!result.ok) throw new Error(`${text}: ${result.code} ${result.message}`);
  return result.value;
}

function code(text: string, values: Readonly<Record<string, Json>> = {}): string {
  const result = evaluate(text, values);
  return result.ok ? `gave ${JSON.stringify(result.value)}` : result.code;
}

const variables: Readonly<Record<string, Json>> = {
  n: 5,
  s: "abcabc",
  yes: true,
  nothing: null,
  list: [3, 1, 2],
  order: { total: 120, lines: [{ price: 10 }, { price: 20 }], "first name": "Ada" },
  day: "2024-02-29",
};

/** What the standard says, and the library too. */
const agreed: readonly string[] = String.raw`
  1 + 2 * 3; 2 ** 3; 7 / 2; 1 / 0; -n; - -n; (1 + 2) * 3; "a" + "b"; "a" + 1; null + 1; 0.1 * 3; n > 4 and yes
  n > 4 and nothing; false and nothing; true or nothing; yes and 3; not(yes); not(nothing); n = 5; n != 5; n = "5"
  nothing = null; 1 < null; "a" < "b"; [1] = 1; [1, 2] = [1, 2]; {a: 1} = {a: 1}; n between 1 and 5; n in [1..5]
  n in (1..5); n in (> 4, < 0); n in < 3; 2 in list; 9 in list; if n > 4 then 1 else 2; if nothing then 1 else 2
  {a: 1, b: a + 1}.b; {a: 1}.c; {"b c": 1}.b c; [1, 2, 3].a; list[1]; list[-1]; list[9]; list[item > 1]
  order.lines[price > 10]; order.lines.price; order.first name; [1,2,3,4][> 2]; list[n - 4]; "abc"[1]; nothing[1]
  for i in 1..4 return i * i; for i in 4..1 return i; for a in [1, 2], b in [a, 10] return a + b
  for i in 1..5 return if i < 3 then 1 else partial[-1] + partial[-2]; some x in list satisfies x > 2
  every x in list satisfies x > 2; some x in [1], y in [2] satisfies x + y = 3; sum(list); count(list); min(list)
  max(1, 9); mean([1, 2]); sum([]); concatenate([1], [2]); flatten([[1], [[2]]]); string length("abc")
  substring("foobar", 3); substring("foobar", -2, 1); upper case("a"); string(1); string join(["a", "b"], "-")
  contains("ab", "b"); starts with("ab", "b"); substring before("a.b", "."); split("a,b,c", ",")
  number("1,000.5", ",", "."); matches("foobar", "^fo*b"); matches("Foo", "foo", "i")
  replace("abc", "[a-b]", "$0$0"); replace("abcd", "(ab)|(a)", "[1=$1][2=$2]"); sort(list, function(a, b) a < b)
  sort(list: list, precedes: function(x, y) x > y); {f: function(x) x * 2}.f(4); list contains(list, 3)
  distinct values([1, 2, 1]); union([1], [1, 2]); index of([1, 2, 1], 1); reverse(list); append(list, 9)
  remove(list, 1); sublist(list, 2); get value(order, "total"); get entries({a: 1}); context put({a: 1}, "b", 2)
  context merge([{a: 1}, {b: 2}]); decimal(1/3, 2); floor(1.5); modulo(-12, 5); date(day).year
  date("2024-01-31") + duration("P1M"); date("2024-03-01") - date(day); @"2024-01-01" < @"2024-01-02"
  date(day) = @"2024-02-29"; date and time("2024-01-01T10:00:00Z") + duration("PT36H"); time("10:00:00").hour
  string(duration("P1Y2M")); duration("PT25H").days; date(2024, 2, 29)
  date(day) in [@"2024-01-01"..@"2024-12-31"]
  day of week(date(day)); n instance of number
  {a: "x"} instance of context<a: string>; date(day) instance of date
  nothing instance of Any; "a\n\"\u00e4"; 1 /* two */ + 1; (1); [[1, 2], [3]][1]; 5 in 5
  meets([1..5], [5..10]); before(1, [2..3]); is(1, 1); all([true, false])
`
  .split(/;|\n/)
  .map((text) => text.trim())
  .filter((text) => text !== "");

function byLibrary(text: string): unknown {
  try {
    return library(text, { ...variables }).value;
  } catch (error) {
    return String(error);
  }
}

test("[D140] expressions give what the standard and the library give", () => {
  const differences = agreed.flatMap((text) => {
    const expected = JSON.stringify(byLibrary(text) ?? null);
    const found = JSON.stringify(valueIn(text, variables));
    return found === expected ? [] : [`${text} → ${found} instead of ${expected}`];
  });
  expect(differences).toEqual([]);
});

test("[D140] where the library differs from the standard, the standard holds", () => {
  expect(valueIn("2 in ([1, 2], 5)")).toBe(true);
  expect(valueIn("if 3 then 1 else 2")).toBe(2);
  expect(valueIn('string(duration("P1D") * 2)')).toBe("P2D");
  expect(valueIn('string(-duration("P1D"))')).toBe("-P1D");
  expect(valueIn('string(-duration("P1Y"))')).toBe("-P1Y");
  expect(valueIn('string(1.5 * duration("PT1H"))')).toBe("PT1H30M");
  expect(valueIn('string(duration("P1Y6M") / 2)')).toBe("P9M");
  expect(valueIn('duration("P1D") / duration("PT6H")')).toBe(4);
  expect(valueIn('duration("P1D") / duration("P1M")')).toBeNull();
  expect(valueIn("list instance of list<number>", variables)).toBe(true);
  expect(valueIn("// a note\n1")).toBe(1);
  expect(["[null] = []", "[] = []", "[null] = [null]"].map((text) => valueIn(text))).toEqual([false, true, true]);
});

test("[D141] numbers are doubles, and what a double cannot hold is an error value", () => {
  expect(valueIn("1 / 4")).toBe(0.25);
  expect(code("9007199254740993")).toBe("expression-overflow");
  expect(code("10 ** 400")).toBe("expression-overflow");
});

test("[D142] an unknown variable is an error, and asking whether there is one is none", () => {
  expect(code("missing + 1")).toBe("variable-missing");
  expect(code("missing.a")).toBe("variable-missing");
  expect(valueIn("missing = null")).toBe(true);
  expect(valueIn("null != missing")).toBe(false);
  expect(valueIn("is defined(missing)")).toBe(false);
  expect(valueIn("is defined(missing.a)")).toBe(false);
  expect(valueIn("is defined(n)", { n: 1 })).toBe(true);
  expect(valueIn("true or missing")).toBe(true);
});

test("[D143] where FEEL gives null, the reason is a warning", () => {
  const warnings = (text: string) => {
    const result = evaluate(text, variables);
    return result.ok ? result.warnings : [result.code];
  };
  expect(warnings("order.nothing here")).toEqual(["Expected nothing here in a value, but the context has none"]);
  expect(warnings('"a" + 1')).toEqual(["Expected operands that go together, but + has a string and a number"]);
  expect(warnings('n < "a"')).toEqual(["Expected values that can be compared, but < has a number and a string"]);
  expect(warnings('date("never")')?.[0]).toContain("Expected other arguments of date");
  expect(warnings("upper case(3)")?.[0]).toContain("Expected other arguments of upper case");
  expect(warnings("n + 1")).toBeUndefined();
  expect(warnings("for i in 1..99 return {}.a")).toHaveLength(1);
});

test("[D144] no clock and nothing of the machine can be reached", () => {
  expect(code("now()")).toBe("expression-function-refused");
  expect(code("today()")).toBe("expression-function-refused");
  expect(code("uuid()")).toBe("expression-function-refused");
  expect(code("random number()")).toBe("expression-function-refused");
  expect(code("{f: now}.f()")).toBe("variable-missing");
  expect(code("(function() external {})()")).toBe("expression-function-refused");
  for (const text of ["globalThis", "process", "constructor", "Function", "toString", "__proto__"]) {
    expect(code(text)).toBe("variable-missing");
  }
  for (const text of [
    '"a".constructor',
    "{}.constructor",
    "{}.__proto__",
    "{}.toString",
    "[].length",
    "date(day).value",
    "list.constructor",
  ]) {
    const result = evaluate(text, variables);
    expect(result.ok ? (result.value ?? null) : result.code).toSatisfy(
      (value) => value === null || Array.isArray(value),
    );
    expect(JSON.stringify(result)).not.toContain("native");
  }
  expect(code('context put({}, "__proto__", {polluted: 1})')).toBe("expression-result");
  expect(valueIn('context put({}, "__proto__", {polluted: 1}).polluted')).toBeNull();
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

/** What D145 and D146 promise. */
const evaluationMsMax = 50;

test("[D145] a hostile expression ends within milliseconds, as an error value", () => {
  const a = "a".repeat(50_000);
  const values = {
    s: `${a}!`,
    c: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n])),
    l: Array.from({ length: 1_000 }, (_, index) => index),
  };
  const doubling = Array.from({ length: 60 }, (_, index) => `x${index + 1}: x${index} + x${index}`).join(", ");
  const nesting = Array.from({ length: 60 }, (_, index) => `x${index + 1}: [x${index}, x${index}]`).join(", ");
  const hostile: readonly string[] = [
    'matches(s, "^(a+)+$") and matches(s, "(a|aa)+$") and matches(s, "^(.*a){20}")',
    'replace(s, "a*?$|a", s)',
    'split(s, "(a*)*b|a")',
    "for x in 1..3000000 return x",
    "count(for x in 1..3000, y in 1..3000 return x)",
    "some x in 1..10000, y in 1..10000 satisfies x + y = 0",
    "l[count(l[count(l) > item]) > 0]",
    "for x in l return sum(l)",
    `{x0: "aaaaaaaa", ${doubling}}`,
    `{x0: [1], ${nesting}, r: x60 = x59}.r`,
    `string({x0: [1], ${nesting}})`,
    "{f: function(g) g(g), r: f(f)}.r",
    "{f: function(g, n) if n = 0 then 0 else g(g, n - 1) + g(g, n - 1), r: f(f, 90)}.r",
    "sort(l, function(a, b) count(l[item > a]) > b)",
    "distinct values(for x in 1..5000 return {a: x})",
    'string join(for x in 1..20000 return "a", s)',
    "for x in [1] return partial",
    'for x in 1..5000 return @"2024-01-01" + @"P1D"',
    "count(for i in 1..20000 return c.missing)",
    'for x in 1..5000 return range("[1..2]")',
    "count(for x in 1..50000 return round half up(x, 6000))",
    "duplicate values(for x in 1..5000 return x)",
    'extract(s, "a?")',
    'matches(s, "( a | a a )+ $", "x")',
    "partition(for x in 1..400000 return x, 1)",
    'max(for x in 1..5000 return @"2024-01-01")',
    // What a step runs is as large as a text may be.
    `for x in 1..50000 return [${Array.from({ length: 80 }, () => "x+x+x+x+x+x+x+x+x+x").join(",")}]`,
    `count(for x in 1..50000 return ${Array.from({ length: 400 }, () => "x").join("+")})`,
    `l[${Array.from({ length: 400 }, () => "item").join("+")} > 0]`,
    `count(for x in 1..50000, y in if x < 0 then [${Array.from({ length: 1_500 }, () => "x").join(",")}] else [] return 1)`,
    `{f: function(n) if n = 0 then 0 else f(n - 1) + ${Array.from({ length: 300 }, () => "n").join("+")}, r: for x in 1..50000 return f(0)}.r`,
    'for x in 1..50000 return date("2024-01-01")',
    'matches(s, "^(.*a){900}b")',
  ];
  for (const text of hostile) {
    let result = "";
    const work = calibratedMs(() => {
      result = code(text, values);
    }, evaluationMsMax);
    expect(`${text.slice(0, 50)} ${result.slice(0, 40)}`).toMatch(
      /expression-cost|gave (?:false|20000|\[\[\]\])|expression-result/,
    );
    expect(Math.round(work), text).toBeLessThanOrEqual(evaluationMsMax);
  }
}, 60_000);

test("[D146] text, brackets, levels and nodes are limited, and so is the time the parser takes", () => {
  const size = limits.feelCharactersMax;
  const hostile = [
    "[".repeat(size),
    "{a:".repeat(size / 3),
    "a ".repeat(size / 2),
    "-".repeat(size - 1),
    "1..".repeat(size / 3),
    "}".repeat(size),
    `{${Array.from({ length: 300 }, (_, index) => `a${index}: a${index}`).join(", ")}`,
    "if ".repeat(size / 3),
    "a instance of list<".repeat(size / 19),
    `${"1+".repeat(size / 2 - 1)}1`,
    `"${"a".repeat(size)}"`,
  ];
  for (const text of hostile) {
    const work = calibratedMs(() => {
      const compiled = new FeelEvaluator().compile(text);
      expect(compiled.ok ? "variable-missing" : compiled.code).toMatch(/too-large|syntax|missing/);
    }, evaluationMsMax);
    expect(Math.round(work), text.slice(0, 40)).toBeLessThanOrEqual(evaluationMsMax);
  }
  expect(code(`${"(".repeat(33)}1${")".repeat(33)}`)).toBe("expression-too-large");
  expect(valueIn(`${"(".repeat(30)}1${")".repeat(30)}`)).toBe(1);
}, 60_000);

test("[D147] results are plain JSON: dates and durations as ISO 8601, no functions", () => {
  expect(valueIn('{d: date("2024-02-29"), t: [duration("PT90M")]}')).toEqual({ d: "2024-02-29", t: ["PT1H30M"] });
  expect(code("function(x) x")).toBe("expression-result");
  expect(code("[1..3]")).toBe("expression-result");
  expect(code("count")).toBe("expression-result");
});

test("[D148] a fault of the text is a value with its place", () => {
  expect(evaluate("1 + * 2")).toMatchObject({ ok: false, code: "expression-syntax" });
  const result = evaluate("1 + * 2");
  expect(result.ok ? "" : result.message).toMatch(/at character \d$/);
});

test("[D149] a compiled expression is kept, tells what it reads, and evaluating never throws", () => {
  const feel = new FeelEvaluator();
  const compiled = feel.compile("a + (for i in l return i + partial[1] + b.c)[item > d] + {e: 1, f: e}.f");
  expect(compiled.ok ? compiled.expression.reads : compiled).toEqual(["a", "l", "b", "d"]);
  expect(feel.compile("a + b c")).toBe(feel.compile("a + b c"));
  const word = fc.constantFrom(
    "n",
    "s",
    "list",
    "order",
    "1",
    '"a"',
    "null",
    "+",
    "-",
    "=",
    "<",
    "in",
    "..",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "for",
    "return",
    "some",
    "satisfies",
    "if",
    "then",
    "else",
    "function",
    "x",
    "not",
    "count",
    "@",
    "and",
    "?",
    "item",
    "date",
    "between",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      const first = evaluate(words.join(" "), variables);
      expect(evaluate(words.join(" "), variables)).toEqual(first);
    }),
    { numRuns: 2_000 },
  );
});

test("[D149] a condition costs microseconds, not a parse", () => {
  const expression = { language: "feel" as const, text: 'order.total > 100 and status = "open"' };
  const scope = scopeOf({ ...variables, status: "open" });
  const run = (times: number) => {
    const work = workMs(() => {
      for (let i = 0; i < times; i++) host.evaluate(expression, scope);
    });
    return (work * 1_000) / times;
  };
  run(20_000);
  expect(run(20_000)).toBeLessThan(20);
});
