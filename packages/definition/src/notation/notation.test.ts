import { decide, evolve, type Json, loadProgram, newState, type ProgramDocument } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../check/check.ts";
import { compile, compileYaml } from "../compile.ts";
import { createHost } from "../host.ts";
import { limits } from "../limits.ts";
import { Problems } from "../problem.ts";
import { elementOf, flowsOf, workMs } from "../testing/check.ts";
import { compileArrows } from "./arrows.ts";
import type { ArrowFlow, Field, Notation, Unit } from "./model.ts";
import { parseNotation } from "./parse.ts";
import { printNotation } from "./print.ts";

function programOf(text: string): ProgramDocument {
  const { program, problems } = compileArrows(text, { id: "p", file: "t" });
  if (program === undefined) throw new Error(JSON.stringify(problems));
  return program;
}

function problemsOf(text: string): string[] {
  return compileArrows(text, { id: "p", file: "t" }).problems.map(
    ({ code, position }) => `${position.line}:${position.column} ${code}`,
  );
}

/** Starts it, completes jobs in the order they are offered with what is given for them, and tells the order. */
function run(
  program: ProgramDocument,
  results: Readonly<Record<string, { readonly [name: string]: Json }>> = {},
  variables = {},
) {
  const loaded = loadProgram(program, createHost());
  const state = newState();
  const order: string[] = [];
  const send = (command: Parameters<typeof decide>[2]) => {
    const decision = decide(loaded, state, command);
    for (const event of "events" in decision ? decision.events : []) evolve(state, event);
  };
  send({ type: "create-instance", instanceId: "i", rootId: "i", variables, actor: "me", at: 0 });
  for (let job = [...state.jobs.values()][0]; job !== undefined; job = [...state.jobs.values()][0]) {
    order.push(`${job.element}${JSON.stringify(job.input)}`);
    send({ type: "complete-job", key: job.key, result: results[job.element] ?? {}, actor: "me", at: 1 });
  }
  return { order, outcome: state.head.outcome };
}

test("[D190] a chain runs one step after the other, a group all at once, in every way of writing arrows", () => {
  const program = programOf("research → [analysis & code-review] → synthesis");
  expect(flowsOf(program)).toEqual([
    "fork-1 → analysis",
    "analysis → join-1",
    "fork-1 → code-review",
    "code-review → join-1",
    "start → research",
    "research → fork-1",
    "join-1 → synthesis",
    "synthesis → end",
  ]);
  for (const arrow of ["->", "|", "|>", "=>", "⇒"]) {
    expect(programOf(`research ${arrow} [analysis & code-review] ${arrow} synthesis`).hash).toBe(program.hash);
  }
  expect(run(program).order).toEqual(["research{}", "analysis{}", "code-review{}", "synthesis{}"]);
  expect(check(program)).toEqual([]);
});

test("[D191] a condition chooses between two ways, which meet again behind a parenthesis", () => {
  const program = programOf("score > 0.7 && score ∈ [0.8, 0.9] ? keep : discard → log");
  expect(run(program, {}, { score: 0.8 }).order).toEqual(["keep{}"]);
  expect(run(program, {}, { score: 0.5 }).order).toEqual(["discard{}", "log{}"]);
  const meeting = programOf("(x ? a : b → c) → d");
  expect(run(meeting, {}, { x: true }).order).toEqual(["a{}", "d{}"]);
  expect(run(meeting, {}, { x: false }).order).toEqual(["b{}", "c{}", "d{}"]);
  expect(run(programOf("a → x ? (y ? b : c) : d"), {}, { x: true, y: false }).order).toEqual(["a{}", "c{}"]);
});

const orchestrator = `# the first example of the notation
q → kw_extract → kw
q → classify(intent_types) → intent
(kw + q) → expand_q → search_terms
intent → infer_categories → cats  # the last step
→ {search_terms, cats, intent, kw}
`;

test("[D192] variables come from the steps before and go to those after; what depends on nothing runs at once", () => {
  const program = programOf(orchestrator);
  const results = {
    kw_extract: { kw: "k" },
    classify: { intent: "i" },
    expand_q: { search_terms: "s" },
    infer_categories: { cats: "c" },
  };
  const { order, outcome } = run(program, results, { q: "?", intent_types: 3 });
  expect(order).toEqual([
    'kw_extract{"q":"?"}',
    'classify{"q":"?","intent_types":3}',
    'expand_q{"kw":"k","q":"?"}',
    'infer_categories{"intent":"i"}',
  ]);
  expect(outcome).toEqual({ type: "completed", result: { search_terms: "s", cats: "c", intent: "i", kw: "k" } });
  expect(check(program)).toEqual([]);
});

test("[D192] values, types, agents, loops and computed results", () => {
  const text = `threshold: float = 0.5
task = {"type": "search"}
double = threshold * 2.0
task → process(double, limit: threshold + 1.0) @agent_b → score
[docs] >> summarize → summaries
→ {score, all: summaries.size()}
`;
  const program = programOf(text);
  expect(program.variables.find(({ name }) => name === "threshold")).toEqual({
    name: "threshold",
    type: "number",
    initial: 0.5,
  });
  expect(elementOf(program, "process")).toMatchObject({ job: { type: "process", headers: { agent: "agent_b" } } });
  const { order, outcome } = run(program, { process: { score: 7 }, summarize: { result: "short" } }, { docs: [1, 2] });
  expect(order.filter((step) => step.startsWith("process"))).toEqual([
    'process{"task":{"type":"search"},"double":1,"limit":1.5}',
  ]);
  expect(outcome).toEqual({ type: "completed", result: { score: 7, all: 2 } });
});

test("[D193] the same name is the same step, so that lines make one graph; circles are refused", () => {
  expect(flowsOf(programOf("a → b → d\na → c\nc → d"))).toEqual([
    "a → a.fork",
    "start → a",
    "a.fork → b",
    "d.join → d",
    "b → d.join",
    "c → d.join",
    "d → end",
    "a.fork → c",
  ]);
  expect(problemsOf("a → b\nb → c → a")).toEqual(["1:1 cycle"]);
  expect(problemsOf("a(x) → b\nb → a(y)")).toEqual(["2:5 notation-invalid"]);
});

test("[D194] what cannot be read is reported at its place, line by line", () => {
  expect(problemsOf("a →\nb → → c\n\n[a & b\n")).toEqual([
    "1:4 notation-invalid",
    "2:5 notation-invalid",
    "5:1 notation-invalid",
  ]);
  expect(problemsOf("x ? a\n")).toEqual(["1:6 notation-invalid"]);
  expect(problemsOf("a → f(1,,2)")).toEqual(["1:9 notation-invalid"]);
  expect(problemsOf("x >< 1 ? a : b")).toEqual(["1:1 expression-syntax"]);
  expect(problemsOf("[a & b] → {v}\nc → v → [v & d]")).toContain("1:11 notation-invalid");
  expect(problemsOf("")).toEqual(["1:1 notation-invalid"]);
  expect(problemsOf("n: colour = 1\na")).toEqual(["1:1 variable-type"]);
  expect(problemsOf("a ~boost")).toEqual(["1:3 notation-invalid"]);
  expect(problemsOf("(".repeat(100))).toEqual(["1:21 notation-invalid"]);
  expect(problemsOf(`a${" ".repeat(limits.notationCharactersMax)}`)).toEqual(["1:1 notation-invalid"]);
});

test("[D195] it is a form of YAML, with places in the file, and a file of its own", () => {
  const yaml =
    'arrows: p\nversion: "2"\nvariables: { x: { type: boolean, required: true } }\nflow: |\n  a -> b\n  x ? c : d\n';
  const [program] = compileYaml(yaml, { file: "t.yaml" }).programs;
  expect(program).toMatchObject({ id: "p", version: "2", variables: [{ name: "x", type: "boolean", required: true }] });
  expect(program?.elements.find(({ id }) => id === "b")?.position).toMatchObject({ line: 5, column: 8 });
  const [bad] = compileYaml("arrows: p\nflow: |\n  a -> b\n  c ->\n", { file: "t.yaml" }).problems;
  expect(bad).toMatchObject({ code: "notation-invalid", position: { line: 4, column: 7 } });
  expect(compile("a → b", { file: "dir/review.arrows" }).programs.map(({ id }) => id)).toEqual(["review"]);
});

const name = fc.constantFrom("a", "b", "c_d", "code-review", "e1");
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.constantFrom("v", "w").map((each) => ({ name: each })),
  fc
    .tuple(fc.constantFrom("v", "w"), fc.constantFrom("1 + 2", '"a → b, c"', "v > 1 ? 2 : 3", "[1, 2]"))
    .map(([each, text]) => ({ name: each, text })),
);
const position = { line: 1, column: 1 };
const { flow } = fc.letrec<{ flow: ArrowFlow; unit: Unit; call: Unit & { kind: "call" } }>((tie) => ({
  call: fc.record({ kind: fc.constant("call" as const), name, position: fc.constant(position) }).chain((call) =>
    fc
      .record({ args: fc.option(fc.array(field, { maxLength: 2 })), agent: fc.option(name) })
      .map(({ args, agent }) => ({
        ...call,
        ...(args !== null && { args }),
        ...(agent !== null && { agent }),
      })),
  ),
  unit: fc.oneof(
    { maxDepth: 3 },
    tie("call"),
    fc.array(field, { minLength: 1, maxLength: 2 }).map((fields): Unit => ({ kind: "values", fields, position })),
    fc.array(tie("flow"), { minLength: 1, maxLength: 3 }).map((flows): Unit => ({ kind: "group", flows, position })),
    tie("flow").map((inner): Unit => ({ kind: "nested", flow: inner, position })),
    tie("call").map((call): Unit => ({ kind: "each", collection: "xs", call, position })),
    fc
      .tuple(tie("flow"), tie("flow"))
      .map(([yes, no]): Unit => ({ kind: "choice", condition: 'v > 1 && w == "?"', yes, no, position })),
  ),
  flow: fc.array(tie("unit"), { minLength: 1, maxLength: 3 }).map((units) => {
    // Everything after a condition belongs to its second way.
    const at = units.findIndex((unit) => unit.kind === "choice");
    return { units: at < 0 ? units : units.slice(0, at + 1) };
  }),
}));

function withoutPlaces(notation: Notation): unknown {
  return JSON.parse(JSON.stringify(notation, (key, value) => (key === "position" ? undefined : value)));
}

test("[D197] modifiers are headers of the step's job, and come back when they are printed", () => {
  const text = "q → search @web +recent -paywalled(0.5) *emphasis → results\nreport(results) +short\n";
  const { program, problems } = compileArrows(text, { id: "p", file: "t" });
  expect(problems).toEqual([]);
  expect(program?.elements.flatMap((element) => ("job" in element ? [element.job?.headers] : []))).toEqual([
    undefined,
    { agent: "web", modifiers: ["+recent", "-paywalled(0.5)", "*emphasis"] },
    { modifiers: ["+short"] },
  ]);
  expect(printNotation(parseNotation(text, new Problems("t")))).toBe(text);
  // An arrow is no modifier, and neither is a minus between two values.
  expect(compileArrows("a ->b", { id: "p", file: "t" }).problems).toEqual([]);
  expect(compileArrows("x: number = 3\nx -1.0 > 1.0 ? a : b", { id: "p", file: "t" }).problems).toEqual([]);
});

test("[D197] what the shorthand has and no process can run is refused by its sign, with what to write", () => {
  const refused: readonly (readonly [text: string, place: number, why: string])[] = [
    ["query ~match docs", 7, "~ matches roughly"],
    ["[xs] >> filter(1 < 2) >> map → ys", 23, ">> goes through one list"],
    ["a ?? b → c", 3, "?? is not there"],
    ["x ∉ ys ? a : b", 3, "∉ is not there"],
    ["a ∪ b → c", 3, "sets are put together"],
    ["{a} ++ {b} → c", 5, "sets are put together"],
    ["→ {...x, f: 1}", 4, "... is not there"],
    ["[a] & [b]", 5, "& stands between steps"],
    ["a → #b", 5, "# is no count"],
    ["for x in xs → y", 5, "a loop is written [list] >> step"],
    ["data → validate ✅", 17, "a picture means nothing"],
    ["🔍 → b", 1, "a picture means nothing"],
  ];
  for (const [text, column, why] of refused) {
    const [problem] = compileArrows(text, { id: "p", file: "t" }).problems;
    expect(`${text}: ${problem?.code} ${problem?.position.column} ${problem?.message}`).toContain(
      `${text}: notation-invalid ${column} `,
    );
    expect(problem?.message).toContain(`(${why}`);
  }
  expect(
    compileArrows('x = "a ?? b ... ∉"\na(x)', { id: "p", file: "t" }).problems.map(({ code }) => code),
  ).not.toContain("notation-invalid");
});

test("[D196] what is printed is read again as the same", () => {
  const read = (text: string) => {
    const problems = new Problems("t");
    const notation = parseNotation(text, problems);
    expect(`${text}${JSON.stringify(problems.list())}`).toBe(`${text}[]`);
    return notation;
  };
  for (const text of [
    orchestrator,
    "x = 1\ny: list = [1]\nz = x + 1\n(x ? a : b) → [c & d → e(1, k: 2) @f]\n→ {x, n: z}\n",
  ]) {
    const notation = read(text);
    expect(withoutPlaces(read(printNotation(notation)))).toEqual(withoutPlaces(notation));
    expect(programOf(printNotation(notation, { ascii: true })).hash).toBe(programOf(text).hash);
  }
  fc.assert(
    fc.property(flow, (each) => {
      const notation: Notation = { lines: [{ kind: "flow", flow: each, position }] };
      expect(withoutPlaces(read(printNotation(notation)))).toEqual(withoutPlaces(notation));
    }),
  );
});

test("[D194] no text makes it throw or take long", () => {
  const word = fc.constantFrom(
    "a",
    "→",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "&",
    "?",
    ":",
    "x",
    "=",
    ">>",
    "|",
    ",",
    "\n",
    '"',
    "#",
    "@",
    "+",
    "∈",
    "||",
    " ",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const { program, problems } = compileArrows(words.join(""), { id: "p", file: "t" });
      expect(program !== undefined || problems.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
  const lines = Array.from({ length: 1_500 }, (_, index) => `s${index} → s${index + 1}\n`);
  expect(workMs(() => compileArrows(lines.join(""), { id: "p", file: "t" }))).toBeLessThan(3_000);
});
