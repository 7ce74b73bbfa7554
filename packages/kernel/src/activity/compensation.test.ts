import { expect, test } from "vitest";
import type { Json } from "../json.ts";
import type { Element, ProgramDocument } from "../program.ts";
import {
  and,
  call,
  end,
  literal,
  loop,
  map,
  onError,
  onTimer,
  or,
  program,
  raise,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  undo,
  wait,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

/** An activity and the task that undoes it. */
function undoable(id: string, options: Parameters<typeof service>[1] = {}): Element[] {
  return [
    service(id, { compensation: `undo-${id}`, policy: { retry: retry(1, "error") }, ...options }),
    service(`undo-${id}`, { forCompensation: true, inputs: map({ n: "n" }), policy: { retry: retry(2) } }),
  ];
}

function made(elements: readonly (Element | Element[])[], lines: string[], options: Partial<ProgramDocument> = {}) {
  return new Driver(program([start(), end(), ...elements], lines, options));
}

/** Completes every open handler until none is left; gives their order. */
function undoAll(driver: Driver): string[] {
  const order: string[] = [];
  for (;;) {
    const open = driver.active.filter((id) => id.startsWith("undo-"));
    if (open.length === 0) return order;
    expect(open).toHaveLength(1);
    order.push(...open);
    driver.complete(open[0] ?? "");
  }
}

const saga = [undoable("a"), undoable("b"), undoable("c")];

test("[K95] completed work is undone in strict reverse order, each after the one before", () => {
  const driver = made([...saga, undo("back"), service("after")], ["start>a>c>b>back>after>end"]).create({ n: 0 });
  driver.complete("a").complete("c").complete("b");
  expect(driver.active).toEqual(["back", "undo-b"]);
  expect(driver.view().waiting).toContainEqual(
    expect.objectContaining({
      on: "compensation",
      element: "back",
      reason: "Completed work is being undone, 3 to go.",
    }),
  );
  expect(undoAll(driver)).toEqual(["undo-b", "undo-c", "undo-a"]);
  expect(driver.active).toEqual(["after"]);
  const nothing = made([undo("back"), end("done", { type: "compensation" })], ["start>back>done"]).create();
  expect(nothing.status).toBe("completed");
});

const quick = (id = "back") => raise(id, { type: "compensation", waits: false });

test("[K95] one that does not wait goes on at once, and the scope ends after the last handler", () => {
  const driver = made([...saga, quick(), service("after")], ["start>a>b>c>back>after>end"]).create({ n: 0 });
  driver.complete("a").complete("b").complete("c");
  expect(driver.active).toEqual(["after", "back", "undo-c"]);
  expect(driver.complete("after").status).toBe("running");
  expect(undoAll(driver)).toEqual(["undo-c", "undo-b", "undo-a"]);
  expect(driver.status).toBe("completed");
  const nothing = made([quick(), service("after")], ["start>back>after>end"]).create();
  expect(nothing.active).toEqual(["after"]);
});

test("[K95] [K161] what waits for tokens does not wait for one that has gone on", () => {
  const driver = made(
    [...undoable("a"), and("split"), service("b"), quick(), or("join"), service("after")],
    ["start>a>split>b>join", "split>back>join>after>end"],
  )
    .create({ n: 0 })
    .complete("a");
  expect(driver.active).toEqual(["b", "back", "undo-a"]);
  expect(driver.complete("b").active).toEqual(["after", "back", "undo-a"]);
});

test("[K95] a compensation end event undoes and ends its token", () => {
  const driver = made([...saga, end("done", { type: "compensation" })], ["start>a>b>done"]).create({ n: 0 });
  driver.complete("a").complete("b");
  expect(undoAll(driver)).toEqual(["undo-b", "undo-a"]);
  expect(driver.status).toBe("completed");
});

test("[K96] a handler sees the variables as they were when its activity completed", () => {
  const count = { outputs: map({ n: "n" }) };
  const driver = made(
    [undoable("a", count), undoable("b", count), script("later", { n: "99" }), undo("back")],
    ["start>a>b>later>back>end"],
  ).create({ n: 0 });
  driver.complete("a", { n: 1 }).complete("b", { n: 2 });
  expect(driver.lastEffects).toMatchObject([{ element: "undo-b", input: { n: 2 } }]);
  driver.complete("undo-b");
  expect(driver.lastEffects).toMatchObject([{ element: "undo-a", input: { n: 1 } }]);
});

const innerBox = sub("box", [start("s"), ...undoable("x"), ...undoable("y"), end("e")]);

test("[K97] a completed sub-process is undone by its content in its place, or by its own handler", () => {
  const lines = ["start>a>box>b>back>end", "s>x>y>e"];
  const driver = made([undoable("a"), undoable("b"), innerBox, undo("back")], lines).create({ n: 0 });
  driver.complete("a").complete("x").complete("y").complete("b");
  expect(undoAll(driver)).toEqual(["undo-b", "undo-y", "undo-x", "undo-a"]);
  expect(driver.status).toBe("completed");
  const [box, ...content] = innerBox;
  const own = [{ ...(box as Element), compensation: "undo-box" } as Element, ...content];
  const handler = service("undo-box", { forCompensation: true });
  const byItself = made([undoable("a"), undoable("b"), own, handler, undo("back")], lines).create({ n: 0 });
  byItself.complete("a").complete("x").complete("y").complete("b");
  expect(undoAll(byItself)).toEqual(["undo-b", "undo-box", "undo-a"]);
});

test("[K97] what completed in an interrupted sub-process can be undone no more", () => {
  const lines = ["start>box>back>end", "s>x>y>e", "caught>back"];
  const driver = made([innerBox, onError("caught", "box"), undo("back")], lines).create({ n: 0 });
  driver.complete("x").throw("y", "E");
  expect(driver.status).toBe("completed");
});

test("[K97] items of a collection are undone one by one, each with its own variables", () => {
  const [task, handler] = undoable("work", {
    loop: loop("graph", {
      collection: literal([{ id: "a" }, { id: "b" }, { id: "c" }] as Json[]),
      onFailure: "continue",
    }),
  });
  const undoing = { ...(handler as Element), inputs: map({ item: "item.id" }) } as Element;
  const driver = made([task as Element, undoing, undo("back")], ["start>work>back>end"]).create({ n: 0 });
  driver.completeItem("c").failItem("b").completeItem("a");
  expect(driver.lastEffects).toMatchObject([{ element: "undo-work", input: { item: "a" } }]);
  driver.complete("undo-work");
  expect(driver.lastEffects).toMatchObject([{ input: { item: "c" } }]);
  expect(driver.complete("undo-work").status).toBe("completed");
});

test("[K98] a handler is retried, then recorded, and the others still run", () => {
  const driver = made([...saga, undo("back")], ["start>a>b>c>back>end"]).create({ n: 0 });
  driver.complete("a").complete("b").complete("c").complete("undo-c");
  driver.fail("undo-b");
  expect(driver.active).toEqual(["back", "undo-b"]);
  driver.fail("undo-b");
  expect(driver.lastEvents).toContainEqual(
    expect.objectContaining({ type: "compensation-failed", error: { code: "broken", message: "it broke" } }),
  );
  expect(undoAll(driver)).toEqual(["undo-a"]);
  expect(driver.status).toBe("completed");
  const thrown = made([...saga, undo("back")], ["start>a>b>back>end"])
    .create({ n: 0 })
    .complete("a")
    .complete("b");
  expect(undoAll(thrown.throw("undo-b", "E"))).toEqual(["undo-a"]);
});

test("[K98] a handler may be a sub-process, a call or a collection; whatever fails in it is recorded", () => {
  const content = [start("hs"), service("inner", { policy: { retry: retry(1, "incident") } }), end("he")];
  const handlers: [Element[], (driver: Driver) => Driver][] = [
    [sub("undo-b", content, { forCompensation: true }), (driver) => driver.fail("inner")],
    [sub("undo-b", content, { forCompensation: true }), (driver) => driver.throw("inner", "E")],
    [
      sub("undo-b", [start("hs"), service("inner"), end("he", { type: "error", code: "E" })], {
        forCompensation: true,
      }),
      (driver) => driver.complete("inner"),
    ],
    [
      [call("undo-b", { forCompensation: true })],
      (driver) => {
        const key = driver.key("undo-b");
        return driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: { type: "cancelled", reason: "" } });
      },
    ],
    [
      [
        service("undo-b", {
          forCompensation: true,
          policy: { retry: retry(1, "error") },
          loop: loop("parallel", { collection: literal([1, 2]) }),
        }),
      ],
      (driver) => driver.failItem("0"),
    ],
  ];
  for (const [handler, fail] of handlers) {
    const [b] = undoable("b");
    const lines = ["start>a>b>back>end", ...(handler.length > 1 ? ["hs>inner>he"] : [])];
    const driver = made([undoable("a"), b as Element, handler, undo("back")], lines).create({ n: 0 });
    driver.complete("a").complete("b");
    fail(driver);
    expect(driver.events).toContain("compensation-failed");
    expect(driver.active).toEqual(["back", "undo-a"]);
  }
});

test("[K98] an error that a handler catches itself is none; what a handler did is not undone in turn", () => {
  const content = [...[start("hs"), onError("caught", "inner"), service("mend"), end("he")], ...undoable("inner")];
  const [b] = undoable("b");
  const driver = made(
    [undoable("a"), b as Element, sub("undo-b", content, { forCompensation: true }), undo("back"), undo("more")],
    ["start>a>b>back>more>end", "hs>inner>he", "caught>mend>he"],
  ).create({ n: 0 });
  driver.complete("a").complete("b").throw("inner", "E").complete("mend").complete("undo-a");
  expect(driver.status).toBe("completed");
  const again = made(
    [
      b as Element,
      sub("undo-b", [start("hs"), ...undoable("inner"), end("he")], { forCompensation: true }),
      undo("back"),
      undo("more"),
    ],
    ["start>b>back>more>end", "hs>inner>he"],
  ).create({ n: 0 });
  expect(again.complete("b").complete("inner").status).toBe("completed");
});

test("[K98] a handler that cannot start waits for a person", () => {
  const broken = service("undo-a", { forCompensation: true, inputs: map({ x: "none" }) });
  const [a] = undoable("a");
  const driver = made([a as Element, broken, undo("back")], ["start>a>back>end"])
    .create({ n: 0 })
    .complete("a");
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "undo-a" }]);
});

const compensating = { onError: "compensate" as const };

test.each([0, 1, 2, 3])("[K99] failing at step %i undoes exactly the steps before, in reverse", (step) => {
  const steps = ["a", "b", "c", "d"];
  const driver = made(
    steps.map((id) => undoable(id)),
    ["start>a>b>c>d>end"],
    compensating,
  ).create({ n: 0 });
  for (const id of steps.slice(0, step)) driver.complete(id);
  driver.throw(steps[step] ?? "", "E");
  expect(driver.status).toBe(step === 0 ? "failed" : "failing");
  expect(undoAll(driver)).toEqual(
    steps
      .slice(0, step)
      .reverse()
      .map((id) => `undo-${id}`),
  );
  expect(driver.view().outcome).toEqual({ type: "failed", error: { code: "E", message: "it was thrown" } });
});

test("[K99] what completed inside containers that are still open is undone as well", () => {
  const deep = sub("deep", [start("s2"), ...undoable("y"), service("risky", { policy: { retry: retry(1, "error") } })]);
  const box = sub("box", [start("s1"), ...undoable("x"), ...deep]);
  const each = undoable("work", { loop: loop("parallel", { collection: literal([1, 2]) }) });
  const driver = made(
    [undoable("a"), and("split"), box, each],
    ["start>a>split>box", "split>work", "s1>x>deep", "s2>y>risky"],
    compensating,
  );
  driver.create({ n: 0 }).complete("a").complete("x").complete("y").completeItem("1").fail("risky");
  expect(driver.status).toBe("failing");
  const order = undoAll(driver);
  expect([...order].sort()).toEqual(["undo-a", "undo-work", "undo-x", "undo-y"]);
  expect(order.at(-1)).toBe("undo-a");
  expect(order.indexOf("undo-y")).toBeLessThan(order.indexOf("undo-x"));
  expect(driver.status).toBe("failed");
});

test("[K99] while failing a handler with content completes, tokens elsewhere are gone, and cancelling is possible", () => {
  const [a] = undoable("a");
  const handler = sub("undo-a", [start("hs"), service("inner"), end("he")], { forCompensation: true });
  const elements = [a as Element, handler, and("split"), service("slow"), and("join"), ...undoable("b")];
  const lines = ["start>a>split>slow>join", "split>join", "split>b", "hs>inner>he", "join>end"];
  const failing = () => made(elements, lines, compensating).create({ n: 0 }).complete("a").throw("b", "E");
  const driver = failing();
  expect(driver.active).toEqual(["inner", "undo-a"]);
  expect(driver.try({ type: "pause-instance", stopRunning: false, reason: "" })?.reason).toContain("it is failing");
  expect(driver.complete("inner").status).toBe("failed");
  expect(failing().send({ type: "cancel-instance", reason: "enough" }).status).toBe("cancelled");
});

test("[K53] [K99] an error end event at the end of the process undoes what completed", () => {
  const driver = made([undoable("a"), end("bad", { type: "error", code: "E" })], ["start>a>bad"], compensating).create({
    n: 0,
  });
  expect(driver.complete("a").status).toBe("failing");
  expect(driver.complete("undo-a").view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
});

test("[K15] [K95] a handler that runs while a step goes on in parts is not started again", () => {
  const many = Array.from({ length: 1_100 }, (_, index) => service(`s${index}`));
  const driver = new Driver(
    program(
      [start(), ...undoable("a"), and("both"), service("b"), and("split"), undo("back"), ...many],
      ["start>a>both>back", "both>b>split", ...many.map(({ id }) => `split>${id}`)],
    ),
    { checked: false },
  ).create({ n: 0 });
  driver.complete("a").complete("b").goOn();
  driver.check();
  expect(driver.active.filter((id) => !/^s\d/.test(id))).toEqual(["back", "undo-a"]);
});

test("[K15] [K99] a failing instance is not complete while the limit holds its handlers back", () => {
  const items = Array.from({ length: 900 }, (_, index) => index);
  const work = script(
    "work",
    {},
    { compensation: "undo-work", loop: loop("parallel", { collection: literal(items) }) },
  );
  const handler = script("undo-work", {}, { forCompensation: true });
  const made = program(
    [start(), work, handler, end("bad", { type: "error", code: "E" })],
    ["start>work>bad"],
    compensating,
  );
  const driver = new Driver(made, { checked: false }).create();
  driver.check();
  expect(driver.status).toBe("failing");
  expect(driver.goOn().status).toBe("failed");
  expect(driver.history.filter(({ type }) => type === "compensation-taken")).toHaveLength(900);
});

test("[K99] a pause ends when the instance fails, so that handlers can run", () => {
  const driver = made([undoable("a"), undoable("b")], ["start>a>b>end"], compensating)
    .create({ n: 0 })
    .complete("a");
  driver.send({ type: "pause-instance", stopRunning: false, reason: "" }).throw("b", "E");
  expect(driver.lastEffects.map(({ type }) => type)).toEqual(["cancel-job", "release-jobs", "offer-job"]);
});

test("[K99] with nothing to undo it fails at once, an item's failure included", () => {
  const task = service("work", {
    policy: { retry: retry(1, "error") },
    loop: loop("parallel", { collection: literal([1]) }),
  });
  const driver = made([task], ["start>work>end"], compensating).create().failItem("0");
  expect(driver.view().outcome).toMatchObject({ type: "failed", error: { code: "broken" } });
});

test("[K100] with an activity named only its completions are undone, and nothing twice", () => {
  const driver = made([...saga, undo("back", "a"), undo("rest")], ["start>a>b>c>back>rest>end"]).create({ n: 0 });
  driver.complete("a").complete("b").complete("c");
  expect(driver.active).toEqual(["back", "undo-a"]);
  expect(undoAll(driver)).toEqual(["undo-a", "undo-c", "undo-b"]);
});

test("[K100] two compensations at once share the work; one that is ended loses none of the other's", () => {
  const driver = made(
    [...saga, and("split"), undo("one"), undo("two"), wait("stop"), end("halt", { type: "terminate" })],
    ["start>a>b>split>one>end", "split>two>end", "split>stop>halt"],
  ).create({ n: 0 });
  driver.complete("a").complete("b");
  expect(driver.active).toEqual(["one", "stop", "undo-b"]);
  expect(driver.complete("undo-b").active).toEqual(["one", "stop", "undo-a"]);
  expect(driver.fire("stop").status).toBe("completed");
});

test("[K14] [K100] a compensation that is asked for and ended in one step never begins", () => {
  const driver = made(
    [undoable("a"), and("split"), undo("back"), end("halt", { type: "terminate" })],
    ["start>a>split>back", "split>halt"],
  ).create({ n: 0 });
  expect(driver.complete("a").status).toBe("completed");
  expect(driver.events).not.toContain("compensation-taken");
});

test("[K97] a container that ends an inner one takes what that did with it", () => {
  const inner = sub("inner", [start("s2"), ...undoable("x"), end("e2")]);
  const outer = sub("outer", [start("s1"), ...inner, service("slow"), end("e1")]);
  const driver = made(
    [outer, onTimer("late", "outer", { timer: timer("duration", "PT5S") }), undo("back")],
    ["start>outer>end", "s1>inner>slow>e1", "s2>x>e2", "late>back>end"],
  ).create({ n: 0 });
  expect(driver.complete("x").fire("late").status).toBe("completed");
});

test("[K15] [K95] more handlers than a step may start go on in steps of their own", () => {
  const items = Array.from({ length: 1_500 }, (_, index) => index);
  const counted = script(
    "work",
    { done: "done + 1" },
    { compensation: "undo-work", loop: loop("parallel", { collection: literal(items) }) },
  );
  const driver = new Driver(
    program(
      [start(), counted, script("undo-work", { undone: "undone + 1" }, { forCompensation: true }), undo("back"), end()],
      ["start>work>back>end"],
    ),
    { checked: false },
  ).create({ done: 0, undone: 0 });
  const undoing = () => driver.view().waiting.find(({ on }) => on === "compensation");
  while (undoing() === undefined) driver.send({ type: "continue" });
  expect(undoing()?.reason).toMatch(/^Completed work is being undone, \d+ to go\.$/);
  driver.check();
  driver.goOn();
  driver.check();
  expect(driver.view()).toMatchObject({ status: "completed", variables: { done: 1_500 } });
  expect(driver.history.filter(({ type }) => type === "compensation-taken")).toHaveLength(1_500);
});
