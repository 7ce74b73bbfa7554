import { readdirSync, readFileSync } from "node:fs";
import { type Json, must, type ProgramDocument } from "@tutti/kernel";
import { Random, randomProgram } from "@tutti/kernel/testing";
import { expect, test } from "vitest";
import { compile, compileYaml } from "../compile.ts";
import { hashProgram } from "../hash.ts";
import { drawing, programOf as drawn, end, line, start } from "../testing/drawing.ts";
import { exportBpmn } from "./export.ts";
import { compileBpmn } from "./import.ts";

const folders = ["../../fixtures/bpmn/", "../../fixtures/", "../../examples/", "../../../../examples/processes/"];

/** Every definition of the repository that is a file of its own. */
function definitionFiles(folder: string): readonly URL[] {
  const at = new URL(folder, import.meta.url);
  const names = readdirSync(at, { recursive: folder.endsWith("/processes/"), encoding: "utf8" });
  return names.filter((name) => /\.(?:yaml|bpmn2?|bpmn20\.xml)$/.test(name)).map((name) => new URL(name, at));
}

function withoutSource({ source: _source, ...program }: ProgramDocument): ProgramDocument {
  return program;
}

/** The program that comes back when one is exported as if nobody had drawn it. */
function generatedBack(program: ProgramDocument): ProgramDocument | undefined {
  const { documents } = compileBpmn(exportBpmn(withoutSource(program)), { file: "t.bpmn" });
  return documents.find(({ id }) => id === program.id);
}

test("[D221] every definition of this repository comes back with its hash, whoever drew it", () => {
  const compared: string[] = [];
  for (const url of folders.flatMap(definitionFiles)) {
    const { programs } = compile(readFileSync(url), { file: url.pathname });
    for (const program of programs) {
      expect(generatedBack(program)?.hash, `${program.id} of ${url.pathname}`).toBe(program.hash);
      compared.push(program.id);
    }
  }
  expect(compared).toEqual(expect.arrayContaining(["expense", "leave", "invoice", "pr_review", "events"]));
  expect(compared.length).toBeGreaterThan(12);
});

/** One of each place that takes a condition or another expression. */
const everywhere = (text: string): string => {
  const [when, value] = [JSON.stringify(text), JSON.stringify(`= ${text}`)];
  return `process: x
variables: { s: any, t: any, names: list, n: integer }
steps:
  one: { choose: [{ when: ${when}, then: some }, { otherwise: end }] }
  some: { some: [{ when: ${when}, then: wait }, { otherwise: wait }] }
  wait: { wait: { when: ${when} } }
  routed: { job: r, in: { q: ${value} }, routes: [{ when: ${when}, then: again }, { otherwise: again }] }
  again: { job: a, repeat: { while: ${when}, max: 3 } }
  each: { job: b, forEach: { collection: "= names", completion: ${when}, output: { t: ${value} } } }
  set: { script: { t: ${value} } }
  forked: { fork: [left, right] }
  left: { job: l, then: joined }
  right: { adhoc: { completion: ${when} }, steps: { c: { job: c } }, then: joined }
  joined: { join: { when: ${when} } }
`;
};

const ordinary = [
  "names.exists(n, n == 'b')",
  "names.all(n, n != '')",
  "[1, 2].exists(k, k % 2 == 0)",
  "names.filter(q, q.contains('a')).size() > 0",
  "has(s.x) && s.x == '5'",
  "s == '5' || '5' == t",
  "n % 2 == 1",
  "s.contains('a')",
  "s.matches('a+') && t + 'x' == 'ax'",
  "{'a': s}.a == '5'",
  "names.map(n, n + 'x') == ['ax']",
  "s == '${x}' || s == 'a;b'",
];

test.each(ordinary)("[D221] %s comes back at every place that takes an expression", (text) => {
  const { programs, problems } = compileYaml(everywhere(text), { file: "t.yaml" });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const [program] = programs as readonly [ProgramDocument];
  const written = exportBpmn(program);
  expect(compileBpmn(written, { file: "t.bpmn" }).documents.map(({ hash }) => hash)).toEqual([program.hash]);
  // BPMN's own elements say it; only values, for which there is no language in an extension, may need ours beside them.
  expect(written).not.toMatch(/path="\/(?:condition|activation|completion|trigger|loop\/c)/);
});

/** A copy in which every expression is another one. */
function withExpressions(part: Json, expression: { readonly language: string; readonly text: string }): Json {
  if (part === null || typeof part !== "object") return part;
  if (Array.isArray(part)) return part.map((inner) => withExpressions(inner, expression));
  if ("language" in part) return { ...expression };
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, withExpressions(inner, expression)]));
}

test("[D221] random programs with ordinary expressions come back", () => {
  for (let seed = 0; seed < 24; seed++) {
    const random = new Random(seed);
    const { hash: _hash, ...program } = randomProgram(random, seed % 2 === 0);
    const text = must(ordinary[seed % ordinary.length], "there are some");
    const own = withExpressions(program as unknown as Json, { language: "cel", text }) as unknown as ProgramDocument;
    // Whether it reads what is there is for lint; that it is equal, the export itself makes sure of.
    expect(exportBpmn({ ...own, hash: hashProgram(own) }), `seed ${seed}`).toContain('exporter="Tutti"');
  }
});

test.each(["cel", "feel", "dmn"])("[D221] no text in %s keeps a program from being exported", (language) => {
  const { programs } = compileYaml(everywhere("s > 1"), { file: "t.yaml" });
  const [{ hash: _hash, ...plain }] = programs as readonly [ProgramDocument];
  const texts = [
    "",
    " ",
    "= x",
    "==x",
    "${x}",
    "a ${x} b",
    "#{x}",
    "bean.check(x)",
    "x y (",
    "getVariable(x)",
    "not x",
  ];
  for (const text of [...texts, "]]>", "\u0000", "a\r\nb", "5", '"t"', "numberOfInstances > 1", "return x;"]) {
    const own = withExpressions(plain as unknown as Json, { language, text }) as unknown as ProgramDocument;
    // What was exported is compared by the export itself, which throws when it differs.
    expect(exportBpmn({ ...own, hash: hashProgram(own) }), JSON.stringify(text)).toContain('exporter="Tutti"');
  }
});

const choosing = (language: string, text: string): readonly string[] => [
  start,
  `<exclusiveGateway id="g" default="f3"/>`,
  `<task id="t"/>`,
  end,
  ...line("s", "g"),
  `<sequenceFlow id="f2" sourceRef="g" targetRef="t"><conditionExpression language="${language}">${text}</conditionExpression></sequenceFlow>`,
  `<sequenceFlow id="f3" sourceRef="g" targetRef="e"/>`,
];

test.each(["names.exists(n, n == 'b')", "x == '5'", "has(s.x) &amp;&amp; s.n % 2 == 1"])(
  "[D205] a condition that says it is CEL is taken as it is: %s",
  (text) => {
    for (const language of ["cel", "CEL"]) {
      const program = drawn(drawing(choosing(language, text)));
      const condition = program.flows.find(({ id }) => id === "f2")?.condition;
      expect(condition).toMatchObject({ language: "cel", text: text.replaceAll("&amp;", "&") });
    }
  },
);

test("[D205] in braces it is another engine's, whatever it says it is", () => {
  const program = drawn(drawing(choosing("cel", "${x eq 'a'}")));
  expect(program.flows.find(({ id }) => id === "f2")?.condition).toMatchObject({ text: "x == 'a'" });
});
