import { expect, test } from "vitest";
import type { ProcessStartedBy } from "../command.ts";
import type { CatchTrigger, Element, WaitTrigger } from "../program.ts";
import {
  allOf,
  and,
  anyOf,
  boundary,
  catching,
  complex,
  end,
  eventGateway,
  handling,
  line,
  literal,
  map,
  message,
  onCondition,
  onMessage,
  onSignal,
  or,
  program,
  raise,
  receive,
  service,
  start,
  sub,
  timer,
  undo,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

const onTime = { type: "timer" as const, timer: timer("duration", "PT5S") };

function choice(): Driver {
  const made = program(
    [
      ...[start(), eventGateway("which"), catching("yes", onMessage("yes"), { outputs: map({ n: "n" }) }), end()],
      ...[receive("no", "no"), catching("late", onTime), catching("hot", onCondition("n > 9"))],
      ...["yes", "no", "late", "hot"].map((id) => service(`after-${id}`)),
    ],
    ["start>which", ...["yes", "no", "late", "hot"].map((id) => `which>${id}>after-${id}>end`)],
  );
  return new Driver(made).create({ n: 0 });
}

test.each<[string, (driver: Driver) => void]>([
  ["yes", (driver) => driver.deliver("yes", { n: 3 })],
  ["no", (driver) => driver.deliver("no")],
  ["late", (driver) => driver.fire("late")],
  ["hot", (driver) => driver.send({ type: "set-variables", scope: 0, values: { n: 10 }, reason: "so" })],
])("[K140] the first event goes on, and the others are off (%s)", (id, happen) => {
  const driver = choice();
  expect(driver.active).toEqual(["which"]);
  expect(
    driver
      .view()
      .waiting.map(({ element }) => element)
      .sort(),
  ).toEqual(["hot", "late", "no", "yes"]);
  happen(driver);
  expect(driver.active).toEqual([`after-${id}`]);
  expect(driver.view().waiting).toHaveLength(1);
  expect(driver.variable("n")).toBe({ yes: 3, no: 0, late: 0, hot: 10 }[id]);
});

test("[K140] what an event after it waits for cannot be worked out: an incident of the gateway, retried", () => {
  const waits = catching("yes", { type: "message", message: { name: variable("name") } });
  const made = program([start(), eventGateway("which"), waits, end()], ["start>which>yes>end"]);
  const driver = new Driver(made).create();
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "which" }]);
  driver.send({ type: "set-variables", scope: 0, values: { name: "yes" }, reason: "so" }).resolve();
  expect(driver.deliver("yes").status).toBe("completed");
});

test("[K140] outputs that cannot be made leave the event waiting for a person", () => {
  const yes = catching("yes", onMessage("yes"), { outputs: map({ n: "missing" }) });
  const made = program([start(), eventGateway("which"), yes, end()], ["start>which>yes>end"]);
  expect(new Driver(made).create().deliver("yes").active).toEqual(["yes"]);
});

const begun = (kind: "exclusive" | "parallel") =>
  program(
    [
      ...[
        eventGateway("which", kind),
        catching("a", onMessage("a"), { outputs: map({ id: "id" }) }),
        receive("b", "b"),
      ],
      ...[catching("c", onMessage("c", "id")), service("work"), end()],
    ],
    ["which>a>work>end", "which>b>work", "which>c>work"],
  );

test("[K141] a gateway that begins the process goes on at the event it was created by", () => {
  const made = begun("exclusive");
  expect(made.processStarts.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  const driver = new Driver(made).create({}, { start: { element: "a", payload: { id: 7 }, messageId: "m" } });
  expect(driver.active).toEqual(["work"]);
  expect(driver.variable("id")).toBe(7);
  expect(driver.history[0]).toMatchObject({ type: "instance-created", start: { element: "a", messageId: "m" } });
});

test("[K141] a parallel one waits for the others in the same instance, by a key from what came first", () => {
  const driver = new Driver(begun("parallel")).create({}, { start: { element: "a", payload: { id: 7 } } });
  expect(driver.active).toEqual(["which", "work"]);
  expect(driver.subscription("c").correlationKey).toBe("7");
  driver.complete("work").deliver("c").complete("work");
  expect(driver.active).toEqual(["which"]);
  expect(driver.deliver("b").active).toEqual(["work"]);
  expect(driver.complete("work").status).toBe("completed");
});

test("[K141] what was wrong with an event that came is gone", () => {
  const odd = catching("odd", anyOf<WaitTrigger>(onCondition("n"), onMessage("odd")));
  const made = program(
    [eventGateway("which", "parallel"), odd, catching("a", onMessage("a")), service("work")],
    ["which>odd>work", "which>a>work"],
  );
  const driver = new Driver(made).create({ n: 1 }, { start: { element: "a", payload: {} } });
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", element: "odd" }]);
  const message = [...driver.state.subscriptions.values()].find(({ kind }) => kind === "message");
  driver.send({ type: "deliver-message", key: message?.key ?? 0, name: "odd", payload: {}, messageId: "m" });
  expect([driver.view().incidents, driver.active]).toEqual([[], ["work"]]);
});

test("[K141] one of the others that cannot be worked out is an incident, and is awaited after a retry", () => {
  const driver = new Driver(begun("parallel")).create({}, { start: { element: "b", payload: {} } });
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", element: "c" }]);
  driver.deliver("a", { id: 7 });
  expect(driver.active).toContain("which");
  expect(driver.resolve().deliver("c").active).toEqual(["work"]);
});

test("[K141] an event that other flows lead to as well begins the process all the same", () => {
  const made = program(
    [service("again"), eventGateway("which", "exclusive"), catching("a", onMessage("a")), start()],
    ["start>again>a", "which>a>again"],
  );
  const driver = new Driver(made).create({}, { start: { element: "a", payload: {} } });
  expect(driver.active).toEqual(["again"]);
  expect(driver.history.map(({ type }) => type)).toContain("flow-taken");
});

const started = program(
  [...[start(), start("by-message", onMessage("order")), start("by-time", onTime), service("work"), end()]].map(
    (each) => (each.id === "by-message" ? { ...each, outputs: map({ order: "id" }) } : each),
  ),
  ["start>work>end", "by-message>work", "by-time>work"],
  { variables: [{ name: "order", type: "any", required: true }] },
);

test("[K142] an instance begins at the event it is created with", () => {
  expect(started.processStarts.map(({ id }) => id)).toEqual(["by-message", "by-time"]);
  const driver = new Driver(started).create({}, { start: { element: "by-message", payload: { id: 5 } } });
  expect(driver.active).toEqual(["work"]);
  expect(driver.variable("order")).toBe(5);
  expect(new Driver(started).create({ order: 1 }).active).toEqual(["work"]);
});

test("[K142] of several none start events the first begins an instance, unless it is created with another", () => {
  const made = program([start("one"), start("two"), service("a"), service("b")], ["one>a", "two>b"]);
  expect(new Driver(made).create().active).toEqual(["a"]);
  const at = (element: string) => new Driver(made).create({}, { start: { element, payload: {} } });
  expect([at("one").active, at("two").active]).toEqual([["a"], ["b"]]);
});

test("[K142] a receive task that begins the process is done as it begins", () => {
  const first = receive("order", "order", { instantiate: true, outputs: map({ id: "id" }) });
  const made = program([first, service("work"), end()], ["order>work>end"]);
  expect(made.processStarts).toEqual([{ id: "order", trigger: { type: "message", message: message("order") } }]);
  const driver = new Driver(made).create({}, { start: { element: "order", payload: { id: 3 } } });
  expect([driver.active, driver.variable("id")]).toEqual([["work"], 3]);
});

test("[K143] a required variable may be missing if the event writes it, and only then", () => {
  const refused = (start: ProcessStartedBy) =>
    new Driver(started).try({ type: "create-instance", instanceId: "i", rootId: "i", variables: {}, start });
  expect(refused({ element: "by-time", payload: {} })?.code).toBe("variable-missing");
});

test("[K142] an event that starts nothing is refused, and so is none where there is no none start", () => {
  const attempt = (made: typeof started, element?: string) =>
    new Driver(made).try({
      type: "create-instance",
      instanceId: "i",
      rootId: "i",
      variables: { order: 1 },
      ...(element === undefined ? {} : { start: { element, payload: {} } }),
    })?.reason;
  expect(attempt(started, "work")).toBe(
    "Expected the event 'by-message' or 'by-time' to start 'test', but it is 'work'",
  );
  expect(attempt(line(service("work")), "work")).toBe("Expected no event to start 'test', but it is 'work'");
  expect(attempt(begun("exclusive"))).toBe("Expected the event 'a' or 'b' or 'c' to start 'test', but none was given");
});

test("[K148] nobody looks at the condition of a start event of the process: who starts it there says that it holds", () => {
  const made = program(
    [start(), start("hot", onCondition("n > 9")), service("plain"), service("cool")],
    ["start>plain", "hot>cool"],
  );
  const driver = new Driver(made).create({ n: 0 });
  driver.send({ type: "set-variables", scope: 0, values: { n: 10 }, reason: "so" });
  expect(driver.active).toEqual(["plain"]);
  expect(new Driver(made).create({ n: 0 }, { start: { element: "hot", payload: {} } }).active).toEqual(["cool"]);
});

test("[K148] a condition beside the message that starts the process reads what that brought", () => {
  const both = allOf(onMessage("order"), onCondition("sum > 100"));
  const made = program(
    [{ ...start("large", both), outputs: map({ sum: "sum" }) }, service("review")],
    ["large>review"],
  );
  const begin = (sum: number) =>
    new Driver(made).create({}, { start: { element: "large", payload: { sum }, messageId: "m", trigger: 0 } });
  expect(begin(500).active).toEqual(["review"]);
  expect(begin(500).view().variables).toEqual({ sum: 500 });
  expect(begin(5).active).toEqual(["large"]);
});

test("[K146] a condition among several triggers sees what the others have brought, whichever comes first", () => {
  const made = line(catching("both", allOf(onMessage("order"), onSignal("rate"), onCondition("sum * rate > limit"))));
  const driver = new Driver(made).create({ limit: 100 });
  const keyOf = (kind: string) => [...driver.state.subscriptions.values()].find((each) => each.kind === kind)?.key ?? 0;
  driver.send({ type: "deliver-signal", key: keyOf("signal"), name: "rate", payload: { rate: 3 } });
  driver.send({ type: "deliver-message", key: keyOf("message"), name: "order", payload: { sum: 30 }, messageId: "m" });
  expect(driver.active).toEqual(["both"]);
  driver.send({ type: "set-variables", scope: 0, values: { limit: 89 }, reason: "so" });
  expect(driver.status).toBe("completed");
});

test("[K144] without a start event everything begins that no flow leads to, and nothing else", () => {
  const late = handling("late", { trigger: onMessage("m") }, []);
  const here = { type: "link" as const, name: "x" };
  const made = program(
    [
      ...[service("a", { compensation: "h" }), service("b"), service("c"), service("h", { forCompensation: true })],
      ...[...late, boundary("x", "a", { trigger: onSignal("x") }), catching("there", here), raise("go", here)],
      ...sub("box", [service("d"), service("e")]),
    ],
    ["a>c"],
  );
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["a", "b", "box", "d", "e"]);
});

test("[K144] gateways begin like anything else", () => {
  const made = program([or("either"), and("both"), service("a"), service("b")], ["either>a", "both>b"]);
  expect(new Driver(made).create().active).toEqual(["a", "b"]);
  const many = program(
    [complex("many", "missing > 1"), service("a"), service("b"), service("c"), eventGateway("g"), receive("r", "r")],
    ["many>a", "many>b: n > 1", "many>c: waitingForStart", "g>r"],
  );
  const driver = new Driver(many).create({ n: 1 });
  expect(driver.active).toEqual(["a", "c", "g"]);
  expect(driver.complete("a").complete("c").deliver("r").status).toBe("completed");
});

test("[K144] an activity to begin with starts once, however many tokens it needs elsewhere", () => {
  const made = program([service("a", { startQuantity: 3 }), service("b")], ["a>b"]);
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["a"]);
  expect(driver.complete("a").complete("b").status).toBe("completed");
});

test("[K144] a complex gateway to begin with that finds no way waits for a person", () => {
  const made = program([complex("many", "true"), service("a")], ["many>a: n > 1"]);
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "many" }]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "so" }).resolve();
  expect(driver.active).toEqual(["a"]);
});

test("[K144] what begins a process begins with a sub-process like everything else there", () => {
  const inside = [eventGateway("g", "exclusive"), receive("a", "a"), receive("b", "b", { instantiate: true })];
  const made = program([start(), ...sub("box", inside)], ["start>box", "g>a"]);
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["b", "box", "g"]);
  expect(driver.deliver("a").deliver("b").status).toBe("completed");
});

test.each<[string, Element[], string[]]>([
  ["nothing", [], []],
  ["a circle", [and("a"), service("b")], ["a>b>a"]],
  ["event sub-processes", handling("late", { trigger: onMessage("m") }, [service("w")]), ["late-start>w"]],
  ["a handler", [service("h", { forCompensation: true })], []],
])("[K144] where nothing begins it completes at once: %s", (_what, content, lines) => {
  expect(new Driver(program(content, lines)).create().status).toBe("completed");
  const [box, ...inside] = sub(
    "box",
    content.filter(({ parent }) => parent === null),
  );
  const others = content.filter(({ parent }) => parent !== null);
  const made = program(
    [start(), box as Element, ...inside, ...others, service("after")],
    ["start>box>after", ...lines],
  );
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["after"]);
  expect(driver.view().waiting).toHaveLength(1);
});

test("[K145] a multiple event is triggered by any, and the others are off", () => {
  const trigger = anyOf<WaitTrigger>(onMessage("m"), onTime, onSignal("s"), onCondition("n > 3"));
  const made = line(catching("any", trigger, { outputs: map({ n: "n" }) }));
  const driver = new Driver(made).create({ n: 0 });
  expect(
    driver
      .view()
      .waiting.map(({ on }) => on)
      .sort(),
  ).toEqual(["condition", "message", "signal", "timer"]);
  expect(driver.fire("any").status).toBe("completed");
  const other = new Driver(made).create({ n: 0 });
  expect(other.send({ type: "set-variables", scope: 0, values: { n: 4 }, reason: "so" }).status).toBe("completed");
});

test("[K145] one that does not interrupt goes on waiting, and a cycle in it comes again", () => {
  const cycle = { type: "timer" as const, timer: timer("cycle", "R/PT5S") };
  const any = boundary("any", "work", { trigger: anyOf(onSignal("s"), cycle), interrupting: false });
  const made = program([start(), service("work"), any, service("note"), end()], ["start>work>end", "any>note"]);
  const driver = new Driver(made).create().fire("any").deliver("any").fire("any").deliver("any");
  expect([...driver.state.jobs.values()].filter((job) => job.element === "note")).toHaveLength(4);
});

test("[K145] one that catches errors and escalations catches either", () => {
  const any = boundary("any", "box", {
    trigger: anyOf<CatchTrigger>({ type: "error" }, { type: "escalation", code: "hot" }, onSignal("s")),
  });
  const inside = [start("s"), service("a"), raise("warn", { type: "escalation", code: "hot" }), end("e")];
  const made = program(
    [start(), ...sub("box", inside), any, service("note"), end()],
    ["start>box>end", "any>note>end", "s>a>warn>e"],
  );
  expect(new Driver(made).create().throw("a", "E").active).toEqual(["note"]);
  expect(new Driver(made).create().complete("a").active).toEqual(["note"]);
});

test("[K120] a multiple event of which one cannot be worked out is an incident", () => {
  const trigger = anyOf(onSignal("s"), { type: "timer", timer: timer("duration", variable("missing")) });
  expect(new Driver(line(catching("any", trigger))).create().view().incidents).toMatchObject([{ kind: "activation" }]);
});

test("[K146] a parallel multiple event is triggered once all were there, with what they brought", () => {
  const all = catching("all", allOf(onMessage("a"), onMessage("b"), onTime), {
    outputs: map({ x: "x", y: "y", z: "z" }),
  });
  const driver = new Driver(line(all)).create();
  const keyOf = (name: string) => [...driver.state.subscriptions.values()].find((each) => each.name === name)?.key ?? 0;
  const deliver = (name: string, payload: { readonly [name: string]: number }) =>
    driver.send({ type: "deliver-message", key: keyOf(name), name, payload, messageId: name });
  deliver("b", { x: 1, y: 1 });
  expect(driver.events).toContain("trigger-met");
  expect(
    driver
      .view()
      .waiting.map(({ on }) => on)
      .sort(),
  ).toEqual(["message", "timer"]);
  driver.fire("all");
  expect(driver.status).toBe("running");
  deliver("a", { y: 2, z: 2 });
  expect(driver.view().variables).toEqual({ x: 1, y: 2, z: 2 });
  expect(driver.status).toBe("completed");
});

test("[K146] timers that are all needed leave nothing behind once the last one fired", () => {
  const later = { type: "timer" as const, timer: timer("duration", "PT90S") };
  const driver = new Driver(line(catching("all", allOf(onTime, later)), service("next"))).create();
  const [first] = driver.state.timers.values();
  driver.send({ type: "fire-timer", key: first?.key ?? 0, at: first?.due ?? 0 });
  expect(driver.active).toEqual(["all"]);
  driver.fire("all");
  expect(driver.active).toEqual(["next"]);
  expect([...driver.state.subscriptions.values()]).toEqual([]);
});

test("[K146] non-interrupting it then waits for all again; one that cannot be worked out any more is an incident", () => {
  const second = { type: "signal" as const, signal: { name: variable("name") } };
  const all = boundary("all", "work", { trigger: allOf(onSignal("a"), second), interrupting: false });
  const made = program([start(), service("work"), all, service("note"), end()], ["start>work>end", "all>note"]);
  const driver = new Driver(made).create({ name: "b" });
  const ring = (name: string) => {
    const found = [...driver.state.subscriptions.values()].find((each) => each.name === name);
    return driver.send({ type: "deliver-signal", key: found?.key ?? 0, name, payload: {} });
  };
  ring("a");
  ring("b");
  expect(driver.active).toEqual(["note", "work"]);
  driver.send({ type: "set-variables", scope: 0, values: { name: null }, reason: "so" });
  ring("a");
  ring("b");
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", element: "all" }]);
  driver.send({ type: "set-variables", scope: 0, values: { name: "c" }, reason: "so" }).resolve();
  expect([...driver.state.subscriptions.values()].map(({ name }) => name)).toEqual(["a", "c"]);
});

test("[K146] one that starts the process waits for the rest in the instance of the first", () => {
  const first = {
    ...start("both", allOf(onMessage("a"), onMessage("b", "id"))),
    outputs: map({ id: "id", more: "more" }),
  };
  const made = program([first, service("work"), end()], ["both>work>end"]);
  const driver = new Driver(made).create({}, { start: { element: "both", payload: { id: 3 }, trigger: 0 } });
  expect(driver.subscription("both").correlationKey).toBe("3");
  const other = new Driver(made).create({ id: 4 }, { start: { element: "both", payload: {}, trigger: 1 } });
  expect([...other.state.subscriptions.values()].map(({ name }) => name)).toEqual(["a", ""]);
  const [waits] = [...driver.state.subscriptions.values()];
  driver.send({ type: "deliver-message", key: waits?.key ?? 0, name: "b", payload: { more: 1 }, messageId: "m" });
  expect(driver.active).toEqual(["work"]);
  expect(driver.view().variables).toEqual({ id: 3, more: 1 });
  const unnamed = new Driver(made).create({ id: 4 }, { start: { element: "both", payload: {} } });
  expect(unnamed.view().waiting).toMatchObject([
    { on: "message", reason: "It waits for the message 'b' with the key '4'." },
  ]);
});

test("[K142] [K146] a trigger that the event does not have starts nothing", () => {
  const made = program([start("both", allOf(onMessage("a"), onMessage("b"))), end()], ["both>end"]);
  for (const trigger of [2, -1, 0.5]) {
    const begin = { element: "both", payload: {}, trigger };
    const named = { instanceId: "i", rootId: "i", variables: {} };
    expect(new Driver(made).try({ type: "create-instance", ...named, start: begin })).toEqual({
      code: "start-not-found",
      reason: `Expected a trigger of 'both' from 0 to 1, but got ${trigger}`,
    });
  }
});

test("[K146] a time is one of them, too", () => {
  const made = program([start("both", allOf(onTime, onSignal("s"))), service("work"), end()], ["both>work>end"]);
  const driver = new Driver(made).create({}, { start: { element: "both", payload: {}, trigger: 0 } });
  expect(driver.deliver("both").active).toEqual(["work"]);
  const other = new Driver(made).create({}, { start: { element: "both", payload: {}, trigger: 1 } });
  expect(other.fire("both").active).toEqual(["work"]);
});

test("[K147] a multiple throwing event does all of it, what takes time last", () => {
  const triggers = [
    { type: "compensation" as const },
    { type: "message" as const, message: message("m") },
    { type: "signal" as const, signal: { name: literal("s") } },
  ];
  const made = program(
    [
      start(),
      service("a", { compensation: "undo-a" }),
      service("undo-a", { forCompensation: true }),
      raise("all", { type: "multiple", triggers }),
      end(),
    ],
    ["start>a>all>end"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["publish-message", "broadcast-signal", "offer-job"]);
  expect(driver.complete("undo-a").status).toBe("completed");
});

test("[K147] at the end of a process it may terminate, or throw an error", () => {
  const made = (last: { type: "terminate" } | { type: "error"; code: string }) =>
    program(
      [
        start(),
        and("split"),
        service("other"),
        end("all", { type: "multiple", triggers: [last, { type: "escalation", code: "x" }] }),
      ],
      ["start>split>other", "split>all"],
    );
  const driver = new Driver(made({ type: "terminate" })).create();
  expect(driver.status).toBe("completed");
  expect(driver.events).toContain("escalation-thrown");
  expect(new Driver(made({ type: "error", code: "E" })).create().status).toBe("failed");
});

test("[K147] an escalation that ends it keeps the rest from following", () => {
  const triggers = [
    { type: "escalation" as const, code: "x" },
    { type: "message" as const, message: message("m") },
  ];
  const made = program(
    [
      start(),
      raise("all", { type: "multiple", triggers }),
      ...handling("late", { trigger: { type: "escalation" } }, [service("fix")]),
      undo("never"),
      end(),
    ],
    ["start>all>never>end", "late-start>fix"],
  );
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["fix", "late"]);
  expect(driver.effects.some(({ type }) => type === "publish-message")).toBe(false);
});
