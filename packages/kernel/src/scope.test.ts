import { expect, test } from "vitest";
import {
  and,
  call,
  end,
  line,
  literal,
  loop,
  map,
  onError,
  onTimer,
  program,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  user,
  variable,
  wait,
} from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";

const inner = [start("s"), service("in"), end("e")];

/** start → a sub-process with one task → after → end. */
function nested(options: Parameters<typeof sub>[2] = {}) {
  return program([start(), ...sub("box", inner, options), service("after"), end()], ["start>box>after>end", "s>in>e"]);
}

test("[K21] a name is looked up from the inside, and written where it is, else to the process", () => {
  const made = program(
    [
      start(),
      ...sub("box", [start("s"), script("set", { local: "local + 1", outer: "outer + 1", fresh: "1" }), user("wait")], {
        variables: [{ name: "local", type: "integer", initial: 10 }],
      }),
    ],
    ["start>box", "s>set>wait"],
  );
  const driver = new Driver(made).create({ local: 1, outer: 1 });
  expect(driver.view().variables).toEqual({ local: 1, outer: 2, fresh: 1 });
  expect(driver.state.variables.get(`${driver.key("box")}/local`)?.value).toBe(11);
});

test("[K22] every write counts the version up, with author and time", () => {
  const driver = new Driver(line(service("a", { outputs: map({ n: "n" }) }), user("b"))).create({ n: 1 });
  const write = () => driver.state.variables.get("0/n");
  expect(write()).toMatchObject({ version: 1, author: "tester" });
  driver.send({ type: "complete-job", key: driver.key("a"), result: { n: 2 }, actor: "agent-7", at: 77_000 });
  expect(write()).toEqual({ name: "n", value: 2, version: 2, author: "agent-7", at: 77_000 });
  expect(driver.view().variableVersions).toEqual({ n: { version: 2, author: "agent-7", at: 77_000 } });
});

test("[K23] setting variables writes the scope it names, at the version it expects", () => {
  const driver = new Driver(nested({ variables: [{ name: "n", type: "integer" }] })).create({ n: 1 });
  const set = (scope: number, n: number | string, version?: number) =>
    driver.try({
      ...{ type: "set-variables", scope, values: { n }, reason: "so" },
      ...(version === undefined ? {} : { expectedVersions: { n: version } }),
    });
  const box = driver.key("box");
  expect(set(box, 5)).toBeUndefined();
  expect(driver.view().variables).toEqual({ n: 1 });
  expect(set(box, "five")?.code).toBe("variable-type");
  expect(set(0, 2, 3)?.reason).toBe("Expected 'n' to be at version 3, but it is at 1");
  expect(set(0, 2, 1)).toBeUndefined();
  expect(driver.variable("n")).toBe(2);
  driver.send({ type: "set-variables", scope: box, values: { n: null }, reason: "so" });
  const born = { type: "set-variables" as const, scope: 0, values: { m: 1 }, expectedVersions: { m: 0 }, reason: "so" };
  expect(driver.try(born)).toBeUndefined();
  expect(driver.try(born)?.code).toBe("variable-version");
});

test("[K24] a result of another type is an incident that keeps the result until it can be written", () => {
  const made = program([start(), service("a", { outputs: map({ n: "n" }) }), end()], ["start>a>end"], {
    variables: [{ name: "n", type: "integer" }],
  });
  const driver = new Driver(made).create().complete("a", { n: 1.5 });
  expect(driver.view().elements).toMatchObject([{ element: "a", state: "completing" }]);
  expect(driver.view().incidents).toMatchObject([
    { kind: "completion", error: { message: "Expected 'n' to be of type integer, but it is number 1.5" } },
  ]);
  driver.resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
  const listed = new Driver(made).create().complete("a", { n: [1] });
  expect(listed.view().incidents[0]?.error.message).toContain("a list");
});

test("[K24] a mapping that fails waits for what it lacks", () => {
  const driver = new Driver(line(service("a", { outputs: map({ n: "got + extra" }) })))
    .create()
    .complete("a", { got: 1 });
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
  driver.send({ type: "set-variables", scope: 0, values: { extra: 2 }, reason: "so" }).resolve();
  expect(driver.variable("n")).toBe(3);
  expect(driver.status).toBe("completed");
});

test("[K25] an optional mapping from nothing writes nothing, a required one is an incident", () => {
  const optional = [{ target: "x", source: variable("none"), optional: true }];
  const driver = new Driver(line(service("a", { inputs: optional, outputs: optional }))).create();
  expect(driver.lastEffects).toMatchObject([{ type: "offer-job", input: {} }]);
  expect(driver.complete("a").view().variables).toEqual({});
  const nothing = new Driver(line(service("a", { outputs: map({ x: "null" }) }))).create({ x: 1 }).complete("a");
  expect(nothing.view().variables).toEqual({ x: null });
  const required = new Driver(line(service("a", { inputs: [{ target: "x", source: variable("none") }] }))).create();
  expect(required.view().incidents).toMatchObject([{ kind: "activation", error: { code: "variable-missing" } }]);
});

test("[K45] an intermediate timer waits for its instant", () => {
  const driver = new Driver(line(wait("pause", "PT10S"))).create();
  const due = driver.at + 10_000;
  const [armed] = driver.lastEffects;
  expect(armed).toMatchObject({ type: "arm-timer", due });
  const key = armed?.type === "arm-timer" ? armed.key : 0;
  expect(driver.try({ type: "fire-timer", key, at: due - 1 })).toEqual({
    code: "timer-not-due",
    reason: `Expected timer ${key} to be due, but it is due at ${due}`,
  });
  expect(driver.send({ type: "fire-timer", key, at: due }).status).toBe("completed");
  const date = new Driver(
    line({ ...wait("pause"), trigger: { type: "timer", timer: timer("date", literal(99_000)) } }),
  );
  expect(date.create().lastEffects).toMatchObject([{ due: 99_000 }]);
});

test("[K46] an interrupting boundary timer ends its activity; completing that ends the timer", () => {
  const made = program(
    [
      start(),
      service("work"),
      onTimer("late", "work", { timer: timer("duration", "PT60S") }),
      service("remind"),
      end(),
    ],
    ["start>work>end", "late>remind>end"],
  );
  const driver = new Driver(made).create().fire("late");
  expect(driver.active).toEqual(["remind"]);
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["cancel-job", "offer-job"]);
  const quick = new Driver(made).create().complete("work");
  expect(quick.lastEffects.map(({ type }) => type)).toEqual(["cancel-timer"]);
});

test("[K47] a cycle repeats from when it was due, and leaves its activity running", () => {
  const made = program(
    [
      ...[start(), service("work"), service("remind"), end()],
      onTimer("nag", "work", { timer: timer("cycle", "R3/PT10S"), interrupting: false }),
    ],
    ["start>work>end", "nag>remind>end"],
  );
  const driver = new Driver(made).create();
  const began = driver.at;
  const dues: number[] = [];
  for (let firing = 0; firing < 3; firing += 1) {
    const [armed] = [...driver.state.timers.values()];
    dues.push((armed?.due ?? 0) - began);
    driver.send({ type: "fire-timer", key: armed?.key ?? 0, at: (armed?.due ?? 0) + 3_000 });
  }
  expect(dues).toEqual([10_000, 20_000, 30_000]);
  expect([...driver.state.timers.values()]).toEqual([]);
  expect(driver.view().elements.map(({ element }) => element)).toEqual(["work", "remind", "remind", "remind"]);
  const once = new Driver(
    program(
      [start(), service("work"), onTimer("nag", "work", { timer: timer("duration", "PT1S"), interrupting: false })],
      ["start>work"],
    ),
  );
  expect([...once.create().fire("nag").state.timers.values()]).toEqual([]);
  expect(once.active).toEqual(["work"]);
});

test("[K48] a timer that cannot be computed is an incident of the activation", () => {
  const bad = program(
    [start(), service("work"), onTimer("late", "work", { timer: timer("duration", variable("limit")) }), end()],
    ["start>work>end"],
  );
  const driver = new Driver(bad).create();
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "work" }]);
  driver.send({ type: "set-variables", scope: 0, values: { limit: "PT5S" }, reason: "so" }).resolve();
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["arm-timer", "offer-job"]);
  const caught = new Driver(line(wait("pause", "soon"))).create();
  expect(caught.view().incidents).toMatchObject([{ kind: "activation", error: { code: "timer-invalid" } }]);
});

test("[K48] [K85] one that cannot be computed again leaves its activity running, and a retry arms it afresh", () => {
  const made = program(
    [
      ...[start(), service("work"), end()],
      onTimer("nag", "work", { timer: timer("cycle", variable("every")), interrupting: false }),
    ],
    ["start>work>end"],
  );
  // A calendar may run out: this host computes the first instant, and no more until it is asked for a new one.
  const host = {
    ...made.host,
    nextDue: (...[definition, value, from, remaining]: Parameters<typeof made.host.nextDue>) =>
      remaining === undefined
        ? made.host.nextDue(definition, value, from)
        : { ok: false as const, code: "no-more", message: "the calendar ends" },
  };
  const driver = new Driver({ ...made, host }).create({ every: "R/PT5S" }).fire("nag");
  expect(driver.view().incidents).toMatchObject([{ kind: "timer", element: "nag", error: { code: "no-more" } }]);
  driver.resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "arm-timer", due: driver.at + 5_000 }]);
  driver
    .fire("nag")
    .send({ type: "set-variables", scope: 0, values: { every: "never" }, reason: "so" })
    .resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "timer", error: { code: "timer-invalid" } }]);
  expect(driver.complete("work").status).toBe("completed");
  expect(driver.lastEvents).toContainEqual(expect.objectContaining({ type: "incident-resolved", action: "gone" }));
});

/** Two nested sub-processes around a task, with boundaries on both. */
function caught(...boundaries: Parameters<typeof program>[0]) {
  const deep = sub("deep", [start("s2"), service("risky"), service("beside")]);
  return program(
    [start(), ...sub("outer", [start("s1"), ...deep]), service("rescue"), end(), ...boundaries],
    ["start>outer>end", "s1>deep", "s2>risky", "s2>beside"],
  );
}

test("[K50] [K51] an error goes to the nearest boundary that catches it, with the code before one without", () => {
  const made = caught(
    onError("any", "outer"),
    onError("known", "outer", { code: "E1", outputs: map({ code: "error.code", text: "error.message" }) }),
    { ...onError("near", "deep", { code: "E2" }), parent: "outer" },
    { ...service("mend"), parent: "outer" },
  );
  const withFlows = {
    ...made.document,
    flows: [...made.document.flows, { id: "k", from: "known", to: "rescue" }, { id: "n", from: "near", to: "mend" }],
  };
  const run = (code: string) => {
    const again = program(withFlows.elements, [], { flows: withFlows.flows });
    return new Driver(again).create().throw("risky", code);
  };
  const known = run("E1");
  expect(known.active).toEqual(["rescue"]);
  expect(known.view().variables).toEqual({ code: "E1", text: "it was thrown" });
  expect(known.lastEffects.filter(({ type }) => type === "cancel-job")).toHaveLength(2);
  expect(run("E2").active).toEqual(["mend", "outer"]);
  expect(run("E3").status).toBe("completed");
});

test("[K51] a boundary whose outputs fail is an incident of its own", () => {
  const made = program(
    [start(), service("risky"), onError("caught", "risky", { outputs: map({ x: "error.details" }) }), end()],
    ["start>risky>end", "caught>end"],
  );
  const driver = new Driver(made).create().throw("risky", "E");
  expect(driver.view().incidents).toMatchObject([{ kind: "completion", element: "caught" }]);
  const late = program(
    [
      start(),
      service("risky"),
      onTimer("slow", "risky", { timer: timer("duration", "PT1S"), outputs: map({ slow: "true" }) }),
    ],
    ["start>risky"],
  );
  expect(new Driver(late).create().fire("slow").variable("slow")).toBe(true);
});

test("[K52] an error that nothing catches waits for a person, or ends a called instance", () => {
  const task = service("risky", { policy: { retry: retry(1, "error") } });
  const driver = new Driver(line(task)).create().fail("risky", { code: "E" });
  expect(driver.view().incidents).toMatchObject([{ kind: "error", element: "risky", error: { code: "E" } }]);
  driver.resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "offer-job", attempt: 2 }]);
  driver.throw("risky", "F");
  expect(driver.view().incidents).toMatchObject([{ kind: "error", error: { code: "F" } }]);
  const called = new Driver(line(task)).create({}, { parent: { instanceId: "above", key: 1 } }).throw("risky", "F");
  expect(called.view().outcome).toMatchObject({ type: "failed", error: { code: "F" } });
  expect(called.lastEffects.at(-1)).toMatchObject({ type: "answer-parent", outcome: { type: "failed" } });
});

test("[K53] an error end event throws its code and message; uncaught it fails the instance", () => {
  const ending = end("bad", { type: "error", code: "E1", message: variable("why") });
  const made = program(
    [start(), ...sub("box", [start("s"), ending]), onError("caught", "box"), service("rescue")],
    ["start>box", "s>bad", "caught>rescue"],
  );
  expect(new Driver(made).create({ why: "because" }).active).toEqual(["rescue"]);
  const bare = program([start(), and("split"), service("work"), { ...ending }], ["start>split>work", "split>bad"]);
  const failed = (why: string | number) => new Driver(bare).create({ why }).view().outcome;
  expect(failed("because")).toEqual({ type: "failed", error: { code: "E1", message: "because" } });
  expect(failed(5)).toMatchObject({ error: { message: "5" } });
  expect(new Driver(bare).create().view().incidents).toMatchObject([{ kind: "activation", element: "bad" }]);
  const silent = program([start(), end("bad", { type: "error", code: "E" })], ["start>bad"]);
  expect(new Driver(silent).create().view().outcome).toMatchObject({ error: { message: "'bad' was reached" } });
});

test("[K51] tokens on their way in a scope that an error ends go no further", () => {
  const box = sub("box", [start("s"), and("split"), end("bad", { type: "error", code: "E" }), service("never")]);
  const made = program([start(), ...box, onError("caught", "box")], ["start>box", "s>split>bad", "split>never"]);
  const driver = new Driver(made).create();
  expect(driver.status).toBe("completed");
  expect(driver.lastEffects).toEqual([]);
});

test("[K56] a sub-process keeps its variables to itself and gives what its outputs say", () => {
  const made = nested({
    inputs: map({ given: "n + 1" }),
    variables: [
      { name: "given", type: "integer" },
      { name: "own", type: "string" },
    ],
    outputs: map({ result: "own" }),
  });
  const driver = new Driver(made).create({ n: 1 });
  const box = driver.key("box");
  driver.send({ type: "set-variables", scope: box, values: { own: "mine" }, reason: "so" });
  expect(driver.state.variables.get(`${box}/given`)?.value).toBe(2);
  driver.complete("in");
  expect(driver.view().variables).toEqual({ n: 1, result: "mine" });
  expect(driver.active).toEqual(["after"]);
});

test("[K57] an input of another type than the sub-process declares is an incident of its activation", () => {
  const driver = new Driver(nested({ inputs: map({ n: "text" }), variables: [{ name: "n", type: "integer" }] }));
  expect(driver.create({ text: "five" }).view().incidents).toMatchObject([{ kind: "activation", element: "box" }]);
  driver.send({ type: "set-variables", scope: 0, values: { text: 5 }, reason: "so" }).resolve();
  expect(driver.active).toEqual(["box", "in"]);
  expect(new Driver(nested({ inputs: map({ n: "none" }) })).create().view().incidents).toHaveLength(1);
});

test("[K14] a terminate end event leaves tokens alone that are on their way in other scopes", () => {
  const stop = end("stop", { type: "terminate" });
  const box = sub("box", [start("s"), stop], { loop: loop("parallel") });
  const driver = new Driver(program([start(), ...box, end()], ["start>box>end", "s>stop"])).create({
    items: [1, 2, 3],
  });
  expect(driver.status).toBe("completed");
  expect(driver.history.filter((event) => event.type === "element-passed" && event.element === "stop")).toHaveLength(3);
});

test("[K14] a terminate end event in a sub-process completes it, and the scopes around go on", () => {
  const box = sub("box", [start("s"), service("in"), service("quick"), end("stop", { type: "terminate" })]);
  const made = program(
    [start(), and("split"), ...box, service("beside"), service("after"), end()],
    ["start>split>box>after>end", "split>beside>end", "s>in", "s>quick>stop"],
  );
  const driver = new Driver(made).create().complete("quick");
  expect(driver.active).toEqual(["after", "beside"]);
});

test("[K43] a join that is stuck inside a sub-process is an incident there", () => {
  const box = sub("box", [start("s"), service("one"), service("two"), and("join"), end("e")]);
  const made = program([start(), ...box, end()], ["start>box>end", "s>one>join>e", "two>join"]);
  const driver = new Driver(made).create().complete("one");
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", owner: driver.key("box"), element: "box" }]);
  driver.resolve();
  expect(driver.view().incidents).toHaveLength(1);
});

test("[K85] an incident ends with its owner, and resolving one re-issues nothing else", () => {
  const made = program(
    [
      start(),
      and("split"),
      service("a", { inputs: map({ x: "none" }) }),
      service("b"),
      onTimer("late", "box", { timer: timer("duration", "PT9S") }),
    ].concat(sub("box", [start("s"), service("in", { inputs: map({ x: "none" }) })])),
    ["start>split>a", "split>b", "split>box", "s>in"],
  );
  const driver = new Driver(made).create();
  expect(
    driver
      .view()
      .incidents.map(({ element }) => element)
      .sort(),
  ).toEqual(["a", "in"]);
  driver.fire("late");
  expect(driver.view().incidents.map(({ element }) => element)).toEqual(["a"]);
  expect(
    driver.try({ type: "resolve-incident", key: driver.view().incidents[0]?.key ?? 0, action: "accept", reason: "" })
      ?.code,
  ).toBe("incident-not-acceptable");
  driver.send({ type: "set-variables", scope: 0, values: { none: 1 }, reason: "so" }).resolve();
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["offer-job"]);
});

test("[K86] a retried activation starts under the same key", () => {
  const driver = new Driver(line(service("a", { inputs: map({ x: "none" }) }))).create();
  const key = driver.key("a");
  expect(driver.view().elements).toMatchObject([{ state: "activating" }]);
  driver.resolve();
  expect(driver.view().elements).toMatchObject([{ key, state: "activating" }]);
  driver.send({ type: "set-variables", scope: 0, values: { none: 1 }, reason: "so" }).resolve();
  expect(driver.view().elements).toMatchObject([{ key, state: "active" }]);
});

test("[K90] while paused work may end and nothing new starts; timers wait until it is resumed", () => {
  const made = program(
    [start(), and("split"), service("a"), call("child"), wait("later", "PT1S"), end()],
    ["start>split>a>child>end", "split>later>end"],
  );
  const driver = new Driver(made).create();
  driver.send({ type: "pause-instance", stopRunning: true, reason: "lunch" });
  expect(driver.lastEffects).toEqual([{ type: "hold-jobs", stopRunning: true }]);
  expect(driver.view().waiting).toContainEqual(expect.objectContaining({ on: "pause", until: "A person resumes it." }));
  const [due] = [...driver.state.timers.values()];
  expect(driver.try({ type: "fire-timer", key: due?.key ?? 0, at: 99_000 })?.code).toBe("instance-paused");
  expect(driver.try({ type: "pause-instance", stopRunning: false, reason: "" })?.code).toBe("instance-paused");
  driver.complete("a");
  expect(driver.active).toEqual(["child", "later"]);
  expect(driver.lastEffects).toEqual([]);
  driver.send({ type: "resume-instance" });
  expect(driver.lastEffects.map(({ type }) => type)).toEqual([
    "release-jobs",
    "start-child",
    "resume-child",
    "arm-timer",
  ]);
  expect(driver.fire("later").active).toEqual(["child"]);
});

test("[K91] pausing and resuming reach the children, but not those that have ended", () => {
  const driver = new Driver(
    program([start(), and("split"), call("one"), call("two")], ["start>split>one", "split>two"]),
  ).create();
  const childId = `i/${driver.key("one")}`;
  driver.send({ type: "end-child", key: driver.key("one"), childId, outcome: { type: "cancelled", reason: "" } });
  driver.send({ type: "pause-instance", stopRunning: true, reason: "lunch" });
  const two = `i/${driver.key("two")}`;
  expect(driver.lastEffects).toEqual([
    { type: "hold-jobs", stopRunning: true },
    { type: "pause-child", childId: two, stopRunning: true, reason: "lunch" },
  ]);
  driver.resolve();
  expect(driver.lastEffects).toEqual([]);
  driver.send({ type: "resume-instance" });
  const started = driver.lastEffects.flatMap((effect) => (effect.type === "start-child" ? [effect.childId] : []));
  expect(started).toEqual([`${childId}.2`, two]);
});

test("[K92] cancelling ends jobs, timers, tasks, children and incidents at once", () => {
  const made = program(
    [
      start(),
      and("split"),
      service("job"),
      user("task"),
      wait("timer"),
      call("child"),
      service("stuck", { inputs: map({ x: "none" }) }),
    ],
    ["start>split>job", "split>task", "split>timer", "split>child", "split>stuck"],
  );
  const driver = new Driver(made).create().send({ type: "cancel-instance", reason: "enough" });
  expect(driver.view().outcome).toEqual({ type: "cancelled", reason: "enough" });
  expect(driver.lastEffects.map(({ type }) => type).sort()).toEqual([
    ...["cancel-child", "cancel-job", "cancel-timer", "close-task"],
  ]);
  const stuck = program([start(), and("join"), service("never"), end()], ["start>join>end", "never>join"]);
  expect(new Driver(stuck).create().send({ type: "cancel-instance", reason: "" }).status).toBe("cancelled");
});
