import type { Expression, Json } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHost } from "../host.ts";
import { limits } from "../limits.ts";
import { calibratedMs, problemsOf, scopeOf, workMs } from "../testing/check.ts";
import { drawing, end, line, programOf, start } from "../testing/drawing.ts";
import { Languages } from "./languages.ts";

const host = createHost();

function evaluate(text: string, values: Readonly<Record<string, Json>> = {}, integers: readonly string[] = []) {
  return host.evaluate({ language: "cel", text }, scopeOf(values, integers));
}
const valueIn = evaluate;
const ok = (value: Json) => ({ ok: true, value });
const code = (...call: Parameters<typeof evaluate>) => {
  const result = evaluate(...call);
  return result.ok ? result : result.code;
};

test("[D40] integers are CEL integers, other numbers doubles, and mixing them gives a double", () => {
  expect(valueIn("n / 2", { n: 5 }, ["n"])).toEqual(ok(2));
  expect(valueIn("n / 2", { n: 5 })).toEqual(ok(2.5));
  expect(valueIn("item.size + 1", { item: { size: 1.5 } })).toEqual(ok(2.5));
  expect(valueIn("completed >= total * 0.8", { completed: 48, total: 50 })).toEqual(ok(true));
});

test("[D41] overflow is an error value", () => {
  expect(code("9223372036854775807 + n", { n: 1 }, ["n"])).toBe("expression-overflow");
  expect(code("9007199254740993")).toBe("expression-overflow");
  expect(code("1.0 / 0.0")).toBe("expression-overflow");
  expect(valueIn("9007199254740991")).toEqual(ok(Number.MAX_SAFE_INTEGER));
});

test("[D42] an unknown variable has the code the kernel knows, and one that does not matter none", () => {
  expect(code("missing + 1")).toBe("variable-missing");
  expect(code("has(a.b) && missing", { a: { b: 1 } })).toBe("variable-missing");
  expect(valueIn("missing == 1 || true")).toEqual(ok(true));
});

/** What D43 and D44 promise. */
const evaluationMsMax = 50;

test("[D43] no pattern makes a match slow", () => {
  const work = calibratedMs(
    () => expect(valueIn("s.matches('^(a+)+$')", { s: `${"a".repeat(50_000)}!` })).toEqual(ok(false)),
    evaluationMsMax,
  );
  expect(Math.round(work)).toBeLessThanOrEqual(evaluationMsMax);
  const sized = Math.floor(limits.patternSizeMax / 1_000);
  expect(valueIn("s.matches(p)", { s: "a", p: `${"a".repeat(sized - 7)}a{1000}` })).toEqual(ok(false));
  expect(code("s.matches(p)", { s: "a", p: `${"a".repeat(sized)}a{1,1000}` })).toBe("expression-failed");
  expect(code("s.matches(p)", { s: "a", p: "a".repeat(limits.patternCharactersMax + 1) })).toBe("expression-failed");
  expect(code("'a'.matches('(')")).toBe("expression-failed");
});

test("[D44] work is counted, so loops within loops end", () => {
  const list = Array.from({ length: 1_000 }, (_, index) => index);
  const values = { l: list, s: "x".repeat(1_000_000) };
  const hungry = [
    "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
    "l.exists(a, l.exists(b, l.exists(c, false)))",
    "l.map(a, l.map(b, l.filter(c, true))).size()",
    "l.map(a, s).map(b, b + b).size()",
    "l.map(a, s).join(',').size()",
    "l.all(a, !l.exists(b, l == [b]))",
    "l.all(a, l.all(b, true || l.all(c, true)) && l.all(d, l.all(e, true)))",
    // What a step runs is as large as a text may be.
    `l.all(a, l.all(b, ${Array.from({ length: 90 }, () => "a+b").join("+")} >= 0))`,
    `l.all(a, l.all(b, [${Array.from({ length: 90 }, () => Array.from({ length: 45 }, () => "a").join("+")).join(",")}].size() > 0))`,
    `l.all(a, l.all(b, {${Array.from({ length: 400 }, (_, n) => `'k${n}': 1`).join(",")}}.size() > 0))`,
    "l.exists(a, l.exists(b, b.nothing == 1))",
    `l.exists(a, l.exists(b, b.nothing == 1 || "${"a".repeat(60_000)}" == b))`,
    `l.exists(a, l.all(b, ${Array.from({ length: 50 }, () => "b.nothing == 1").join(" || ")} || true))`,
    "s.matches('^(.*a){900}b')",
  ];
  for (const text of hungry) {
    const work = calibratedMs(
      () => expect(`${text}: ${code(text, values)}`).toBe(`${text}: expression-cost`),
      evaluationMsMax,
    );
    expect(Math.round(work), text.slice(0, 80)).toBeLessThanOrEqual(evaluationMsMax);
  }
  expect(valueIn("l.all(a, a in l)", values)).toEqual(ok(true));
});

test("[D45] too long, too deep, too many nodes are refused", () => {
  expect(code(`"${"a".repeat(limits.expressionCharactersMax)}"`)).toBe("expression-too-large");
  expect(code(`${"(".repeat(500)}1${")".repeat(500)}`)).toBe("expression-too-large");
  expect(code(Array.from({ length: 9_000 }, () => "1").join("+"))).not.toMatchObject({ ok: true });
});

test("[D46] nothing of the machine can be reached", () => {
  for (const text of [
    "a.constructor",
    "a.__proto__",
    "'a'.constructor",
    "a.toString",
    "globalThis",
    "now()",
    "process",
  ]) {
    expect(evaluate(text, { a: { b: 1 } }).ok).toBe(false);
  }
  expect(code("timestamp('2026-01-01T00:00:00Z').getHours('Europe/Berlin')")).toBe("expression-function-refused");
  expect(code("timestamp('2026-01-01T00:00:00Z').getDayOfYear()")).toBe("expression-function-refused");
  expect(code("timestamp('2026-01-01T00:00:00')")).toBe("expression-failed");
  expect(valueIn("timestamp('2026-01-01T12:00:00+02:00').getHours()")).toEqual(ok(10));
});

test("[D47] results are plain JSON", () => {
  expect(valueIn("{'a': [1, 2.5, 'x', null, true], 'n': n}", { n: 3 }, ["n"])).toEqual(
    ok({ a: [1, 2.5, "x", null, true], n: 3 }),
  );
  expect(valueIn("timestamp('2026-01-01T00:00:00Z') + duration('90m')")).toEqual(ok("2026-01-01T01:30:00.000Z"));
  expect(valueIn("duration('90m')")).toEqual(ok("PT5400S"));
  expect(code("b'abc'")).toBe("expression-result");
  expect(code("type(1)")).toBe("expression-result");
});

test("[D48] words that CEL reserves can be variables", () => {
  const loop = { key: "a", index: 2, predecessors: [{ key: "b", result: 1 }] };
  expect(valueIn("loop.index == 2.0 && loop.key == 'a' && 'loop' != \"loop x\"", { loop })).toEqual(ok(true));
  expect(valueIn("loop.predecessors.filter(p, p.key == 'b')[0].result", { loop })).toEqual(ok(1));
  expect(valueIn("package.for", { package: { for: 7 } })).toEqual(ok(7));
  expect(valueIn("list[0] == type && size(list) == 1", { list: ["a"], type: "a" })).toEqual(ok(true));
  expect(valueIn("type(list) == list && int('4') == 4", { list: ["a"] })).toEqual(ok(true));
});

test.each([
  ["type(x) == string", ["x"]],
  ["string == type(x) && list != type(x)", ["x"]],
  ["type(x) in [int, string]", ["x"]],
  ["x == 'a' ? type(x) != null_type : false", ["x"]],
  ["type(timestamp(t)) == google.protobuf.Timestamp", ["t"]],
  ["[x].exists(q, type(q) == string && list == [1.0])", ["x", "list"]],
])("[D48] the types in %s are no variables", (text, reads) => {
  expect(valueIn(text, { x: "a", t: "2026-01-01T00:00:00Z", list: [1] })).toEqual(ok(true));
  const compiled = new Languages().compile({ language: "cel", text });
  expect(compiled).toMatchObject({ ok: true, expression: { reads } });
});

test("[D48] [D209] neither YAML nor a drawing takes a type for a variable", () => {
  const choosing = `process: p\nvariables: { x: any }\nsteps:\n  g: { choose: [{ when: "type(x) == string", then: a }, { otherwise: end }] }\n  a: { job: a }\n`;
  expect(problemsOf(choosing)).toEqual([]);
  const condition = `<conditionExpression>\${x == '5'}</conditionExpression>`;
  const parts = [
    `<exclusiveGateway id="g"/>`,
    `<sequenceFlow id="f" sourceRef="g" targetRef="e">${condition}</sequenceFlow>`,
  ];
  const program = programOf(drawing([start, ...parts, end, ...line("s", "g")]));
  expect(program.flows.find(({ id }) => id === "f")?.condition?.text).toContain("type(x) == string");
  expect([program.variables.map(({ name }) => name), program.outputs]).toEqual([["x"], ["x"]]);
});

test("[D49] a language that is not there is an error value", () => {
  const expression = { language: "cobol", text: "1" } as unknown as Expression;
  expect(host.evaluate(expression, scopeOf({}))).toMatchObject({
    ok: false,
    code: "expression-language-unknown",
  });
});

test("[D44] a condition costs about a microsecond", () => {
  const expression = { language: "cel" as const, text: "n > 4 && approved" };
  const scope = scopeOf({ n: 5, approved: true }, ["n"]);
  const run = (times: number) => {
    const work = workMs(() => {
      for (let i = 0; i < times; i++) host.evaluate(expression, scope);
    });
    return (work * 1_000) / times;
  };
  run(20_000);
  // Ten times what it costs on a busy machine: this catches a lost cache, not a slow day.
  expect(run(20_000)).toBeLessThan(10);
});

test("[D50] evaluating never throws, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(typeof evaluate(text, { a: 1, b: [1] }).ok).toBe("boolean");
    }),
  );
  const grammar = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom("1", "2.5", "'x'", "true", "null", "a", "b", "[a, b]", "{'k': a}"),
      fc
        .tuple(tie("e"), fc.constantFrom("+", "-", "==", "<", "&&", "||", "in", "%"), tie("e"))
        .map((parts) => `(${parts.join(" ")})`),
      fc.tuple(tie("e"), tie("e")).map(([list, body]) => `${list}.map(x, ${body})`),
      tie("e").map((inner) => `size(${inner})`),
    ),
  }));
  fc.assert(
    fc.property(grammar.e, (text) => {
      const first = evaluate(text, { a: 1, b: [1, 2] }, ["a"]);
      expect(evaluate(text, { a: 1, b: [1, 2] }, ["a"])).toEqual(first);
    }),
  );
});
