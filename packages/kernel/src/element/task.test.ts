import { describe, expect, test } from "vitest";
import type { BusinessRuleTask, Element } from "../program.ts";
import {
  call,
  end,
  expr,
  line,
  literal,
  loop,
  map,
  program,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  user,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

test("[K30] a service task offers a job with all it was given, and writes its declared outputs", () => {
  const task = service("work", {
    policy: {
      type: "agent",
      queue: "heavy",
      priority: 1,
      retry: retry(3),
      timeoutMs: 5_000,
      headers: { tier: "large" },
    },
    inputs: map({ text: "title + '!'" }),
    outputs: map({ answer: "said" }),
  });
  const driver = new Driver(line(task)).create({ title: "hello" });
  const key = driver.key("work");
  expect(driver.lastEffects).toEqual([
    {
      ...{ type: "offer-job", key, element: "work", jobType: "agent", queue: "heavy", priority: 1, attempt: 1 },
      ...{ attemptsMax: 3, timeoutMs: 5_000, input: { text: "hello!" }, headers: { tier: "large" } },
    },
  ]);
  driver.complete("work", { said: 42, unasked: true });
  expect(driver.view().variables).toEqual({ title: "hello", answer: 42 });
  expect(driver.state.variables.get("0/answer")).toMatchObject({ author: "tester", version: 1 });
});

test("[K31] a failed attempt waits longer each time, until attempts are used up", () => {
  const driver = new Driver(line(service("work", { policy: { retry: retry(6) } }))).create();
  const delays: number[] = [];
  for (let attempt = 1; attempt < 6; attempt += 1) {
    driver.fail("work");
    const [offer] = driver.lastEffects;
    if (offer?.type === "offer-job") delays.push((offer.notBefore ?? 0) - driver.at);
    expect(offer).toMatchObject({ attempt: attempt + 1 });
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_000]);
  expect(driver.view().waiting).toMatchObject([{ on: "job", dueAt: driver.at + 1_000 }]);
  driver.fail("work");
  expect(driver.view().incidents).toMatchObject([{ kind: "job", error: { code: "broken" } }]);
  expect(driver.try({ type: "complete-job", key: driver.key("work"), result: {} })?.reason).toContain(
    "waits for a person",
  );
  driver.resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "offer-job", attempt: 7 }]);
  driver.fail("work").complete("work");
  expect(driver.status).toBe("completed");
});

test("[K31] what is not retryable fails at once; a policy without delay retries at once, however often", () => {
  const task = service("work", { policy: { retry: retry(5) } });
  expect(new Driver(line(task)).create().fail("work", { retryable: false }).view().incidents).toHaveLength(1);
  const policy = { attemptsMax: 2_000, backoff: { firstMs: 0, factor: 10, maxMs: 9 }, exhausted: "incident" as const };
  const driver = new Driver(line(service("work", { policy: { retry: policy } })), { checked: false }).create();
  for (let attempt = 0; attempt < 400; attempt += 1) driver.fail("work");
  expect(driver.state.jobs.get(driver.key("work"))?.retryAt).toBe(driver.at);
});

test("[K32] class and priority come from the job, the item around it, the instance, in that order", () => {
  const offered = (driver: Driver) =>
    driver.lastEffects.flatMap((effect) => (effect.type === "offer-job" ? [[effect.queue, effect.priority]] : []));
  const plain = line(service("a"));
  expect(offered(new Driver(plain).create())).toEqual([["standard", 3]]);
  expect(offered(new Driver(plain).create({}, { queue: "light", priority: 2 }))).toEqual([["light", 2]]);
  const graph = loop("graph", {
    collection: literal([{ id: "x", queue: "heavyweight", priority: 5 }, { id: "y" }]),
  });
  const inside = program(
    [
      start(),
      ...sub("each", [start("s"), service("a"), service("b", { policy: { queue: "light", priority: 1 } })], {
        loop: graph,
      }),
      end(),
    ],
    ["start>each>end", "s>a", "s>b"],
  );
  const driver = new Driver(inside).create({}, { queue: "heavy" });
  expect(offered(driver)).toEqual([
    ["heavy", 3],
    ["light", 1],
    ["heavy", 5],
    ["light", 1],
  ]);
});

test("[K33] a script's later assignments see the earlier ones, and it never waits", () => {
  const driver = new Driver(line(script("sum", { a: "1", b: "a + 1", c: "a + b" }))).create();
  expect(driver.view().variables).toEqual({ a: 1, b: 2, c: 3 });
  expect(driver.status).toBe("completed");
  expect(driver.state.variables.get("0/c")?.author).toBe("sum");
});

test("[K33] a script runs per item and as something to be undone", () => {
  const driver = new Driver(
    line(
      script(
        "sum",
        { total: "total + item" },
        { loop: loop("sequential", { output: { target: "all", source: variable("total") } }) },
      ),
    ),
  ).create({ items: [1, 2, 3], total: 0 });
  expect(driver.view().variables).toMatchObject({ total: 6, all: [1, 3, 6] });
  const failing = new Driver(line(script("bad", { x: "missing" }, { loop: loop("parallel") }))).create({ items: [1] });
  expect(failing.view().incidents).toMatchObject([{ kind: "activation" }]);
});

test("[K34] a user task tells what it wants, and belongs to who claimed it", () => {
  const task = user("approve", {
    ...{ name: "Approve it", title: expr("'Approve ' + what"), assignee: variable("boss"), candidates: ["ann", "bob"] },
    ...{
      due: timer("duration", "PT60S"),
      form: { type: "object" },
      inputs: map({ what: "what" }),
      outputs: map({ ok: "ok" }),
    },
  });
  const driver = new Driver(line(task)).create({ what: "plan", boss: null });
  const key = driver.key("approve");
  expect(driver.lastEffects).toEqual([{ type: "open-task", key, element: "approve" }]);
  expect(driver.state.tasks.get(key)).toMatchObject({
    ...{ title: "Approve plan", assignee: null, candidates: ["ann", "bob"], dueAt: driver.at + 60_000 },
    ...{ form: { type: "object" }, input: { what: "plan" } },
  });
  driver.send({ type: "claim-task", key, actor: "ann" });
  expect(driver.view().waiting[0]?.reason).toBe("'Approve plan' is for ann to do.");
  expect(driver.try({ type: "claim-task", key, actor: "bob" })?.code).toBe("task-claimed");
  expect(driver.try({ type: "complete-task", key, result: {}, actor: "bob" })?.code).toBe("task-claimed");
  expect(driver.try({ type: "release-task", key, actor: "bob" })?.code).toBe("task-claimed");
  driver.send({ type: "release-task", key, actor: "ann" });
  expect(driver.view().waiting[0]?.reason).toBe("'Approve plan' is for ann, bob to do.");
  driver.send({ type: "complete-task", key, result: { ok: true }, actor: "bob" });
  expect(driver.variable("ok")).toBe(true);
  expect(driver.lastEffects).toContainEqual({ type: "close-task", key });
});

test("[K34] [K86] a user task without a title is called by its name; what cannot be prepared is an incident", () => {
  const titled = (task: ReturnType<typeof user>) => {
    const driver = new Driver(line(task)).create({ n: 7 });
    return driver.state.tasks.get(driver.key("ask"))?.title;
  };
  expect(titled(user("ask"))).toBe("ask");
  expect(titled(user("ask", { name: "Ask" }))).toBe("Ask");
  expect(titled(user("ask", { title: variable("n") }))).toBe("7");
  expect(titled(user("ask", { name: "Ask", title: literal(null) }))).toBe("Ask");
  expect(new Driver(line(user("ask"))).create().view().waiting[0]?.reason).toBe("'ask' is for anyone to do.");
  const given = new Driver(line(user("ask", { assignee: variable("boss") }))).create({ boss: "ann" });
  expect(given.view().waiting[0]?.reason).toBe("'ask' is for ann to do.");
  for (const broken of [
    user("ask", { title: variable("none") }),
    user("ask", { assignee: variable("none") }),
    user("ask", { inputs: map({ a: "none" }) }),
    user("ask", { due: timer("duration", "never") }),
  ]) {
    expect(new Driver(line(broken)).create().view().incidents).toMatchObject([{ kind: "activation" }]);
  }
});

test("[K60] a call asks for a child of its own and writes what it gave", () => {
  const made = line(call("child", { inputs: map({ n: "n" }), outputs: map({ got: "answer" }), binding: "latest" }));
  const driver = new Driver(made).create({ n: 1 }, { queue: "light", priority: 2 });
  const key = driver.key("child");
  expect(driver.lastEffects).toEqual([
    {
      ...{ type: "start-child", key, childId: `i/${key}`, process: "child", binding: "latest", variables: { n: 1 } },
      ...{ queue: "light", priority: 2 },
    },
  ]);
  expect(driver.view().elements).toMatchObject([{ childId: `i/${key}` }]);
  expect(driver.view().waiting).toMatchObject([{ on: "child" }]);
  driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: { type: "completed", result: { answer: 5 } } });
  expect(driver.variable("got")).toBe(5);
  expect(driver.status).toBe("completed");
});

test("[K61] a child that fails or is cancelled throws; a retry starts another, with the inputs as they are", () => {
  const driver = new Driver(line(call("child", { inputs: map({ n: "n" }) }))).create({ n: 1 });
  const key = driver.key("child");
  driver.send({
    type: "end-child",
    key,
    childId: `i/${key}`,
    outcome: { type: "failed", error: { code: "E", message: "m" } },
  });
  expect(driver.view().incidents).toMatchObject([{ kind: "error", error: { code: "E" } }]);
  driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "so" }).resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", childId: `i/${key}.2`, variables: { n: 2 } }]);
  driver.send({ type: "end-child", key, childId: `i/${key}.2`, outcome: { type: "cancelled", reason: "no" } });
  expect(driver.view().incidents).toMatchObject([
    { error: { code: "child-cancelled", message: `'i/${key}.2' was cancelled: no` } },
  ]);
});

test("[K61] inputs that cannot be worked out for another child are an incident of the call", () => {
  const driver = new Driver(line(call("child", { inputs: map({ n: "n.size" }) }))).create({ n: { size: 1 } });
  const key = driver.key("child");
  driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: { type: "cancelled", reason: "" } });
  driver.send({ type: "set-variables", scope: 0, values: { n: {} }, reason: "so" }).resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "call" }]);
  driver.send({ type: "set-variables", scope: 0, values: { n: { size: 3 } }, reason: "so" }).resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", variables: { n: 3 } }]);
  const unready = new Driver(line(call("child", { inputs: map({ n: "none" }) }))).create();
  expect(unready.view().incidents).toMatchObject([{ kind: "activation" }]);
});

test("[K62] an answer from another child is refused, and a call that ends first cancels its child", () => {
  const driver = new Driver(line(call("child"))).create();
  const key = driver.key("child");
  const outcome = { type: "completed" as const, result: {} };
  expect(driver.try({ type: "end-child", key, childId: "other", outcome })?.code).toBe("child-not-found");
  driver.send({ type: "cancel-instance", reason: "enough" });
  expect(driver.lastEffects).toMatchObject([{ type: "cancel-child", childId: `i/${key}` }]);
});

describe("manual and business-rule tasks", () => {
  test("[K175] a manual task is passed", () => {
    const driver = new Driver(line({ id: "walk", kind: "manual-task", parent: null })).create();
    expect(driver.status).toBe("completed");
    expect(driver.history).toContainEqual(expect.objectContaining({ type: "element-passed", element: "walk" }));
  });

  test("[K175] a manual task with outputs writes them, and runs for every item", () => {
    const writes: Element = { id: "walk", kind: "manual-task", parent: null, outputs: map({ done: "true" }) };
    expect(new Driver(line(writes)).create().variable("done")).toBe(true);
    const many: Element = { id: "walk", kind: "manual-task", parent: null, loop: loop("parallel") };
    const driver = new Driver(line(many)).create({ items: [1, 2] });
    expect(driver.status).toBe("completed");
    expect(driver.history.filter(({ type }) => type === "item-completed")).toHaveLength(2);
  });

  const rule = (options: Partial<BusinessRuleTask>): Element => ({
    id: "rate",
    kind: "business-rule-task",
    parent: null,
    decision: { result: "rating", expression: { language: "dmn", text: "amount * 2" } },
    ...options,
  });

  test("[K176] a decision sees its inputs and is written as its result", () => {
    const driver = new Driver(line(rule({ inputs: map({ amount: "order" }) }))).create({ order: 4 });
    expect(driver.status).toBe("completed");
    expect(driver.view().variables).toEqual({ order: 4, rating: 8 });
  });

  test("[K176] with outputs only those are written, which see the result; items keep it", () => {
    const driver = new Driver(line(rule({ outputs: map({ high: "rating > 5" }) }))).create({ amount: 3 });
    expect(driver.view().variables).toEqual({ amount: 3, high: true });
    const each = loop("parallel", { item: "amount", output: { target: "all", source: expr("rating") } });
    const many = new Driver(line(rule({ loop: each }))).create({ items: [1, 2] });
    expect(many.view().variables).toEqual({ items: [1, 2], all: [2, 4] });
  });

  test("[K176] a decision, an input or a result that fails is an incident of the activation", () => {
    for (const made of [
      line(rule({})),
      line(rule({ inputs: map({ x: "missing" }) })),
      program([start(), rule({}), end()], ["start>rate>end"], { variables: [{ name: "rating", type: "string" }] }),
    ]) {
      const driver = new Driver(made).create(made.document.variables.length > 0 ? { amount: 1 } : {});
      expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "rate" }]);
    }
  });

  test("[K176] with a job it is decided elsewhere", () => {
    const made = line({
      id: "rate",
      kind: "business-rule-task",
      parent: null,
      job: { type: "decide", retry: retry(1) },
      inputs: map({ amount: "order" }),
      outputs: map({ rating: "rating" }),
    });
    const driver = new Driver(made).create({ order: 4 });
    expect(driver.lastEffects).toMatchObject([{ type: "offer-job", jobType: "decide", input: { amount: 4 } }]);
    expect(driver.fail("rate").resolve().complete("rate", { rating: 1 }).variable("rating")).toBe(1);
  });
});
