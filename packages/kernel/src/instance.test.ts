import { expect, test } from "vitest";
import { AppError, decide, InvariantError, instanceView, newState, snapshotState, unreachable } from "./index.ts";
import {
  and,
  end,
  expr,
  flows,
  line,
  literal,
  loop,
  map,
  onTimer,
  program,
  raise,
  script,
  service,
  start,
  sub,
  timer,
  user,
  wait,
  xor,
} from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";

const oneTask = line(service("work"));

test("[K1] an instance is created once, and takes no command before or after its life", () => {
  const driver = new Driver(oneTask);
  expect(driver.try({ type: "pause-instance", stopRunning: false, reason: "" })?.code).toBe("instance-not-found");
  driver.create({}, { businessKey: "order 7", queue: "heavy", priority: 1 });
  expect(driver.events[0]).toBe("instance-created");
  expect(driver.view()).toMatchObject({ businessKey: "order 7", process: "test", version: "1", hash: "test-hash" });
  expect(driver.try({ type: "create-instance", instanceId: "i", rootId: "i", variables: {} })?.code).toBe(
    "instance-exists",
  );
  driver.complete("work");
  expect(driver.status).toBe("completed");
  expect(driver.try({ type: "cancel-instance", reason: "" })).toEqual({
    code: "instance-ended",
    reason: "Expected 'i' to be open, but it is completed",
  });
});

test("[K2] an instance completes with its declared outputs when nothing is awaited", () => {
  const made = program([start(), script("count", { n: "n + 1" }), end()], ["start>count>end"], {
    outputs: ["n", "never"],
    variables: [{ name: "n", type: "integer", initial: 1 }],
  });
  const driver = new Driver(made).create();
  expect(driver.view().outcome).toEqual({ type: "completed", result: { n: 2, never: null } });
});

test("[K3] an ended instance keeps its variables only, and goes on owing its parent the answer", () => {
  const parent = { instanceId: "above", key: 4 };
  const driver = new Driver(oneTask).create({ n: 1 }, { parent });
  driver.complete("work");
  const answer = { type: "answer-parent", parent, outcome: { type: "completed", result: {} } };
  expect(driver.lastEffects).toEqual([answer]);
  expect(driver.variable("n")).toBe(1);
  const cancelled = new Driver(oneTask).create({}, { parent }).send({ type: "cancel-instance", reason: "no" });
  expect(cancelled.lastEffects.at(-1)).toMatchObject({ outcome: { type: "cancelled", reason: "no" } });
});

test("[K4] every command on a key that is not open is refused and changes nothing", () => {
  const driver = new Driver(oneTask).create();
  const key = 999;
  const error = { code: "x", message: "" };
  const codes = [
    driver.try({ type: "complete-job", key, result: {} }),
    driver.try({ type: "fail-job", key, error, retryable: true }),
    driver.try({ type: "throw-job-error", key, error }),
    driver.try({ type: "fire-timer", key }),
    driver.try({ type: "complete-task", key, result: {} }),
    driver.try({ type: "claim-task", key }),
    driver.try({ type: "release-task", key }),
    driver.try({ type: "end-child", key, childId: "c", outcome: { type: "completed", result: {} } }),
    driver.try({ type: "resolve-incident", key, action: "retry", reason: "" }),
    driver.try({ type: "set-variables", scope: key, values: {}, reason: "" }),
    driver.try({ type: "add-items", element: "work", items: [] }),
    driver.try({ type: "withdraw-items", element: "work", items: [] }),
    driver.try({ type: "adjust-concurrency", element: "work", maxParallel: 1 }),
    driver.try({ type: "resume-instance" }),
    driver.try({ type: "continue" }),
  ].map((refused) => refused?.code);
  expect(codes).toEqual([
    ...["job-not-found", "job-not-found", "job-not-found", "timer-not-found", "task-not-found", "task-not-found"],
    ...["task-not-found", "child-not-found", "incident-not-found", "scope-not-found", "collection-not-found"],
    ...["collection-not-found", "collection-not-found", "instance-not-paused", "nothing-pending"],
  ]);
});

test("[K5] equal arguments give equal events and leave the state as it was", () => {
  const state = newState();
  const before = JSON.stringify(snapshotState(state));
  const command = {
    type: "create-instance",
    instanceId: "i",
    rootId: "i",
    variables: { a: 1 },
    actor: "me",
    at: 5,
  } as const;
  expect(decide(oneTask, state, command)).toEqual(decide(oneTask, state, command));
  expect(JSON.stringify(snapshotState(state))).toBe(before);
});

test("[K10] one command runs to the next wait state", () => {
  const driver = new Driver(line(script("one", { n: "1" }), script("two", { n: "n + 1" }), user("ask"))).create();
  expect(driver.active).toEqual(["ask"]);
  expect(driver.variable("n")).toBe(2);
});

test("[K11] every outgoing flow takes a token, and one without a way on ends", () => {
  const made = program([start(), service("a"), service("b"), service("c")], ["start>a>b", "a>c"]);
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["b", "c"]);
  expect(driver.complete("b").status).toBe("running");
  expect(driver.complete("c").status).toBe("completed");
});

test("[K12] an element that two tokens reach starts twice", () => {
  const made = program([start(), and("split"), service("a"), end()], [], {
    flows: [
      ...flows("start>split", "a>end"),
      { id: "one", from: "split", to: "a" },
      { id: "two", from: "split", to: "a" },
    ],
  });
  const driver = new Driver(made).create();
  expect(driver.view().elements.map(({ element }) => element)).toEqual(["a", "a"]);
  for (const { key } of driver.view().elements) driver.send({ type: "complete-job", key, result: {} });
  expect(driver.status).toBe("completed");
});

test("[K13] a none end event ends its own token only", () => {
  const made = program(
    [start(), and("split"), service("a"), end("first"), end("second")],
    ["start>split>a>second", "split>first"],
  );
  const driver = new Driver(made).create();
  expect(driver.status).toBe("running");
  expect(driver.complete("a").status).toBe("completed");
});

test("[K14] a terminate end event ends activities and tokens that wait at a join", () => {
  const made = program(
    [
      start(),
      and("split"),
      service("a"),
      wait("b"),
      user("c"),
      service("d"),
      and("join"),
      end("stop", { type: "terminate" }),
    ],
    ["start>split>a>stop", "split>b", "split>c", "split>d>join", "c>join"],
  );
  const driver = new Driver(made).create().complete("d");
  expect(driver.view().waiting.map(({ on }) => on)).toContain("join");
  driver.complete("a");
  expect(driver.status).toBe("completed");
  expect(driver.events).toContain("flow-dropped");
  expect(driver.lastEffects.map(({ type }) => type).sort()).toEqual(["cancel-timer", "close-task"]);
});

/** A loop that runs `n` up to `limit` without ever waiting. */
function counting(limit: number) {
  return program(
    [start(), script("add", { n: "n + 1" }), xor("again", "again>end"), end()],
    ["start>add>again", `again>add: n < ${limit}`, "again>end"],
    { variables: [{ name: "n", type: "integer", initial: 0 }], outputs: ["n"] },
  );
}

test("[K15] a step starts at most 1 000 elements; the rest follows in steps of its own", () => {
  const driver = new Driver(counting(1_200)).create();
  expect(driver.lastEffects).toContainEqual({ type: "continue" });
  expect(driver.view().waiting).toMatchObject([{ on: "slot", reason: "A large step goes on in parts." }]);
  const passed = driver.events.filter((type) => type === "element-passed").length;
  expect(passed).toBeGreaterThan(990);
  expect(passed).toBeLessThanOrEqual(1_001);
  driver.goOn();
  expect(driver.view().outcome).toEqual({ type: "completed", result: { n: 1_200 } });
  const untouched = new Driver(line(service("a"))).create();
  expect(untouched.try({ type: "continue" })?.code).toBe("nothing-pending");
});

test("[K14] [K15] a terminate end event also ends tokens that the limit holds back", () => {
  const many = Array.from({ length: 1_005 }, (_, index) => service(`s${index}`));
  const made = program(
    [start(), and("split"), service("quick"), end("stop", { type: "terminate" }), ...many],
    ["start>split>quick>stop", ...many.map(({ id }) => `split>${id}`)],
  );
  const driver = new Driver(made, { checked: false }).create();
  expect(driver.state.head.continuing).toBe(true);
  driver.complete("quick");
  driver.check();
  expect(driver.status).toBe("completed");
});

test("[K15] tokens held back on one flow go on one by one, and end with their scope", () => {
  const many = Array.from({ length: 1_700 }, (_, index) => ({ id: `f${index}`, from: "split", to: "merge" }));
  const box = sub("box", [start("s"), and("split"), xor("merge"), service("work")]);
  const late = onTimer("late", "box", { timer: timer("duration", "PT1S") });
  const made = program([start(), ...box, late], [], {
    flows: [...flows("start>box", "s>split", "merge>work"), ...many],
  });
  const driver = new Driver(made, { checked: false }).create();
  driver.send({ type: "continue" });
  driver.check();
  expect([...driver.state.heldFlows.values()].map(({ flow, count }) => [flow, count])).toEqual([["merge>work", 1_402]]);
  const finished = new Driver(made, { checked: false }).create().goOn();
  finished.check();
  expect(finished.view().elements).toHaveLength(1_701);
  expect(driver.fire("late").status).toBe("completed");
  driver.check();
});

test("[K10] an event that throws nothing only passes tokens on", () => {
  expect(new Driver(program([start(), raise("milestone"), end()], ["start>milestone>end"])).create().status).toBe(
    "completed",
  );
});

test("[K111] a broken invariant is thrown as such, an error on its way to a person carries its cause", () => {
  expect(() => instanceView(oneTask, newState())).toThrow(InvariantError);
  expect(() => unreachable("kind" as never)).toThrow('unreachable: "kind"');
  const cause = new Error("deep");
  const error = new AppError("code", "said", { cause, details: { n: 1 }, place: "file:1" });
  expect(error).toMatchObject({ name: "AppError", code: "code", cause, details: { n: 1 }, place: "file:1" });
});

test("[K15] [K43] a join that is reached only after the limit is still seen to be stuck", () => {
  const made = program(
    [start(), script("add", { n: "n + 1" }), xor("again", "again>join"), xor("never", "never>end"), and("join"), end()],
    ["start>add>again", "again>add: n < 1000", "again>join>end", "never>join", "never>end"],
    { variables: [{ name: "n", type: "integer", initial: 0 }] },
  );
  const driver = new Driver(made).create().goOn();
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", error: { code: "join-stuck" } }]);
});

test("[K20] a new instance needs its required variables, in their types", () => {
  const made = program([start(), service("a", { inputs: map({ all: "list" }) }), end()], ["start>a>end"], {
    variables: [
      { name: "who", type: "string", required: true },
      { name: "list", type: "list", initial: [1] },
      { name: "object", type: "object" },
      { name: "flag", type: "boolean" },
      { name: "ratio", type: "number" },
      { name: "anything", type: "any" },
    ],
  });
  const refused = (variables: Parameters<Driver["create"]>[0] & object) =>
    new Driver(made).try({ type: "create-instance", instanceId: "i", rootId: "i", variables })?.code;
  expect(refused({})).toBe("variable-missing");
  expect(refused({ who: 1 })).toBe("variable-type");
  expect(refused({ who: "me", list: {} })).toBe("variable-type");
  expect(refused({ who: "me", object: [] })).toBe("variable-type");
  expect(refused({ who: "me", flag: 0 })).toBe("variable-type");
  expect(refused({ who: "me", ratio: "1" })).toBe("variable-type");
  const driver = new Driver(made).create({ who: "me", extra: true, anything: [null], ratio: 0.5 });
  expect(driver.view().variables).toEqual({
    ...{ who: "me", extra: true, list: [1], object: null, flag: null, ratio: 0.5, anything: [null] },
  });
});

test("[K26] expressions are told which names are declared integers", () => {
  const asked: { [text: string]: string[] } = {};
  const task = service("ask", {
    ...{ inputs: map({ in: "on the way in" }), outputs: map({ out: "on the way out" }) },
    loop: loop("graph", { collection: literal([{ id: "a" }]), fields: { priority: expr("of an item") } }),
  });
  const made = program(
    [start(), script("first", { x: "outside" }), ...sub("box", [start("s"), task], boxed)],
    ["start>first>box", "s>ask"],
    {
      variables: [
        { name: "n", type: "integer", initial: 1 },
        { name: "item", type: "integer", initial: 1 },
      ],
    },
  );
  const host = {
    ...made.host,
    evaluate: (...[{ text }, scope]: Parameters<typeof made.host.evaluate>) => {
      asked[text] = ["n", "m", "item", "result", "unknown"].filter((name) => scope.isInteger(name));
      return { ok: true as const, value: 1 };
    },
  };
  const driver = new Driver({ ...made, host }).create();
  driver.completeItem("a", { result: 1, n: 2 });
  expect(asked).toEqual({
    ...{ outside: ["n", "item"], "of an item": ["m"], "on the way in": ["m", "item"], "on the way out": ["m", "item"] },
  });
});

const boxed = {
  variables: [
    { name: "m", type: "integer" as const, initial: 1 },
    { name: "n", type: "number" as const, initial: 1 },
  ],
};

test("[K40] an exclusive gateway takes the first flow that holds, the default only if none does", () => {
  const made = program(
    [start(), xor("choose", "choose>rest"), service("high"), service("low"), service("rest")],
    ["start>choose>rest", "choose>high: n > 10", "choose>low: n > 5"],
  );
  const chosen = (n: number) => new Driver(made).create({ n }).active;
  expect(chosen(11)).toEqual(["high"]);
  expect(chosen(6)).toEqual(["low"]);
  expect(chosen(1)).toEqual(["rest"]);
  const open = program([start(), xor("choose"), service("a"), service("b")], ["start>choose>a", "choose>b: true"]);
  expect(new Driver(open).create().active).toEqual(["a"]);
});

test("[K41] without a way on, or with a condition that is no condition, it is an incident that asks again", () => {
  const made = program(
    [start(), xor("choose"), service("a"), and("join"), end()],
    ["start>choose", "choose>a: n == 1", "choose>join: n == 2", "a>join>end"],
  );
  const driver = new Driver(made).create({ n: 0 });
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", error: { code: "no-route" } }]);
  driver.resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", error: { code: "no-route" } }]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "so" }).resolve();
  expect(driver.active).toEqual(["a"]);
  const odd = program([start(), xor("choose"), service("a")], ["start>choose"], {
    flows: [
      ...flows("start>choose"),
      { id: "odd", from: "choose", to: "a", condition: { ...expr("n"), position: { line: 3, column: 7 } } },
    ],
  });
  const wrong = new Driver(odd).create({ n: 0 });
  expect(wrong.view().incidents[0]?.error).toMatchObject({ code: "condition-type" });
  const failing = new Driver(odd).create();
  expect(failing.view().incidents[0]?.error.message).toBe("there is no 'n' in 'n' (line 3, column 7)");
});

test("[K41] [K43] a gateway that goes on after an incident into a join nobody completes says so", () => {
  const made = program(
    [start(), xor("choose"), xor("other", "other>end"), and("join"), end()],
    ["start>choose", "choose>join: n == 1", "other>join", "other>end", "join>end"],
  );
  const driver = new Driver(made).create({ n: 0 });
  driver.send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "so" }).resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", owner: 0, element: null }]);
});

test("[K42] a join needs a token on each flow; two on one do not make up for a missing one", () => {
  const made = program([start(), and("split"), service("a"), service("b"), and("join"), service("after"), end()], [], {
    flows: [
      ...flows("start>split>a", "split>b", "a>join", "b>join", "join>after>end"),
      { id: "again", from: "split", to: "a" },
    ],
  });
  const driver = new Driver(made).create();
  const [first, second] = driver.view().elements.filter(({ element }) => element === "a");
  driver.send({ type: "complete-job", key: first?.key ?? 0, result: {} });
  driver.send({ type: "complete-job", key: second?.key ?? 0, result: {} });
  expect(driver.active).toEqual(["b"]);
  driver.complete("b");
  expect(driver.active).toEqual(["after"]);
  // One token is left over on a flow that nothing will complete.
  driver.complete("after");
  expect(driver.view().incidents).toMatchObject([{ kind: "flow" }]);
});

test("[K43] a stuck join is an incident of its scope, once; a retry looks again", () => {
  const made = program(
    [start(), xor("choose", "choose>a"), service("a"), service("b"), and("join"), end()],
    ["start>choose", "choose>a>join", "choose>b: false", "b>join>end"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.view().incidents).toMatchObject([
    {
      owner: 0,
      kind: "flow",
      error: { message: "Expected a token on every flow into 'join', but none can arrive any more" },
    },
  ]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "so" }).resolve();
  expect(driver.view().incidents).toHaveLength(1);
  expect(driver.send({ type: "cancel-instance", reason: "stuck" }).status).toBe("cancelled");
});
