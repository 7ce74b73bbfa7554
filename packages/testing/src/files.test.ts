import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answersJsonSchema } from "./answer-schema.ts";
import { load, loadDefinition } from "./load-definition.ts";
import { readAnswers } from "./read-answers.ts";
import { order, orderText } from "./testing/processes.ts";
import { withDecisions } from "./with-decisions.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tutti-testing-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function problemsOf(text: string): string[] {
  const { problems, answers } = readAnswers(text, { file: "answers.yaml", programs: order });
  expect(answers === undefined).toBe(problems.length > 0);
  return problems.map(({ code, position }) => `${position.line}:${position.column} ${code}`);
}

test("[T5] a file gives its answers", () => {
  const text = `
format: tutti-answers/1
answers:
  payment.charge: { complete: { receipt: "= string(amount)" }, after: 2h }
  approve:
    - { ignore: true, when: "attempt == 1" }
publish:
  - { signal: stop, on: approve, after: 1d }
`;
  const { answers, problems } = readAnswers(text, { file: "answers.yaml", programs: order });
  expect(problems).toEqual([]);
  expect(answers).toEqual({
    answers: {
      "payment.charge": { complete: { receipt: "= string(amount)" }, after: "2h" },
      approve: [{ ignore: true, when: "attempt == 1" }],
    },
    publish: [{ signal: "stop", on: "approve", after: "1d" }],
  });
});

test("[T4, T5] every fault of a file is reported with its place", () => {
  const text = [
    "format: tutti-answers/1",
    "answers:",
    "  charge: { complete: {}, fail: x }",
    "  approve: { after: soon, ignore: true }",
    "  charg: { complete: {} }",
    "  send: { after: 1h }",
    "  decide: { complete: {} }",
    "publish:",
    "  - { message: m, signal: s }",
    "  - { signal: s, key: k }",
    "  - { message: m, ttl: soon, on: nowhere }",
  ];
  expect(problemsOf(text.join("\n"))).toEqual([
    "3:11 schema-invalid",
    "4:21 duration-invalid",
    "5:3 element-unknown",
    "6:9 schema-invalid",
    "7:3 element-unknown",
    "9:5 schema-invalid",
    "10:5 schema-invalid",
    "11:24 duration-invalid",
    "11:34 element-unknown",
  ]);
  expect(problemsOf("")).toEqual(["1:1 schema-invalid"]);
  expect(problemsOf("format: tutti-answers/1\n---\nformat: tutti-answers/1")).toEqual(["3:1 schema-invalid"]);
  expect(problemsOf("format: other\nanswer: {}")).toEqual(["1:9 schema-invalid", "2:1 schema-invalid"]);
  expect(problemsOf("format: [")).not.toEqual([]);
});

test("[T5] the published schema is what the reader reads by", () => {
  const published = readFileSync(new URL("../schema/answers.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(published), "run `npm run schema -w packages/testing`").toEqual(answersJsonSchema());
});

test("[T40] a YAML file is compiled, and refused with its places", async () => {
  const path = await file("order.yaml", orderText);
  expect((await load(path)).map(({ id }) => id)).toEqual(["order"]);
  const wrong = await file("wrong.yaml", "process: p\nsteps: { a: { job: x, then: nowhere } }");
  await expect(load(wrong)).rejects.toThrow(/wrong\.yaml has an error\n.*wrong\.yaml:2:\d+ target-unknown/);
  await expect(load(join(folder, "none.yaml"))).rejects.toMatchObject({ code: "definition-unreadable" });
});

test("[T40] a module gives what the builder built, one or several", async () => {
  const builder = new URL("../../definition/src/index.ts", import.meta.url).href;
  const two = `import { process } from ${JSON.stringify(builder)};
const a = process("a").service("one", { job: "x" });
export default [a, process("b").pass("two").build()];`;
  const { programs, problems } = await loadDefinition(await file("two.ts", two));
  expect([programs.map(({ id }) => id), problems]).toEqual([["a", "b"], []]);
  const document = `export default ${JSON.stringify(order[0])};`;
  expect((await load(await file("plain.mjs", document)))[0]).toEqual(order[0]);
  for (const text of ["export default 5;", "export const x = 1;", "throw new Error('no')"]) {
    const odd = await file(`odd-${text.length}.mjs`, text);
    await expect(load(odd)).rejects.toMatchObject({ code: "definition-unreadable" });
  }
});

const asking = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true"><businessRuleTask id="t"><extensionElements><zeebe:calledDecision decisionId="fee" resultVariable="fee"/></extensionElements></businessRuleTask></process></definitions>`;
const deciding = (id: string) =>
  `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="${id}" name="Fee"><literalExpression><text>5 + 1</text></literalExpression></decision></definitions>`;

test("[T41] decisions come from the DMN files beside a drawing, or from those that are named", async () => {
  const drawn = await file("asking.bpmn", asking);
  const alone = await loadDefinition(drawn);
  const fees = await file("fees.dmn", deciding("fee"));
  const kinds = (programs: (typeof alone)["programs"]) =>
    programs.map(({ elements }) => Object.keys(elements[0] ?? {}));
  const decided = await withDecisions(alone, { file: drawn });
  expect(kinds(alone.programs)[0]).toContain("job");
  expect(kinds(decided.programs)[0]).toContain("decision");
  expect([decided.decisions, decided.problems]).toEqual([[{ id: "fee", file: fees }], []]);
  const other = await file("others.yaml", "decision: other\nvalue: 1\n");
  expect((await withDecisions(alone, { file: drawn, named: [other] })).programs).toEqual(alone.programs);
  expect((await withDecisions(alone, { file: drawn, named: [fees] })).decisions).toHaveLength(1);
  await expect(withDecisions(alone, { file: drawn, named: [join(folder, "none.dmn")] })).rejects.toThrow(
    "readable file",
  );
});

test("[T41] a decision that is in two files is an error; a broken file is one if it was named", async () => {
  const drawn = await file("asking.bpmn", asking);
  const [fees, more] = [await file("fees.dmn", deciding("fee")), await file("more.dmn", deciding("fee"))];
  const broken = await file("broken.dmn", "<definitions>");
  const loaded = await loadDefinition(drawn);
  const said = async (named?: readonly string[]) =>
    (await withDecisions(loaded, { file: drawn, ...(named !== undefined && { named }) })).problems.map(
      ({ severity, code, position }) => [severity, code, position.file],
    );
  expect(await said()).toEqual([
    ["warning", "xml-invalid", broken],
    ["error", "decision-duplicate", more],
  ]);
  expect(await said([fees, broken])).toEqual([["error", "xml-invalid", broken]]);
  const plain = await loadDefinition(await file("plain.yaml", "process: p\nsteps: { a: { pass: true } }\n"));
  expect((await withDecisions(plain, { file: drawn })).problems).toEqual([]);
});
