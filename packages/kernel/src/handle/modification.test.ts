import { describe, expect, test } from "vitest";
import type { Activation } from "../command.ts";
import type { Host } from "../host.ts";
import { loadProgram } from "../load.ts";
import type { StandardLoop } from "../program.ts";
import {
  adHoc,
  and,
  complex,
  document,
  end,
  expr,
  line,
  literal,
  loop,
  map,
  message,
  onTimer,
  or,
  program,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  undo,
  wait,
  xor,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { testHost } from "../testing/host.ts";

function modify(
  driver: Driver,
  activate: readonly (string | Activation)[],
  terminate: readonly (string | number)[] = [],
) {
  return driver.try({
    type: "modify-instance",
    activate: activate.map((each) => (typeof each === "string" ? { element: each } : each)),
    terminate: terminate.map((each) => (typeof each === "string" ? driver.key(each) : each)),
    reason: "it went wrong",
  });
}

/** Which must be accepted. */
function modified(
  driver: Driver,
  activate: readonly (string | Activation)[],
  terminate: readonly (string | number)[] = [],
) {
  expect(modify(driver, activate, terminate)).toBeUndefined();
  return driver;
}

const steps = () => new Driver(line(service("a"), service("b"), service("c"))).create({ n: 0 });

describe("activating and ending", () => {
  test("[K184] moves a token, and says who did it and why", () => {
    const driver = modified(steps(), ["c"], ["a"]);
    expect(driver.active).toEqual(["c"]);
    expect(driver.lastEvents[0]).toMatchObject({
      ...{ type: "instance-modified", activate: [{ element: "c" }], actor: "tester", reason: "it went wrong" },
    });
    expect(driver.complete("c").status).toBe("completed");
  });

  test("[K184] is all or nothing", () => {
    const driver = steps();
    expect(modify(driver, ["b", "nobody"], ["a"])?.code).toBe("element-not-activatable");
    expect(modify(driver, ["b"], [99])?.code).toBe("element-not-found");
    expect(driver.active).toEqual(["a"]);
  });

  test("[K184] a scope goes on with what is activated in it while the rest of it ends", () => {
    const box = sub("box", [start("s"), service("x"), service("y"), end("e")]);
    const driver = new Driver(program([start(), ...box, end()], ["start>box>end", "s>x>y>e"])).create();
    const key = driver.key("box");
    modified(driver, ["y"], ["x"]);
    expect(driver.key("box")).toBe(key);
    expect(driver.complete("y").status).toBe("completed");
  });

  test("[K188] the scopes in which nothing is left end with it, and with the last one the instance", () => {
    const box = sub("box", [start("s"), service("x"), end("e")]);
    const made = program(
      [start(), and("f"), ...box, service("a"), service("after")],
      ["start>f>box>after", "f>a", "s>x>e"],
    );
    const driver = modified(new Driver(made).create(), [], ["x"]);
    expect(driver.active).toEqual(["a"]);
    modified(driver, [], ["a"]);
    expect(driver.status).toBe("cancelled");
    expect(driver.lastEvents.at(-1)).toMatchObject({ type: "instance-cancelled", reason: "it went wrong" });
  });

  test("[K188] what ended with another one is no mistake", () => {
    const box = sub("box", [start("s"), service("x"), end("e")]);
    const made = program([start(), and("f"), ...box, service("a")], ["start>f>box", "f>a", "s>x>e"]);
    const driver = new Driver(made).create();
    expect(modified(driver, [], ["box", "x"]).active).toEqual(["a"]);
  });

  test("[K162] [K188] an inclusive join that waited for what ends goes on", () => {
    const made = program(
      [start(), and("f"), service("a"), service("b"), or("join"), service("after")],
      ["start>f>a>join>after", "f>b>join"],
    );
    const driver = modified(new Driver(made).create().complete("a"), [], ["b"]);
    expect(driver.active).toEqual(["after"]);
  });

  test("[K43] [K188] a parallel join that waited for it is stuck, until somebody brings the token", () => {
    const made = program(
      [start(), and("f"), service("a"), service("b"), and("join"), service("after")],
      ["start>f>a>join>after", "f>b>join"],
    );
    const driver = modified(new Driver(made).create().complete("a"), [], ["b"]);
    expect(driver.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
    expect(modified(driver, ["b"]).complete("b").active).toEqual(["after"]);
  });
});

describe("containers around it", () => {
  const inner = sub("inner", [start("t"), service("x"), end("u")], {
    inputs: map({ twice: "base * 2" }),
    variables: [{ name: "limit", type: "integer", initial: 3 }],
  });
  const outer = sub("outer", [start("s"), service("first"), ...inner, end("e")], {
    variables: [{ name: "base", type: "integer", initial: 21 }],
  });
  const nested = program([start(), service("a"), ...outer, end()], ["start>a>outer>end", "s>first>inner>e", "t>x>u"]);

  test("[K185] are opened without what else stands in them, and used by the next one", () => {
    const driver = modified(new Driver(nested).create(), ["x", "x"], ["a"]);
    expect(driver.view().elements.map(({ element }) => element)).toEqual(["outer", "inner", "x", "x"]);
    const [first] = driver.state.jobs.values();
    const inside = driver.key("inner");
    expect(driver.state.variables.get(`${inside}/twice`)?.value).toBe(42);
    expect(driver.state.variables.get(`${inside}/limit`)?.value).toBe(3);
    driver.send({ type: "complete-job", key: first?.key ?? 0, result: {} }).complete("x");
    expect(driver.status).toBe("completed");
  });

  test("[K185] boundary events stand on what is opened", () => {
    const late = onTimer("late", "outer", { timer: timer("duration", "PT5S") });
    const made = program(
      [start(), service("a"), ...outer, late, service("other")],
      ["start>a>outer", "s>first>inner>e", "t>x>u", "late>other"],
    );
    const driver = modified(new Driver(made).create(), ["first"], ["a"]);
    expect(driver.fire("late").active).toEqual(["other"]);
  });

  test("[K185] are named where there are several", () => {
    const made = program(
      [start(), and("f"), xor("x1"), ...outer],
      ["start>f>x1>outer", "f>x1", "s>first>inner>e", "t>x>u"],
    );
    const driver = new Driver(made).create();
    const [one, two] = driver.view().elements.filter(({ element }) => element === "outer");
    expect(modify(driver, ["x"])?.code).toBe("scope-ambiguous");
    expect(modify(driver, [{ element: "x", scope: 99 }])?.code).toBe("scope-not-found");
    expect(modify(driver, [{ element: "x", scope: driver.view().elements.at(-1)?.key ?? 0 }])?.code).toBe(
      "scope-not-found",
    );
    expect(modify(driver, [{ element: "x", scope: 0 }])?.code).toBe("scope-ambiguous");
    modified(driver, [{ element: "x", scope: two?.key ?? 0 }]);
    const inside = driver.view().elements.find(({ element }) => element === "inner");
    expect(inside?.scope).toBe(two?.key);
    expect(one?.key).not.toBe(two?.key);
  });

  test("[K185] [K187] that cannot be opened refuse it", () => {
    const failing = sub("box", [start("s"), service("x"), end("e")], { inputs: map({ y: "missing" }) });
    const made = program([start(), service("a"), ...failing], ["start>a>box", "s>x>e"]);
    expect(modify(new Driver(made).create(), ["x"])?.reason).toContain("'box' cannot be opened: there is no 'missing'");
    const typed = sub("box", [start("s"), service("x"), end("e")], {
      inputs: map({ y: "1" }),
      variables: [{ name: "y", type: "string" }],
    });
    const wrong = program([start(), service("a"), ...typed], ["start>a>box", "s>x>e"]);
    expect(modify(new Driver(wrong).create(), ["x"])?.code).toBe("element-not-activatable");
    const late = onTimer("late", "box", { timer: timer("duration", "never") });
    const box = sub("box", [start("s"), service("x"), end("e")]);
    const timed = program([start(), service("a"), ...box, late], ["start>a>box", "s>x>e"]);
    expect(modify(new Driver(timed).create(), ["x"])?.code).toBe("element-not-activatable");
  });

  test("[K26] [K185] inputs are told which names are integers, also in what is still to be opened", () => {
    const deep = sub("deep", [start("t"), service("x"), end("u")], {
      inputs: map({ one: "base", two: "n", three: "local" }),
    });
    const wide = sub("wide", [start("s"), ...deep, end("e")], {
      inputs: map({ local: "other" }),
      variables: [{ name: "base", type: "integer", initial: 21 }],
    });
    const made = document([start(), service("a"), ...wide], ["start>a>wide", "s>deep>e", "t>x>u"], {
      variables: [{ name: "n", type: "integer", initial: 0 }],
    });
    const host: Host = {
      ...testHost,
      evaluate: ({ text }, names) => ({ ok: true, value: `${text} ${names.isInteger(text) ? "is" : "is not"} one` }),
    };
    const driver = modified(new Driver(loadProgram(made, host)).create(), ["x"]);
    const inside = driver.key("deep");
    const seen = ["one", "two", "three"].map((name) => driver.state.variables.get(`${inside}/${name}`)?.value);
    expect(seen).toEqual(["base is one", "n is one", "local is not one"]);
  });

  test("[K187] within items and rounds only those that are open", () => {
    const many = sub("many", [start("s"), service("x"), service("y"), end("e")], { loop: loop("parallel") });
    const made = program([start(), service("a"), ...many], ["start>a>many", "s>x>y>e"]);
    const driver = new Driver(made).create({ items: [1, 2] });
    expect(modify(driver, ["y"])?.reason).toContain("'many' runs several times");
    driver.complete("a");
    expect(modify(driver, ["y"])?.code).toBe("scope-ambiguous");
    const [body, first] = driver.view().elements.filter(({ element }) => element === "many");
    expect(modify(driver, [{ element: "y", scope: body?.key ?? 0 }])?.code).toBe("scope-not-found");
    modified(driver, [{ element: "y", scope: first?.key ?? 0 }]);
    expect(driver.active).toEqual(["many", "x", "y"]);
  });

  test("[K187] not in a scope that is not active", () => {
    const box = sub("box", [start("s"), service("x"), end("e")], { outputs: map({ y: "missing" }) });
    const driver = new Driver(program([start(), ...box], ["start>box", "s>x>e"])).create().complete("x");
    expect(modify(driver, ["x"])?.reason).toContain("is not active");
  });

  test("[K177] [K185] an ad-hoc sub-process is opened without what it would choose", () => {
    const tools = adHoc("tools", [service("x"), service("y")], { activate: literal(["nobody"]) });
    const made = program([start(), service("a"), ...tools, end()], ["start>a>tools>end"]);
    const driver = modified(new Driver(made).create(), ["x"], ["a"]);
    expect(driver.active).toEqual(["tools", "x"]);
    expect(driver.complete("x").status).toBe("completed");
    const asked = adHoc("tools", [service("x")], { job: { type: "agent", retry: retry(1) } });
    const other = modified(
      new Driver(program([start(), service("a"), ...asked], ["start>a>tools"])).create(),
      ["x"],
      ["a"],
    );
    expect([...other.state.jobs.values()].map(({ jobType }) => jobType)).toEqual(["x"]);
    other.complete("x");
    const choice = other.view().elements.find(({ scope }) => scope !== 0);
    expect(modify(other, [{ element: "x", scope: choice?.key ?? 0 }])?.code).toBe("scope-not-found");
  });
});

describe("what is activated", () => {
  test("[K186] does not wait for others", () => {
    const made = program(
      [start(), service("a"), and("and"), or("or"), service("b", { startQuantity: 3 }), service("c"), service("d")],
      ["start>a>and>c", "a>or>d", "c>and", "c>or", "a>b"],
    );
    const driver = modified(new Driver(made).create(), ["and", "or", "b"]);
    expect(driver.active).toEqual(["a", "b", "c", "d"]);
  });

  test("[K186] an inclusive gateway without a way on waits for a person", () => {
    const made = program(
      [start(), and("f"), service("a"), or("or"), service("b")],
      ["start>f>a>or", "f>or", "or>b: n > 1"],
    );
    const driver = modified(new Driver(made).create({ n: 0 }), ["or"]);
    expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "or", error: { code: "no-route" } }]);
  });

  test("[K186] writes its variables where an output would be written", () => {
    const box = sub("box", [start("s"), service("x"), end("e")], {
      variables: [{ name: "limit", type: "integer", initial: 3 }],
    });
    const made = program([start(), service("a"), ...box], ["start>a>box", "s>x>e"], {
      variables: [{ name: "n", type: "integer" }],
    });
    const driver = new Driver(made).create({ n: 0 });
    expect(modify(driver, [{ element: "x", variables: { limit: "low" } }])?.code).toBe("variable-type");
    expect(modify(driver, [{ element: "x", variables: { n: "none" } }])?.code).toBe("variable-type");
    modified(driver, [{ element: "x", variables: { limit: 9, n: 5, fresh: true } }]);
    expect(driver.view().variables).toEqual({ n: 5, fresh: true });
    expect(driver.state.variables.get(`${driver.key("box")}/limit`)?.value).toBe(9);
  });

  test("[K186] may be a collection, an event or an end", () => {
    const made = program(
      [
        start(),
        service("a"),
        service("many", { loop: loop("parallel") }),
        wait("w"),
        end("stop", { type: "terminate" }),
      ],
      ["start>a>many>w>stop"],
    );
    const driver = modified(new Driver(made).create({ items: [1] }), ["many", "w"]);
    expect(driver.active).toEqual(["a", "many", "w"]);
    expect(modified(driver, ["stop"]).status).toBe("completed");
  });

  test("[K187] is refused where a token alone cannot start it", () => {
    const made = program(
      [
        ...[
          start(),
          service("a", { compensation: "undo-a" }),
          onTimer("late", "a", { timer: timer("duration", "PT5S") }),
        ],
        ...[service("undo-a", { forCompensation: true }), complex("gate", "arrived > 1"), service("b")],
        ...[{ id: "first", kind: "event-based-gateway" as const, parent: null }, wait("w1"), wait("w2")],
        ...sub("undo-b", [start("us"), service("inside"), end("ue")], { forCompensation: true }),
        ...sub(
          "esp",
          [{ ...start("es"), trigger: { type: "message" as const, message: message("news") } }, service("x")],
          {
            triggeredByEvent: true,
          },
        ),
      ],
      ["start>a>gate>b>first>w1", "first>w2", "b>gate", "es>x", "us>inside>ue"],
    );
    const driver = new Driver(made).create();
    for (const id of ["start", "late", "undo-a", "gate", "w1", "esp", "x", "inside", "nobody"]) {
      expect([id, modify(driver, [id])?.code]).toEqual([id, "element-not-activatable"]);
    }
  });

  test("[K189] too many changes are refused, and everything while work is undone", () => {
    const driver = steps();
    expect(
      modify(
        driver,
        Array.from({ length: 1_001 }, () => "b"),
      )?.code,
    ).toBe("limit-exceeded");
    const made = program(
      [
        ...[start(), service("a", { compensation: "undo-a" }), service("undo-a", { forCompensation: true })],
        end("bad", { type: "error", code: "E" }),
      ],
      ["start>a>bad"],
      { onError: "compensate" },
    );
    expect(modify(new Driver(made).create().complete("a"), ["a"])?.code).toBe("instance-failing");
  });
});

describe("what is ended", () => {
  test("[K188] an item counts as cancelled, and what depends on it is skipped", () => {
    const items = [{ id: "a" }, { id: "b", dependsOn: ["a"] }, { id: "c" }];
    const driver = new Driver(line(service("many", { loop: loop("graph") }))).create({ items });
    modified(driver, [], [driver.itemInstance("a")]);
    expect([driver.items("cancelled"), driver.items("skipped"), driver.items("running")]).toEqual([
      ["a"],
      ["b"],
      ["c"],
    ]);
    expect(driver.completeItem("c").status).toBe("completed");
  });

  test("[K188] a loop goes on with its next round", () => {
    const rounds: StandardLoop = { mode: "standard", condition: expr("loopCounter < 2"), testBefore: false };
    const driver = new Driver(line(service("a", { loop: rounds }))).create();
    const inner = () => driver.view().elements.find(({ scope }) => scope !== 0)?.key ?? 0;
    modified(driver, [], [inner()]);
    expect(driver.view().elements).toHaveLength(2);
    expect(modified(driver, [], [inner()]).status).toBe("completed");
  });

  test("[K188] a handler counts as failed, and the others still run", () => {
    const made = program(
      [
        ...[start(), service("a", { compensation: "undo-a" }), service("b", { compensation: "undo-b" }), undo("back")],
        ...[service("undo-a", { forCompensation: true }), service("undo-b", { forCompensation: true }), end()],
      ],
      ["start>a>b>back>end"],
    );
    const driver = modified(new Driver(made).create().complete("a").complete("b"), [], ["undo-b"]);
    expect(driver.lastEvents).toContainEqual(expect.objectContaining({ type: "compensation-failed" }));
    expect(driver.active).toEqual(["back", "undo-a"]);
  });

  test("[K188] an event that undoes ends with the handler that runs for it", () => {
    const made = program(
      [
        ...[start(), service("a", { compensation: "undo-a" }), service("undo-a", { forCompensation: true })],
        ...[undo("back"), end()],
      ],
      ["start>a>back>end"],
    );
    expect(modified(new Driver(made).create().complete("a"), [], ["back"]).status).toBe("cancelled");
  });

  test("[K188] the job that chooses is offered again", () => {
    const tools = adHoc("tools", [service("x"), script("s", { n: "1" })], {
      job: { type: "agent", retry: retry(1) },
    });
    const driver = new Driver(program([start(), ...tools], ["start>tools"])).create();
    const [job] = driver.state.jobs.values();
    modified(driver, [], [job?.key ?? 0]);
    expect(driver.lastEffects).toMatchObject([{ type: "cancel-job" }, { type: "offer-job", jobType: "agent" }]);
  });
});
