import { describe, expect, test } from "vitest";
import type { AdHocSubProcess, Element } from "../program.ts";
import {
  adHoc,
  and,
  complex,
  end,
  expr,
  literal,
  loop,
  map,
  onError,
  program,
  raise,
  retry,
  script,
  service,
  start,
  sub,
  undo,
  variable,
  wait,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

type Options = Partial<Omit<AdHocSubProcess, "id" | "kind" | "parent">>;

const output = { target: "found", source: expr("answer") };

/** An ad-hoc sub-process with the activities a, b, c; c leads on to d. */
function tools(options: Options = {}, more: readonly Element[] = [], lines: readonly string[] = []): Driver {
  const inside = [service("a"), service("b"), service("c"), service("d"), ...more];
  const made = program([start(), ...adHoc("tools", inside, options), end()], ["start>tools>end", "c>d", ...lines]);
  return new Driver(made);
}

const job = { type: "agent", retry: retry(2) };

/** Answers the job that chooses. */
function answer(driver: Driver, result: Parameters<Driver["complete"]>[1]): Driver {
  const open = [...driver.state.jobs.values()].find(({ jobType }) => jobType === "agent");
  return driver.send({ type: "complete-job", key: open?.key ?? 0, result: result ?? {} });
}

function choices(driver: Driver) {
  return driver.effects.flatMap((effect) =>
    effect.type === "offer-job" && effect.jobType === "agent" ? [effect] : [],
  );
}

function running(driver: Driver): string[] {
  return driver.view().elements.flatMap(({ element }) => (element === "tools" ? [] : [element]));
}

describe("what the definition activates", () => {
  test("[K177] starts at once, several times if it is named so, and what is behind follows", () => {
    const driver = tools({ activate: literal(["a", "c", "a"]) }).create();
    expect(running(driver)).toEqual(["a", "c", "a"]);
    driver.complete("c");
    expect(running(driver)).toEqual(["a", "a", "d"]);
  });

  test("[K177] starts one after the other where the ordering says so", () => {
    const driver = tools({ activate: literal(["c", "a"]), ordering: "sequential" }).create();
    expect(driver.view().waiting).toMatchObject([
      { on: "job", element: "c" },
      { on: "slot", element: "a" },
    ]);
    expect(running(driver.complete("c"))).toEqual(["d"]);
    expect(running(driver.complete("d"))).toEqual(["a"]);
    expect(driver.complete("a").status).toBe("completed");
  });

  test("[K178] takes local variables along", () => {
    const inner = service("x", { inputs: map({ text: "question" }) });
    const activate = expr("wanted");
    const driver = tools({ activate }, [inner]).create({
      wanted: [
        { element: "x", variables: { question: "who?" } },
        { element: "x", variables: { question: "why?" } },
      ],
    });
    const inputs = [...driver.state.jobs.values()].map(({ input }) => input["text"]);
    expect(inputs).toEqual(["who?", "why?"]);
    expect(driver.view().variables).not.toHaveProperty("question");
  });

  test("[K178] sees the inputs and declared variables", () => {
    const variables = [{ name: "first", type: "string" as const, initial: "b" }];
    const activate = expr("list");
    const driver = tools({ activate, inputs: map({ list: "given" }), variables }).create({ given: ["b"] });
    expect(running(driver)).toEqual(["b"]);
  });

  test.each<[string, Options]>([
    ["no list", { activate: literal("a") }],
    ["an element behind another", { activate: literal(["d"]) }],
    ["a number", { activate: literal([3]) }],
    ["nothing at all", { activate: literal([{}]) }],
    ["variables that are none", { activate: literal([{ element: "a", variables: 3 }]) }],
    ["variables for an event", { activate: literal([{ element: "e", variables: { x: 1 } }]) }],
    ["too many", { activate: literal(Array.from({ length: 1_001 }, () => "a")) }],
    ["an unknown variable", { activate: variable("missing") }],
    ["inputs that fail", { inputs: map({ x: "missing" }) }],
    ["a variable of another type", { inputs: map({ x: "1" }), variables: [{ name: "x", type: "string" }] }],
  ])("[K178] is an incident of the activation where it is %s", (_what, options) => {
    const driver = tools(options, [raise("e")]).create();
    expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "tools" }]);
    expect(running(driver)).toEqual([]);
  });

  test("[K181] completes it with the last of them", () => {
    const driver = tools({ activate: literal(["a", "b"]) })
      .create()
      .complete("a");
    expect(driver.status).toBe("running");
    expect(driver.complete("b").status).toBe("completed");
    expect(tools({ activate: literal([]) }).create().status).toBe("completed");
  });

  test("[K177] events may be activated, too, and activities that never wait count", () => {
    const more = [raise("e"), script("s", { n: "n + 1" })];
    const driver = tools({ activate: literal(["e", "s", "a"]), ordering: "sequential" }, more).create({ n: 0 });
    expect(driver.variable("n")).toBe(1);
    expect(running(driver)).toEqual(["a"]);
    expect(driver.history.filter(({ type }) => type === "ad-hoc-ended")).toHaveLength(1);
  });

  test("[K181] a join that lacks tokens is stuck, once nothing else will be chosen", () => {
    const driver = tools(
      { activate: literal(["a"]) },
      [and("both"), service("after")],
      ["a>both>after", "b>both"],
    ).create();
    driver.complete("a");
    expect(driver.view().incidents).toMatchObject([{ kind: "flow", element: "tools", error: { code: "join-stuck" } }]);
    expect(driver.resolve().view().incidents).toHaveLength(1);
    const other = tools({ activate: literal(["a", "b"]) }, [and("both"), service("after")], ["a>both>after", "b>both"]);
    expect(running(other.create().complete("a").complete("b"))).toEqual(["after"]);
  });

  test("[K15] goes on in parts", () => {
    const list = literal(Array.from({ length: 1_000 }, () => "s"));
    const driver = tools({ activate: list }, [script("s", { n: "n + 1" })], ["s>d"]);
    driver.create({ n: 0 });
    expect(driver.state.head.continuing).toBe(true);
    expect(driver.view().waiting.some(({ on }) => on === "slot")).toBe(true);
    driver.goOn();
    expect(driver.variable("n")).toBe(1_000);
  });
});

describe("a job that chooses", () => {
  test("[K179] is told what there is, and what came of it", () => {
    const named = service("x", { name: "Search", documentation: "Finds things.", inputs: map({ text: "question" }) });
    const driver = tools({ job, inputs: map({ goal: "goal" }), output }, [named, raise("e")]).create({ goal: "win" });
    expect(choices(driver)).toMatchObject([{ element: "tools", attempt: 1 }]);
    expect(choices(driver)[0]?.input).toEqual({
      goal: "win",
      elements: [
        { id: "a", name: "a", inputs: [] },
        { id: "b", name: "b", inputs: [] },
        { id: "c", name: "c", inputs: [] },
        { id: "x", name: "Search", documentation: "Finds things.", inputs: ["text"] },
        { id: "e", name: "e", inputs: [] },
      ],
      results: [],
    });
    answer(driver, { activate: [{ element: "x", variables: { question: "who?" } }, "a"] });
    expect(running(driver)).toEqual(["x", "a"]);
    driver.complete("a", { answer: 1 });
    expect(choices(driver)).toHaveLength(1);
    driver.complete("x", { answer: 2 });
    expect(choices(driver)[1]?.input).toMatchObject({
      results: [
        { element: "a", result: 1 },
        { element: "x", result: 2 },
      ],
    });
    answer(driver, { done: true });
    expect(driver.status).toBe("completed");
    expect(driver.variable("found")).toEqual([1, 2]);
  });

  test("[K179] may choose and be done in one answer; choosing nothing is being done, too", () => {
    const driver = answer(tools({ job }).create(), { activate: ["a"], done: true });
    expect(driver.complete("a").status).toBe("completed");
    expect(answer(tools({ job }).create(), {}).status).toBe("completed");
  });

  test("[K179] choosing nothing while something runs leaves it open", () => {
    const driver = tools({ job }).create();
    driver.send({ type: "activate-elements", key: driver.view().elements[0]?.key ?? 0, elements: [{ element: "b" }] });
    answer(driver, {});
    expect(driver.complete("b").status).toBe("running");
    expect(choices(driver)).toHaveLength(2);
  });

  test("[K179] a late answer is not taken for the next one", () => {
    const driver = tools({ job }).create();
    const [first] = driver.state.jobs.values();
    answer(driver, { activate: ["a"] }).complete("a");
    const refused = driver.try({ type: "complete-job", key: first?.key ?? 0, result: { done: true } });
    expect(refused?.code).toBe("job-not-found");
  });

  test.each([{ activate: "a" }, { activate: ["nobody"] }, { done: "yes" }])(
    "[K179] an answer that makes no sense is a failed attempt (%o)",
    (said) => {
      const driver = answer(tools({ job }).create(), said);
      expect(driver.lastEvents).toMatchObject([{ type: "job-failed", error: { code: "choice-invalid" } }]);
      answer(driver, said);
      expect(driver.view().incidents).toMatchObject([{ kind: "job", element: "tools" }]);
      expect(running(answer(driver.resolve(), { activate: ["a"] }))).toEqual(["a"]);
    },
  );

  test("[K179] its errors are caught on the sub-process", () => {
    const inside = adHoc("tools", [service("a")], { job });
    const made = program(
      [start(), ...inside, onError("oops", "tools"), service("other")],
      ["start>tools", "oops>other"],
    );
    const driver = new Driver(made).create();
    const [open] = driver.state.jobs.values();
    driver.send({ type: "throw-job-error", key: open?.key ?? 0, error: { code: "E", message: "no" } });
    expect(driver.active).toEqual(["other"]);
  });

  test("[K15] [K179] is asked in a step of its own after as many activations as one may have", () => {
    const activate = literal(Array.from({ length: 999 }, () => "s"));
    const driver = tools({ job, activate }, [script("s", { n: "n + 1" })]).create({ n: 0 });
    expect([choices(driver).length, driver.state.head.continuing]).toEqual([0, true]);
    expect(choices(driver.goOn())[0]?.input["results"]).toHaveLength(999);
  });

  test("[K179] is given null for an optional input that is not there", () => {
    const inputs = [{ target: "hint", source: variable("missing"), optional: true }];
    expect(choices(tools({ job, inputs }).create())[0]?.input).toMatchObject({ hint: null });
  });

  test("[K179] may have been given something to start with", () => {
    const driver = tools({ job, activate: literal(["a"]) }).create();
    expect(choices(driver)).toEqual([]);
    driver.complete("a");
    expect(choices(driver)[0]?.input["results"]).toEqual([{ element: "a", result: {} }]);
  });
});

describe("commands that choose", () => {
  const choose = (driver: Driver, elements: readonly string[], complete?: boolean) =>
    driver.try({
      type: "activate-elements",
      key: driver.key("tools"),
      elements: elements.map((element) => ({ element })),
      ...(complete === undefined ? {} : { complete }),
    });

  test("[K180] [K181] keep it open until one says that it is complete", () => {
    const driver = tools().create();
    expect(driver.view().waiting).toMatchObject([{ on: "choice", until: "Somebody activates one of 'a', 'b', 'c'." }]);
    expect(choose(driver, ["a"])).toBeUndefined();
    driver.complete("a");
    expect(choose(driver, ["b"], true)).toBeUndefined();
    expect(choose(driver, ["a"])?.code).toBe("ad-hoc-not-found");
    expect(driver.complete("b").status).toBe("completed");
  });

  test("[K180] take variables along", () => {
    const driver = tools({}, [service("x", { inputs: map({ text: "question" }) })]).create();
    const elements = [{ element: "x", variables: { question: "who?" } }];
    driver.send({ type: "activate-elements", key: driver.key("tools"), elements });
    expect(driver.lastEffects).toMatchObject([{ type: "offer-job", input: { text: "who?" } }]);
  });

  test("[K180] are refused where they make no sense", () => {
    const driver = tools({ ordering: "sequential" }).create();
    expect(driver.try({ type: "activate-elements", key: 99, elements: [] })?.code).toBe("ad-hoc-not-found");
    expect(choose(driver, ["nobody"])?.code).toBe("element-not-activatable");
    expect(
      choose(
        driver,
        Array.from({ length: 1_001 }, () => "a"),
      )?.code,
    ).toBe("limit-exceeded");
    choose(
      driver,
      Array.from({ length: 1_000 }, () => "a"),
    );
    expect(choose(driver, ["a", "a"])?.code).toBe("limit-exceeded");
  });

  test("[K180] that complete it end the choosing job", () => {
    const driver = tools({ job }).create();
    const key = driver.view().elements[0]?.key ?? 0;
    driver.send({ type: "activate-elements", key, elements: [{ element: "a" }], complete: true });
    expect(driver.lastEffects).toMatchObject([{ type: "cancel-job" }, { type: "offer-job", jobType: "a" }]);
    expect(driver.complete("a").status).toBe("completed");
  });
});

describe("completion", () => {
  const activate = literal(["a", "b", "c"]);

  test("[K182] ends it once the condition holds, with or without what still runs", () => {
    const completion = expr("completed >= 2");
    const cancelling = tools({ activate, completion, cancelRemaining: true }).create().complete("a");
    expect(running(cancelling)).toEqual(["b", "c"]);
    expect(cancelling.complete("b").status).toBe("completed");
    const waiting = tools({ activate, completion }).create().complete("a").complete("b");
    expect(running(waiting)).toEqual(["c"]);
    expect(waiting.complete("c").status).toBe("completed");
  });

  test("[K182] an event that still waits is awaited, too", () => {
    const options = { activate: literal(["a", "e"]), completion: expr("completed >= 1") };
    const driver = tools(options, [wait("e")]).create();
    expect(driver.complete("a").active).toEqual(["e", "tools"]);
    expect(driver.fire("e").status).toBe("completed");
  });

  test("[K182] sees what was collected, and how many are active", () => {
    const completion = expr("active == 0 && found == wanted");
    const driver = tools({ activate: literal(["a"]), completion, output }).create({ wanted: [7] });
    expect(driver.complete("a", { answer: 7 }).status).toBe("completed");
  });

  test("[K182] where it does not hold, more may be chosen", () => {
    const driver = tools({ activate: literal(["a"]), completion: expr("completed >= 2") })
      .create()
      .complete("a");
    expect(driver.view().waiting).toMatchObject([{ on: "choice" }]);
    driver.send({ type: "activate-elements", key: driver.key("tools"), elements: [{ element: "b" }] });
    expect(driver.complete("b").status).toBe("completed");
  });

  test("[K182] a condition that fails waits for a person", () => {
    const driver = tools({ activate, completion: expr("missing > 1") })
      .create()
      .complete("a");
    expect(driver.view().incidents).toMatchObject([{ kind: "choice", element: "tools" }]);
    driver.complete("b");
    expect(driver.view().incidents).toHaveLength(1);
    driver.send({ type: "set-variables", scope: 0, values: { missing: 2 }, reason: "forgotten" }).resolve();
    expect(running(driver)).toEqual(["c"]);
    expect(driver.complete("c").status).toBe("completed");
  });

  test("[K182] [K179] ends the choosing job", () => {
    const driver = tools({ job, completion: expr("completed >= 1") }).create();
    driver.send({ type: "activate-elements", key: driver.view().elements[0]?.key ?? 0, elements: [{ element: "a" }] });
    expect(driver.complete("a").status).toBe("completed");
  });

  test("[K183] what was collected is written in the order in which they completed, and outputs see it", () => {
    const driver = tools({ activate, output, outputs: map({ copy: "found" }) }).create();
    driver
      .complete("b", { answer: 2 })
      .complete("c", { answer: 3 })
      .complete("a", { answer: 1 })
      .complete("d", { answer: 4 });
    expect(driver.view().variables).toMatchObject({ found: [2, 3, 1, 4], copy: [2, 3, 1, 4] });
  });

  test("[K183] an output that fails is an incident of the activity, and one that does not fit of the whole", () => {
    const driver = tools({ activate: literal(["a"]), output })
      .create()
      .complete("a");
    expect(driver.view().incidents).toMatchObject([{ kind: "completion", element: "a" }]);
    const typed = program(
      [start(), ...adHoc("tools", [service("a")], { activate: literal(["a"]), output }), end()],
      ["start>tools>end"],
      { variables: [{ name: "found", type: "string" }] },
    );
    const other = new Driver(typed).create().complete("a", { answer: 1 });
    expect(other.view().incidents).toMatchObject([{ kind: "completion", element: "tools" }]);
    expect(other.resolve().view().incidents).toHaveLength(1);
  });

  test("[K183] a terminate end in it completes it, whatever else was chosen", () => {
    const stop = [end("stop", { type: "terminate" })];
    const driver = tools({ activate, ordering: "sequential" }, stop, ["a>stop"]).create();
    expect(driver.complete("a").status).toBe("completed");
    const again = tools({ job }, stop, ["a>stop"]).create();
    expect(answer(again, { activate: ["a", "b"] }).complete("a").status).toBe("completed");
  });

  test("[K183] a gateway that waits to start again does not keep it open", () => {
    const lines = ["a>gate>d", "b>gate"];
    const driver = tools({ activate: literal(["a"]) }, [complex("gate", "arrived >= 1")], lines).create();
    expect(driver.complete("a").complete("d").status).toBe("completed");
  });
});

describe("like other activities", () => {
  test("[K65] it runs for every item of a collection, and yields what it collected", () => {
    const each = loop("parallel", { output: { target: "all", source: variable("found") } });
    const driver = tools({ activate: literal(["a"]), output, loop: each }).create({ items: [1, 2] });
    for (const { key } of driver.view().elements.filter(({ element }) => element === "a")) {
      driver.send({ type: "complete-job", key, result: { answer: key } });
    }
    expect(driver.status).toBe("completed");
    expect(driver.view().variables["all"]).toEqual([[expect.any(Number)], [expect.any(Number)]]);
    expect(driver.view().variables).not.toHaveProperty("found");
  });

  test("[K183] collections, containers and rules in it yield as a whole", () => {
    const many = service("many", { loop: loop("parallel", { output: { target: "n", source: expr("item") } }) });
    const box = sub("box", [start("s"), service("x"), end("e")], { outputs: map({ y: "1" }) });
    const inside = [many, ...box].map((element) =>
      element.parent === null ? { ...element, parent: "tools" } : element,
    );
    const made = program(
      [start(), ...adHoc("tools", inside, { activate: literal(["many", "box"]), job }), end()],
      ["start>tools>end", "s>x>e"],
    );
    const driver = new Driver(made)
      .create({ items: [1] })
      .complete("x")
      .completeItem("0");
    expect(choices(driver)[0]?.input["results"]).toEqual([
      { element: "box", result: { y: 1 } },
      { element: "many", result: {} },
    ]);
  });

  test("[K97] what completed in it is undone in its place", () => {
    const undone = [service("a", { compensation: "undo-a" }), service("undo-a", { forCompensation: true })];
    const made = program(
      [start(), ...adHoc("tools", undone, { activate: literal(["a"]) }), undo("back"), end()],
      ["start>tools>back>end"],
    );
    const driver = new Driver(made).create().complete("a");
    expect(driver.active).toEqual(["back", "undo-a"]);
    expect(driver.complete("undo-a").status).toBe("completed");
  });

  test("[K165] an activity that has no way on keeps what it yields until it has", () => {
    const driver = tools({ activate: literal(["x"]), output }, [service("x"), service("y")], ["x>y: n > 1"]).create({
      n: 0,
    });
    driver.complete("x", { answer: 5 });
    expect(driver.view().incidents).toMatchObject([{ kind: "route", element: "x" }]);
    driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "forgotten" }).resolve();
    expect(driver.complete("y", { answer: 6 }).variable("found")).toEqual([5, 6]);
  });
});

describe("another version", () => {
  const version = (id: string, lines: readonly string[] = []) =>
    program(
      [
        start(),
        ...adHoc("tools", [service("a"), service(id), service("z")], {
          ordering: "sequential",
          activate: literal(["a", id]),
          job,
          variables: [{ name: "local", type: "integer", initial: 1 }],
        }),
        end(),
      ],
      ["start>tools>end", ...lines],
    );
  const migrate = (driver: Driver, to: ReturnType<typeof version>, mapping: { readonly [element: string]: string }) =>
    driver.try({ type: "migrate-instance", to, mapping, reason: "better" });

  test("[K177] takes over what was chosen and what came of it, under its new name", () => {
    const driver = new Driver(version("old")).create().complete("a");
    expect(migrate(driver, version("new"), { old: "new" })).toBeUndefined();
    driver.complete("new");
    expect(choices(driver).at(-1)?.input["results"]).toEqual([
      { element: "a", result: {} },
      { element: "new", result: {} },
    ]);
    const early = new Driver(version("old")).create();
    expect(migrate(early, version("new"), { old: "new" })).toBeUndefined();
    expect(early.complete("a").active).toEqual(["new", "tools"]);
    // The job that chooses has no variables of its own.
    early.complete("new");
    expect(migrate(early, version("newer"), { new: "newer" })).toBeUndefined();
    expect([...early.state.variables.values()].filter(({ name }) => name === "local")).toHaveLength(1);
    answer(early, { activate: ["newer"] });
    expect(early.active).toEqual(["newer", "tools"]);
    const again = early.complete("newer").history.filter(({ type }) => type === "ad-hoc-ended");
    expect(again).toHaveLength(3);
    expect(migrate(early, version("newest"), { newer: "newest" })).toBeUndefined();
    expect([...early.state.adHocResults.values()].map(({ element }) => element)).toEqual(["a", "newest", "newest"]);
  });

  test("[K206] is refused where what was chosen could not be activated by itself", () => {
    const driver = new Driver(version("old")).create();
    const refused = migrate(driver, version("new", ["z>new"]), { old: "new" });
    expect(refused?.reason).toContain("'old' was chosen, and 'new' cannot be activated by itself");
    expect(migrate(driver, version("new"), {})?.reason).toContain("'old' is open, and the new version has none");
  });
});

test("[K110] a start event in an ad-hoc sub-process is refused", () => {
  expect(() => tools({}, [start("s")])).toThrow("has a start event in the ad-hoc sub-process 'tools'");
});
