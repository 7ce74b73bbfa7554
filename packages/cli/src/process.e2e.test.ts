import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse, type CliResult } from "./testing/cli-house.ts";

let house: CliHouse;
let answers: string;
let trial: string;

beforeAll(async () => {
  house = await CliHouse.open();
  trial = await file(
    "trial.yaml",
    `
process: trial
variables: { days: { type: integer, required: true }, plan: string }
outputs: [plan]
steps:
  sign-up: { job: account.create, in: { days: = days } }
  week: { wait: 7d }
  choose:
    user: { title: "Which plan?" }
    out: [plan]
`,
  );
  answers = await file(
    "answers.yaml",
    `
format: tutti-answers/1
answers:
  account.create: [{ fail: busy }, { complete: {} }]
  choose: { complete: { plan: "big" }, after: 2h }
`,
  );
});

afterAll(() => house.close());

async function file(name: string, text: string): Promise<string> {
  const path = join(house.folder, name);
  await writeFile(path, text);
  return path;
}

function run(...args: readonly string[]): Promise<CliResult> {
  return house.tutti("process", "run", ...args);
}

test("[C36, C41] a process of a week and two hours is told from start to end in no time, and nothing is left", async () => {
  const { exit, stdout } = await run(trial, "--answers", answers, "--vars", '{"days": 7}');
  expect(stdout.split("\n").map((line) => line.trim().replaceAll(/ +/g, " "))).toEqual([
    "0s pass start (start-event)",
    "0s start sign-up (service-task account.create)",
    "0s fail sign-up: busy: as answered",
    "1s end sign-up",
    "1s start week (intermediate-catch-event)",
    "7d1s end week",
    "7d1s start choose (user-task)",
    "7d2h1s end choose",
    "7d2h1s pass end (end-event)",
    "",
    'trial completed with {"plan":"big"} after 7d2h1s.',
    "",
  ]);
  expect(exit).toBe(0);
  expect(existsSync(house.state)).toBe(false);
});

test("[C36, C37] with --json every line is one object, the last the result; the log stays in a folder that is named", async () => {
  const state = join(house.folder, "kept");
  const vars = await file("vars.json", '{"days": 7}');
  const args = [trial, "--answers", answers, "--vars", `@${vars}`, "--state", state, "--json"];
  const { exit, stdout } = await run(...args);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly [name: string]: unknown });
  expect(lines[0]).toMatchObject({ process: "trial", element: "start", kind: "start-event", type: "passed" });
  expect(lines.at(-1)).toMatchObject({ type: "result", status: "completed", unused: [], exit: 0 });
  expect([exit, readdirSync(state).includes("tutti.sqlite")]).toEqual([0, true]);
  const again = await run(...args);
  expect([again.exit, JSON.parse(again.stdout)]).toMatchObject([2, { error: { code: "folder-not-empty" } }]);
});

test("[C37, C38] what nobody answers is said, with what to do, and what was never used is named", async () => {
  const odd = await file("odd.yaml", "format: tutti-answers/1\nanswers: { choose: { complete: {} } }");
  const { exit, stdout } = await run(trial, "--answers", odd, "--vars", '{"days": 7}');
  expect(exit).toBe(8);
  expect(stdout).toContain("trial waits after 0s.");
  expect(stdout).toContain("sign-up: The job 'account.create' has not been completed. Until: A worker completes it");
  expect(stdout).toContain("→ Give 'account.create' an answer");
  expect(stdout).toContain("Never used: choose.");
});

test("[C37, C38] an incident is an outcome that waits, an error end one that failed, a refused answer is named", async () => {
  const broken = await file(
    "broken.yaml",
    "format: tutti-answers/1\nanswers: { account.create: { fail: { code: no-disk, retryable: false } } }",
  );
  const stuck = await run(trial, "--answers", broken, "--vars", '{"days": 7}');
  expect([stuck.exit, stuck.stdout]).toEqual([8, expect.stringContaining("It failed (no-disk): as answered")]);
  expect(stuck.stdout).toContain("    → Repair what the worker met; a retry offers the job with fresh attempts.");
  const failing = await file(
    "failing.yaml",
    "process: failing\nsteps: { stop: { throw: { code: over, message: Enough } } }",
  );
  const failed = await run(failing);
  expect([failed.exit, failed.stdout]).toEqual([1, expect.stringContaining("failing failed (over: Enough)")]);
  const task = await file("task.yaml", "process: t\nsteps: { ask: { user: { title: A, assignee: ann } } }");
  const bob = await file("bob.yaml", "format: tutti-answers/1\nanswers: { ask: { complete: {}, by: bob } }");
  const refused = await run(task, "--answers", bob);
  expect([refused.exit, refused.stdout]).toEqual([8, expect.stringContaining("refused answer of ask: Expected")]);
});

test("[C37] what cannot be read is refused with its place before anything starts", async () => {
  const wrong = await file("wrong.yaml", "process: p\nsteps: { a: { job: x, then: b } }");
  const problems = async (...args: readonly string[]): Promise<unknown> => {
    const { exit, stdout } = await run(...args, "--json");
    const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly details: object } };
    return [exit, error.code, error.details];
  };
  expect(await problems(wrong)).toEqual([
    2,
    "definition-refused",
    { problems: [expect.stringMatching(/wrong\.yaml:2:\d+ target-unknown: Expected a step/)] },
  ]);
  const unknown = await file("unknown.yaml", "format: tutti-answers/1\nanswers: { nobody: { complete: {} } }");
  expect(await problems(trial, "--answers", unknown)).toEqual([
    2,
    "answers-refused",
    { problems: [expect.stringMatching(/unknown\.yaml:2:12 element-unknown/)] },
  ]);
  expect(await problems(trial, "--vars", "[1]")).toEqual([2, "option-invalid", expect.anything()]);
  expect(await problems(trial)).toEqual([2, "start-refused", expect.anything()]);
  expect(await problems(trial, "--process", "other")).toEqual([2, "option-invalid", expect.anything()]);
  expect(await problems(join(house.folder, "none.yaml"))).toEqual([2, "definition-unreadable", expect.anything()]);
  expect(await problems(join(house.folder, "none.ts"))).toEqual([2, "definition-unreadable", expect.anything()]);
  const empty = { problems: [expect.stringMatching(/empty\.yaml:1:1 form-unknown/)] };
  expect(await problems(await file("empty.yaml", "# nothing yet\n"))).toEqual([2, "definition-refused", empty]);
  const rules = "decision: base\nvalue: amount * 2\n";
  expect(await problems(await file("rules.yaml", rules))).toEqual([2, "definition-unreadable", expect.anything()]);
});

test("[C36] what is odd about a definition is said before it runs, under --json as lines of their own", async () => {
  const odd = await file(
    "odd-gateway.yaml",
    "process: p\nvariables: { a: boolean }\nsteps: { b: { choose: [{ when: a, then: end }] } }",
  );
  const [first] = (await run(odd, "--vars", '{"a": true}', "--json")).stdout.split("\n");
  expect(JSON.parse(first ?? "")).toMatchObject({
    type: "warning",
    code: "gateway-not-exhaustive",
    position: { line: 3 },
  });
  expect((await run(odd, "--vars", '{"a": true}')).stdout).toMatch(/^\S+:3:\d+: warning gateway-not-exhaustive: /);
});

test("[C36] what FEEL makes null of is a line, and so is whom an SLA tells", async () => {
  const drawn = await file(
    "doubting.bpmn",
    `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true">
<startEvent id="s"/><endEvent id="e"/>
<scriptTask id="sum"><extensionElements><zeebe:script expression="=total + missing" resultVariable="all"/></extensionElements></scriptTask>
<sequenceFlow id="f" sourceRef="s" targetRef="sum"/><sequenceFlow id="g" sourceRef="sum" targetRef="e"/>
</process></definitions>`,
  );
  const doubted = await run(drawn, "--vars", '{"total": 1}');
  expect([doubted.exit, doubted.stdout]).toEqual([
    0,
    expect.stringMatching(/ warn +'total \+ missing': .* a number and a null\n/),
  ]);
  const lines = (await run(drawn, "--vars", '{"total": 1}', "--json")).stdout.trim().split("\n");
  const doubts = lines.map((line) => JSON.parse(line)).filter(({ expression }) => expression !== undefined);
  expect(doubts).toMatchObject([{ type: "warning", expression: "total + missing" }]);
  const watched = await file(
    "watched.yaml",
    "process: w\nsteps: { ask: { user: { title: A, sla: [{ on: not-started, after: 2h, notify: [lead], message: It waits }] } } }",
  );
  const late = await file("late.yaml", "format: tutti-answers/1\nanswers: { ask: { complete: {}, after: 3h } }");
  expect((await run(watched, "--answers", late)).stdout).toMatch(/ 2h +told +lead: It waits\n/);
});

test("[C41] with the real clock a second takes a second", async () => {
  const second = await file("second.yaml", "process: second\nsteps: { pause: { wait: 1s } }");
  const { exit, stdout } = await run(second, "--json");
  const { ms } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly ms: number };
  expect(exit).toBe(0);
  expect(ms).toBeGreaterThanOrEqual(1_000);
  expect(ms).toBeLessThan(20_000);
});

test("[C40] check prints what was found, each with its place", async () => {
  const odd = await file(
    "check.yaml",
    "process: p\nsteps:\n  a: { job: x, in: { y: = nothing } }\n  b: { choose: [{ when: c, then: end }] }\n",
  );
  const { exit, stdout } = await house.tutti("process", "check", odd);
  expect(exit).toBe(2);
  expect(stdout).toMatch(/check\.yaml:3:\d+: error variable-undeclared: /);
  expect(stdout).toMatch(/check\.yaml:4:\d+: warning gateway-not-exhaustive: /);
  const fine = await house.json<object>("process", "check", trial, "--strict");
  expect(fine).toEqual({ file: trial, valid: true, processes: ["trial@1"], findings: [] });
});

test("[C40] of a BPMN file check also tells what modelers find in the drawing", async () => {
  const drawn = await file(
    "drawn.bpmn",
    `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">
<startEvent id="s" name="Begin"/>
<task id="t"/>
<task id="u"/>
<sequenceFlow id="f" sourceRef="s" targetRef="t"/>
<sequenceFlow id="g" sourceRef="t" targetRef="u"/>
</process></definitions>`,
  );
  const { exit, stdout } = await house.tutti("process", "check", drawn);
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /drawn\.bpmn:3:1: warning drawing-rule: bpmnlint's label-required: .* \(t, u\)\n {2}→ .*label-required\.md/,
  );
  const { findings } = JSON.parse((await house.tutti("process", "check", drawn, "--json")).stdout);
  const nameless = findings.filter(({ rule }: { rule?: string }) => rule === "label-required");
  expect(nameless).toMatchObject([
    { element: "t", position: { line: 3 } },
    { element: "u", position: { line: 4 } },
  ]);
});

test("[C42] a drawing's decisions come from the DMN files beside it, and it is said from which", async () => {
  const drawn = await file(
    "decided.bpmn",
    `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true">
<startEvent id="s" name="Begin"/>
<businessRuleTask id="t" name="Fee"><extensionElements><zeebe:calledDecision decisionId="fee" resultVariable="fee"/></extensionElements></businessRuleTask>
<sequenceFlow id="f" sourceRef="s" targetRef="t"/>
</process></definitions>`,
  );
  const table = `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="fee" name="Fee"><literalExpression><text>amount * 2</text></literalExpression></decision></definitions>`;
  const fees = await file("the-fees.dmn", table);
  const { exit, stdout, stderr } = await house.tutti("process", "run", drawn, "--vars", `{"amount": 4}`, "--no-input");
  expect([exit, stdout, stderr]).toEqual([
    0,
    expect.stringContaining('"fee":8'),
    expect.stringContaining("Decision fee: of the-fees.dmn."),
  ]);
  const checked = await house.json<object>("process", "check", drawn, "--with", fees);
  expect(checked).toMatchObject({ valid: true, decisions: [{ id: "fee", file: fees }] });
});

test("[C40] what the checks find beyond compiling is a warning with advice, and an error when that is wanted", async () => {
  const racing = await file(
    "racing.yaml",
    `
process: racing
variables: { url: string }
steps:
  all: { fork: [blog, post] }
  blog: { job: blog, out: [url], then: together }
  post: { job: post, in: [url], then: together }
  together: { join: true }
`,
  );
  const { exit, stdout } = await house.tutti("process", "check", racing);
  expect([exit, stdout]).toEqual([0, expect.stringMatching(/racing\.yaml:\d+:\d+: warning variable-race: .*\n {2}→ /)]);
  expect((await house.tutti("process", "check", racing, "--strict")).exit).toBe(2);
});

test("[C36] a module of the builder is tried as it is", async () => {
  const builder = new URL("../../definition/src/index.ts", import.meta.url).href;
  const text = `import { process } from ${JSON.stringify(builder)};\nexport default process("built").pass("one");\n`;
  const { exit, stdout } = await run(await file("built.ts", text));
  expect([exit, stdout]).toEqual([0, expect.stringContaining("pass      one (intermediate-throw-event)")]);
});

test("[C36] messages start a process and are what it waits for; one that nobody waited for is named", async () => {
  const bpmn = await file(
    "mail.bpmn",
    `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:test">
  <message id="M1" name="order"/>
  <signal id="S1" name="ready"/>
  <process id="mail" isExecutable="true">
    <startEvent id="begin"><messageEventDefinition messageRef="M1"/></startEvent>
    <intermediateCatchEvent id="wait"><signalEventDefinition signalRef="S1"/></intermediateCatchEvent>
    <endEvent id="done"/>
    <sequenceFlow id="f1" sourceRef="begin" targetRef="wait"/>
    <sequenceFlow id="f2" sourceRef="wait" targetRef="done"/>
  </process>
</definitions>
`,
  );
  const publish = await file(
    "publish.yaml",
    `
format: tutti-answers/1
publish:
  - { message: order, after: 1h }
  - { message: nothing }
  - { signal: ready, on: wait, after: 2h }
`,
  );
  const { exit, stdout, stderr } = await run(bpmn, "--answers", publish);
  expect([exit, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("mail completed with {} after 2h.");
  expect(stdout).toContain("Never used: message nothing, which nobody waited for.");
  const never = await run(bpmn, "--json");
  expect([never.exit, JSON.parse(never.stdout)]).toMatchObject([2, { error: { code: "input-needed" } }]);
});

test("[C36] of several start events one is named", async () => {
  const flow = (from: string, to: string) => `<sequenceFlow id="${from}-${to}" sourceRef="${from}" targetRef="${to}"/>`;
  const starts = await file(
    "starts.bpmn",
    `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><process id="p">
      <startEvent id="s"/><startEvent id="t"/><task id="a"/><task id="b"/>${flow("s", "a")}${flow("t", "b")}</process></definitions>`,
  );
  const told = async (...args: readonly string[]) => (await run(starts, ...args)).stdout.match(/pass +\w+/g);
  expect(await told()).toEqual(["pass      s", "pass      a"]);
  expect(await told("--start", "t")).toEqual(["pass      t", "pass      b"]);
});

test("[C37] Ctrl-C ends a wait for real time and says what it waited for", async () => {
  const hour = await file("hour.yaml", "process: hour\nsteps: { pause: { wait: 1h } }");
  const running = house.start(["process", "run", hour, "--json"]);
  await new Promise<void>((resolve) => running.child.stdout?.once("data", () => resolve()));
  running.child.kill("SIGINT");
  const { exit, stdout } = await running.done;
  expect(exit).toBe(7);
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
    finish: "interrupted",
    waiting: [{ element: "pause", on: "timer" }],
  });
});

test("[C10] another word than those there are is refused, and the first word alone lists them", async () => {
  const { exit, stderr } = await house.tutti("process", "chekc", trial);
  const message = "There is no command 'process chekc'; did you mean 'process check'?";
  expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect((await house.tutti("proces", "run", trial)).stderr).toContain("did you mean 'process run'?");
  expect((await house.tutti("process", "why", "one")).stderr).toContain("did you mean 'why'?");
  const [alone, help] = [await house.tutti("process"), await house.tutti("process", "--help")];
  expect([alone.exit, help.exit, alone.stdout]).toEqual([2, 0, help.stdout]);
  expect(help.stdout).toContain("process migrate");
  expect((await house.tutti("help", "process", "migrate")).stdout).toContain("tutti process migrate INSTANCE…");
});

test("[C112] a trial is on an embedded engine of its own whatever the configuration says", async () => {
  const words = ["process", "run", trial, "--answers", answers, "--vars", '{"days": 7}'];
  const { exit } = await house.start(words, { TUTTI_ENGINE: "temporal", TEMPORAL_ADDRESS: "127.0.0.1:1" }).done;
  expect(exit).toBe(0);
  const refused = await house.tutti(...words, "--engine", "temporal");
  expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("option-invalid")]);
});
