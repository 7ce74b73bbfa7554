import { expect, test } from "vitest";
import {
  adHoc,
  and,
  boundary,
  call,
  catching,
  end,
  expr,
  handling,
  line,
  literal,
  loop,
  map,
  onCondition,
  or,
  program,
  raise,
  script,
  service,
  start,
  sub,
  timer,
  user,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

function set(driver: Driver, values: { readonly [name: string]: boolean | number }, scope = 0): Driver {
  return driver.send({ type: "set-variables", scope, values, reason: "so" });
}

test("[K126] a condition that holds already lets the token pass at once, else as soon as it comes to hold", () => {
  const made = line(catching("warm", onCondition("n > 3")));
  expect(new Driver(made).create({ n: 4 }).status).toBe("completed");
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.view().waiting).toMatchObject([
    { on: "condition", element: "warm", reason: "It waits until 'n > 3' holds." },
  ]);
  expect(driver.lastEffects).toEqual([]);
  expect(driver.view().subscriptions).toEqual([]);
  set(driver, { n: 2 });
  expect(driver.status).toBe("running");
  expect(set(driver, { n: 5 }).status).toBe("completed");
});

test("[K126] an event that does not interrupt triggers anew only after its condition did not hold", () => {
  const hot = boundary("hot", "work", { trigger: onCondition("n > 3"), interrupting: false });
  const driver = new Driver(
    program([start(), service("work"), hot, service("note"), end()], ["start>work>end", "hot>note"]),
  ).create({ n: 4 });
  const notes = (): number => [...driver.state.jobs.values()].filter((job) => job.element === "note").length;
  expect(notes()).toBe(1);
  set(driver, { n: 9 });
  expect(notes()).toBe(1);
  set(set(driver, { n: 0 }), { n: 5 });
  expect(notes()).toBe(2);
});

test("[K126] with variables named, only changes of these count", () => {
  const waits = catching("both", onCondition("a && b", ["a", "a"]));
  const driver = new Driver(line(waits)).create({ a: true, b: false });
  expect(set(driver, { b: true }).status).toBe("running");
  expect(set(driver, { a: true }).status).toBe("completed");
});

test("[K126] a condition sees the variables of its own scope and of those around, not of others", () => {
  const inside = [start("s"), catching("go", onCondition("local && n > 3")), end("e")];
  const box = sub("box", inside, { inputs: map({ local: "false" }) });
  const other = sub("other", [start("s2"), service("work"), end("e2")], { inputs: map({ local: "false" }) });
  const made = program(
    [start(), and("split"), ...box, ...other, end()],
    ["start>split>box>end", "split>other>end", "s>go>e", "s2>work>e2"],
  );
  const driver = new Driver(made).create({ n: 9 });
  set(driver, { local: true }, driver.key("other"));
  expect(driver.active).toContain("go");
  set(driver, { local: true }, driver.key("box"));
  expect(driver.active).not.toContain("go");
});

test("[K126] a step's writes are looked at before its token moves on", () => {
  const stop = boundary("stop", "box", { trigger: onCondition("n > 0") });
  const inside = [start("s"), script("count", { n: "n + 1" }), service("never"), end("e")];
  const made = program([start(), ...sub("box", inside), stop, end()], ["start>box>end", "stop>end", "s>count>never>e"]);
  const driver = new Driver(made).create({ n: 0 });
  expect(driver.status).toBe("completed");
  expect(driver.effects).toEqual([expect.objectContaining({ type: "close-subscription" })]);
});

test("[K126] [K15] events that trigger one another for ever go on in steps of their own", () => {
  const flip = handling("flip", { trigger: onCondition("n % 2 == 0"), interrupting: false }, [
    script("up", { n: "n + 1" }),
    script("again", { n: "n + 1" }),
  ]);
  const made = program([start(), service("work"), ...flip], ["start>work", "flip-start>up>again"]);
  const driver = new Driver(made, { checked: false }).create({ n: 0 });
  const first = Number(driver.variable("n"));
  expect(first).toBeGreaterThan(100);
  expect(driver.lastEffects).toContainEqual({ type: "continue" });
  expect(Number(driver.send({ type: "continue" }).variable("n"))).toBeGreaterThan(first + 100);
  driver.check();
});

test("[K127] a variable that is not there yet makes the condition not hold yet", () => {
  const driver = new Driver(line(catching("go", onCondition("later > 3")))).create();
  expect(driver.view().incidents).toEqual([]);
  expect(set(driver, { later: 4 }).status).toBe("completed");
});

test("[K127] a condition that fails is one incident; retrying waits afresh, and everything else goes on", () => {
  const odd = boundary("odd", "work", { trigger: onCondition("n") });
  const made = program([start(), service("work"), odd, end()], ["start>work>end", "odd>end"]);
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.view().incidents).toMatchObject([
    { kind: "trigger", element: "odd", error: { code: "condition-type" } },
  ]);
  set(driver, { n: 2 });
  expect(driver.view().incidents).toHaveLength(1);
  driver.resolve();
  expect(driver.view().incidents).toHaveLength(1);
  expect(driver.complete("work").status).toBe("completed");
});

test("[K127] [K26] a condition knows which names are integers", () => {
  const made = line(catching("go", onCondition("n > 3")));
  const seen: boolean[] = [];
  const host = {
    ...made.host,
    evaluate: (...[expression, scope]: Parameters<typeof made.host.evaluate>) => {
      seen.push(scope.isInteger("n"));
      return made.host.evaluate(expression, scope);
    },
  };
  new Driver({ ...made, host }).create({ n: 1 });
  expect(seen[0]).toBe(false);
});

test("[K126] two events on one activity whose conditions fail are two incidents; the one that interrupts first ends the other", () => {
  const made = program(
    [
      ...[start(), service("work"), end()],
      ...["a", "b"].map((id) => boundary(id, "work", { trigger: onCondition("n == 1 || (n == 2 && n)") })),
      ...["c", "d"].map((id) => boundary(id, "work", { trigger: onCondition("n") })),
    ],
    ["start>work>end", "a>end", "b>end", "c>end", "d>end"],
  );
  const driver = new Driver(made).create({ n: 0 });
  expect(driver.view().incidents.map(({ element }) => element)).toEqual(["c", "d"]);
  expect(set(driver, { n: 1 }).status).toBe("completed");
  expect(driver.lastEvents.filter(({ type }) => type === "subscription-triggered")).toHaveLength(1);
});

function escalating(interrupting: boolean): Driver {
  const thrower = raise("warn", { type: "escalation", code: "hot", payload: map({ degrees: "n" }) });
  const inside = [start("s"), thrower, service("after"), end("e")];
  const told = { type: "escalation" as const };
  const made = program(
    [
      ...[start(), ...sub("box", inside), service("note"), end()],
      boundary("any", "box", { trigger: told, interrupting }),
      boundary("cold", "box", { trigger: { ...told, code: "cold" }, interrupting }),
      boundary("hot", "box", {
        trigger: { ...told, code: "hot" },
        interrupting,
        outputs: map({ d: "escalation.degrees" }),
      }),
    ],
    ["start>box>end", "s>warn>after>e", "hot>note>end", "any>end", "cold>end"],
  );
  return new Driver(made).create({ n: 40 });
}

test("[K128] caught without interrupting, the thrower goes on, and the payload is visible", () => {
  const driver = escalating(false);
  expect(driver.active).toEqual(["after", "box", "note"]);
  expect(driver.variable("d")).toBe(40);
  expect(driver.lastEvents).toContainEqual(
    expect.objectContaining({ type: "escalation-thrown", element: "warn", code: "hot", caughtBy: "hot" }),
  );
});

test("[K128] an interrupting one ends the activity, thrower and all", () => {
  expect(escalating(true).active).toEqual(["note"]);
});

test("[K128] an escalation of one item is caught by the event on the whole activity", () => {
  const inside = [start("s"), end("e", { type: "escalation", code: "hot" })];
  const box = sub("box", inside, { loop: loop("parallel") });
  const stop = boundary("stop", "box", { trigger: { type: "escalation" } });
  const made = program([start(), ...box, stop, service("note"), end()], ["start>box>end", "stop>note>end", "s>e"]);
  const driver = new Driver(made).create({ items: [1, 2] });
  expect(driver.active).toEqual(["note"]);
});

test("[K129] an escalation that nothing catches is recorded, and the thrower goes on", () => {
  const driver = new Driver(line(raise("warn", { type: "escalation", code: "hot" }), service("after"))).create();
  expect(driver.active).toEqual(["after"]);
  expect(driver.lastEvents).toContainEqual(expect.objectContaining({ type: "escalation-thrown", caughtBy: null }));
  const unclear = raise("warn", { type: "escalation", code: "hot", payload: map({ a: "missing" }) });
  expect(new Driver(line(unclear)).create().view().incidents).toMatchObject([{ kind: "activation" }]);
});

function called(caught: boolean): Driver {
  const told = boundary("told", "child", { trigger: { type: "escalation", code: "hot" }, interrupting: false });
  const made = program(
    [start(), call("child"), ...(caught ? [told] : []), service("note"), end()],
    ["start>child>end", ...(caught ? ["told>note"] : [])],
  );
  return new Driver(made).create({}, { parent: { instanceId: "above", key: 3 } });
}

test("[K129] a called instance tells its caller what nothing caught; it is told once, and passes it on in turn", () => {
  const child = new Driver(
    line(raise("warn", { type: "escalation", code: "hot", payload: map({ n: "n" }) }), service("on")),
  );
  child.create({ n: 4 }, { parent: { instanceId: "i", key: 7 } });
  const [told] = child.lastEffects.filter((effect) => effect.type === "escalate-parent");
  expect(told).toMatchObject({ parent: { instanceId: "i", key: 7 }, code: "hot", payload: { n: 4 } });
  const driver = called(true);
  const key = driver.key("child");
  const said = {
    type: "escalate-call" as const,
    key,
    childId: `i/${key}`,
    number: told?.number ?? 0,
    code: "hot",
    payload: {},
  };
  driver.send(said);
  expect(driver.active).toEqual(["child", "note"]);
  expect(driver.try(said)?.code).toBe("message-duplicate");
  expect(driver.try({ ...said, childId: "other" })?.code).toBe("child-not-found");
  const outer = called(false).send(said);
  expect(outer.lastEffects).toMatchObject([
    { type: "escalate-parent", parent: { instanceId: "above", key: 3 }, code: "hot" },
  ]);
});

test.each([true, false])("[K128] a user task escalates like any other activity (interrupting: %s)", (interrupting) => {
  const sla = [
    {
      on: "not-started" as const,
      after: timer("duration", "PT5S"),
      action: { type: "escalate" as const, code: "late" },
    },
  ];
  const told = boundary("told", "approve", { trigger: { type: "escalation" }, interrupting });
  const made = program(
    [start(), user("approve", { sla }), told, service("note"), end()],
    ["start>approve>end", "told>note"],
  );
  const byRule = new Driver(made).create().fire("approve", 0);
  expect(byRule.active).toEqual(interrupting ? ["note"] : ["approve", "note"]);
  const byHand = new Driver(made).create();
  byHand.send({ type: "escalate-task", key: byHand.key("approve"), code: "stuck", reason: "help" });
  expect(byHand.active).toEqual(byRule.active);
});

test("[K129] the escalation of a user task goes on to a caller", () => {
  const driver = new Driver(line(user("approve"))).create({}, { parent: { instanceId: "above", key: 3 } });
  driver.send({ type: "escalate-task", key: driver.key("approve"), code: "stuck", reason: "help" });
  expect(driver.lastEffects).toMatchObject([{ type: "escalate-parent", code: "stuck" }]);
});

test("[K130] [K160] a join waits for a token that a link can still bring", () => {
  const here = { type: "link" as const, name: "on" };
  const made = program(
    [
      start(),
      or("split"),
      service("a"),
      service("b"),
      raise("go", here),
      catching("come", here),
      or("join"),
      service("last"),
      end(),
    ],
    ["start>split>a>join>last>end", "split>b>go", "come>join"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["b"]);
  expect(driver.complete("b").active).toEqual(["last"]);
});

test("[K130] a link goes on at its namesake in the same scope, backwards too", () => {
  const here = { type: "link" as const, name: "on" };
  const inside = [start("s"), raise("inner", here), catching("there", here), service("deep"), end("e")];
  const made = program(
    [start(), raise("go", here), catching("come", here), service("work"), ...sub("box", inside), end()],
    ["start>go", "come>work>box>end", "s>inner", "there>deep>e"],
  );
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["work"]);
  expect(driver.complete("work").active).toEqual(["box", "deep"]);
});

test("[K126] [K182] what comes to hold as an activity of an ad-hoc sub-process completes goes before its own condition", () => {
  const inside = [service("a", { outputs: map({ n: "answer" }) }), service("b"), service("next")];
  // 'b', and what 'a' leads on to; not what the condition outside has led on to.
  const tools = adHoc("tools", inside, { activate: literal(["a", "b"]), completion: expr("active == 2") });
  const beside = program(
    [start(), and("split"), ...tools, catching("warm", onCondition("n > 3")), service("after"), end()],
    ["start>split>tools>end", "split>warm>after", "a>next"],
  );
  const driver = new Driver(beside).create({ n: 1 }).complete("a", { answer: 5 });
  expect(driver.active).toEqual(["after", "b", "tools"]);
  expect(driver.complete("b").active).toEqual(["after"]);
  const hot = boundary("hot", "tools", { trigger: onCondition("n > 3") });
  const around = program([start(), ...tools, hot, service("after"), end()], ["start>tools>end", "hot>after", "a>next"]);
  expect(new Driver(around).create({ n: 1 }).complete("a", { answer: 5 }).active).toEqual(["after"]);
});
