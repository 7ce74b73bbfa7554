import { describe, expect, test } from "vitest";
import { limits, loadProgram } from "./load.ts";
import type { Element, ProgramDocument } from "./program.ts";
import {
  adHoc,
  and,
  boundary,
  document,
  end,
  expr,
  handling,
  literal,
  loop,
  onCondition,
  onSignal,
  onTimer,
  raise,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  variable,
  xor,
} from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";
import { testHost } from "./testing/host.ts";

const circle = document(
  [start(), script("count", { n: "n + 1" }), xor("again", "again>end"), end()],
  ["start>count>again>end", "again>count: n < 1000000000"],
);

/** Four activations a command, and three `continue` commands a step. */
function small(made: ProgramDocument): Driver {
  return new Driver(loadProgram(made, testHost, { activationsPerCommandMax: 4, continuationsMax: 3 }));
}

describe("[K16] a step that never comes to rest", () => {
  test("stops, and says where it stands and what to do", () => {
    const driver = small(circle).create({ n: 0 }).goOn();
    expect(driver.events.at(-1)).toBe("incident-created");
    expect(driver.view().incidents).toMatchObject([{ owner: 0, kind: "endless", error: { code: "never-rests" } }]);
    const [incident, held] = driver.view().waiting;
    expect(incident).toMatchObject({ on: "incident", element: "count" });
    expect(incident?.advice).toMatch(/Correct what its conditions read/);
    expect(held).toMatchObject({ element: "count", on: "slot", until: "A person lets it go on." });
    expect(driver.lastEffects).toEqual([]);
    expect(driver.try({ type: "continue" })?.code).toBe("nothing-pending");
  });

  test("goes on for as long again when a person retries, and comes to its end once it can", () => {
    const driver = small(circle).create({ n: 0 }).goOn();
    const n = driver.variable("n");
    driver.resolve().goOn();
    expect(Number(driver.variable("n"))).toBeGreaterThan(Number(n));
    expect(driver.view().incidents).toHaveLength(1);
    driver.send({ type: "set-variables", scope: 0, values: { n: 1_000_000_000 }, reason: "enough" });
    driver.resolve().goOn();
    expect(driver.status).toBe("completed");
  });

  test("keeps nothing else from going on, within one command", () => {
    const driver = small({
      ...circle,
      elements: [...circle.elements, and("split"), service("other"), script("after", { m: "1" }), end("done")],
      flows: [
        ...circle.flows.filter(({ from }) => from !== "start"),
        ...document([], ["start>split>count", "split>other>after>done"]).flows,
      ],
    });
    driver.create({ n: 0 }).goOn().complete("other");
    expect(driver.variable("m")).toBe(1);
    expect(driver.state.head.continuing).toBe(false);
    expect(driver.view().incidents).toHaveLength(1);
  });

  test("asks no one again while it is stopped, however much else there is to start", () => {
    const many = service("many", { loop: loop("parallel") });
    const driver = small({
      ...circle,
      elements: [...circle.elements, and("split"), service("other"), many],
      flows: [
        ...circle.flows.filter(({ from }) => from !== "start"),
        ...document([], ["start>split>count", "split>other>many"]).flows,
      ],
    });
    driver
      .create({ n: 0, items: [1, 2, 3, 4, 5, 6] })
      .goOn()
      .complete("other");
    expect(driver.items("ready")).not.toEqual([]);
    expect(driver.view().waiting.find(({ element, on }) => element === "many" && on === "slot")).toMatchObject({
      on: "slot",
      until: "A person lets it go on.",
    });
    driver.resolve();
    expect(driver.state.head.continuing).toBe(true);
  });

  test.each([
    [
      "rounds of a loop",
      script(
        "many",
        { n: "n + 1" },
        { loop: { mode: "standard", condition: { language: "cel", text: "true" }, testBefore: false } },
      ),
    ],
    ["items of a collection", script("many", { n: "n + 1" }, { loop: loop("sequential") })],
  ])("stands at the activity whose %s do not end", (_what, many) => {
    const made = document([start(), many, end()], ["start>many>end"]);
    const driver = small(made)
      .create({ n: 0, items: Array.from({ length: 100 }, (_, index) => index) })
      .goOn();
    expect(driver.view().incidents).toMatchObject([{ kind: "endless", element: "many" }]);
  });

  test("stands nowhere while a failing process is undone, and goes on undoing when a person retries", () => {
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const made = document(
      [
        start(),
        ...names.flatMap((name) => [
          script(name, { n: "n + 1" }, { compensation: `un${name}` }),
          script(`un${name}`, { n: "n - 1" }, { forCompensation: true }),
        ]),
        end("end", { type: "error", code: "E" }),
      ],
      [["start", ...names, "end"].join(">")],
      { onError: "compensate" },
    );
    const driver = new Driver(loadProgram(made, testHost, { activationsPerCommandMax: 4, continuationsMax: 8 }));
    driver.create({ n: 0 }).goOn();
    expect(driver.view().incidents).toMatchObject([{ kind: "endless", element: null }]);
    driver.resolve().goOn();
    expect(driver.status).toBe("failed");
    expect(driver.variable("n")).toBe(0);
  });

  test("may be an event sub-process that broadcasts the signal it begins with", () => {
    const signal = { type: "signal" as const, signal: { name: literal("alarm") } };
    const content = [raise("ring-on", signal), end("rung")];
    const again = handling("again", { trigger: onSignal("alarm"), interrupting: false }, content);
    const driver = small(
      document(
        [start(), raise("ring", signal), service("last"), end(), ...again],
        ["start>ring>last>end", "again-start>ring-on>rung"],
      ),
    );
    driver.create({}).goOn();
    expect(driver.view().incidents).toMatchObject([{ owner: 0, kind: "endless" }]);
  });

  test("is nobody's business any more once the handler it came up in has failed, and with it the process", () => {
    const inside = { parent: "undo" };
    const made = document(
      [
        ...[start(), script("done", { n: "1" }, { compensation: "undo" }), end("end", { type: "error", code: "E" })],
        { id: "undo", kind: "sub-process", parent: null, forCompensation: true },
        ...[
          { ...start("first"), ...inside },
          { ...and("split"), ...inside },
          { ...service("work"), ...inside },
        ],
        ...[
          { ...script("count", { n: "n + 1" }), ...inside },
          { ...xor("again"), ...inside },
        ],
      ],
      ["start>done>end", "first>split>work", "split>count>again", "again>count: true"],
      { onError: "compensate" },
    );
    const driver = small(made).create({ n: 0 }).goOn();
    expect(driver.view().incidents).toMatchObject([{ owner: 0, kind: "endless" }]);
    driver.throw("work", "E2");
    expect(driver.events.slice(-3)).toEqual(["compensation-finished", "incident-resolved", "instance-failed"]);
    expect(driver.view().incidents).toEqual([]);
  });

  const hundred = Array.from({ length: 100 }, () => "x");
  const alternately = (id: string, from: number, to: number) =>
    handling(id, { trigger: onCondition(`n == ${from}`), interrupting: false }, [
      script(`${id}-set`, { n: String(to) }),
    ]);
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
  const saga = names.flatMap((name) => [
    script(name, { n: "n + 1" }, { compensation: `un${name}` }),
    script(`un${name}`, { n: "n - 1" }, { forCompensation: true }),
  ]);
  const forEver = { mode: "standard" as const, condition: expr("true"), testBefore: false };
  const circles: readonly (readonly [string, readonly Element[], readonly string[]])[] = [
    ["tokens", [script("count", { n: "n + 1" }), xor("again", "again>e")], ["s>count>again>e", "again>count: true"]],
    ["rounds", [script("many", { n: "n + 1" }, { loop: forEver })], ["s>many>e"]],
    ["items", [script("many", { n: "n + 1" }, { loop: loop("sequential") })], ["s>many>e"]],
    ["chosen activities", adHoc("tools", [script("x", { n: "n + 1" })], { activate: literal(hundred) }), ["s>tools>e"]],
    ["handlers", [...saga, raise("back", { type: "compensation" })], [["s", ...names, "back", "e"].join(">")]],
    [
      "conditions",
      [script("set", { n: "1" }), service("wait"), ...alternately("up", 1, 2), ...alternately("down", 2, 1)],
      ["s>set>wait>e", "up-start>up-set", "down-start>down-set"],
    ],
  ];

  test.each(circles)(
    "is gone once something else ends the %s that went round, and not before",
    (_what, content, lines) => {
      const inside = sub("box", [start("s"), ...content, end("e")]);
      const made = document(
        [
          ...[start(), and("split"), ...inside, boundary("stop", "box", { trigger: onSignal("stop") }), end()],
          ...[service("beside"), ...adHoc("asking", [service("y")], { job: { type: "ask", retry: retry() } })],
        ],
        ["start>split>box>end", "split>beside>end", "split>asking>end", "stop>more>end", ...lines],
      );
      const more = service("more");
      const limits = { activationsPerCommandMax: 6, continuationsMax: 5 };
      const driver = new Driver(loadProgram({ ...made, elements: [...made.elements, more] }, testHost, limits));
      driver.create({ n: 0, items: hundred }).goOn();
      expect(driver.view().incidents).toMatchObject([{ owner: 0, kind: "endless" }]);
      driver.send({ type: "set-variables", scope: 0, values: { other: 0 }, reason: "so" });
      expect(driver.view().incidents).toMatchObject([{ owner: 0, kind: "endless" }]);
      driver.deliver("stop");
      expect(driver.events).toContain("incident-resolved");
      expect(driver.goOn().view().incidents).toEqual([]);
      expect(driver.active).toEqual(expect.arrayContaining(["asking", "beside", "more"]));
    },
  );

  test.each(Array.from({ length: 12 }, (_, index) => index))(
    "is nobody's business when it is ended in the very command that would tell, as after %i other steps",
    (count) => {
      const names = Array.from({ length: count }, (_, index) => `s${index}`);
      const steps = names.map((name) => script(name, {}));
      const content = [start("s"), and("fork"), script("count", { n: "n + 1" }), xor("again", "again>e"), end("e")];
      const inside = sub("box", [...content, ...steps, end("all", { type: "terminate" })]);
      const lines = ["start>split>work", "split>box", "s>fork>count>again>e", "again>count: true"];
      const driver = small(
        document([start(), and("split"), service("work"), ...inside], [...lines, ["fork", ...names, "all"].join(">")]),
      );
      driver.create({ n: 0 }).goOn();
      const stands = driver.active.includes("box");
      expect(driver.view().incidents.length).toBe(stands ? 1 : 0);
    },
  );

  test("is told again when what is held back beside what ended is a circle, too", () => {
    const box = (id: string) =>
      sub(id, [
        start(`${id}s`),
        script(`${id}count`, { n: "n + 1" }),
        xor(`${id}again`, `${id}again>${id}e`),
        end(`${id}e`),
      ]);
    const inside = (id: string) => [`${id}s>${id}count>${id}again>${id}e`, `${id}again>${id}count: true`];
    const made = document(
      [start(), and("split"), ...box("a"), ...box("b")],
      ["start>split>a", "split>b", ...inside("a"), ...inside("b")],
    );
    const driver = small(made).create({ n: 0 }).goOn();
    const told = driver.view().incidents;
    expect(told).toMatchObject([{ kind: "endless" }]);
    driver.send({ type: "modify-instance", activate: [], terminate: [driver.key("a")], reason: "so" });
    expect(driver.view().incidents).toEqual([]);
    expect(driver.goOn().view().incidents).toMatchObject([{ kind: "endless", element: "bcount" }]);
    driver.send({ type: "modify-instance", activate: [], terminate: [driver.key("b")], reason: "so" });
    expect(driver.status).toBe("cancelled");
  });

  test("is gone though beside it a choice fails, which waits for a person of its own", () => {
    const job = { type: "ask", typeFrom: variable("missing"), retry: retry() };
    const content = [start("s"), service("work"), script("count", { n: "n + 1" }), xor("again", "again>e"), end("e")];
    const box = sub("box", content);
    const made = document(
      [start(), and("split"), ...adHoc("asking", [service("y")], { job }), ...box, end()],
      ["start>split>asking>end", "split>box>end", "s>work>count>again>e", "again>count: true"],
    );
    const driver = small(made).create({ n: 0 }).goOn().complete("work").goOn();
    expect(driver.view().incidents.map(({ kind }) => kind)).toEqual(["choice", "endless"]);
    driver.send({ type: "modify-instance", activate: [], terminate: [driver.key("box")], reason: "so" });
    expect(driver.view().incidents.map(({ kind }) => kind)).toEqual(["choice"]);
  });

  test("is gone when an event sub-process takes over the scope in which it went round", () => {
    const stop = handling("stop", { trigger: onSignal("stop") }, [service("instead")]);
    const made = document(
      [start(), script("count", { n: "n + 1" }), xor("again", "again>end"), end(), ...stop],
      ["start>count>again>end", "again>count: true", "stop-start>instead"],
    );
    const driver = small(made).create({ n: 0 }).goOn();
    expect(driver.view().incidents).toMatchObject([{ kind: "endless" }]);
    expect(driver.deliver("stop-start").view().incidents).toEqual([]);
    expect(driver.active).toEqual(["instead", "stop"]);
  });

  test("stands at the first of several tokens that are held back", () => {
    const made = document(
      [start(), and("split"), xor("b"), xor("a"), xor("c")],
      ["start>split>b>c", "split>a>c", "c>b: true", "c>a: false"],
    );
    const driver = small(made);
    driver.create().goOn();
    const held = [...driver.state.heldFlows.values()].map(({ flow }) => flow).sort();
    expect(held.length).toBeGreaterThan(1);
    expect(driver.view().incidents).toMatchObject([{ element: held[0]?.split(">")[1] }]);
  });

  test("counts anew after it came to rest", () => {
    const driver = small(
      document(
        [start(), script("count", { n: "n + 1" }), xor("again", "again>work"), service("work")],
        ["start>count>again>work>count", "again>count: n % 7 != 0"],
      ),
    );
    driver.create({ n: 0 });
    for (let left = 5; left > 0; left -= 1) driver.goOn().complete("work");
    expect(driver.view().incidents).toEqual([]);
  });

  test("is given a million activations by default", () => {
    expect(limits.activationsPerCommandMax * limits.continuationsMax).toBe(1_000_000);
  });
});

describe("[K15] a step that goes on in parts", () => {
  test("stands still while the instance is paused, and goes on when it is resumed", () => {
    const driver = small(circle).create({ n: 0 });
    driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" });
    expect(driver.try({ type: "continue" })?.code).toBe("instance-paused");
    driver.send({ type: "resume-instance" });
    expect(driver.lastEffects).toEqual([{ type: "release-jobs" }, { type: "continue" }]);
    driver.send({ type: "continue" });
  });

  test("is asked for again when a pause ends because the instance fails", () => {
    const made = document(
      [
        start(),
        and("split"),
        service("work", { compensation: "undo" }),
        service("undo", { forCompensation: true }),
        service("other", {
          policy: { retry: { attemptsMax: 1, backoff: { firstMs: 0, factor: 1, maxMs: 0 }, exhausted: "error" } },
        }),
        ...circle.elements.slice(1),
      ],
      ["start>split>work", "split>other", "split>count>again>end", "again>count: n < 1000000000"],
      { onError: "compensate" },
    );
    const driver = new Driver(loadProgram(made, testHost, { activationsPerCommandMax: 20, continuationsMax: 1_000 }));
    driver.create({ n: 0 }).complete("work");
    driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" }).fail("other");
    expect(driver.status).toBe("failing");
    driver.complete("undo");
    expect(driver.status).toBe("failed");
  });

  test("puts no more items in line for a lock than it may start", () => {
    const items = Array.from({ length: 10 }, (_, index) => ({ id: `i${index}`, locks: ["one"] }));
    const made = document(
      [start(), service("work", { loop: loop("graph", { collection: literal(items) }) }), end()],
      ["start>work>end"],
    );
    const driver = small(made).create();
    const blocked = () => driver.events.filter((type) => type === "item-blocked");
    expect([blocked().length, driver.events.at(-1)]).toEqual([2, "continuation-requested"]);
    expect(driver.view().waiting.filter(({ on }) => on === "slot")).toHaveLength(7);
    for (let left = items.length; left > 0; left -= 1) {
      const [running = "", ...others] = driver.items("running");
      expect(others).toEqual([]);
      driver.send({ type: "complete-job", key: driver.itemInstance(running), result: {} });
      expect(blocked().length).toBeLessThanOrEqual(4);
      driver.goOn();
    }
    expect(driver.status).toBe("completed");
  });

  test("ends with a cancellation, whatever is held back", () => {
    const driver = small(circle).create({ n: 0 }).goOn();
    driver.send({ type: "cancel-instance", reason: "enough" });
    expect(driver.status).toBe("cancelled");
    const paced = document(
      [...circle.elements, onTimer("late", "count", { timer: timer("duration", "PT1S") })],
      ["start>count>again>end", "again>count: n < 1000000000"],
    );
    expect(small(paced).create({ n: 0 }).send({ type: "cancel-instance", reason: "enough" }).status).toBe("cancelled");
  });
});
