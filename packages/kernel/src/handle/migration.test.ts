import { expect, test } from "vitest";
import { loadProgram } from "../load.ts";
import type { Element, SlaRule, StartEvent, SubProcess, WaitTrigger } from "../program.ts";
import {
  and,
  call,
  catching,
  end,
  expr,
  handling,
  line,
  literal,
  loop,
  map,
  message,
  onCondition,
  onError,
  onMessage,
  onSignal,
  onTimer,
  program,
  raise,
  receive,
  retry,
  sendTask,
  service,
  start,
  sub,
  timer,
  undo,
  user,
  variable,
  wait,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { testHost } from "../testing/host.ts";
import { migrate, problemsOf } from "../testing/migrating.ts";
import { renamedDocument } from "../testing/variant.ts";

/** An event sub-process with one task. */
function inside(id: string, begin: Parameters<typeof handling>[1]): Element[] {
  return handling(id, begin, [service(`${id}-work`), end(`${id}-end`)]);
}

/** Its flows. */
function insideOf(id: string): string[] {
  return [`${id}-start>${id}-work>${id}-end`];
}

test("[K202] an instance goes on under another program: jobs, tasks, timers, children and their names", () => {
  const one = program(
    [start(), and("split"), service("a"), user("b"), wait("c"), call("d"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join", "split>c>join", "split>d>join"],
    { outputs: ["n"] },
  );
  const { document, mapping } = renamedDocument({ ...one.document, version: "2", hash: "other" }, "-new");
  const driver = new Driver(one).create({ n: 7 }).complete("a");
  const due = [...driver.state.timers.values()].map((each) => each.due);
  migrate(driver, loadProgram(document, testHost), mapping);
  expect(driver.lastEvents).toMatchObject([{ type: "instance-migrated", version: "2", reason: "so", actor: "tester" }]);
  expect(driver.lastEffects).toEqual([]);
  expect(driver.view()).toMatchObject({ instanceId: "i", version: "2", hash: "other", status: "running" });
  expect(driver.active).toEqual(["b-new", "c-new", "d-new"]);
  expect([...driver.state.timers.values()].map((each) => each.due)).toEqual(due);
  driver.fire("c-new").send({ type: "complete-task", key: driver.key("b-new"), result: {} });
  const key = driver.key("d-new");
  driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: { type: "completed", result: {} } });
  expect(driver.status).toBe("completed");
});

test("[K202] what comes after is the new program's: steps, retries, outputs", () => {
  const old = line(service("a", { policy: { retry: retry(1) } }), service("b"));
  const fresh = line(service("a", { policy: { retry: retry(3) }, outputs: map({ x: "x" }) }), user("c"));
  const driver = migrate(new Driver(old).create(), fresh).fail("a").fail("a").complete("a", { x: 1 });
  expect(driver.active).toEqual(["c"]);
  expect(driver.variable("x")).toBe(1);
});

test("[K202] items, locks, what can be undone, and incidents go along", () => {
  const undoable = service("a", { compensation: "undo-a", inputs: map({ n: "n" }) });
  const handler = service("undo-a", { forCompensation: true });
  const each = service("each", { loop: loop("graph"), policy: { retry: retry(1, "error") } });
  const made = program(
    [start(), undoable, handler, ...sub("box", [start("s"), each, end("e")]), undo("back"), end()],
    ["start>a>box>back>end", "s>each>e"],
  );
  const { document, mapping } = renamedDocument(made.document, "2");
  const driver = new Driver(made).create({
    n: 1,
    items: [
      { id: "x", locks: ["l"] },
      { id: "y", locks: ["l"] },
    ],
  });
  driver.complete("a").failItem("x").completeItem("y");
  migrate(driver, loadProgram(document, testHost), mapping);
  expect(driver.view().incidents).toMatchObject([{ kind: "items-failed", element: "each2" }]);
  driver.resolve().completeItem("x");
  expect(driver.active).toEqual(["back2", "undo-a2"]);
  driver.complete("undo-a2");
  expect(driver.status).toBe("completed");
});

test("[K203] boundary events that are there before and after go on with their time; others close, new ones open", () => {
  const nag = (id: string, seconds: number) =>
    onTimer(id, "a", { timer: timer("cycle", `R/PT${seconds}S`), interrupting: false });
  const old = program(
    [start(), service("a"), nag("kept", 10), nag("gone", 20), end()],
    ["start>a>end", "kept>end", "gone>end"],
  );
  const fresh = program(
    [start(), service("a"), nag("still", 99), nag("new", 30), onError("oops", "a"), end()],
    ["start>a>end", "still>end", "new>end", "oops>end"],
  );
  const driver = new Driver(old).create();
  migrate(driver, fresh, { kept: "still" });
  const timers = [...driver.state.timers.values()].map(({ element, due }) => [element, due]);
  expect(timers).toEqual([
    ["still", 11_000],
    ["new", driver.at + 30_000],
  ]);
  expect(driver.events).toEqual(["timer-cancelled", "instance-migrated", "timer-armed"]);
  driver.throw("a", "E");
  expect(driver.status).toBe("completed");
});

test("[K203] a new event that cannot be computed is an incident until a retry can; that of a closed one goes", () => {
  const broken = onTimer("late", "a", { timer: timer("duration", variable("when")) });
  const without = line(service("a"));
  const having = program([start(), service("a"), broken, end()], ["start>a>end", "late>end"]);
  const driver = migrate(new Driver(without).create(), having);
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", element: "late" }]);
  migrate(driver, without);
  expect(driver.view().incidents).toEqual([]);
  migrate(driver, having)
    .send({ type: "set-variables", scope: 0, values: { when: "PT5S" }, reason: "so" })
    .resolve();
  expect(driver.fire("late").status).toBe("completed");
});

test("[K203] the items of a collection have no boundary events, and what is not active opens none", () => {
  const boundary = onTimer("late", "a", { timer: timer("duration", "PT5S") });
  const items = { loop: loop("parallel") };
  const old = program([start(), service("a", items), end()], ["start>a>end"]);
  const fresh = program([start(), service("a", items), boundary, end()], ["start>a>end", "late>end"]);
  const driver = migrate(new Driver(old).create({ items: [1, 2] }), fresh);
  expect(driver.events).toEqual(["instance-migrated", "timer-armed"]);
  const waiting = (made: ReturnType<typeof service>) =>
    program([start(), made, boundary, end()], ["start>a>end", "late>end"]);
  const stuck = new Driver(line(service("a", { inputs: map({ x: "none" }) }))).create();
  migrate(stuck, waiting(service("a")));
  expect(stuck.events).toEqual(["instance-migrated"]);
  expect(stuck.resolve().events).toContain("timer-armed");
});

test("[K203] subscriptions and what starts event sub-processes go along, close and open like any event", () => {
  const handler = (id: string, trigger: StartEvent["trigger"]) => inside(id, { trigger, interrupting: false });
  const old = program(
    [
      ...[start(), receive("a", "paper"), catching("m", onSignal("go")), and("split"), end()],
      ...handler("kept", onMessage("extra")),
      ...handler("gone", onSignal("stop")),
    ],
    ["start>split>a>end", "split>m>end", ...insideOf("kept"), ...insideOf("gone")],
  );
  const { document, mapping } = renamedDocument(old.document, "2");
  const renamed = loadProgram(document, testHost);
  const fresh = program(
    [
      ...[start(), receive("a", "other"), catching("m", onSignal("else")), and("split"), end()],
      ...handler("kept", onMessage("more")),
      ...handler("new", onCondition("n > 1")),
    ],
    ["start>split>a>end", "split>m>end", ...insideOf("kept"), ...insideOf("new")],
  );
  const driver = new Driver(old).create({ n: 5 });
  const waits = () => [...driver.state.subscriptions.values()].map(({ element, name }) => `${element} ${name}`).sort();
  migrate(driver, renamed, mapping);
  expect(driver.lastEffects).toEqual([]);
  expect(waits()).toEqual(["a2 paper", "kept-start2 extra", "gone-start2 stop", "m2 go"].sort());
  migrate(
    driver,
    fresh,
    Object.fromEntries(
      Object.entries(mapping)
        .map(([a, b]) => [b, a])
        .filter(([, a]) => fresh.elements.has(a ?? "")),
    ),
  );
  expect(driver.lastEffects).toMatchObject([
    { type: "close-subscription" },
    { type: "offer-job", element: "new-work" },
  ]);
  // What was opened keeps its name and key; the new condition holds at once, and starts what waits for it.
  expect(waits()).toEqual(["a paper", "kept-start extra", "m go", "new-start n > 1"].sort());
  expect(driver.active).toContain("new");
});

test("[K203] a scope that an interrupting event sub-process took over opens none", () => {
  const scope = (...handlers: readonly Element[]) =>
    program(
      [start(), service("a"), end(), ...handlers],
      ["start>a>end", ...insideOf("stop")].concat(handlers.length > 4 ? insideOf("late") : []),
    );
  const stop = inside("stop", { trigger: onMessage("stop") });
  const late = inside("late", { trigger: onMessage("late") });
  const driver = new Driver(scope(...stop)).create();
  const [subscription] = [...driver.state.subscriptions.values()];
  driver.send({ type: "deliver-message", key: subscription?.key ?? 0, messageId: "m", name: "stop", payload: {} });
  expect(driver.active).toEqual(["stop", "stop-work"]);
  migrate(driver, scope(...stop, ...late));
  expect(driver.events).toEqual(["instance-migrated"]);
});

test("[K203] a multiple event is the same when it waits for the same kinds of things, all or any of them", () => {
  const either = (parallel: boolean, ...triggers: readonly WaitTrigger[]) =>
    line(catching("m", { type: "multiple", parallel, triggers }));
  const two = either(false, onMessage("a"), onSignal("b"));
  const driver = migrate(new Driver(two).create(), either(false, onMessage("x"), onSignal("y")));
  expect(problemsOf(driver, either(true, onMessage("a"), onSignal("b")))).toEqual(["element-differs m"]);
  expect(problemsOf(driver, either(false, onMessage("a")))).toEqual(["element-differs m"]);
});

test("[K206] what sends by a worker cannot become what sends by itself, nor a transaction a plain sub-process", () => {
  const sent = { message: message("m") };
  const job = { type: "mail", retry: retry() };
  const driver = new Driver(line(sendTask("s", { job }))).create();
  expect(problemsOf(driver, line(sendTask("s", sent)))).toEqual(["element-differs s"]);
  const thrown = new Driver(line(raise("t", { type: "message", ...sent, job }))).create();
  expect(problemsOf(thrown, line(raise("t", { type: "message", ...sent })))).toEqual(["element-differs t"]);
  const box = (options: Partial<SubProcess>) =>
    program([start(), ...sub("box", [start("s"), service("a"), end("e")], options), end()], ["start>box>end", "s>a>e"]);
  expect(problemsOf(new Driver(box({ transaction: true })).create(), box({}))).toEqual(["element-differs box"]);
});

test("[K203] a standard loop goes on with its round; its boundary events stand on the whole of it", () => {
  const rounds = { mode: "standard" as const, condition: expr("loopCounter < 2"), testBefore: false };
  const made = (...more: readonly Element[]) =>
    program(
      [start(), ...sub("box", [start("s"), service("a"), end("e")], { loop: rounds }), ...more, end()],
      ["start>box>end", "s>a>e", ...more.map(({ id }) => `${id}>end`)],
      { version: String(more.length) },
    );
  const driver = new Driver(made()).create().complete("a");
  migrate(driver, made(onTimer("late", "box", { timer: timer("duration", "PT9S") })));
  expect(driver.events).toEqual(["instance-migrated", "timer-armed"]);
  expect(driver.complete("a").status).toBe("completed");
  expect(
    problemsOf(
      new Driver(made()).create(),
      program([start(), ...sub("box", [start("s"), service("a"), end("e")]), end()], ["start>box>end", "s>a>e"]),
    ),
  ).toEqual(["element-differs box"]);
});

test("[K204] a task keeps its hands and what is left of its SLA; new rules count from now", () => {
  const rule = (on: SlaRule["on"], seconds: number, message?: string): SlaRule => ({
    ...{ on, after: timer("duration", `PT${seconds}S`) },
    action: { type: "notify", to: ["boss"], ...(message === undefined ? {} : { message: expr(message) }) },
  });
  const [a, b, c] = [rule("not-completed", 60), rule("not-started", 70), rule("not-completed", 80)];
  const driver = new Driver(line(user("check", { sla: [a, b] }))).create();
  const key = driver.key("check");
  const rules = () => [...driver.state.timers.values()].map((each) => [each.rule, each.due]);
  driver.send({ type: "claim-task", key, actor: "ann" });
  migrate(driver, line(user("check", { sla: [b, a] })));
  expect(rules()).toEqual([
    [0, 71_000],
    [1, 61_000],
  ]);
  expect(driver.state.tasks.get(key)?.assignee).toBe("ann");
  driver.send({ type: "start-task", key, actor: "ann" });
  // The rule on the beginning is done, whether it was there before or not.
  migrate(driver, line(user("check", { sla: [c, b, rule("not-started", 5)] })));
  expect(rules()).toEqual([[0, driver.at + 80_000]]);
  migrate(driver, line(user("check", { sla: [rule("not-completed", 9, "none")] })));
  expect(driver.view().incidents).toMatchObject([{ kind: "timer", element: "check" }]);
  driver.send({ type: "set-variables", scope: 0, values: { none: "Hurry" }, reason: "so" }).resolve();
  expect(driver.fire("check", 0).lastEffects).toMatchObject([{ type: "notify", message: "Hurry" }]);
  migrate(driver, line(user("check")));
  migrate(driver, line(user("check", { sla: [rule("not-started", 5)] })));
  expect(rules()).toEqual([]);
});

test("[K206] everything that is in the way is told at once, and nothing is changed", () => {
  const box = sub("box", [start("s"), service("inner"), end("e")]);
  const old = program(
    [
      ...[start(), and("split"), service("a"), user("b"), service("c", { loop: loop("parallel", { item: "it" }) })],
      ...[...box, wait("w"), onTimer("t", "a", { timer: timer("duration", "PT9S") }), and("join"), end()],
    ],
    ["start>split>a>join>end", "split>b>join", "split>c>join", "split>box>join", "split>w>join", "s>inner>e", "t>end"],
    { variables: [{ name: "v", type: "any" }] },
  );
  const driver = new Driver(old).create({ items: [1], v: "text" });
  const fresh = program(
    [
      ...[start(), and("split"), user("a"), user("q"), service("c", { loop: loop("graph") }), and("join"), end()],
      ...sub("box", [start("s"), end("e")]),
      service("inner"),
      onError("t", "a"),
    ],
    ["start>split>a>join>end", "split>q>join", "split>c>join", "split>box>join", "s>e", "split>inner>join", "t>end"],
    {
      variables: [
        { name: "v", type: "integer" },
        { name: "must", type: "string", required: true },
      ],
    },
  );
  const mapping = { b: "q", a: "q", nobody: "a", w: "nowhere", t: "t" };
  const before = driver.history.length;
  expect(problemsOf(driver, fresh, mapping).sort()).toEqual(
    [
      ...[
        "mapping-unknown nobody",
        "mapping-unknown w",
        "element-differs a",
        "element-differs c",
        "element-gone w",
        "mapping-twice b",
      ],
      ...["scope-differs inner", "element-differs t", "variable-type null", "variable-missing null"],
    ].sort(),
  );
  expect(driver.history).toHaveLength(before);
});

test("[K206] what is open stays in its scope: neither into a sub-process nor out of one", () => {
  const outside = program(
    [start(), ...sub("box", [start("s"), end("e")]), service("a"), end()],
    ["start>a>box>end", "s>e"],
  );
  const inside = program(
    [start(), ...sub("box", [start("s"), service("a"), end("e")]), end()],
    ["start>box>end", "s>a>e"],
  );
  expect(problemsOf(new Driver(outside).create(), inside)).toEqual(["scope-differs a"]);
  expect(problemsOf(new Driver(inside).create(), outside)).toEqual(["scope-differs a"]);
});

test("[K206] two that are open cannot become one, and a job needs an element with one", () => {
  const made = program([start(), and("split"), user("a"), user("b"), end()], ["start>split>a>end", "split>b>end"]);
  expect(problemsOf(new Driver(made).create(), made, { a: "b" })).toEqual(["mapping-twice b"]);
});

test("[K206] while completed work is undone nothing can be migrated; a compensation handler must stay one", () => {
  const made = program(
    [start(), service("a", { compensation: "undo" }), service("undo", { forCompensation: true }), service("b"), end()],
    ["start>a>b>end"],
    { onError: "compensate" },
  );
  const without = line(service("a"), service("b"));
  const driver = new Driver(made).create().complete("a");
  expect(problemsOf(driver, without)).toEqual(["element-gone undo"]);
  const other = program([start(), service("a"), service("undo"), service("b"), end()], ["start>a>b>undo>end"]);
  expect(problemsOf(driver, other)).toEqual(["element-differs undo"]);
  driver.throw("b", "E");
  const failing = new Driver(
    program(
      [
        ...made.document.elements.map((each) =>
          each.id === "b" ? service("b", { policy: { retry: retry(1, "error") } }) : each,
        ),
      ],
      ["start>a>b>end"],
      { onError: "compensate" },
    ),
  );
  failing.create().complete("a").fail("b");
  expect(failing.status).toBe("failing");
  expect(problemsOf(failing, made)).toEqual(["instance-failing null"]);
});

test("[K207] what the new version declares gets its first value, in every open scope", () => {
  const box = (variables: { readonly name: string; readonly type: "integer"; readonly initial?: number }[]) =>
    sub("box", [start("s"), service("a"), end("e")], {
      variables,
      loop: loop("parallel", { collection: literal([1, 2]) }),
    });
  const old = program([start(), ...box([]), end()], ["start>box>end", "s>a>e"]);
  const fresh = program(
    [start(), ...box([{ name: "x", type: "integer", initial: 5 }]), end()],
    ["start>box>end", "s>a>e"],
    {
      variables: [
        { name: "n", type: "integer", initial: 1 },
        { name: "m", type: "string", required: true },
      ],
    },
  );
  const driver = new Driver(old).create({ m: "here" });
  migrate(driver, fresh);
  const written = driver.lastEvents.flatMap((event) => (event.type === "variables-set" ? [event.values] : []));
  expect(written).toEqual([{ n: 1 }, { x: 5 }, { x: 5 }]);
});
