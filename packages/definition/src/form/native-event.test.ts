import { readFileSync } from "node:fs";
import type { Element } from "@tutti/kernel";
import { expect, test } from "vitest";
import { process } from "../builder.ts";
import { compileYaml } from "../compile.ts";
import { elementOf, flowsOf, problemsOf, programOf } from "../testing/check.ts";

const example = readFileSync(new URL("../../examples/events.yaml", import.meta.url), "utf8");

/** Without positions, for comparing what a part says. */
function said(text: string, id: string): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(elementOf(programOf(text), id), (key, value) => (key === "position" ? undefined : value)),
  );
}

/** A process with one step of its own, after which it ends. */
function stepping(step: string, more = ""): string {
  return `process: p\nvariables: { x: integer, ok: boolean }\nsteps:\n  a: ${step}\n  b: { pass: true }\n${more}`;
}

test("[D3] the example of events, gateways and tasks says all of it without an error, and every kind is there", () => {
  const { programs, problems } = compileYaml(example, { file: "events.yaml" });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const order = programOf(readFileSync(new URL("../../examples/order.yaml", import.meta.url), "utf8"));
  const kinds = new Set([...(programs[0]?.elements ?? []), ...order.elements].map(({ kind }) => kind));
  const every: { readonly [K in Element["kind"]]: true } = {
    "start-event": true,
    "end-event": true,
    "intermediate-catch-event": true,
    "intermediate-throw-event": true,
    "boundary-event": true,
    "service-task": true,
    "send-task": true,
    "receive-task": true,
    "script-task": true,
    "manual-task": true,
    "business-rule-task": true,
    "user-task": true,
    "exclusive-gateway": true,
    "inclusive-gateway": true,
    "complex-gateway": true,
    "event-based-gateway": true,
    "parallel-gateway": true,
    "sub-process": true,
    "ad-hoc-sub-process": true,
    "call-activity": true,
  };
  expect([...kinds].sort()).toEqual(Object.keys(every).sort());
});

test.each([
  [
    "{ wait: { message: m, key: = x }, out: [y] }",
    { type: "message", message: { name: { literal: "m" }, correlationKey: { variable: "x" } } },
  ],
  ["{ wait: { signal: s } }", { type: "signal", signal: { name: { literal: "s" } } }],
  [
    "{ wait: { when: x > 1, variables: [x] } }",
    { type: "conditional", condition: { language: "cel", text: "x > 1" }, variables: ["x"] },
  ],
  [
    "{ wait: { all: [{ signal: s }, { after: 1m }] } }",
    {
      type: "multiple",
      parallel: true,
      triggers: [
        { type: "signal", signal: { name: { literal: "s" } } },
        { type: "timer", timer: { kind: "duration", value: { literal: "PT1M" } } },
      ],
    },
  ],
  [
    "{ emit: { signal: s, with: [x] } }",
    { type: "signal", signal: { name: { literal: "s" }, payload: [{ target: "x", source: { variable: "x" } }] } },
  ],
  ["{ emit: { message: m, ttl: 1h } }", { type: "message", message: { name: { literal: "m" }, ttlMs: 3_600_000 } }],
  ["{ emit: { escalation: e } }", { type: "escalation", code: "e" }],
  ["{ emit: { compensate: true } }", { type: "compensation" }],
  ["{ emit: { compensate: true, waits: false } }", { type: "compensation", waits: false }],
  ["{ end: cancel }", { type: "cancel" }],
  ["{ end: { error: e } }", { type: "error", code: "e" }],
  [
    "{ end: [{ signal: s }, { escalation: e }] }",
    {
      type: "multiple",
      triggers: [
        { type: "signal", signal: { name: { literal: "s" } } },
        { type: "escalation", code: "e" },
      ],
    },
  ],
])("[D120] %s", (step, trigger) => {
  const text = step.includes("cancel")
    ? `process: p\nsteps: { t: { transaction: true, steps: { a: ${step} } } }`
    : stepping(step);
  expect(said(text, "a")["trigger"]).toEqual(trigger);
});

test("[D120] a message may be sent by a worker, with its own retries", () => {
  const made = said(stepping("{ emit: { job: mail.send }, retry: 5 }"), "a")["trigger"];
  expect(made).toMatchObject({
    type: "message",
    message: { name: { literal: "mail.send" } },
    job: { type: "mail.send", retry: { attemptsMax: 5 } },
  });
  expect(said(stepping("{ send: { job: mail.send } }"), "a")).toMatchObject({
    kind: "send-task",
    job: { type: "mail.send" },
  });
  expect(said(stepping("{ send: { message: m, job: mail.send } }"), "a")).toMatchObject({
    message: { name: { literal: "m" } },
    job: { type: "mail.send" },
  });
});

test.each([
  [
    "{ wait: { message: m, signal: s } }",
    "4:14 error schema-invalid Expected exactly one of after, at, every, cron, message, signal, when, any, all, error, escalation, compensation, cancel, but found message and signal",
  ],
  ["{ wait: { signal: s, key: k } }", "4:27 error schema-invalid Expected no key beside signal, but found one"],
  ["{ emit: { error: e } }", "4:14 error schema-invalid Expected end: { error } where the path ends, but emit goes on"],
  [
    "{ emit: {} }",
    "4:14 error schema-invalid Expected exactly one of message, signal, escalation, error, compensate, but found none",
  ],
  ["{ send: { key: k } }", "4:14 error schema-invalid Expected a message or a job, but found neither"],
  [
    "{ decide: { job: j, value: 1 } }",
    "4:16 error schema-invalid Expected { job } or { result, value }, but found another mix",
  ],
  ["{ pass: true, repeat: { while: ok } }", "4:20 error schema-invalid Expected no repeat beside pass, but found one"],
  [
    "{ job: j, repeat: { while: ok }, forEach: { collection: [] } }",
    "4:16 error loop-invalid Expected forEach or repeat, but found both",
  ],
  [
    "{ job: j, then: b, routes: [{ otherwise: b }] }",
    "4:25 error schema-invalid Expected then or routes, but found both",
  ],
  [
    "{ job: j, on: { event: { error: e, then: b, interrupting: false } } }",
    "4:64 error schema-invalid Expected an event that interrupts for error, but interrupting is false",
  ],
  [
    "{ job: j, on: { event: { compensation: true, then: b } } }",
    "4:29 error schema-invalid Expected undo for compensation, but found an event",
  ],
  [
    "{ upon: { signal: s }, in: [x], steps: { c: { pass: true } } }",
    "4:29 error schema-invalid Expected no in beside upon, but found one",
  ],
  [
    "{ user: { title: t, sla: [{ on: not-started, after: 1h }] } }",
    "4:32 error schema-invalid Expected exactly one of notify, reassign, escalate, but found none",
  ],
])("[D19] %s is refused", (step, problem) => {
  expect(problemsOf(stepping(step))).toContain(problem);
});

test("[D18] nothing flows into an event sub-process or a label, and a label begins a section of its own", () => {
  const text = `process: p
starts:
  called: { message: m, then: one }
start: false
steps:
  one: { job: j }
  two: { label: back }
  three: { goto: back }
  aside: { upon: { signal: s }, interrupting: false, steps: { four: { job: k } } }`;
  expect(flowsOf(programOf(text))).toEqual([
    "aside.start → four",
    "four → aside.end",
    "one → end",
    "two → three",
    "called → one",
  ]);
  expect(said(text, "aside.start")).toMatchObject({ interrupting: false, trigger: { type: "signal" } });
  const wrong = text.replace("one: { job: j }", "one: { job: j, then: two }").replace("then: one }", "then: aside }");
  expect(problemsOf(wrong).map((problem) => problem.replace(/^\S+ error /, ""))).toEqual([
    "target-unknown Expected a step that flows may lead to, but an event starts aside",
    "target-unknown Expected a step that flows may lead to, but a goto leads to two",
  ]);
  const never = "process: p\nstart: false\nsteps: { a: { pass: true } }";
  expect(problemsOf(never)[0]).toBe("2:8 error schema-invalid Expected starts beside start: false, but there are none");
});

test("[D121] gateways and conditional flows", () => {
  const text = `process: p
variables: { ok: boolean }
steps:
  a: { job: j, routes: [{ when: ok, then: b }, { otherwise: c }] }
  b: { some: [{ when: ok, then: c }, { otherwise: d }] }
  c: { race: [e, f] }
  d: { join: some, then: g }
  e: { wait: 1m, then: d }
  f: { receive: m, then: d }
  g: { join: { when: arrived >= 1 } }`;
  const program = programOf(text);
  expect(["a", "b", "c", "d", "g"].map((id) => elementOf(program, id).kind)).toEqual([
    ...["service-task", "inclusive-gateway", "event-based-gateway", "inclusive-gateway", "complex-gateway"],
  ]);
  expect(said(text, "a")["defaultFlow"]).toBe("a->c");
  expect(program.flows.find(({ id }) => id === "a->b")?.condition).toMatchObject({ text: "ok" });
  expect(said(text, "g")["activation"]).toMatchObject({ text: "arrived >= 1" });
});

test("[D121] what races, or is received, may begin the process", () => {
  const text = (instantiate: string) => `process: p
start: false
steps:
  first: { race: [a, b], instantiate: ${instantiate} }
  a: { receive: m, then: end }
  b: { wait: { signal: s }, then: end }
  other: { receive: n, instantiate: true, then: end }`;
  expect([said(text("parallel"), "first")["instantiate"], said(text("true"), "first")["instantiate"]]).toEqual([
    "parallel",
    "exclusive",
  ]);
  expect(said(text("true"), "other")).toMatchObject({ kind: "receive-task", instantiate: true });
});

test("[D122] loops, quantities, decisions, transactions and the dates of a task", () => {
  expect(
    said(stepping("{ job: j, repeat: { while: ok, check: after, max: 3 }, startQuantity: 2 }"), "a"),
  ).toMatchObject({
    loop: { mode: "standard", condition: { text: "ok" }, testBefore: false, maximum: 3 },
    startQuantity: 2,
  });
  expect(said(stepping("{ decide: { result: x, value: = 1 + 1 } }"), "a")).toMatchObject({
    decision: { result: "x", expression: { language: "cel", text: "(1 + 1)" } },
  });
  expect(said(example, "pack")).toMatchObject({ kind: "sub-process", transaction: true });
  expect(said(example, "confirm")).toMatchObject({
    followUp: { kind: "duration", value: { literal: "PT4H" } },
    priority: { literal: 80 },
    late: "flag",
    sla: [
      {
        on: "not-started",
        after: { value: { literal: "PT2H" } },
        action: { type: "notify", to: ["lead"] },
        repeat: true,
      },
      { on: "not-completed", action: { type: "reassign", to: ["office"] } },
      { on: "not-completed", action: { type: "escalate", code: "undelivered" } },
    ],
  });
});

test("[D123] an ad-hoc sub-process: what is in it is chosen, and only `then` connects it", () => {
  expect(said(example, "extras")).toMatchObject({
    kind: "ad-hoc-sub-process",
    ordering: "sequential",
    cancelRemaining: false,
    job: { type: "agent.choose" },
    completion: { text: "completed >= 3" },
    output: { target: "news", source: { variable: "note" } },
    variables: [{ name: "note", type: "string" }],
  });
  const inside = flowsOf(programOf(example)).filter((flow) => /wrap|label_it|photo/.test(flow));
  expect(inside).toEqual(["label_it → photo"]);
  expect(problemsOf(stepping("{ adhoc: {}, start: c, steps: { c: { pass: true } } }"))).toContain(
    "4:19 error schema-invalid Expected no start beside adhoc, but found one",
  );
  const built = process("p")
    .adHoc("a", (steps) => steps.service("x", { job: "x" }).service("z", { job: "z" }), { adhoc: { activate: ["x"] } })
    .build();
  expect(built.program?.flows.map(({ from, to }) => `${from} → ${to}`)).toEqual(["x → z", "start → a", "a → end"]);
});

test("[D122] what the items of a loop throw as they complete", () => {
  const loop = (emit: string) =>
    said(stepping(`{ job: j, forEach: { collection: [1, 2], emit: ${emit} } }`), "a")["loop"];
  const signal = { type: "signal", signal: { name: { literal: "s" } } };
  expect(loop("{ each: { signal: s } }")).toMatchObject({ behavior: "none", event: signal });
  expect(loop("{ first: { escalation: e } }")).toMatchObject({
    behavior: "one",
    event: { type: "escalation", code: "e" },
  });
  expect(loop("{ some: [{ when: completed > 1, emit: { message: m } }] }")).toMatchObject({
    behavior: "complex",
    events: [{ condition: { text: "completed > 1" }, event: { type: "message", message: { name: { literal: "m" } } } }],
  });
  const wrong = (emit: string) =>
    problemsOf(stepping(`{ job: j, forEach: { collection: [1], emit: ${emit} } }`)).join();
  expect(wrong("{ each: { error: e } }")).toContain("Expected a message, signal or escalation, but items throw error");
  expect(wrong("{ each: { job: j } }")).toContain("Expected a message that the engine sends, but found a job");
  expect(wrong("{ each: { signal: s }, first: { signal: s } }")).toContain("but found each and first");
});

test("[D100] the builder says all of it too, with the hash that YAML gives", () => {
  const text = `process: p
variables: { x: { type: string, required: true }, ok: { type: boolean, initial: true } }
starts:
  called: { message: m, then: ask }
steps:
  ask: { send: { message: wanted, key: = x } }
  which: { race: [got, late] }
  got: { receive: { message: got, key: = x }, on: { event: [{ signal: s, then: stopped, interrupting: false }] }, then: choice }
  late: { wait: 1h, then: jump }
  jump: { goto: out }
  choice: { some: [{ when: ok, then: do }, { otherwise: gather }] }
  do: { manual: true, then: gather }
  gather: { join: some }
  computed: { decide: { result: ok, value: true } }
  told: { emit: { signal: told } }
  done: { end: { message: done } }
  stopped: { end: terminate }
  out: { label: out, then: end }
  aside: { upon: { signal: audit }, interrupting: false, steps: { report: { job: report, then: end } } }`;
  const built = process("p")
    .variables({ x: { type: "string", required: true }, ok: { type: "boolean", initial: true } })
    .startOn("called", { message: "m", then: "ask" })
    .send("ask", { message: "wanted", key: "= x" })
    .race("which", "got", "late")
    .receive("got", { message: "got", key: "= x" })
    .onEvent({ signal: "s" }, "stopped", { interrupting: false })
    .then("choice")
    .wait("late", "1h")
    .goto("jump", "out")
    .some("choice", { when: "ok", then: "do" }, { otherwise: "gather" })
    .manual("do")
    .join("gather", "some")
    .decide("computed", { result: "ok", value: true })
    .emit("told", { signal: "told" })
    .stop("done", { message: "done" })
    .stop("stopped", "terminate")
    .label("out", "out")
    .end()
    .upon("aside", { upon: { signal: "audit" }, interrupting: false }, (inside) =>
      inside.service("report", { job: "report" }),
    )
    .build();
  expect(built.problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(built.program?.hash).toBe(programOf(text).hash);
});
