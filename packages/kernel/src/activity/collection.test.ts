import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../json.ts";
import type { MultiInstance } from "../program.ts";
import {
  boundary,
  end,
  expr,
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
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

type Mode = MultiInstance["mode"];
const failing = { policy: { retry: retry(1, "error") } };

/** One task per item of `items`; its job throws when it fails. */
function each(mode: Mode, options: Partial<MultiInstance> = {}, variables: JsonObject = {}) {
  const task = service("work", { ...failing, inputs: map({ loop: "loop" }), loop: loop(mode, options) });
  return (items: readonly Json[]) => new Driver(line(task)).create({ items: [...items], ...variables });
}

test("[K65] a parallel collection runs at most maxParallel at once, a sequential one one after the other", () => {
  const driver = each("parallel", { maxParallel: expr("limit + 1") }, { limit: 1 })(["a", "b", "c"]);
  expect(driver.items("running")).toEqual(["0", "1"]);
  expect(driver.view().waiting).toContainEqual(expect.objectContaining({ on: "slot", item: "2" }));
  expect(driver.completeItem("1").items("running")).toEqual(["0", "2"]);
  const sequential = each("sequential", { maxParallel: literal(5) })(["a", "b"]);
  expect(sequential.items("running")).toEqual(["0"]);
  expect(sequential.completeItem("0").items("running")).toEqual(["1"]);
  expect(sequential.completeItem("1").status).toBe("completed");
  expect(each("parallel", { maxParallel: literal(null) })(["a", "b"]).items("running")).toEqual(["0", "1"]);
  expect(each("parallel")([]).status).toBe("completed");
});

test.each([
  ["maxParallel is no integer", { maxParallel: literal(1.5) }, "collection-invalid"],
  ["maxParallel cannot be evaluated", { maxParallel: variable("none") }, "variable-missing"],
  ["the collection is no list", { collection: literal("abc") }, "collection-invalid"],
  ["the collection is unknown", { collection: variable("none") }, "variable-missing"],
  ["a field fails", { fields: { priority: expr("item.none") } }, "expression-failed"],
])("[K65] [K86] a collection does not open when %s", (_why, options, code) => {
  const driver = each("parallel", options)([{ id: "a" }]);
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", error: { code } }]);
  driver.resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", error: { code } }]);
});

test("[K48] [K86] a boundary timer of a collection that fails keeps it from opening", () => {
  const made = program(
    [
      start(),
      service("work", { loop: loop("parallel") }),
      onTimer("late", "work", { timer: timer("duration", variable("limit")) }),
      end(),
    ],
    ["start>work>end", "late>end"],
  );
  const driver = new Driver(made).create({ items: [1] });
  expect(driver.view().incidents).toHaveLength(1);
  driver.send({ type: "set-variables", scope: 0, values: { limit: "PT5S" }, reason: "so" }).resolve();
  expect(driver.items("running")).toEqual(["0"]);
  expect(driver.fire("late").status).toBe("completed");
});

test("[K66] inside, the item and `loop` are visible", () => {
  const task = service("work", {
    inputs: map({ what: "unit.title", loop: "loop" }),
    loop: loop("graph", { item: "unit" }),
  });
  const driver = new Driver(line(task)).create({
    items: [
      { id: "a", title: "A" },
      { id: "b", title: "B", dependsOn: ["a"] },
    ],
  });
  driver.completeItem("a");
  expect(driver.lastEffects).toMatchObject([
    { input: { what: "B", loop: { key: "b", index: 1, attempt: 1, predecessors: [{ key: "a", result: null }] } } },
  ]);
});

test("[K67] the output is a list in item order, for a graph an object of those that completed", () => {
  const output = { target: "results", source: expr("done + loop.key") };
  const made = (mode: Mode) =>
    new Driver(
      line(
        service("work", {
          ...failing,
          outputs: map({ done: "did" }),
          loop: loop(mode, { output, onFailure: "continue" }),
        }),
      ),
    );
  const list = made("parallel").create({ items: [1, 2, 3] });
  list.completeItem("2", { did: "c" }).failItem("1").completeItem("0", { did: "a" });
  expect(list.variable("results")).toEqual(["a0", null, "c2"]);
  const byKey = made("graph").create({ items: [{ id: "x" }, { id: "y" }, { id: "z" }] });
  byKey.failItem("y").completeItem("z", { did: "Z" }).completeItem("x", { did: "X" });
  expect(byKey.variable("results")).toEqual({ x: "Xx", z: "Zz" });
  expect(byKey.variable("done")).toBeUndefined();
});

test("[K24] [K67] an item's output that fails is an incident of that item", () => {
  const output = { target: "results", source: expr("missing") };
  const driver = each("parallel", { output })([1, 2]).completeItem("0");
  expect(driver.view().incidents).toMatchObject([{ kind: "completion", owner: driver.itemInstance("0") }]);
  driver.completeItem("1");
  driver.send({ type: "set-variables", scope: 0, values: { missing: 7 }, reason: "so" });
  for (const { key } of driver.view().incidents)
    driver.send({ type: "resolve-incident", key, action: "retry", reason: "" });
  expect(driver.variable("results")).toEqual([7, 7]);
});

test("[K73] fail: cancels what waits, ends what runs, and throws from the collection", () => {
  const task = service("work", { ...failing, loop: loop("parallel", { maxParallel: literal(2) }) });
  const made = program(
    [start(), task, onError("caught", "work", { code: "E" }), service("rescue"), end()],
    ["start>work>end", "caught>rescue>end"],
  );
  const driver = new Driver(made).create({ items: [1, 2, 3] }).failItem("0", { code: "E" });
  expect(driver.active).toEqual(["rescue"]);
  expect(driver.events.filter((type) => type === "item-cancelled")).toHaveLength(2);
  expect(driver.lastEffects.filter(({ type }) => type === "cancel-job")).toHaveLength(2);
  const uncaught = each("parallel")([1, 2]).failItem("1", { code: "E" });
  expect(uncaught.view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
  const inner = service("work", { ...failing, loop: loop("parallel") });
  const outer = loop("parallel", { collection: literal([1, 2]), item: "o", onFailure: "continue" });
  const nested = program(
    [start(), ...sub("box", [start("s"), inner], { loop: outer }), end()],
    ["start>box>end", "s>work"],
  );
  const twice = new Driver(nested).create({ items: [1] });
  expect([...twice.state.jobs.values()]).toHaveLength(2);
  for (const job of [...twice.state.jobs.values()]) {
    twice.send({ type: "fail-job", key: job.key, error: { code: "E", message: "" }, retryable: false });
  }
  expect(twice.status).toBe("completed");
});

test("[K73] continue: counts for dependents as success and asks nobody", () => {
  const driver = each("graph", { onFailure: "continue" })([{ id: "a" }, { id: "b", dependsOn: ["a"] }]);
  driver.failItem("a");
  expect(driver.items("running")).toEqual(["b"]);
  expect(driver.completeItem("b").status).toBe("completed");
});

test("[K73] skip-dependents: skips what depends on it, transitively; an item may say otherwise", () => {
  const driver = each("graph")([
    { id: "a" },
    { id: "b", dependsOn: ["a"] },
    { id: "c", dependsOn: ["b"] },
    { id: "d", onFailure: "continue" },
    { id: "e", dependsOn: ["d"] },
  ]);
  driver.failItem("a").failItem("d");
  expect(driver.items("skipped")).toEqual(["b", "c"]);
  expect(driver.view().collections[0]?.items[2]?.error).toMatchObject({ code: "skipped", details: { cause: "b" } });
  expect(driver.completeItem("e").view().incidents).toMatchObject([{ kind: "items-failed" }]);
  const one = each("graph")([{ id: "a", onFailure: "fail" }, { id: "b" }]).failItem("a");
  expect(one.status).toBe("failed");
});

test("[K74] an item is tried as often as it may be before it counts as failed", () => {
  const driver = each("graph", { attempts: 2 })([{ id: "a" }, { id: "b", attempts: 3 }]);
  driver.failItem("a");
  expect(driver.view().collections[0]?.items[0]).toMatchObject({ status: "running", attempt: 2, attemptsMax: 2 });
  expect(driver.lastEffects.at(-1)).toMatchObject({ type: "offer-job", attempt: 1, input: { loop: { attempt: 2 } } });
  expect(driver.failItem("a").items("failed")).toEqual(["a"]);
  driver.failItem("b").failItem("b");
  expect(driver.items("running")).toEqual(["b"]);
});

test("[K74] an item whose error says that the next try would end the same way is not tried again by itself", () => {
  const tried = (details: JsonObject): readonly string[] => {
    const driver = each("graph", { attempts: 3 })([{ id: "a" }]);
    driver.send({
      type: "throw-job-error",
      key: driver.itemInstance("a"),
      error: { code: "broken", message: "It broke.", details },
    });
    return driver.items("failed");
  };
  expect(tried({ retryable: true })).toEqual([]);
  expect(tried({ lastLines: [] })).toEqual([]);
  expect(tried({ retryable: false })).toEqual(["a"]);
});

test("[K75] the accept condition may let a partial result pass; else a person is asked", () => {
  const four = [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }];
  const accept = expr("completed >= 3");
  const good = each("graph", { accept })(four).failItem("a").completeItem("b").completeItem("c").completeItem("d");
  expect(good.status).toBe("completed");
  expect(good.lastEvents).toContainEqual(
    expect.objectContaining({ type: "items-accepted", items: ["a"], by: "policy", reason: "'completed >= 3' holds" }),
  );
  const bad = each("graph", { accept })(four).failItem("a").failItem("b").completeItem("c").completeItem("d");
  expect(bad.view().incidents).toMatchObject([
    {
      ...{ kind: "items-failed", element: "work" },
      error: {
        message: "2 of 4 items failed: a, b",
        details: { items: [{ item: "a", code: "broken" }, { item: "b" }] },
      },
    },
  ]);
  expect(bad.view().waiting).toMatchObject([{ on: "incident", until: "A person retries or accepts." }]);
  const broken = each("graph", { accept: expr("none") })([{ id: "a" }]).failItem("a");
  expect(broken.view().incidents).toMatchObject([{ kind: "items-failed" }]);
});

test("[K76] of 50 items of which 2 fail, a retry runs exactly those 2", () => {
  const items = Array.from({ length: 50 }, (_, index) => ({ id: `agent-${index + 1}` }));
  const driver = each("graph")(items);
  for (const { id } of items) {
    if (id === "agent-23" || id === "agent-47") driver.failItem(id);
    else driver.completeItem(id);
  }
  expect(driver.items("completed")).toHaveLength(48);
  expect(driver.resolve().items("running")).toEqual(["agent-23", "agent-47"]);
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["offer-job", "offer-job"]);
  expect(driver.completeItem("agent-23").completeItem("agent-47").status).toBe("completed");
});

test("[K75] a long list of failures is cut short in words, whole in data", () => {
  const items = Array.from({ length: 12 }, (_, index) => ({ id: `u${index}` }));
  const driver = each("graph")(items);
  for (const { id } of items) driver.failItem(id);
  const { message, details } = driver.view().incidents[0]?.error ?? {};
  expect(message).toMatch(/^12 of 12 items failed: u0, .*u9, …$/);
  expect(details?.["items"]).toHaveLength(12);
});

test("[K76] a retry of named items wakes what was skipped for them, and no more", () => {
  const driver = each("graph")([
    { id: "a" },
    { id: "b" },
    { id: "only-a", dependsOn: ["a"] },
    { id: "both", dependsOn: ["a", "b"] },
    { id: "after-both", dependsOn: ["both", "only-a"] },
  ]);
  driver.failItem("a").failItem("b");
  driver.resolve("retry", ["a"]);
  expect(driver.items("running")).toEqual(["a"]);
  expect(driver.items("skipped")).toEqual(["both", "after-both"]);
  driver.completeItem("a").completeItem("only-a");
  expect(driver.view().incidents).toMatchObject([
    { kind: "items-failed", error: { message: "1 of 5 items failed: b" } },
  ]);
  driver.resolve().completeItem("b").completeItem("both").completeItem("after-both");
  expect(driver.status).toBe("completed");
});

test("[K76] only failed items of that collection can be named", () => {
  const driver = each("graph")([{ id: "a" }, { id: "b" }])
    .failItem("a")
    .completeItem("b");
  const [incident] = driver.view().incidents;
  const retryOf = (item: string) =>
    driver.try({ type: "resolve-incident", key: incident?.key ?? 0, action: "retry", items: [item], reason: "" });
  expect(retryOf("c")).toEqual({ code: "item-unknown", reason: "Expected an item 'c', but there is none" });
  expect(retryOf("b")?.reason).toBe("Expected 'b' to have failed, but it is completed");
});

test("[K76] what waits for a retried item as well does not count its end twice", () => {
  const driver = each("graph")([{ id: "a" }, { id: "b" }])
    .failItem("a")
    .completeItem("b");
  const late = [{ id: "r" }, { id: "w", dependsOn: [{ key: "a", policy: "all-done" }, "r"] }];
  driver.send({ type: "add-items", element: "work", items: late });
  driver.resolve();
  expect(driver.items("running")).toEqual(["a", "r"]);
  driver.failItem("a");
  expect(driver.items("waiting")).toEqual(["w"]);
  expect(driver.completeItem("r").items("running")).toEqual(["w"]);
});

test("[K77] a person may accept what is there; the reason is kept, and later failures are not covered", () => {
  const driver = each("graph")([{ id: "a" }, { id: "b" }])
    .failItem("a")
    .completeItem("b")
    .resolve("accept");
  expect(driver.lastEvents).toContainEqual(
    expect.objectContaining({ type: "items-accepted", items: ["a"], by: "tester", reason: "why not" }),
  );
  expect(driver.status).toBe("completed");
  const later = each("graph")([{ id: "a" }]).failItem("a");
  later.send({ type: "add-items", element: "work", items: [{ id: "b" }] }).resolve("accept");
  expect(later.failItem("b").view().incidents).toMatchObject([{ kind: "items-failed" }]);
});

test("[K78] the completion condition ends the rest", () => {
  const driver = each("parallel", { completion: expr("completed >= 2"), maxParallel: literal(3) })([1, 2, 3, 4]);
  driver.completeItem("0");
  expect(driver.status).toBe("running");
  driver.completeItem("1");
  expect(driver.status).toBe("completed");
  expect(driver.lastEffects.filter(({ type }) => type === "cancel-job")).toHaveLength(2);
});

test.each(["parallel", "sequential"] as const)(
  "[K78] it is asked after each item that ends as it begins (%s)",
  (mode) => {
    const loops = loop(mode, { completion: expr("completed >= 2") });
    const driver = new Driver(line(script("work", {}, { loop: loops }))).create({ items: [1, 2, 3, 4] });
    expect([driver.status, driver.variable("items")]).toEqual(["completed", [1, 2, 3, 4]]);
    expect(driver.history.filter(({ type }) => type === "item-completed")).toHaveLength(2);
  },
);

test("[K79] a condition or an output that fails is an incident, once", () => {
  const driver = each("parallel", { completion: expr("completed >= wanted") })([1, 2]).completeItem("0");
  expect(driver.view().incidents).toMatchObject([{ kind: "collection" }]);
  driver.completeItem("1");
  expect(driver.view().incidents).toHaveLength(1);
  driver.send({ type: "set-variables", scope: 0, values: { wanted: 5 }, reason: "so" });
  expect(driver.resolve().status).toBe("completed");
  const odd = each("parallel", { completion: expr("completed") })([1, 2]).completeItem("0");
  expect(odd.view().incidents).toMatchObject([{ error: { code: "condition-type" } }]);
});

test("[K79] [K80] a result that does not fit keeps the collection open and closing: nothing can be added", () => {
  const task = service("work", {
    loop: loop("parallel", { completion: expr("true"), output: { target: "flag", source: expr("1") } }),
  });
  const made = program([start(), task, end()], ["start>work>end"], { variables: [{ name: "flag", type: "boolean" }] });
  const driver = new Driver(made).create({ items: [1, 2] }).completeItem("0");
  expect(driver.view().incidents).toMatchObject([{ kind: "collection", error: { code: "variable-type" } }]);
  expect(driver.try({ type: "add-items", element: "work", items: [3] })?.reason).toContain("it is closing");
  driver.resolve();
  expect(driver.view().incidents).toHaveLength(1);
});

test.each([
  ["the completion condition has ended the rest", { completion: expr("failed >= 2") }, "failItem"],
  ["the accept condition holds after all", { accept: expr("completed >= 1") }, "completeItem"],
] as const)("[K75] failed items cannot be retried any more once %s", (_why, options, ending) => {
  const output = { target: "flag", source: expr("1") };
  const task = service("work", { ...failing, loop: loop("graph", { ...options, output }) });
  const made = program([start(), task, end()], ["start>work>end"], { variables: [{ name: "flag", type: "boolean" }] });
  const driver = new Driver(made).create({ items: [{ id: "a" }] }).failItem("a");
  const [asked] = driver.view().incidents;
  expect(asked?.kind).toBe("items-failed");
  driver.send({ type: "add-items", element: "work", items: [{ id: "b" }] });
  driver[ending]("b");
  expect(driver.view().incidents).toMatchObject([{ kind: "collection", error: { code: "variable-type" } }]);
  const retry = { type: "resolve-incident", key: asked?.key ?? 0, action: "retry", reason: "repaired" } as const;
  expect(driver.try(retry)?.code).toBe("incident-not-found");
});

test("[K85] an incident of another kind on a collection does not hide that its items failed", () => {
  const task = service("work", { ...failing, loop: loop("graph") });
  const made = program(
    [start(), task, onTimer("nag", "work", { timer: timer("cycle", "R/PT5S"), interrupting: false }), end()],
    ["start>work>end"],
  );
  const host = {
    ...made.host,
    nextDue: (...[definition, value, from, remaining]: Parameters<typeof made.host.nextDue>) =>
      remaining === undefined
        ? made.host.nextDue(definition, value, from)
        : { ok: false as const, code: "no", message: "" },
  };
  const driver = new Driver({ ...made, host })
    .create({ items: [{ id: "a" }] })
    .fire("nag")
    .failItem("a");
  expect(driver.view().incidents.map(({ kind }) => kind)).toEqual(["timer", "items-failed"]);
  driver.send({ type: "adjust-concurrency", element: "work", maxParallel: 1 });
  expect(driver.view().incidents).toHaveLength(2);
});

test("[K15] a collection larger than a step starts in parts", () => {
  const driver = new Driver(line(service("work", { loop: loop("parallel") })), { checked: false });
  driver.create({ items: Array.from({ length: 2_500 }, (_, index) => index) });
  // The token that reached it counts, too.
  expect(driver.items("running")).toHaveLength(999);
  expect(driver.view().waiting.at(-1)).toMatchObject({ on: "slot", reason: "A large step goes on in parts." });
  driver.goOn();
  driver.check();
  expect(driver.items("running")).toHaveLength(2_500);
});

describe("events that a collection throws", () => {
  const escalation = { type: "escalation" as const, code: "half", payload: map({ done: "completed" }) };
  const signal = { type: "signal" as const, signal: { name: literal("next"), payload: map({ item: "item" }) } };

  function throwing(options: Partial<MultiInstance>, interrupting = false): Driver {
    const caught = boundary("caught", "many", {
      trigger: { type: "escalation", code: "half" },
      interrupting,
      outputs: map({ seen: "escalation.done" }),
    });
    const made = program(
      [start(), service("many", { loop: loop("parallel", options) }), caught, service("note"), end()],
      ["start>many>end", "caught>note"],
    );
    return new Driver(made).create({ items: [1, 2, 3] });
  }

  const sent = (driver: Driver) => driver.effects.filter(({ type }) => type === "broadcast-signal");

  test("[K172] none: one with each item", () => {
    const driver = throwing({ behavior: "none", event: signal }).completeItem("1").completeItem("0");
    expect(sent(driver)).toMatchObject([{ name: "next", payload: { item: 2 } }, { payload: { item: 1 } }]);
  });

  test("[K172] one: with the first, caught on the boundary, which leaves the rest running", () => {
    const driver = throwing({ behavior: "one", event: escalation }).completeItem("0").completeItem("1");
    expect(driver.view().elements.map(({ element }) => element)).toEqual(["many", "many", "note"]);
    expect(driver.variable("seen")).toBe(1);
  });

  test("[K172] one: an interrupting boundary ends the rest", () => {
    const driver = throwing({ behavior: "one", event: escalation }, true).completeItem("0");
    expect(driver.active).toEqual(["note"]);
  });

  test("[K172] items that end as they begin throw, too, each before the next begins", () => {
    const half = boundary("half", "many", { trigger: { type: "escalation", code: "half" }, interrupting: true });
    const quick = (options: Partial<MultiInstance>) =>
      new Driver(
        program(
          [start(), script("many", {}, { loop: loop("parallel", options) }), half, service("note"), end()],
          ["start>many>end", "half>note"],
        ),
      ).create({ items: [1, 2, 3] });
    const ended = (driver: Driver) => driver.history.filter(({ type }) => type === "item-completed").length;
    const told = quick({ behavior: "none", event: signal });
    expect([told.status, sent(told).length]).toEqual(["completed", 3]);
    const interrupted = quick({ behavior: "one", event: escalation });
    expect([interrupted.active, ended(interrupted)]).toEqual([["note"], 1]);
  });

  test("[K172] complex: every one whose condition holds, until one ends the collection", () => {
    const events = [
      { condition: expr("completed == 2"), event: escalation },
      { condition: expr("completed >= 2 && total == 3"), event: signal },
      { condition: expr("false"), event: signal },
    ];
    const driver = throwing({ behavior: "complex", events }).completeItem("0");
    expect(sent(driver)).toEqual([]);
    driver.completeItem("1");
    expect([driver.variable("seen"), sent(driver).length]).toEqual([2, 1]);
    const ended = throwing({ behavior: "complex", events }, true).completeItem("0").completeItem("1");
    expect([ended.active, sent(ended).length]).toEqual([["note"], 0]);
  });

  test("[K172] all, and a behaviour without an event, throw nothing", () => {
    for (const options of [
      { behavior: "all" as const, event: signal },
      { behavior: "none" as const },
      { behavior: "complex" as const },
    ]) {
      expect(sent(throwing(options).completeItem("0"))).toEqual([]);
    }
  });

  test.each<Partial<MultiInstance>>([
    { behavior: "none", event: { type: "signal", signal: { name: variable("missing") } } },
    { behavior: "one", event: { type: "escalation", code: "half", payload: map({ x: "missing" }) } },
    { behavior: "complex", events: [{ condition: expr("missing > 1"), event: escalation }] },
  ])("[K172] what cannot be worked out is an incident of the item, and worked out again (%o)", (options) => {
    const driver = throwing(options).completeItem("0");
    expect(driver.view().incidents).toMatchObject([{ kind: "completion", element: "many" }]);
    driver.send({ type: "set-variables", scope: 0, values: { missing: 3 }, reason: "forgotten" }).resolve();
    expect(driver.items("completed")).toEqual(["0"]);
  });
});
