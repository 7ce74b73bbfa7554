import { readFileSync } from "node:fs";
import type { ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { compile, compileYaml } from "../compile.ts";
import { programOf, workMs } from "../testing/check.ts";
import { check } from "./check.ts";

function found(programs: readonly ProgramDocument[]): string[] {
  return programs
    .flatMap((program) => check(program))
    .map(({ code, position, message }) => `${position.line} ${code} ${message}`);
}

function fixture(name: string): string[] {
  const text = readFileSync(new URL(`../../${name}.yaml`, import.meta.url), "utf8");
  const { programs, problems } = compileYaml(text, { file: name });
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  return found(programs);
}

/** Findings as `line code element`, for a process whose variables are declared as given. */
function findings(variables: string, steps: string): string[] {
  const program = programOf(`process: p\nvariables: { ${variables} }\nsteps:\n${steps}`);
  return check(program).map(({ code, position, element }) => `${position.line} ${code} ${element ?? ""}`.trim());
}

/** What is known to be wrong with the originals' own examples, and where the checks must say so. */
const mistakes: readonly { readonly what: string; readonly file: string; readonly said: string }[] = [
  {
    what: "an approved change of medium risk is on no route",
    file: "pr-review-complete",
    said: '16 gateway-not-exhaustive Expected a route out of route for every value, but there is none when vision_approved = true and risk_level = "something else"',
  },
  {
    what: "nobody tests what the domain expert said",
    file: "pr-review-complete",
    said: "22 decision-unread Expected something to depend on domain_approved, which domain_review decides, but nothing reads it",
  },
  {
    what: "nobody reads what the architect decided",
    file: "pr-review-complete",
    said: "23 decision-unread Expected something to depend on architect_review_decision, which architect_review decides, but nothing reads it",
  },
  {
    what: "labels that nobody who waits for them knows",
    file: "pr-review-complete",
    said: "23 label-unknown Expected labels that say who may do architect_review, but architect-approved and architect-rejected would be an answer: answers are what completing it brings",
  },
  {
    what: "what undoes a step reads a number that nothing sets",
    file: "pr-review-complete",
    said: "27 variable-read-early Expected issue_number to be written on every path to close_issue, but nothing ever writes it",
  },
  {
    what: "who is late never comes to the join",
    file: "pr-review-complete",
    said: "32 process-stuck Expected a token on every flow into the join before 'deploy_changes', but none can arrive any more, after start → validate → route → domain_review → architect_review → [architect_late] → deploy_changes → end",
  },
  {
    what: "who has not converted and scores above 7 is on no route",
    file: "customer-onboarding",
    said: "14 gateway-not-exhaustive Expected a route out of outcome for every value, but there is none when converted = null (not set) and score = 8, or when converted = false and score = null (not set)",
  },
  {
    what: "the posts need what a parallel task writes",
    file: "campaign-creation",
    said: "13 variable-race Expected social to start after blog, which writes the blog_url that it reads, but they run at the same time",
  },
  {
    what: "the mail needs what a parallel task writes",
    file: "campaign-creation",
    said: "14 variable-race Expected email to start after blog, which writes the blog_url that it reads, but they run at the same time",
  },
];

test.each(mistakes)("[D170] a known mistake in $file is found: $what", ({ file, said }) => {
  expect(fixture(`fixtures/${file}`)).toContain(said);
});

test("[D170] nothing else is said of the examples with known mistakes", () => {
  for (const [file, known] of Map.groupBy(mistakes, (mistake) => mistake.file))
    expect(fixture(`fixtures/${file}`)).toEqual(known.map(({ said }) => said));
});

test("[D170] a variable that is never declared and a route that leads nowhere are found as the file is read", () => {
  const text = readFileSync(new URL("../../fixtures/pr-review.yaml", import.meta.url), "utf8");
  const { problems } = compileYaml(text, { file: "pr-review" });
  expect(problems.map(({ code, position, message }) => `${position.line} ${code} ${message}`)).toEqual([
    "16 variable-undeclared Expected a declared variable, but files_changed is used and never declared",
    "23 route-leads-nowhere Expected a flow for the route create_issue of check_approval, but there is none: the process ends there",
  ]);
});

test("[D170] what is right in the older examples is not blamed", () => {
  for (const name of ["pr-review", "issue-record-email", "family-office", "feature-implementation"]) {
    expect(fixture(`fixtures/${name}`)).toEqual([]);
  }
  expect(fixture("examples/order")).toEqual([]);
});

const routes = "  g: { choose: [{ when: 'ok == true', then: a }, { otherwise: b }] }\n";

test("[D171] a variable that some path to its reader does not write is found", () => {
  const read = "  b: { job: x, in: [v], then: end }\n";
  expect(findings("ok: boolean, v: string", `${routes}  a: { job: y, out: [v] }\n${read}`)).toEqual([
    "6 variable-read-early b",
  ]);
  expect(
    findings("ok: boolean, v: { type: string, initial: '' }", `${routes}  a: { job: y, out: [v] }\n${read}`),
  ).toEqual([]);
  expect(
    findings("ok: boolean, v: string", `${routes}  a: { job: y, out: [v] }\n${read.replace("[v]", "['v?']")}`),
  ).toEqual([]);
  expect(
    findings(
      "ok: boolean, v: string",
      `${routes}  a: { job: y, out: [v] }\n${read.replace("[v]", "{ w: '= v == null ? 1 : v' }")}`,
    ),
  ).toEqual([]);
  const both =
    "  f: { fork: [a, c] }\n  a: { job: y, out: [v], then: t }\n  c: { job: z, then: t }\n  t: { join: true }\n";
  expect(findings("v: string", `${both}${read}`)).toEqual([]);
  const inside = "  s: { steps: { i: { job: y, out: [v] } } }\n";
  expect(findings("v: string", `${inside}${read}`)).toEqual([]);
  const caught = "  a: { job: y, out: [v], on: { error: b }, then: b }\n";
  expect(findings("v: string", `${caught}${read}`)).toEqual(["5 variable-read-early b"]);
  const undo = "  a: { job: y, out: [v], undo: { job: z, in: [v] } }\n  c: { compensate: true, then: end }\n";
  expect(findings("v: string", undo)).toEqual([]);
});

test("[D171] links lead on, rounds come after rounds, and events of a scope know what it knew", () => {
  const read = "  b: { job: x, in: [v], then: end }\n";
  const linked = "  a: { job: y, out: [v] }\n  g: { goto: there }\n  l: { label: there, then: b }\n";
  expect(findings("v: string", `${linked}${read}`)).toEqual([]);
  const rounds = `  a: { job: y, in: { w: "= n == 1.0 ? 0.0 : v" }, out: [v] }\n  g: { choose: [{ when: v > 1.0, then: a }, { otherwise: end }] }\n`;
  expect(findings("n: { type: number, required: true }, v: number", rounds)).toEqual([]);
});

test("[D172] parallel branches that touch the same variable are found, wherever they stand", () => {
  const fork = (a: string, b: string) =>
    `  f: { fork: [a, b] }\n  a: { ${a}, then: t }\n  b: { ${b}, then: t }\n  t: { join: true }\n`;
  expect(findings("v: string", fork("job: x, out: [v]", "job: y, in: [v]"))).toEqual(["6 variable-race b"]);
  expect(findings("v: string", fork("job: x, out: [v]", "job: y, out: [v]"))).toEqual(["6 variable-race b"]);
  expect(findings("v: string", fork("job: x, out: [v]", "steps: { i: { job: y, in: [v] } }"))).toEqual([
    "6 variable-race i",
  ]);
  expect(findings("v: string", fork("job: x, in: ['v?']", "job: y, in: ['v?']"))).toEqual([]);
  expect(findings("v: { type: string, required: true }", fork("job: x, in: [v]", "job: y, in: [v]"))).toEqual([]);
  const beside =
    "  a: { user: x, in: ['v?'], on: { timer: { after: 1h, interrupting: false, then: b } }, then: end }\n  b: { job: y, out: [v], then: end }\n";
  expect(findings("v: string", beside)).toEqual(["4 variable-race a"]);
  const joined = `${fork("job: x, out: [v]", "job: y")}  c: { job: z, in: [v] }\n`;
  expect(findings("v: string", joined)).toEqual([]);
});

test("[D173] a gateway is tried with every value that its conditions tell apart", () => {
  const gateway = (...when: string[]) =>
    `  g: { choose: [${when.map((text) => `{ when: "${text}", then: a }`).join(", ")}] }\n  a: { job: x, then: end }\n`;
  const required =
    "n: { type: integer, required: true }, s: { type: string, required: true }, b: { type: boolean, required: true }";
  const gaps = (...when: string[]) => findings(required, gateway(...when));
  expect(gaps("n < 5", "n >= 5")).toEqual([]);
  expect(gaps("n < 5", "n > 5")).toEqual(["4 gateway-not-exhaustive g"]);
  expect(gaps("b && n > 5", "!b", "b && n <= 5")).toEqual([]);
  expect(gaps("s == 'x'", "s != 'x'")).toEqual([]);
  expect(gaps("s == 'x'", "s == 'y'")).toEqual(["4 gateway-not-exhaustive g"]);
  // Of more than plain values no list says it all: what lint can read in the text has to do.
  expect(gaps("s.size() > 3", "s.size() < 3")).toEqual(["4 gateway-not-exhaustive"]);
});

test("[D174] what a person decides and nothing reads is found, unless the process gives it out", () => {
  const task = "  a: { user: decide, out: [d] }\n";
  expect(findings("d: string", task)).toEqual(["4 decision-unread a"]);
  expect(
    findings(
      "d: string",
      `${task}  b: { choose: [{ when: "d == 'x'", then: c }, { otherwise: end }] }\n  c: { job: x }\n`,
    ),
  ).toEqual([]);
  const program = programOf(
    `process: p\nvariables: { d: string, e: { type: string, initial: x } }\noutputs: [d]\nsteps:\n${task}`,
  );
  expect(check(program)).toEqual([]);
});

test("[D174] where the list of outputs holds all that the process makes, it was meant; with what it was given, not", () => {
  const task = "steps:\n  a: { user: decide, out: [d] }\n";
  const codes = (head: string) => check(programOf(`process: p\n${head}\n${task}`)).map(({ code }) => code);
  for (const type of ["any", "boolean"]) expect(codes(`variables: { d: ${type} }\noutputs: [d]`)).toEqual([]);
  const given = "variables: { d: any, n: { type: any, required: true } }";
  expect(codes(`${given}\noutputs: [d]`)).toEqual([]);
  expect(codes(`${given}\noutputs: [d, n]`)).toEqual(["decision-unread"]);
});

test("[D177] circles in which nothing waits are found unless they change what their conditions read", () => {
  const round = (steps: string) =>
    `  a: { pass: true }\n${steps}  g: { choose: [{ when: n > 3.0, then: end }, { otherwise: a }] }\n`;
  const messages = (steps: string) =>
    check(programOf(`process: p\nvariables: { n: { type: number, initial: 0 } }\nsteps:\n${steps}`)).map(
      ({ code, position, message }) => `${position.line} ${code} ${message}`,
    );
  expect(messages(round("  s: { script: { n: '= n + 1.0' } }\n"))).toEqual([]);
  expect(messages(round("  s: { manual: true }\n"))).toEqual([
    "4 process-spins Expected something to wait for in a → s → g → a, but tokens go round within one step, and nothing in it changes what its conditions read",
  ]);
  for (const waits of [
    "job: x",
    "wait: 1s",
    "user: u",
    "receive: m",
    "steps: { i: { job: x } }",
    "call: q",
    "decide: { job: x }",
  ])
    expect(messages(round(`  s: { ${waits} }\n`))).toEqual([]);
  for (const passes of ["manual: true", "send: m", "emit: { signal: x }", "steps: { i: { pass: true } }"])
    expect(messages(round(`  s: { ${passes} }\n`))).toHaveLength(1);
  expect(messages("  s: { manual: true, repeat: { while: n < 3.0 } }\n")).toHaveLength(1);
  expect(messages("  s: { manual: true, repeat: { while: n < 3.0, max: 5 } }\n")).toEqual([]);
  expect(messages("  s: { script: { n: '= n + 1.0' }, repeat: { while: n < 3.0 } }\n")).toEqual([]);
});

test("[D173] names may have any sign that FEEL allows in them", () => {
  for (const name of ["a(b", "x)", "a*b", "[a", "a\\\\", "größe"]) {
    const drawn = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true"><startEvent id="s"/><exclusiveGateway id="g"/><endEvent id="e"/><endEvent id="e2"/><sequenceFlow id="f" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="e"><conditionExpression>=\`${name}\` = 1</conditionExpression></sequenceFlow><sequenceFlow id="f2" sourceRef="g" targetRef="e2"><conditionExpression>=\`${name}\` = 2</conditionExpression></sequenceFlow></process></definitions>`;
    const { programs } = compile(drawn, { file: "x.bpmn" });
    const [first] = programs.flatMap((program) => check(program));
    expect(first?.message).toBe(`Expected a route out of g for every value, but there is none when ${name} = 0`);
  }
});

test("[D175] findings have code, place, advice and the path, in the order of their places", () => {
  const [first, ...rest] = check(
    programOf("process: p\nsteps:\n  a: { job: x, then: end }\n  b: { job: y }\n  c: { job: z, then: c }\n"),
  );
  expect(rest.length).toBeGreaterThan(0);
  expect(first).toMatchObject({
    code: "element-unreachable",
    position: { line: 4 },
    advice: "Add a flow that leads there, or remove the step.",
  });
  const stuck = check(
    programOf(
      "process: p\nsteps:\n  f: { fork: [a, b] }\n  a: { job: x, on: { error: end }, then: t }\n  b: { job: y, then: t }\n  t: { join: true }\n",
    ),
  );
  expect(stuck.map(({ code, position, path }) => [code, position.line, path?.join(" → ")])).toEqual([
    ["process-stuck", 6, "start → f → a → b → [a.on-error] → end"],
  ]);
});

test("[D176] a check that gives up says so", () => {
  expect(check(programOf("process: p\nsteps:\n  a: { job: x }\n"), { statesMax: 1 })).toMatchObject([
    {
      code: "soundness-unknown",
      message:
        "Expected to see every state, but there are more than 1 states: 1 were seen, among them all within 0 steps of the start.",
    },
  ]);
});

test("[D176] large programs are checked within seconds", () => {
  const steps = Array.from(
    { length: 300 },
    (_, n) =>
      `  f${n}: { fork: [a${n}, b${n}] }\n  a${n}: { job: x, in: ['v${n}?'], then: t${n} }\n  b${n}: { job: y, out: [v${n + 1}], then: t${n} }\n  t${n}: { join: true }\n`,
  );
  const long = Array.from({ length: 3_000 }, (_, n) => `  s${n}: { job: x }\n`);
  for (const text of [steps.slice(0, 240), long]) {
    const work = workMs(() => check(programOf(`process: p\nsteps:\n${text.join("")}`)));
    expect(work).toBeLessThan(5_000);
  }
}, 60_000);
