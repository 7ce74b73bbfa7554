import { describe, expect, test } from "vitest";
import type { StandardLoop } from "../program.ts";
import {
  and,
  end,
  expr,
  line,
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
  undo,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

function rounds(condition: string, options: Partial<StandardLoop> = {}): StandardLoop {
  return { mode: "standard", condition: expr(condition), testBefore: false, ...options };
}

function count(driver: Driver, element: string): number {
  return driver.history.filter((event) => event.type === "job-created" && event.element === element).length;
}

const outputs = map({ n: "n" });

/** Completes the task of the round that runs. */
function next(driver: Driver, result: { readonly [name: string]: number } = {}): Driver {
  const job = [...driver.state.jobs.values()][0];
  return driver.send({ type: "complete-job", key: job?.key ?? 0, result });
}

describe("a standard loop", () => {
  test("[K169] runs once before it is asked, and again as long as its condition holds", () => {
    const driver = new Driver(line(service("a", { loop: rounds("n < 3"), outputs }))).create({ n: 9 });
    next(next(driver, { n: 1 }), { n: 2 });
    expect(driver.status).toBe("running");
    expect(next(driver, { n: 3 }).status).toBe("completed");
    expect(count(driver, "a")).toBe(3);
  });

  test("[K169] asked before the first round, it may run none", () => {
    const driver = new Driver(line(service("a", { loop: rounds("n < 3", { testBefore: true }), outputs })));
    expect(driver.create({ n: 3 }).status).toBe("completed");
    expect(count(driver, "a")).toBe(0);
  });

  test("[K169] ends after its maximum", () => {
    const driver = new Driver(line(service("a", { loop: rounds("true", { maximum: 2 }) }))).create();
    expect(next(next(driver)).status).toBe("completed");
  });

  test("[K170] loopCounter is the number of the round inside, and of the rounds so far in the condition", () => {
    const looped = service("a", { loop: rounds("loopCounter < 2"), inputs: map({ round: "loopCounter" }) });
    const driver = new Driver(line(looped)).create();
    expect([...driver.state.jobs.values()]).toMatchObject([{ input: { round: 1 } }]);
    next(driver);
    expect([...driver.state.jobs.values()]).toMatchObject([{ input: { round: 2 } }]);
    expect(next(driver).status).toBe("completed");
    const early = service("b", { loop: rounds("loopCounter < 1", { testBefore: true }) });
    expect(next(new Driver(line(early)).create()).status).toBe("completed");
  });

  test("[K170] every round has a scope of its own, and writes outside", () => {
    const box = sub(
      "box",
      [start("s"), script("add", { local: "local + 1", n: "n + local" }), service("x"), end("e")],
      {
        variables: [{ name: "local", type: "integer", initial: 0 }],
        loop: rounds("n < 2"),
      },
    );
    const made = program([start(), box, end()], ["start>box>end", "s>add>x>e"]);
    const driver = new Driver(made).create({ n: 0 });
    expect(next(driver).variable("n")).toBe(2);
    expect(next(driver).status).toBe("completed");
  });

  test("[K171] takes its flows once, and has its boundary events once, on the whole", () => {
    const late = onTimer("late", "a", { timer: timer("duration", "PT60S") });
    const made = program(
      [start(), service("a", { loop: rounds("loopCounter < 3") }), late, service("after"), service("other")],
      ["start>a>after", "late>other"],
    );
    const driver = new Driver(made).create();
    next(driver);
    expect(driver.lastEvents.some(({ type }) => type === "timer-armed")).toBe(false);
    const other = new Driver(made).create();
    expect(next(next(driver)).active).toEqual(["after"]);
    expect(other.fire("late").active).toEqual(["other"]);
  });

  test("[K171] an error of a round is caught on the whole, which ends", () => {
    const made = program(
      [start(), service("a", { loop: rounds("true") }), onError("oops", "a"), service("after")],
      ["start>a", "oops>after"],
    );
    const driver = new Driver(made).create();
    next(driver);
    const [job] = driver.state.jobs.values();
    driver.send({ type: "throw-job-error", key: job?.key ?? 0, error: { code: "E", message: "no" } });
    expect(driver.active).toEqual(["after"]);
  });

  test("[K171] a round that cannot start, or fails for good, is tried again by itself", () => {
    const broken = service("a", {
      loop: rounds("loopCounter < 2"),
      inputs: map({ x: "x" }),
      policy: { retry: retry(1) },
    });
    const driver = new Driver(line(broken)).create();
    expect(driver.view().incidents).toMatchObject([{ kind: "activation" }]);
    driver.send({ type: "set-variables", scope: 0, values: { x: 1 }, reason: "forgotten" }).resolve();
    const [job] = driver.state.jobs.values();
    driver
      .send({ type: "fail-job", key: job?.key ?? 0, error: { code: "E", message: "no" }, retryable: false })
      .resolve();
    expect(next(next(driver)).status).toBe("completed");
  });

  test("[K171] a condition that fails, and a boundary timer that cannot be armed, wait for a person", () => {
    const driver = new Driver(line(service("a", { loop: rounds("missing > 1") }))).create();
    next(driver);
    expect(driver.view().incidents).toMatchObject([{ kind: "loop", element: "a" }]);
    expect(driver.resolve().view().incidents).toHaveLength(1);
    driver.send({ type: "set-variables", scope: 0, values: { missing: 1 }, reason: "fixed" });
    expect(driver.resolve().status).toBe("completed");
    const late = onTimer("late", "a", { timer: timer("duration", "nonsense") });
    const made = program([start(), service("a", { loop: rounds("true") }), late], ["start>a"]);
    expect(new Driver(made).create().view().incidents).toMatchObject([{ kind: "activation", element: "a" }]);
  });

  test("[K15] [K169] rounds that never wait go on in steps of their own", () => {
    const driver = new Driver(line(script("a", { n: "n + 1" }, { loop: rounds("n < 2500") })), { checked: false });
    driver.create({ n: 0 });
    expect(driver.state.head.continuing).toBe(true);
    driver.check();
    expect(driver.view().waiting).toMatchObject([{ element: "a", on: "slot" }]);
    expect(driver.goOn().status).toBe("completed");
    expect(driver.history.filter(({ type }) => type === "continuation-requested")).toHaveLength(2);
    expect(driver.variable("n")).toBe(2500);
  });

  test("[K15] a continuation leaves rounds that wait alone", () => {
    const storm = script("s", { n: "n + 1" }, { loop: rounds("n < 1500") });
    const made = program([start(), and("f"), service("a", { loop: rounds("true") }), storm], ["start>f>a", "f>s"]);
    const driver = new Driver(made, { checked: false }).create({ n: 0 }).goOn();
    expect(count(driver, "a")).toBe(1);
  });

  test("[K171] compensation undoes every round, the last one first", () => {
    const made = program(
      [
        ...[start(), service("a", { loop: rounds("n < 2"), outputs, compensation: "undo-a" }), undo("back"), end()],
        service("undo-a", { forCompensation: true, inputs: map({ n: "n" }) }),
      ],
      ["start>a>back>end"],
    );
    const driver = new Driver(made).create({ n: 0 });
    next(next(driver, { n: 1 }), { n: 2 });
    const undone = [];
    while (driver.status === "running") {
      undone.push([...driver.state.jobs.values()][0]?.input["n"]);
      next(driver);
    }
    expect(undone).toEqual([2, 1]);
  });

  test("[K171] a handler may loop, too", () => {
    const made = program(
      [
        ...[start(), service("a", { compensation: "undo-a" }), undo("back"), end()],
        service("undo-a", { forCompensation: true, loop: rounds("loopCounter < 2") }),
      ],
      ["start>a>back>end"],
    );
    const driver = new Driver(made).create().complete("a");
    expect(next(next(driver)).status).toBe("completed");
    expect(count(driver, "undo-a")).toBe(2);
  });

  test("[K165] completing, neither it nor a collection is started again by a continuation", () => {
    const storm = script("s", { n: "n + 1" }, { loop: rounds("n < 1500") });
    const many = script("c", { m: "n" }, { loop: loop("parallel") });
    const made = program(
      [start(), and("f"), script("a", { m: "n" }, { loop: rounds("false") }), many, storm, service("b")],
      ["start>f>a", "a>b: n > 9000", "f>c", "c>b: n > 9000", "f>s"],
    );
    const driver = new Driver(made, { checked: false }).create({ n: 0, items: [1] }).goOn();
    expect(driver.view().incidents).toMatchObject([
      { kind: "route", element: "c" },
      { kind: "route", element: "a" },
    ]);
    const refused = driver.try({ type: "add-items", element: "c", items: [2] });
    expect(refused?.code).toBe("collection-not-found");
    expect(
      driver.history.filter((event) => event.type === "loop-iterated" && event.body === driver.key("a")),
    ).toHaveLength(1);
  });
});

describe("quantities", () => {
  test("[K173] an activity starts once it has as many tokens as it needs, whichever flows they come by", () => {
    const made = program(
      [start(), and("f"), service("a"), service("b"), service("c"), service("all", { startQuantity: 3 }), end()],
      ["start>f>a>all>end", "f>b>all", "f>c>all"],
    );
    const driver = new Driver(made).create().complete("a").complete("b");
    expect(driver.active).toEqual(["c"]);
    expect(driver.complete("c").active).toEqual(["all"]);
    expect(driver.complete("all").status).toBe("completed");
  });

  test("[K173] tokens that are too many start it again, and too few are a stuck join", () => {
    const many = service("many", { completionQuantity: 5 });
    const made = program([start(), many, service("pair", { startQuantity: 2 })], ["start>many>pair"]);
    const driver = new Driver(made).create().complete("many");
    expect(driver.view().elements.map(({ element }) => element)).toEqual(["pair", "pair"]);
    for (const { key } of driver.view().elements) driver.send({ type: "complete-job", key, result: {} });
    expect(driver.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
  });

  test("[K174] an activity gives its completion quantity to every flow it leaves by", () => {
    const made = program(
      [start(), script("many", { n: "n" }, { completionQuantity: 2 }), service("a"), service("b")],
      ["start>many>a", "many>b"],
    );
    const driver = new Driver(made).create({ n: 0 });
    expect(driver.view().elements.map(({ element }) => element)).toEqual(["a", "b", "a", "b"]);
  });

  test.each([0, 1.5, 1_001])("[K110] a quantity of %s is refused", (startQuantity) => {
    expect(() => line(service("a", { startQuantity }))).toThrow("which is no integer from 1 to 1000");
    expect(() => line(service("a", { completionQuantity: startQuantity }))).toThrow("completionQuantity");
  });

  test("[K173] a collection starts once with the tokens it needs", () => {
    const made = program(
      [start(), and("f"), service("a"), service("all", { startQuantity: 2, loop: loop("parallel") }), end()],
      ["start>f>a>all>end", "f>all"],
    );
    const driver = new Driver(made)
      .create({ items: [1] })
      .complete("a")
      .completeItem("0");
    expect(driver.status).toBe("completed");
  });
});
