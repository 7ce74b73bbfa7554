import { readFileSync } from "node:fs";
import {
  decide,
  effectsOf,
  evolve,
  instanceView,
  type Json,
  loadProgram,
  newState,
  type ProgramDocument,
} from "@tutti/kernel";
import { expect, test } from "vitest";
import { compileYaml } from "./compile.ts";
import { createHost } from "./host.ts";
import { checkCalls } from "./lint/lint.ts";
import { elementOf, flowsOf, partsOf, placesOf, problemsOf, programOf } from "./testing/check.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** Runs a program in the kernel, answering each job at once, and gives the jobs in their order and the outcome. */
function run(
  document: ProgramDocument,
  variables: Readonly<Record<string, Json>>,
  answer: (job: string) => Record<string, Json>,
) {
  const program = loadProgram(document, createHost());
  const state = newState();
  const jobs: string[] = [];
  const open: Parameters<typeof decide>[2][] = [
    { type: "create-instance", at: 0, instanceId: "i", rootId: "i", variables, actor: "test" },
  ];
  for (let command = open.shift(); command !== undefined; command = open.shift()) {
    const decision = decide(program, state, command);
    if ("rejection" in decision) throw new Error(decision.rejection.reason);
    for (const event of decision.events) {
      evolve(state, event);
      if (event.type === "incident-created") throw new Error(event.error.message);
      for (const effect of effectsOf(state, event)) {
        if (effect.type !== "offer-job") continue;
        jobs.push(effect.jobType);
        open.push({ type: "complete-job", at: 1, key: effect.key, result: answer(effect.jobType), actor: "worker" });
      }
    }
  }
  return { jobs, status: instanceView(program, state).status };
}

test("[D1] the stage fixture compiles unchanged, and runs in the order it was written", () => {
  const { programs, problems } = compileYaml(read("fixtures/feature-implementation.yaml"), { file: "f.yaml" });
  expect(problems).toEqual([]);
  const [program] = programs;
  if (program === undefined) throw new Error("no program");
  expect([program.id, program.name]).toEqual(["feature-implementation", "Feature Implementation"]);
  expect(flowsOf(program)).toEqual([
    "start → decompose",
    "decompose → implement",
    "implement → merge",
    "merge → finalize",
    "finalize → end",
  ]);
  expect(elementOf(program, "merge")).toMatchObject({
    job: { type: "pr_merger", headers: { merge_strategy: "sequential_rebase" } },
  });
  expect(elementOf(program, "implement")).toMatchObject({
    job: { type: "work_loop", retry: { attemptsMax: 3, backoff: { factor: 2 } } },
    loop: {
      mode: "parallel",
      collection: { variable: "atomic_units" },
      maxParallel: { literal: 5 },
      output: { target: "unit_results" },
    },
  });
  const ran = run(program, {}, (job) => (job === "plan_decomposer" ? { atomic_units: [1, 2, 3] } : { result: job }));
  expect(ran).toEqual({
    jobs: ["plan_decomposer", "work_loop", "work_loop", "work_loop", "pr_merger", "feature_pr_creator"],
    status: "completed",
  });
});

test("[D2] the flow fixture runs, and its two mistakes are warnings with line and column", () => {
  expect(problemsOf(read("fixtures/pr-review.yaml"))).toEqual([
    "16:26 warning variable-undeclared Expected a declared variable, but files_changed is used and never declared",
    "23:9 warning route-leads-nowhere Expected a flow for the route create_issue of check_approval, but there is none: the process ends there",
  ]);
  const program = programOf(read("fixtures/pr-review.yaml"));
  expect([program.id, program.version]).toEqual(["pr_review", "1.0"]);
  const reviewed = (approved: boolean) =>
    run(program, { pr_number: 7 }, () => ({ vision_approved: approved, violations: [] }));
  expect(reviewed(true)).toEqual({ jobs: ["WowVisionPrime", "WowDeploy"], status: "completed" });
  expect(reviewed(false)).toEqual({ jobs: ["WowVisionPrime"], status: "completed" });
});

test("[D3] the example with every construct of the process form has no problem, and the kernel takes it", () => {
  const program = programOf(read("examples/order.yaml"));
  expect(problemsOf(read("examples/order.yaml"))).toEqual([]);
  expect(() => loadProgram(program, createHost())).not.toThrow();
  expect(new Set(program.elements.map((element) => element.kind))).toEqual(
    new Set([
      "start-event",
      "end-event",
      "intermediate-catch-event",
      "intermediate-throw-event",
      "boundary-event",
      "service-task",
      "script-task",
      "user-task",
      "exclusive-gateway",
      "parallel-gateway",
      "sub-process",
      "call-activity",
    ]),
  );
  expect(elementOf(program, "charge")).toMatchObject({
    compensation: "charge.undo",
    job: {
      timeoutMs: 30_000,
      priority: 2,
      retry: { attemptsMax: 4, backoff: { firstMs: 1_000, factor: 2, maxMs: 60_000 }, exhausted: "error" },
    },
    inputs: [
      { target: "amount", source: { variable: "total" } },
      { target: "reference", source: { language: "cel", text: '{"order": (order_id), "kind": "order"}' } },
    ],
    outputs: [{ target: "receipt" }, { target: "fee", optional: true }],
  });
  expect(elementOf(program, "approve.on-timer-1")).toMatchObject({
    interrupting: false,
    trigger: { timer: { value: { literal: "PT4H" } } },
  });
  expect(elementOf(program, "pick")).toMatchObject({ parent: "pack" });
});

const minimal = (steps: string, head = "") => `process: p\n${head}steps:\n${steps}`;

test("[D10] a step without then goes on below, past handlers, and the last one ends", () => {
  const program = programOf(minimal("  a: { job: x, undo: u }\n  u: { job: y }\n  b: { pass: true }\n"));
  expect(flowsOf(program)).toEqual(["start → a", "a → b", "b → end"]);
  expect(elementOf(program, "u")).toMatchObject({ forCompensation: true });
});

test("[D11] several targets start at once, at a gateway of their own", () => {
  const program = programOf(
    minimal("  a: { job: x, then: [b, c] }\n  b: { pass: true, then: j }\n  c: { pass: true }\n  j: { join: true }\n"),
  );
  expect(flowsOf(program)).toEqual([
    "start → a",
    "a → a.fork",
    "a.fork → b",
    "a.fork → c",
    "b → j",
    "c → j",
    "j → end",
  ]);
});

test("[D17] a fork waits for nobody: with several flows in, a merge stands before it", () => {
  const steps =
    "  a: { choose: [{ when: x, then: f }, { otherwise: b }] }\n  b: { pass: true }\n  f: { fork: [c, d] }\n  c: { pass: true, then: end }\n  d: { pass: true }\n";
  const program = programOf(minimal(steps, "variables: { x: boolean }\n"));
  expect(flowsOf(program).filter((flow) => flow.includes("f"))).toEqual([
    "a → f.merge",
    "b → f.merge",
    "f → c",
    "f → d",
    "f.merge → f",
  ]);
  const yes = run(program, { x: true }, () => ({}));
  expect(yes.status).toBe("completed");
});

test("[D12] targets must exist, in the same scope", () => {
  expect(placesOf(minimal("  a: { job: x, then: nowhere }\n"))).toEqual(["3:22 error target-unknown"]);
  const steps = "  a:\n    steps:\n      b: { job: x, then: c }\n  c: { pass: true }\n";
  expect(problemsOf(minimal(steps))).toEqual([
    "5:26 error target-other-scope Expected a step of a itself, but c stands outside of it",
  ]);
});

test("[D13] exactly one key says what a step does, and keys that do not belong to it are refused", () => {
  expect(placesOf(minimal("  a: { job: x, wait: 5m }\n"))).toEqual(["3:3 error schema-invalid"]);
  expect(placesOf(minimal("  a: { name: x }\n"))).toEqual(["3:3 error schema-invalid"]);
  expect(problemsOf(minimal("  a: { wait: 5m, retry: 3 }\n"))).toEqual([
    "3:18 error schema-invalid Expected no retry beside wait, but found one",
  ]);
});

test("[D14] everything wrong is reported at once, with its place", () => {
  const text =
    'process: p\nversion: 1.0\nsteps:\n  a:\n    jbo: x\n    timeout: 5\n  "b c": { pass: true }\n  d: { job: x, retry: 0 }\n';
  expect(problemsOf(text)).toEqual([
    "2:10 error schema-invalid Expected a text at version, but found the number 1",
    '5:5 error schema-invalid Expected a known key at steps.a, but found "jbo"',
    "6:14 error schema-invalid Expected a text at steps.a.timeout, but found the number 5",
    '7:3 error schema-invalid Expected an id of letters, digits, _ and - at steps.b c, but found "b c"',
    "8:23 error schema-invalid Expected at least 1 at steps.d.retry, but found the number 0",
  ]);
});

test("[D15] ids are unique in the whole process", () => {
  const steps = "  a:\n    steps:\n      b: { pass: true }\n  b: { pass: true }\n";
  expect(problemsOf(minimal(steps))).toEqual([
    "6:3 error element-duplicate Expected every id once, but b is there twice (first in line 5)",
  ]);
});

test("[D16] durations and timers are normalised, and refused with their place", () => {
  const waits =
    '  a: { wait: 90m }\n  b: { wait: R3/PT10S }\n  c: { wait: 2027-01-31T09:00:00Z }\n  d: { wait: "0 6 * * 1-5" }\n  e: { wait: { every: 1h, times: 3 } }\n';
  const program = programOf(minimal(waits));
  const timer = (id: string) => partsOf<{ trigger: { timer: unknown } }>(program, id).trigger.timer;
  expect(["a", "b", "c", "d", "e"].map(timer)).toEqual([
    { kind: "duration", value: { literal: "PT1H30M" } },
    { kind: "cycle", value: { literal: "R3/PT10S" } },
    { kind: "date", value: { literal: "2027-01-31T09:00:00Z" } },
    { kind: "cron", value: { literal: "0 6 * * 1-5" } },
    { kind: "cycle", value: { literal: "R3/PT1H" } },
  ]);
  expect(
    placesOf(minimal("  a: { wait: soon }\n  b: { job: x, timeout: 5y }\n  c: { wait: { after: 1m, at: x } }\n")),
  ).toEqual(["3:14 error duration-invalid", "4:25 error duration-invalid", "5:14 error timer-invalid"]);
});

test("[D20] expressions are checked with their place", () => {
  const head = "variables: { x: number }\n";
  const found = problemsOf(
    minimal(
      '  a:\n    script:\n      x: "= 1 +"\n  b:\n    choose:\n      - { when: x > "a" + 1, then: end }\n      - { otherwise: end }\n',
      head,
    ),
  );
  expect(found.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
    "6:10 error expression-syntax",
    "9:17 error expression-syntax",
  ]);
});

test("[D21] a variable nobody declares or writes is an error, one written only later a warning", () => {
  const text = minimal("  a: { job: x, in: [nobody, late] }\n  b: { job: y, out: [late] }\n");
  expect(placesOf(text)).toEqual(["3:21 error variable-undeclared", "3:29 warning variable-read-early"]);
  const branches =
    "  f: { fork: [social, blog] }\n  social: { job: x, in: [blog_url], then: j }\n  blog: { job: y, out: [blog_url] }\n  j: { join: true }\n";
  expect(placesOf(minimal(branches))).toEqual(["4:26 warning variable-read-early"]);
  expect(problemsOf(minimal('  a: { job: x, in: ["maybe?"] }\n'))).toEqual([]);
});

test("[D22] gateways without a way for every value are warned about", () => {
  const choose = (routes: string) =>
    minimal(`  a:\n    choose: [${routes}]\n`, "variables: { x: number, y: boolean }\n");
  expect(placesOf(choose("{ when: x > 1.0, then: end }, { when: x < 1.0, then: end }"))).toEqual([
    "4:3 warning gateway-not-exhaustive",
  ]);
  for (const fine of [
    "{ when: x > 1.0, then: end }, { when: x <= 1.0, then: end }",
    "{ when: y, then: end }, { when: '!y', then: end }",
    "{ when: y == true, then: end }, { when: y == false, then: end }",
    "{ when: y, then: end }, { otherwise: end }",
  ]) {
    expect(problemsOf(choose(fine))).toEqual([]);
  }
});

test("[D28] a circle that nothing waits in or leads out of is refused, once, where it begins", () => {
  const head = "process: p\nvariables: { n: { type: number, initial: 0 } }\nsteps:\n";
  const round = "  a: { pass: true }\n  s: { script: { n: '= n + 1.0' } }\n";
  const spins =
    "4:3 error process-spins Expected a way out of a → s → g → a, but tokens go round for ever without waiting for anything";
  const choose = (out: string) => `  g: { choose: [{ when: n > 3.0, then: ${out} }, { otherwise: a }] }\n`;
  expect(problemsOf(`${head}${round}${choose("s")}`)).toEqual([
    spins.replace("a → s → g → a", "s → g → s").replace("4:3", "5:3"),
  ]);
  expect(problemsOf(`${head}${round}  g: { fork: [a, b] }\n  b: { job: x }\n`)).toEqual([spins]);
  // Each of these may go another way.
  const others = [
    choose("end"),
    "  g: { some: [{ when: n > 3.0, then: b }, { otherwise: a }] }\n  b: { job: x }\n",
    "  g: { join: true, then: a }\n  b: { steps: { c: { job: x } }, upon: { when: n > 5.0 } }\n",
    "  w: { wait: 1s }\n  g: { fork: [a, b] }\n  b: { job: x }\n",
  ];
  for (const steps of others)
    expect(problemsOf(`${head}${round}${steps}`).filter((line) => line.includes("spins"))).toEqual([]);
  const within =
    "  w: { steps: { l: { label: again, then: m }, m: { script: { n: '= n + 1.0' } }, i: { goto: again } } }\n  o: { job: x }\n";
  expect(placesOf(`${head}${within}`)).toEqual(["4:17 error process-spins"]);
});

test("[D23] what nothing reaches, what never ends, and falling into a handler are said", () => {
  expect(placesOf(minimal("  a: { job: x, then: end }\n  b: { pass: true }\n"))).toEqual([
    "4:3 warning element-unreachable",
  ]);
  expect(placesOf(minimal("  a: { job: x, then: b }\n  b: { pass: true, then: a }\n"))).toEqual([
    "1:1 error end-missing",
  ]);
  expect(placesOf(minimal("  a: { job: x, on: { error: h } }\n  h: { pass: true }\n"))).toEqual([
    "3:3 warning fall-through",
  ]);
});

test("[D24] handlers do nothing but undo, for one activity", () => {
  expect(placesOf(minimal("  a: { job: x, undo: u }\n  b: { job: x, undo: u }\n  u: { job: y }\n"))).toEqual([
    "4:22 error undo-invalid",
  ]);
  expect(placesOf(minimal("  a: { job: x, undo: u, then: u }\n  u: { job: y }\n"))).toEqual([
    "3:31 error undo-invalid",
  ]);
  expect(placesOf(minimal("  a: { job: x, undo: u }\n  u: { job: y, then: end }\n"))).toEqual([
    "4:16 error undo-invalid",
  ]);
  expect(placesOf(minimal("  a: { job: x, undo: gone }\n"))).toEqual(["3:22 error undo-invalid"]);
  expect(placesOf(minimal("  a: { job: x }\n  b: { compensate: a }\n"))).toEqual(["4:3 error undo-invalid"]);
  // A called process says itself what undoes it.
  expect(placesOf(minimal("  a: { call: q }\n  b: { compensate: a }\n"))).toEqual([]);
});

test("[D25] mistakes in loops are refused", () => {
  const loop = (forEach: string) =>
    placesOf(minimal(`  a:\n    job: x\n    forEach: ${forEach}\n`, "variables: { l: list, item: any }\n"));
  expect(loop("{ collection: = l, item: i, mode: parallel, dependsOn: = i.after }")).toEqual([
    "4:3 error loop-invalid",
  ]);
  expect(loop("{ collection: 5, item: i }")).toEqual(["4:3 error loop-invalid"]);
  expect(loop("{ collection: = l, item: i, maxParallel: 0 }")).toEqual(["4:3 error loop-invalid"]);
  expect(loop("{ collection: = l, item: i, onFailure: shrug }")).toEqual(["6:53 error loop-invalid"]);
  expect(loop("{ collection: = l, item: loop }")).toEqual(["4:3 error loop-invalid"]);
  expect(loop("{ collection: = l }")).toEqual(["4:3 warning loop-invalid"]);
});

test("[D26] outputs must come from somewhere and go somewhere", () => {
  expect(placesOf("process: p\noutputs: [x]\nsteps: { a: { pass: true } }\n")).toEqual([
    "2:11 error output-undeclared",
  ]);
  expect(placesOf(minimal("  a: { job: x, out: [unread] }\n"))).toEqual(["3:3 warning output-dead"]);
});

test("[D27] calls are checked among what is deployed together", () => {
  const file = "process: p\nsteps: { a: { call: q } }\n---\nprocess: r\nsteps: { a: { pass: true } }\n";
  expect(placesOf(file)).toEqual(["2:10 error call-unknown"]);
  expect(problemsOf("process: p\nsteps: { a: { call: q } }\n")).toEqual([]);
  const alone = [programOf("process: p\nsteps: { a: { call: q } }\n")];
  expect(checkCalls(alone, { file: "all" }).map((problem) => problem.code)).toEqual(["call-unknown"]);
  expect(placesOf("process: p\nsteps: { a: { pass: true } }\n---\nprocess: p\nsteps: { a: { pass: true } }\n")).toEqual(
    ["4:1 error process-duplicate"],
  );
});

test("[D30] values: expressions, templates, and plain texts that look like them", () => {
  const program = programOf(
    minimal(
      '  a:\n    job: x\n    in:\n      bare: = v\n      sum: = v + 1.0\n      text: "no ${v} or $${v}"\n      whole: "${v}"\n      plain: \\= v\n      deep: [1, { k: = v }]\n',
      "variables: { v: number }\n",
    ),
  );
  const inputs = partsOf<{ inputs: { source: Record<string, unknown> }[] }>(program, "a").inputs;
  expect(inputs.map(({ source }) => source["text"] ?? source["variable"] ?? source["literal"])).toEqual([
    "v",
    "v + 1.0",
    '"no " + string(v) + " or ${v}"',
    "v",
    "= v",
    '[1, {"k": (v)}]',
  ]);
});

test("[D4] a document of no known form is refused", () => {
  expect(placesOf("hello: world\n")).toEqual(["1:1 error form-unknown"]);
  expect(placesOf("- 1\n")).toEqual(["1:1 error form-unknown"]);
  for (const empty of ["", "\n", "# nothing yet\n"]) expect(placesOf(empty)).toEqual(["1:1 error form-unknown"]);
});
