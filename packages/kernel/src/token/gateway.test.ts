import { describe, expect, test } from "vitest";
import {
  and,
  complex,
  end,
  loop,
  map,
  onError,
  onTimer,
  or,
  program,
  raise,
  script,
  service,
  start,
  sub,
  timer,
  wait,
  xor,
} from "../testing/build.ts";
import type { Driver as TestDriver } from "../testing/driver.ts";
import { Driver } from "../testing/driver.ts";
import { migrate } from "../testing/migrating.ts";

function passed(driver: TestDriver, element: string): number {
  return driver.history.filter((event) => event.type === "element-passed" && event.element === element).length;
}

/** split → a, b, c (as their conditions say) → join → after. */
function fork(options: { readonly fallback?: string } = {}): Driver {
  const made = program(
    [
      start(),
      or("split", options.fallback),
      service("a"),
      service("b"),
      service("c"),
      or("join"),
      service("after"),
      end(),
    ],
    ["start>split", "split>a: x > 1", "split>b: x > 2", "split>c: x > 3", "a>join>after>end", "b>join", "c>join"],
  );
  return new Driver(made);
}

describe("inclusive split", () => {
  test.each([
    [2, ["a"]],
    [3, ["a", "b"]],
    [4, ["a", "b", "c"]],
  ])("[K160] takes every flow whose condition holds (x = %i)", (x, active) => {
    expect(fork().create({ x }).active).toEqual(active);
  });

  test("[K160] takes the default flow only if no condition holds", () => {
    expect(fork({ fallback: "split>c" }).create({ x: 9 }).active).toEqual(["a", "b"]);
    expect(fork({ fallback: "split>c" }).create({ x: 0 }).active).toEqual(["c"]);
  });

  test("[K160] takes a flow without a condition always, and then not the default flow", () => {
    const made = program(
      [start(), or("split", "split>c"), service("a"), service("b"), service("c")],
      ["start>split>a", "split>b: x > 2", "split>c"],
    );
    expect(new Driver(made).create({ x: 0 }).active).toEqual(["a"]);
  });

  test.each([
    [{ x: 0 }, "no-route"],
    [{ x: "much" }, "expression-failed"],
  ])("[K160] without a way it waits for a person, who can have it asked again (%o)", (variables, code) => {
    const driver = fork().create(variables);
    expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "split", error: { code } }]);
    driver.resolve();
    expect(driver.view().incidents).toHaveLength(1);
    driver.send({ type: "set-variables", scope: 0, values: { x: 2 }, reason: "forgotten" }).resolve();
    expect(driver.active).toEqual(["a"]);
  });

  test("[K160] what it joined is not lost while it has no way on", () => {
    const made = program(
      [start(), and("split"), service("a"), service("b"), or("join"), service("after")],
      ["start>split>a>join", "split>b>join", "join>after: x > 1"],
    );
    const driver = new Driver(made).create({ x: 0 }).complete("a").complete("b");
    expect(driver.active).toEqual(["join"]);
    driver.send({ type: "set-variables", scope: 0, values: { x: 2 }, reason: "forgotten" }).resolve();
    expect(driver.active).toEqual(["after"]);
  });
});

describe("inclusive join", () => {
  test("[K11] ends the tokens where no flow leads on", () => {
    for (const join of [or("join"), and("join")]) {
      const made = program([start(), and("split"), service("a"), join], ["start>split>a>join", "split>join"]);
      expect(new Driver(made).create().complete("a").status).toBe("completed");
    }
    for (const last of [or("last"), and("last"), xor("last"), complex("last", "true")]) {
      expect(new Driver(program([start(), last], ["start>last"])).create().status).toBe("completed");
      expect(new Driver(program([last], [])).create().status).toBe("completed");
    }
  });

  test("[K11] ends the token at a gateway whose ways out are gone in the version it goes on under", () => {
    const made = program([start(), xor("choose"), service("a")], ["start>choose", "choose>a: n > 1"]);
    const driver = new Driver(made).create({ n: 0 });
    migrate(driver, program([start(), xor("choose")], ["start>choose"]));
    driver.resolve();
    expect(driver.status).toBe("completed");
  });

  test.each([2, 3, 4])("[K161] waits for exactly those that were started (x = %i)", (x) => {
    const driver = fork().create({ x });
    const started = driver.active;
    for (const [index, element] of started.entries()) {
      driver.complete(element);
      expect(driver.active.includes("after")).toBe(index === started.length - 1);
    }
    expect(driver.complete("after").status).toBe("completed");
    expect(passed(driver, "join")).toBe(1);
  });

  test("[K161] explains that it waits until none can come", () => {
    const driver = fork().create({ x: 3 }).complete("a");
    const waiting = driver.view().waiting.find(({ on }) => on === "join");
    expect(waiting).toMatchObject({ element: "join", until: "None can come any more." });
  });

  test("[K161] does not wait for a token that can come in only where one waits already, or could come in there as well", () => {
    // From 'b' a token can come in by both flows, and one of them has a token.
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        xor("which", "which>join"),
        xor("first"),
        service("c"),
        or("join"),
        service("after"),
      ],
      ["start>split>a>first>join>after", "split>b>which>join", "which>first: x > 1", "split>c"],
    );
    const driver = new Driver(made).create({ x: 0 }).complete("a");
    expect(driver.active).toEqual(["after", "b", "c"]);
    driver.complete("b");
    expect(passed(driver, "join")).toBe(2);
  });

  test("[K161] does not wait for a token that would have to pass the gateway itself", () => {
    // 'again' lies behind the join and leads back to its second flow.
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        xor("back"),
        or("join"),
        service("again"),
        xor("done?", "done?>out"),
        end("out"),
      ],
      ["start>split>a>join>again>done?>out", "done?>back: x > 1", "split>b>back>join"],
    );
    const driver = new Driver(made).create({ x: 0 });
    driver.complete("b");
    expect(driver.active).toEqual(["a"]);
    driver.complete("a");
    expect(driver.active).toEqual(["again"]);
    expect(driver.complete("again").status).toBe("completed");
  });

  test("[K161] waits for a boundary event that can still fire", () => {
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        onError("oops", "b"),
        end("gone"),
        or("join"),
        service("after"),
      ],
      ["start>split>a>join>after", "split>b>gone", "oops>join"],
    );
    const driver = new Driver(made).create().complete("a");
    expect(driver.active).toEqual(["b"]);
    expect(driver.complete("b").active).toEqual(["after"]);
  });

  test("[K161] a token that waits at another join counts, and so does the content of an activity", () => {
    const box = sub("box", [start("s"), service("inside"), end("e")]);
    const many = service("many", { loop: loop("parallel") });
    const made = program(
      [start(), and("split"), service("a"), service("b"), ...box, many, and("both"), or("join"), service("after")],
      ["start>split>a>join>after", "split>b>both>join", "split>box>both", "split>many>join", "s>inside>e"],
    );
    const driver = new Driver(made)
      .create({ items: [1] })
      .complete("a")
      .complete("b")
      .completeItem("0");
    expect(driver.active).toEqual(["box", "inside"]);
    expect(driver.complete("inside").active).toEqual(["after"]);
    expect(passed(driver, "join")).toBe(1);
  });

  test("[K162] goes on when a boundary error takes the missing token elsewhere", () => {
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        onError("oops", "b"),
        end("gone"),
        or("join"),
        service("after"),
      ],
      ["start>split>a>join>after", "split>b>join", "oops>gone"],
    );
    const driver = new Driver(made).create().complete("a");
    expect(driver.active).toEqual(["b"]);
    expect(driver.throw("b", "E").active).toEqual(["after"]);
    expect(driver.complete("after").status).toBe("completed");
  });

  test("[K162] goes on when an interrupting timer, or a choice, takes the missing token elsewhere", () => {
    const late = onTimer("late", "b", { timer: timer("duration", "PT5S") });
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        late,
        wait("w"),
        xor("x", "x>out"),
        end("out"),
        or("join"),
        service("after"),
      ],
      ["start>split>a>join>after", "split>b>join", "late>out", "split>w>x>out", "x>join: n > 1"],
    );
    const driver = new Driver(made).create({ n: 0 }).complete("a").fire("late");
    expect(driver.active).toEqual(["w"]);
    expect(driver.fire("w").active).toEqual(["after"]);
  });

  test("[K162] a scope inside an item of a collection decides for itself", () => {
    const box = sub(
      "box",
      [start("s"), or("split"), service("a"), service("b"), or("join"), script("done", { n: "n + 1" }), end("e")],
      { loop: loop("parallel") },
    );
    const made = program(
      [start(), box, end()],
      ["start>box>end", "s>split", "split>a", "split>b: item > 1", "a>join>done>e", "b>join"],
    );
    const driver = new Driver(made).create({ items: [1, 2], n: 0 });
    const keys = [...driver.state.elements.values()].filter(({ element }) => element === "a").map(({ key }) => key);
    for (const key of keys) driver.send({ type: "complete-job", key, result: {} });
    expect(driver.variable("n")).toBe(1);
    expect(driver.complete("b").status).toBe("completed");
    expect(driver.variable("n")).toBe(2);
  });

  test("[K163] uses up one token of each flow; a second one on a flow makes it go on again", () => {
    const extra = onTimer("extra", "b", { timer: timer("duration", "PT5S"), interrupting: false });
    const made = program(
      [start(), and("split"), service("a"), service("b"), extra, xor("merge"), or("join"), service("after"), end()],
      ["start>split>a>join>after>end", "split>b>merge>join", "extra>merge"],
    );
    const driver = new Driver(made).create().fire("extra").complete("b");
    expect(driver.active).toEqual(["a"]);
    driver.complete("a");
    expect(passed(driver, "join")).toBe(2);
    expect(driver.view().elements.map(({ element }) => element)).toEqual(["after", "after"]);
  });

  test("[K164] two joins that wait for each other are stuck", () => {
    const made = program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        or("one"),
        or("two"),
        xor("x1", "x1>end"),
        xor("x2", "x2>end"),
        end(),
      ],
      ["start>split>a>one>x1>end", "split>b>two>x2>end", "x1>two: n > 1", "x2>one: n > 1"],
    );
    const driver = new Driver(made).create({ n: 0 }).complete("a");
    expect(driver.view().incidents).toEqual([]);
    driver.complete("b");
    expect(driver.view().incidents).toMatchObject([{ kind: "flow", error: { code: "join-stuck" } }]);
    expect(driver.view().incidents[0]?.error.message).toContain("'one', 'two'");
    driver.resolve();
    expect(driver.view().incidents).toHaveLength(1);
  });

  test("[K161] held tokens arrive before anything is decided", () => {
    const count = 1_200;
    const tasks = Array.from({ length: count }, (_, index) => raise(`t${index}`));
    const made = program(
      [start(), and("split"), ...tasks, or("join"), service("after")],
      ["start>split", ...tasks.map(({ id }) => `split>${id}>join`), "join>after"],
    );
    const driver = new Driver(made, { checked: false }).create();
    expect(driver.active).toEqual([]);
    driver.goOn();
    expect(driver.active).toEqual(["after"]);
    expect(passed(driver, "join")).toBe(1);
  });
});

describe("flows out of an activity", () => {
  const outputs = map({ x: "x" });
  const choosing = program(
    [start(), service("a", { outputs, defaultFlow: "a>other" }), service("big"), service("always"), service("other")],
    ["start>a", "a>big: x > 10", "a>always", "a>other"],
  );

  test("[K165] are taken as their conditions say, which see what it wrote", () => {
    expect(new Driver(choosing).create({ x: 0 }).complete("a", { x: 11 }).active).toEqual(["always", "big"]);
    expect(new Driver(choosing).create({ x: 0 }).complete("a", { x: 9 }).active).toEqual(["always", "other"]);
  });

  test.each([
    service("a", { outputs }),
    script("a", { x: "x + 0" }),
    service("a", { loop: loop("parallel"), outputs }),
  ])("[K165] that cannot be taken are an incident that a retry asks again: $kind", (activity) => {
    const made = program([start(), activity, service("big")], ["start>a", "a>big: x > 10"]);
    const driver = new Driver(made).create({ x: 0, items: [] });
    if (activity.kind === "service-task" && activity.loop === undefined) driver.complete("a", { x: 3 });
    expect(driver.view().incidents).toMatchObject([{ kind: "route", element: "a", error: { code: "no-route" } }]);
    expect(driver.view().elements).toMatchObject([{ element: "a", state: "completing" }]);
    driver.resolve();
    expect(driver.view().incidents).toHaveLength(1);
    driver.send({ type: "set-variables", scope: 0, values: { x: 11 }, reason: "forgotten" }).resolve();
    expect(driver.active).toEqual(["big"]);
  });

  test("[K165] the items of a collection take none", () => {
    const made = program(
      [start(), service("a", { loop: loop("parallel") }), service("big"), service("small")],
      ["start>a", "a>big: x > 10", "a>small: x < 10"],
    );
    const driver = new Driver(made).create({ x: 0, items: [1, 2] }).completeItem("0");
    expect(driver.active).toEqual(["a"]);
    expect(driver.completeItem("1").active).toEqual(["small"]);
  });
});

test("[K110] a condition on a flow out of an event is refused", () => {
  expect(() => program([start(), end()], ["start>end: x > 1"])).toThrow("which comes from a start-event");
});
