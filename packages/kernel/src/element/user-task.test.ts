import { expect, test } from "vitest";
import { decide } from "../decide.ts";
import type { SlaRule, UserTask } from "../program.ts";
import {
  boundary,
  end,
  expr,
  line,
  map,
  onError,
  onTimer,
  program,
  service,
  start,
  timer,
  user,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

function task(options: Partial<UserTask> = {}, variables: { readonly [name: string]: unknown } = {}) {
  const driver = new Driver(line(user("check", options))).create(variables as never);
  return { driver, key: driver.key("check"), record: () => driver.state.tasks.get(driver.key("check")) };
}

function rule(on: SlaRule["on"], seconds: number, rest: Partial<SlaRule> = {}): SlaRule {
  return { on, after: timer("duration", `PT${seconds}S`), action: { type: "notify", to: ["boss"] }, ...rest };
}

/** Rules whose timers are armed. */
function watching(driver: Driver): number[] {
  return [...driver.state.timers.values()].flatMap((armed) => (armed.rule === undefined ? [] : [armed.rule])).sort();
}

test("[K190] dates, priority and rules are worked out as the task is created", () => {
  const sla = [
    rule("not-started", 60, { action: { type: "notify", to: ["boss"], message: expr("'Hurry: ' + what") } }),
    rule("not-completed", 90, { action: { type: "notify", to: ["boss"], message: variable("n") } }),
    rule("not-completed", 99),
  ];
  const followUp = timer("duration", "PT30S");
  const { driver, record } = task({ followUp, priority: variable("n"), sla }, { n: 7, what: "plan" });
  expect(record()).toMatchObject({ followUpAt: driver.at + 30_000, priority: 7 });
  expect(record()?.sla?.map(({ message }) => message)).toEqual([
    "Hurry: plan",
    "7",
    "'check' has not been completed in time.",
  ]);
  expect(watching(driver)).toEqual([0, 1, 2]);
  expect(driver.view().waiting).toContainEqual(
    expect.objectContaining({ on: "timer", element: "check", reason: "Its SLA says until when it may wait." }),
  );
});

test.each<[string, Partial<UserTask>]>([
  ["a follow-up date that is none", { followUp: timer("duration", "soon") }],
  ["an unknown priority", { priority: variable("none") }],
  ["a priority over 100", { priority: expr("101") }],
  ["a priority below 0", { priority: expr("-1") }],
  ["a broken priority", { priority: expr("1 + 0.5") }],
  ["a rule without a time", { sla: [rule("not-started", 1, { after: timer("duration", "soon") })] }],
  [
    "a rule without a text",
    { sla: [rule("not-started", 1, { action: { type: "notify", to: [], message: variable("none") } })] },
  ],
])("[K190] %s is an incident of the activation", (_what, options) => {
  expect(task(options).driver.view().incidents).toMatchObject([{ kind: "activation" }]);
});

test("[K191] beginning a free task claims it, and happens once until somebody else has it", () => {
  const { driver, key, record } = task();
  driver.send({ type: "start-task", key, actor: "ann" });
  expect(driver.events).toEqual(["task-claimed", "task-started"]);
  expect(record()).toMatchObject({ assignee: "ann", startedAt: driver.at });
  expect(driver.try({ type: "start-task", key, actor: "bob" })?.code).toBe("task-claimed");
  expect(driver.try({ type: "start-task", key, actor: "ann" })?.code).toBe("task-started");
  driver.send({ type: "release-task", key, actor: "ann" });
  expect(record()?.startedAt).toBeUndefined();
  driver.send({ type: "claim-task", key, actor: "bob" }).send({ type: "start-task", key, actor: "bob" });
  expect(driver.events).toEqual(["task-started"]);
});

test("[K192] a delegated task comes back to its owner, who alone completes it", () => {
  const { driver, key, record } = task();
  expect(driver.try({ type: "resolve-task", key, actor: "ann" })).toMatchObject({
    ...{ code: "task-not-delegated", reason: `Expected task ${key} to be delegated, but 'nobody' has it` },
  });
  driver.send({ type: "claim-task", key, actor: "ann" });
  expect(driver.try({ type: "delegate-task", key, to: "carl", actor: "bob" })?.code).toBe("task-claimed");
  expect(driver.try({ type: "resolve-task", key, actor: "ann" })?.reason).toContain("'ann' has it");
  driver.send({ type: "delegate-task", key, to: "bob", reason: "He knows it.", actor: "ann" });
  expect(driver.lastEvents).toMatchObject([{ owner: "ann", to: "bob", reason: "He knows it." }]);
  expect(record()).toMatchObject({ assignee: "bob", owner: "ann" });
  for (const type of ["complete-task", "release-task", "delegate-task"] as const) {
    expect(driver.try({ type, key, to: "x", result: {}, actor: "bob" } as never)?.code).toBe("task-delegated");
  }
  expect(driver.try({ type: "resolve-task", key, actor: "carl" })?.code).toBe("task-claimed");
  driver.send({ type: "resolve-task", key, reason: "Done.", actor: "bob" });
  expect(record()).toMatchObject({ assignee: "ann" });
  expect(record()?.owner).toBeUndefined();
  driver.send({ type: "delegate-task", key, to: "bob", actor: "ann" });
  driver
    .send({ type: "resolve-task", key, actor: "ann" })
    .send({ type: "complete-task", key, result: {}, actor: "ann" });
  expect(driver.status).toBe("completed");
});

test("[K193] a task that somebody has is reassigned, updated and escalated by them, by who lent it, or with the right to", () => {
  const { driver, key } = task();
  driver.send({ type: "claim-task", key, actor: "ann" });
  const moves = [
    { type: "reassign-task" as const, key, to: "carl", reason: "so" },
    { type: "update-task" as const, key, priority: 1 },
    { type: "escalate-task" as const, key, code: "stuck", reason: "so" },
  ];
  const attempts = (actor: string, authority: { readonly authority?: true } = {}) =>
    moves.map((move) => {
      const decision = decide(driver.program, driver.state, { ...move, actor, ...authority, at: driver.at });
      return "rejection" in decision ? decision.rejection.code : undefined;
    });
  const all = (code: string | undefined) => [code, code, code];
  expect(attempts("bob")).toEqual(all("task-claimed"));
  expect(attempts("bob", { authority: true })).toEqual(all(undefined));
  expect(attempts("ann")).toEqual(all(undefined));
  driver.send({ type: "delegate-task", key, to: "bob", actor: "ann" });
  expect(attempts("ann")).toEqual(all(undefined));
  expect(attempts("bob")).toEqual(all("task-delegated"));
  expect(attempts("carl")).toEqual(all("task-claimed"));
});

test("[K193] one that nobody has is for everybody to move, and it is recorded who did and why", () => {
  const { driver, key, record } = task({ candidates: ["ann"] });
  driver.send({ type: "reassign-task", key, to: "bob", reason: "Ann is ill.", actor: "boss" });
  expect(driver.lastEvents).toMatchObject([{ assignee: "bob", actor: "boss", reason: "Ann is ill." }]);
  driver.send({ type: "reassign-task", key, to: null, reason: "Bob, too.", actor: "boss", authority: true });
  expect(record()?.assignee).toBeNull();
  const update = { dueAt: 5, followUpAt: 4, priority: 90, candidates: ["carl"] };
  driver.send({ type: "update-task", key, ...update, reason: "New week.", actor: "boss" });
  expect(record()).toMatchObject(update);
  driver.send({ type: "update-task", key, dueAt: null, followUpAt: null, actor: "boss" });
  expect(record()).toMatchObject({ dueAt: null, followUpAt: null, priority: 90 });
  expect(driver.try({ type: "update-task", key, priority: 101 })?.code).toBe("task-invalid");
  expect(driver.try({ type: "update-task", key })?.reason).toContain("nothing is named");
  driver.send({ type: "claim-task", key, actor: "carl" });
  driver.send({ type: "escalate-task", key, code: "stuck", reason: "Help.", actor: "carl" });
  expect(record()).toMatchObject({ assignee: "carl", escalations: 1 });
  driver.send({ type: "escalate-task", key, to: ["heads"], reason: "Help!", actor: "carl" });
  expect(record()).toMatchObject({ assignee: null, candidates: ["heads"], escalations: 2 });
  expect(driver.try({ type: "escalate-task", key, reason: "?" })?.code).toBe("task-invalid");
});

test("[K193] [K4] every step of a task that is not open is refused", () => {
  const { driver } = task();
  const key = 99;
  for (const said of [
    { type: "claim-task", key },
    { type: "release-task", key },
    { type: "start-task", key },
    { type: "delegate-task", key, to: "a" },
    { type: "resolve-task", key },
    { type: "reassign-task", key, to: "a", reason: "" },
    { type: "update-task", key, priority: 1 },
    { type: "escalate-task", key, code: "a", reason: "" },
    { type: "complete-task", key, result: {} },
  ] as const) {
    expect(driver.try(said)?.code).toBe("task-not-found");
  }
});

test("[K194] a task completed too late is recorded so, refused, or flagged, as its policy says", () => {
  const due = timer("duration", "PT10S");
  const late = { at: 60_000, actor: "ann" };
  const accepting = task({ due });
  accepting.driver.send({ type: "complete-task", key: accepting.key, result: {}, rationale: "Better late.", ...late });
  expect(accepting.driver.lastEvents[0]).toMatchObject({ late: true, rationale: "Better late." });
  const refusing = task({ due, late: "refuse" });
  expect(refusing.driver.try({ type: "complete-task", key: refusing.key, result: {}, ...late })?.code).toBe(
    "task-late",
  );
  refusing.driver.send({ type: "update-task", key: refusing.key, dueAt: 70_000, actor: "boss" });
  refusing.driver.send({ type: "complete-task", key: refusing.key, result: {}, ...late });
  expect(refusing.driver.lastEvents[0]).not.toHaveProperty("late");
  for (const [at, expected] of [
    [9_000, false],
    [60_000, true],
  ] as const) {
    const { driver, key } = task({ due, late: "flag", outputs: map({ tardy: "late" }) });
    driver.send({ type: "complete-task", key, result: {}, at });
    expect(driver.variable("tardy")).toBe(expected);
  }
});

test("[K195] rules on the beginning end as it begins, and count anew once somebody gives the task up", () => {
  const sla = [rule("not-started", 60), rule("not-completed", 90)];
  const { driver, key } = task({ sla });
  const armed = () => new Map([...driver.state.timers.values()].map((each) => [each.rule, each.due]));
  const completedBy = armed().get(1);
  driver.send({ type: "start-task", key, actor: "ann" });
  expect(watching(driver)).toEqual([1]);
  driver.send({ type: "release-task", key, actor: "ann" });
  expect(armed()).toEqual(
    new Map([
      [1, completedBy],
      [0, driver.at + 60_000],
    ]),
  );
  driver.send({ type: "reassign-task", key, to: "bob", reason: "so" });
  expect(armed().get(0)).toBe(driver.at + 60_000);
  driver.send({ type: "escalate-task", key, to: ["heads"], reason: "so", authority: true });
  expect(armed().get(0)).toBe(driver.at + 60_000);
  const before = armed();
  driver.send({ type: "escalate-task", key, code: "stuck", reason: "so" }).send({ type: "claim-task", key });
  expect(armed()).toEqual(before);
  driver.send({ type: "complete-task", key, result: {} });
  expect(driver.events.slice(0, 3)).toEqual(["task-completed", "timer-cancelled", "timer-cancelled"]);
});

test("[K195] boundary timers are not rules; rules end with the task even when its result cannot be written", () => {
  const made = program(
    [
      ...[start(), user("check", { sla: [rule("not-completed", 60)], outputs: map({ a: "none" }) }), end()],
      onTimer("nag", "check", { timer: timer("duration", "PT99S"), interrupting: false }),
    ],
    ["start>check>end", "nag>end"],
  );
  const driver = new Driver(made).create();
  driver.send({ type: "start-task", key: driver.key("check") });
  expect(driver.events).toEqual(["task-claimed", "task-started"]);
  driver.send({ type: "complete-task", key: driver.key("check"), result: {} });
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
  expect(watching(driver)).toEqual([]);
});

test("[K196] a rule notifies, takes the task away, or escalates", () => {
  const sla = [
    rule("not-completed", 10),
    rule("not-completed", 20, { action: { type: "reassign", to: ["team"] } }),
    rule("not-completed", 30, { action: { type: "escalate", code: "late" } }),
    rule("not-started", 15),
  ];
  const { driver, key, record } = task({ sla });
  const timerKey = driver.view().waiting.length;
  driver.send({ type: "claim-task", key, actor: "ann" }).fire("check", 0);
  const message = "'check' has not been completed in time.";
  expect(driver.lastEffects).toEqual([{ type: "notify", key: expect.any(Number), task: key, to: ["boss"], message }]);
  expect(timerKey).toBeGreaterThan(0);
  expect(record()).toMatchObject({ notifications: 1, assignee: "ann" });
  driver.fire("check", 1);
  // What a rule does restarts none: the one on the beginning still counts from the creation.
  expect(driver.events).toEqual(["timer-fired", "task-reassigned"]);
  expect(record()).toMatchObject({ assignee: null, candidates: ["team"] });
  driver.fire("check", 2);
  expect(driver.lastEvents).toMatchObject([
    {},
    { type: "task-escalated", code: "late", actor: "kernel" },
    { type: "escalation-thrown", code: "late", caughtBy: null },
  ]);
  expect(watching(driver)).toEqual([3]);
});

test("[K196] a rule repeats: a duration on request and not faster than each second, a cycle as it says", () => {
  const sla = [
    rule("not-completed", 10, { repeat: true }),
    rule("not-completed", 0, { repeat: true }),
    rule("not-completed", 5, { after: timer("cycle", "R2/PT5S") }),
    rule("not-completed", 5, { after: { kind: "date", value: { literal: 4_000 } }, repeat: true }),
  ];
  const { driver } = task({ sla });
  const due = (index: number) => [...driver.state.timers.values()].find((each) => each.rule === index)?.due;
  const first = due(2) ?? 0;
  driver.fire("check", 1);
  expect(due(1)).toBe(driver.at + 1_000);
  driver.fire("check", 3).fire("check", 2);
  expect([due(2), due(3)]).toEqual([first + 5_000, undefined]);
  driver.fire("check", 2);
  expect(due(2)).toBeUndefined();
  driver.fire("check", 0);
  expect(due(0)).toBe(driver.at + 10_000);
});

test("[K196] a rule that cannot be computed again is an incident until a retry can, or nothing is left to watch", () => {
  let broken = false;
  const made = line(user("check", { sla: [rule("not-started", 10)], outputs: map({ a: "a" }) }));
  const host: typeof made.host = {
    ...made.host,
    nextDue: (...args) => (broken ? { ok: false, code: "timer-invalid", message: "no" } : made.host.nextDue(...args)),
  };
  const driver = new Driver({ ...made, host }, { checked: false }).create();
  const key = driver.key("check");
  broken = true;
  driver.send({ type: "reassign-task", key, to: null, reason: "so" });
  expect(driver.view().incidents).toMatchObject([{ kind: "timer", element: "check", error: { details: { rule: 0 } } }]);
  driver.resolve();
  expect(driver.view().incidents).toHaveLength(1);
  broken = false;
  driver.resolve();
  expect(watching(driver)).toEqual([0]);
  broken = true;
  driver.send({ type: "reassign-task", key, to: null, reason: "so" });
  driver.send({ type: "complete-task", key, result: {} });
  const timerIncident = driver.view().incidents.find(({ kind }) => kind === "timer");
  driver.send({ type: "resolve-incident", key: timerIncident?.key ?? 0, action: "retry", reason: "so" });
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
});

test("[K193] [K196] an escalation is caught where the process says: going on with the task, or ending it", () => {
  const sla = [rule("not-completed", 10, { action: { type: "escalate", code: "late" } })];
  const caught = (id: string, code: string, interrupting: boolean) =>
    boundary(id, "check", {
      trigger: { type: "escalation", code },
      interrupting,
      outputs: map({ why: "escalation.message" }),
    });
  const made = program(
    [
      start(),
      user("check", { sla }),
      caught("help", "late", false),
      service("call"),
      caught("stop", "stuck", true),
      end(),
    ],
    ["start>check>end", "help>call>end", "stop>end"],
  );
  const driver = new Driver(made).create().fire("check", 0);
  expect(driver.active).toEqual(["call", "check"]);
  expect(driver.variable("why")).toBe("It has not been completed in time.");
  driver.send({
    type: "escalate-task",
    key: driver.key("check"),
    code: "stuck",
    to: ["boss"],
    reason: "Nobody knows.",
  });
  expect(driver.active).toEqual(["call"]);
  expect(driver.variable("why")).toBe("Nobody knows.");
});

const refused = { code: "refused", message: "No.", details: { by: "law" } };

test("[K197] whoever has a task may end it with an error, which the event on it catches", () => {
  const check = user("check", { sla: [rule("not-completed", 60)], late: "refuse", due: timer("duration", "PT1S") });
  const caught = onError("no", "check", { code: "refused", outputs: map({ why: "error.details.by" }) });
  const made = program([start(), check, caught, service("other"), end()], ["start>check>end", "no>other"]);
  const driver = new Driver(made).create();
  const key = driver.key("check");
  driver.send({ type: "claim-task", key, actor: "ann" });
  const said = { type: "throw-task-error" as const, key, error: refused, rationale: "It is forbidden." };
  expect(driver.try({ ...said, actor: "bob" })?.code).toBe("task-claimed");
  driver.send({ type: "delegate-task", key, to: "ann", actor: "ann" });
  expect(driver.try({ ...said, actor: "ann" })?.code).toBe("task-delegated");
  driver.send({ type: "resolve-task", key, actor: "ann" });
  driver.send({ ...said, actor: "ann", at: driver.at + 5_000 });
  expect(driver.history).toContainEqual(
    expect.objectContaining({ type: "task-error-thrown", error: refused, rationale: "It is forbidden.", actor: "ann" }),
  );
  expect(driver.active).toEqual(["other"]);
  expect(driver.variable("why")).toBe("law");
  expect(driver.state.tasks.get(key)).toBeUndefined();
  expect(driver.try({ ...said, actor: "ann" })?.code).toBe("task-not-found");
});

test("[K197] where nothing catches the error a retry creates the task anew", () => {
  const { driver, key, record } = task({ priority: variable("n"), sla: [rule("not-started", 60)] }, { n: 7 });
  driver.send({ type: "throw-task-error", key, error: refused });
  expect(driver.view().incidents).toMatchObject([{ kind: "error", element: "check", error: refused }]);
  expect([record(), watching(driver)]).toEqual([undefined, []]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 700 }, reason: "so" }).resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "error", error: { code: "task-priority" } }]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 8 }, reason: "so" }).resolve();
  expect([record()?.priority, watching(driver)]).toEqual([8, [0]]);
  expect(driver.send({ type: "complete-task", key, result: {} }).status).toBe("completed");
});

test("[K197] what was wrong with the rules of a task ends with it, what is wrong with an event on it does not", () => {
  const check = user("check", { sla: [rule("not-completed", 9, { after: timer("cycle", "R2/PT9S") })] });
  const again = onTimer("again", "check", { timer: timer("cycle", "R2/PT3S"), interrupting: false });
  const made = program([start(), check, again, end()], ["start>check>end", "again>end"]);
  let broken = false;
  const host: typeof made.host = {
    ...made.host,
    nextDue: (...args) => (broken ? { ok: false, code: "timer-invalid", message: "no" } : made.host.nextDue(...args)),
  };
  const driver = new Driver({ ...made, host }, { checked: false }).create();
  broken = true;
  for (const { key, due } of [...driver.state.timers.values()].sort((a, b) => a.due - b.due)) {
    driver.send({ type: "fire-timer", key, at: due });
  }
  expect(driver.view().incidents.map(({ element }) => element)).toEqual(["again", "check"]);
  driver.send({ type: "throw-task-error", key: driver.key("check"), error: refused });
  expect(driver.view().incidents.map(({ element, kind }) => `${element} ${kind}`)).toEqual([
    "again timer",
    "check error",
  ]);
});
