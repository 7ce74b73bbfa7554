import { decide, evolve, type Json, loadProgram, newState, type ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { compile, compileYaml } from "../compile.ts";
import { createHost } from "../host.ts";
import { limits } from "../limits.ts";
import { scopeOf } from "../testing/check.ts";
import { linkDecisions } from "./link.ts";
import { compileDmn } from "./xml.ts";

const host = createHost();

function decisionsOf(text: string) {
  const { decisions, problems } = compileYaml(text, { file: "t.yaml" });
  expect(problems).toEqual([]);
  return decisions;
}

function ask(text: string, values: Readonly<Record<string, Json>>): Json {
  const decision = decisionsOf(text).at(-1);
  if (decision === undefined) throw new Error("Expected a decision");
  const result = host.evaluate(decision.expression, scopeOf(values));
  return result.ok ? result.value : result.code;
}

function problemsOf(text: string): string[] {
  return compile(text, { file: text.startsWith("<") ? "t.dmn" : "t.yaml" }).problems.map(
    ({ code, position }) => `${position.line} ${code}`,
  );
}

const table = (hit: string, rules: string, outputs = "[rate]") =>
  `decision: d\nhit: ${hit}\ninputs: [age, kind]\noutputs: ${outputs}\nrules:\n${rules}`;
const overlapping = `  - { when: [">= 18", "-"], then: [10] }\n  - { when: ["-", '"vip"'], then: [20] }\n  - { when: ["< 5", ""], then: [1] }\n`;

test("[D180] unique gives the one rule that fits, and is an error value when two do", () => {
  expect(ask(table("unique", overlapping), { age: 20, kind: "x" })).toBe(10);
  expect(ask(table("unique", overlapping), { age: 20, kind: "vip" })).toBe("decision-ambiguous");
});

test("[D180] any takes rules that agree, first the first, rule order all", () => {
  const same = `  - { when: [">= 18", "-"], then: [10] }\n  - { when: ["-", '"vip"'], then: [10] }\n`;
  expect(ask(table("any", same), { age: 20, kind: "vip" })).toBe(10);
  expect(ask(table("any", overlapping), { age: 20, kind: "vip" })).toBe("decision-ambiguous");
  expect(ask(table("first", overlapping), { age: 20, kind: "vip" })).toBe(10);
  expect(ask(table("rule-order", overlapping), { age: 20, kind: "vip" })).toEqual([10, 20]);
  expect(ask(table("rule-order", overlapping), { age: 6, kind: "x" })).toEqual([]);
});

test("[D180] priority and output order go by the order of the output's values", () => {
  const rules = `  - { when: ["-", "-"], then: ['"low"'] }\n  - { when: ["> 5", "-"], then: ['"high"'] }\n`;
  const outputs = `[{ name: r, values: ['"high"', '"low"'] }]`;
  expect(ask(table("priority", rules, outputs), { age: 9, kind: "x" })).toBe("high");
  expect(ask(table("output-order", rules, outputs), { age: 9, kind: "x" })).toEqual(["high", "low"]);
  expect(ask(table("output-order", rules, outputs), { age: 1, kind: "x" })).toEqual(["low"]);
});

test("[D180] collect lists, sums, counts and takes the least and the greatest", () => {
  const values = { age: 20, kind: "vip" };
  const collect = (more: string) => ask(table(`collect${more}`, overlapping), values);
  expect(collect("")).toEqual([10, 20]);
  expect(["sum", "count", "min", "max"].map((how) => collect(`\naggregate: ${how}`))).toEqual([30, 2, 10, 20]);
  expect(ask(table("collect\naggregate: count", overlapping), { age: 9, kind: "x" })).toBe(0);
});

test("[D181] several outputs give a context; without a rule that fits there are defaults, else null with a warning", () => {
  const rules = `  - { when: ["> 5", "-"], then: ["age * 2", '"big"'] }\n`;
  expect(ask(table("unique", rules, "[n, size]"), { age: 9, kind: "x" })).toEqual({ n: 18, size: "big" });
  const otherwise = `[{ name: n, otherwise: 0 }, { name: size, otherwise: '"none"' }]`;
  expect(ask(table("unique", rules, otherwise), { age: 1, kind: "x" })).toEqual({ n: 0, size: "none" });
  const [decision] = decisionsOf(table("unique", rules, "[n, size]"));
  const result =
    decision === undefined ? undefined : host.evaluate(decision.expression, scopeOf({ age: 1, kind: "x" }));
  expect(result).toMatchObject({ ok: true, value: null, warnings: ["Expected a rule of d to fit, but none does"] });
});

test("[D181] a value that an input does not allow is an error value, and so is a missing variable", () => {
  const text = `decision: d\ninputs: [{ expression: kind, allowed: '"a", "b"' }]\noutputs: [r]\nrules:\n  - { when: ["-"], then: [1] }\n`;
  expect(ask(text, { kind: "b" })).toBe(1);
  expect(ask(text, { kind: "c" })).toBe("decision-input");
  expect(ask(text, {})).toBe("variable-missing");
});

test("[D182] decisions of a file may require each other by name; circles are refused", () => {
  const text = `decision: base\nvalue: amount * 2\n---\ndecision: rate\nvalue: 'if base > 10 then "high" else "low"'\n---\ndecision: fee\ninputs: [rate]\noutputs: [fee]\nrules:\n  - { when: ['"high"'], then: [base] }\n  - { when: ['"low"'], then: [0] }\n`;
  expect(ask(text, { amount: 6 })).toBe(12);
  expect(ask(text, { amount: 5 })).toBe(0);
  expect(problemsOf("decision: a\nvalue: b + 1\n---\ndecision: b\nvalue: a + 1\n")).toEqual(["1 cycle"]);
  expect(problemsOf("decision: a\nvalue: '1'\n---\ndecision: a\nvalue: '2'\n")).toEqual(["4 decision-duplicate"]);
});

test("[D183] every fault of a decision is reported at its cell", () => {
  expect(
    problemsOf(
      table(
        "unique",
        `  - { when: [">>", "-"], then: ["1 +"] }\n  - { when: ["-"], then: [1] }\n  - { when: ["-", "-"], then: ["now()"] }\n`,
      ),
    ),
  ).toEqual(["6 expression-syntax", "6 expression-syntax", "7 decision-invalid", "8 expression-function-refused"]);
  expect(problemsOf("decision: a\n")).toEqual(["1 decision-invalid"]);
  expect(problemsOf("decision: a\nvalue: '1'\nhit: never\n")).toEqual(["3 schema-invalid"]);
});

const dmn = (body: string) =>
  `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="D" namespace="x">\n${body}\n</definitions>`;
const input = (id: string, name: string) =>
  `<inputData id="${id}" name="${name}"><variable name="${name}"/></inputData>`;
const literal = (text: string) => `<literalExpression><text>${text}</text></literalExpression>`;

test("[D184] a DMN file: tables, required decisions, functions, contexts and invocations", () => {
  const file = dmn(`${input("i1", "Guest Count")}${input("i2", "Season")}
<businessKnowledgeModel id="double" name="double"><encapsulatedLogic><formalParameter name="x"/>${literal("x * 2")}</encapsulatedLogic></businessKnowledgeModel>
<decision id="portions" name="Portions"><informationRequirement><requiredInput href="#i1"/></informationRequirement>
  <knowledgeRequirement><requiredKnowledge href="#double"/></knowledgeRequirement>
  <invocation>${literal("double")}<binding><parameter name="x"/>${literal("Guest Count")}</binding></invocation></decision>
<decision id="dish" name="Dish"><informationRequirement><requiredDecision href="#portions"/></informationRequirement>
  <decisionTable hitPolicy="FIRST"><input><inputExpression typeRef="string"><text>Season</text></inputExpression></input>
    <input><inputExpression><text>Portions</text></inputExpression></input><output name="dish"/>
    <rule><inputEntry><text>"Winter"</text></inputEntry><inputEntry><text>&lt;= 8</text></inputEntry><outputEntry><text>"Roastbeef"</text></outputEntry></rule>
    <rule><inputEntry><text>-</text></inputEntry><inputEntry><text></text></inputEntry><outputEntry><text>"Stew"</text></outputEntry></rule>
  </decisionTable></decision>
<decision id="menu" name="Menu"><informationRequirement><requiredDecision href="#dish"/></informationRequirement>
  <context><contextEntry><variable name="main"/>${literal("Dish")}</contextEntry><contextEntry><variable name="for"/>${literal("Guest Count")}</contextEntry></context></decision>`);
  const { decisions, problems } = compileDmn(file, { file: "menu.dmn" });
  expect(problems).toEqual([]);
  expect(decisions.map(({ id }) => id)).toEqual(["portions", "dish", "menu"]);
  const menu = decisions[2];
  const evaluate = (values: Readonly<Record<string, Json>>) => menu && host.evaluate(menu.expression, scopeOf(values));
  expect(evaluate({ Guest_Count: 4, Season: "Winter" })).toEqual({ ok: true, value: { main: "Roastbeef", for: 4 } });
  expect(evaluate({ Guest_Count: 5, Season: "Winter" })).toEqual({ ok: true, value: { main: "Stew", for: 5 } });
});

test("[D184] lists, relations, conditionals, filters and loops, in each other as they like", () => {
  const value = (logic: string) => {
    const { decisions, problems } = compileDmn(dmn(`<decision id="a" name="a">${logic}</decision>`), { file: "t.dmn" });
    expect(problems).toEqual([]);
    const [decision] = decisions;
    const result = decision && host.evaluate(decision.expression, scopeOf({ n: 3 }));
    return result?.ok === true ? result.value : result;
  };
  const relation = `<relation><column name="k"/><column id="c2" name="the value"/><row>${literal("1")}${literal('"x"')}</row><row>${literal("n")}${literal('"y"')}</row></relation>`;
  expect(value(relation)).toEqual([
    { k: 1, "the value": "x" },
    { k: 3, "the value": "y" },
  ]);
  expect(value("<relation><column name='k'/></relation>")).toEqual([]);
  expect(value(`<list>${literal("n")}<list>${literal("n + 1")}</list></list>`)).toEqual([3, [4]]);
  const branch = `<conditional><if>${literal("n > 2")}</if><then>${literal('"big"')}</then><else>${literal('"small"')}</else></conditional>`;
  expect(value(branch)).toBe("big");
  expect(value(`<filter><in>${relation}</in><match>${literal("k > 1")}</match></filter>`)).toEqual([
    { k: 3, "the value": "y" },
  ]);
  const looped = (kind: string, rest: string) =>
    `<${kind} iteratorVariable="i"><in><list>${literal("1")}${literal("n")}</list></in>${rest}</${kind}>`;
  expect(value(looped("for", `<return>${literal("i * 2")}</return>`))).toEqual([2, 6]);
  expect(value(looped("some", `<satisfies>${literal("i > 2")}</satisfies>`))).toBe(true);
  expect(value(looped("every", `<satisfies>${literal("i > 2")}</satisfies>`))).toBe(false);
});

test("[D184] comments stay within their box, the last entry of a context is what it gives, and tables may be functions", () => {
  const value = (logic: string, more = ""): unknown => {
    const { decisions, problems } = compileDmn(dmn(`${more}<decision id="a" name="a">${logic}</decision>`), {
      file: "t",
    });
    expect(problems).toEqual([]);
    const [first] = decisions;
    const result = first && host.evaluate(first.expression, scopeOf({ n: 4 }));
    return result?.ok === true ? result.value : result;
  };
  expect(value(`<list>${literal("1 // one")}${literal("n")}</list>`)).toEqual([1, 4]);
  const list = `<contextEntry><variable name="list"/>${literal("[1, n]")}</contextEntry>`;
  expect(value(`<context>${list}<contextEntry>${literal("list[2]")}</contextEntry></context>`)).toBe(4);
  const fee = `<businessKnowledgeModel id="f" name="fee of"><encapsulatedLogic><formalParameter name="the amount"/><decisionTable hitPolicy="FIRST"><input><inputExpression><text>the amount</text></inputExpression></input><output/><rule><inputEntry><text>&gt; 10</text></inputEntry><outputEntry><text>the amount / 10</text></outputEntry></rule><rule><inputEntry><text>-</text></inputEntry><outputEntry><text>0</text></outputEntry></rule></decisionTable></encapsulatedLogic></businessKnowledgeModel>`;
  const asks = `<knowledgeRequirement><requiredKnowledge href="#f"/></knowledgeRequirement>${literal("[fee of(the amount: 50), fee of(n)]")}`;
  expect(value(asks, fee)).toEqual([5, 0]);
});

test("[D184] what a DMN file has that Tutti does not decide is refused with its line", () => {
  const decision = (logic: string) => dmn(`<decision id="a" name="a">${logic}</decision>`);
  const row = `<relation><column name="a"/><row>${literal("1")}${literal("2")}</row></relation>`;
  for (const strange of [row, "<list><decisionTable/></list>", "<filter><in/></filter>", "<conditional/>"])
    expect(problemsOf(decision(strange))[0]).toBe("2 decision-invalid");
  expect(problemsOf(decision("<sorcery/>"))).toEqual(["2 decision-invalid"]);
  expect(problemsOf(decision("<quantumExpression/>"))).toEqual(["2 decision-invalid"]);
  expect(problemsOf(decision('<decisionTable hitPolicy="COLLECT" aggregation="MEDIAN"/>'))).toEqual([
    "2 decision-invalid",
  ]);
  expect(
    problemsOf(dmn(`<import namespace="x" name="y"/><decision id="a" name="a">${literal("1")}</decision>`)),
  ).toEqual(["2 decision-invalid"]);
  expect(
    problemsOf(decision(`<relation><column name="a"/>\n<row>${literal("1")}${literal("2")}</row></relation>`)),
  ).toEqual(["3 decision-invalid"]);
  expect(problemsOf(decision(""))).toEqual(["2 decision-invalid"]);
  expect(problemsOf(decision('<decisionTable hitPolicy="MAYBE"/>'))).toEqual(["2 decision-invalid"]);
  expect(
    problemsOf(decision('<literalExpression expressionLanguage="groovy"><text>1</text></literalExpression>')),
  ).toEqual(["2 decision-invalid"]);
  expect(
    problemsOf(
      decision(`\n<informationRequirement><requiredDecision href="#b"/></informationRequirement>${literal("1")}`),
    ),
  ).toEqual(["3 decision-unknown"]);
  expect(problemsOf(decision(`${literal("\n1 +")}`))).toEqual(["2 expression-syntax"]);
  expect(problemsOf(dmn(""))).toEqual(["1 decision-invalid"]);
  expect(problemsOf("<definitions/>")).toEqual(["1 form-unknown"]);
  expect(problemsOf("<a>")).toEqual(["1 xml-invalid"]);
});

function run(program: ProgramDocument, variables: { readonly [name: string]: Json }) {
  const loaded = loadProgram(program, host);
  const state = newState();
  const decision = decide(loaded, state, {
    type: "create-instance",
    instanceId: "i",
    rootId: "i",
    variables,
    actor: "me",
    at: 0,
  });
  for (const event of "events" in decision ? decision.events : []) evolve(state, event);
  return state.head;
}

test("[D185] a task that asks for a decision of its file decides by itself", () => {
  const text = `process: p\nvariables: { amount: { type: number, required: true }, fee: any }\noutputs: [fee]\nsteps:\n  charge: { job: decision.fees, out: { fee: = result } }\n---\ndecision: fees\ninputs: [amount]\noutputs: [fee]\nhit: first\nrules:\n  - { when: ["> 100"], then: [amount * 0.1] }\n  - { when: ["-"], then: [0] }\n`;
  const { programs, problems } = compileYaml(text, { file: "t.yaml" });
  expect(problems).toEqual([]);
  const [program] = programs;
  if (program === undefined) throw new Error("Expected a program");
  expect(run(program, { amount: 200 }).outcome).toEqual({ type: "completed", result: { fee: 20 } });
  expect(run(program, { amount: 20 }).outcome).toEqual({ type: "completed", result: { fee: 0 } });
});

test("[D185] a program is linked with the decisions of another file, and otherwise stays as it is", () => {
  const { programs } = compileYaml(
    "process: p\nvariables: { a: { type: number, initial: 1 } }\nsteps:\n  x: { job: decision.d }\n",
    { file: "t" },
  );
  const [program] = programs;
  if (program === undefined) throw new Error("Expected a program");
  expect(linkDecisions(program, [])).toBe(program);
  const linked = linkDecisions(program, decisionsOf("decision: d\nvalue: a + 1\n"));
  expect(linked.hash).not.toBe(program.hash);
  expect(linked.elements.find(({ id }) => id === "x")).toMatchObject({
    kind: "business-rule-task",
    decision: { result: "d" },
  });
  expect(run(linked, {}).status).toBe("completed");
});

test("[D186] a chain of decisions as long as the limit compiles, a longer one is refused", () => {
  const sources = (count: number) =>
    dmn(
      Array.from({ length: count }, (_, n) => {
        const before =
          n === 0 ? "" : `<informationRequirement><requiredDecision href="#d${n - 1}"/></informationRequirement>`;
        return `<decision id="d${n}" name="d${n}">${before}${literal(n === 0 ? "1" : `d${n - 1} + 1`)}</decision>`;
      }).join("\n"),
    );
  const { decisions } = compileDmn(sources(limits.decisionsMax), { file: "t" });
  const last = decisions.at(-1);
  expect(last && host.evaluate(last.expression, scopeOf({}))).toEqual({ ok: true, value: limits.decisionsMax });
  expect(problemsOf(sources(limits.decisionsMax + 1))).toEqual([`${limits.decisionsMax + 2} decision-invalid`]);
});

test("[D186] a table is bounded as one expression, whatever its cells do; damaged text is an error value", () => {
  const rules = Array.from(
    { length: 30 },
    () => `  - { when: ["count(for x in 1..9000 return x) > ?", "-"], then: [1] }\n`,
  ).join("");
  expect(ask(table("collect", rules), { age: 1, kind: "x" })).toBe("expression-cost");
  for (const text of ["", "{}", "[]", '{"names":[],"steps":[{"name":"a","logic":{"type":"literal","text":"("}}]}']) {
    expect(host.evaluate({ language: "dmn", text }, scopeOf({})).ok).toBe(false);
  }
});
