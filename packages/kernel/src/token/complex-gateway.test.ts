import { expect, test } from "vitest";
import { and, complex, end, onTimer, program, service, start, sub, timer, xor } from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

/** a, b, c → join (2 of 3) → after; `late` is reached only by the second phase. */
function discriminator(activation = "arrived >= 2", lines: readonly string[] = ["join>after>end"]): Driver {
  const made = program(
    [
      ...[start(), and("split"), service("a"), service("b"), service("c"), complex("join", activation)],
      ...[service("after"), service("late"), end()],
    ],
    ["start>split>a>join", "split>b>join", "split>c>join", ...lines, "late>end"],
  );
  return new Driver(made).create({ n: 0 });
}

function joined(driver: Driver): readonly (readonly string[])[] {
  return driver.history.flatMap((event) => (event.type === "tokens-joined" ? [event.flows] : []));
}

test("[K166] goes on once its condition holds, with one token of each flow that has one", () => {
  const driver = discriminator().complete("c");
  expect(driver.active).toEqual(["a", "b"]);
  expect(driver.complete("a").active).toEqual(["after", "b", "join"]);
  expect(joined(driver)).toEqual([["a>join", "c>join"]]);
});

test("[K166] its condition sees how many tokens there are on the flows into it", () => {
  const driver = discriminator("activationCount == 2").complete("c");
  expect(driver.complete("a").active).toEqual(["after", "b", "join"]);
});

test("[K167] waits for the rest, swallows it, and the scope ends", () => {
  const driver = discriminator().complete("a").complete("b").complete("after");
  expect(driver.view().waiting).toMatchObject([{ on: "job" }, { on: "join", element: "join" }]);
  expect(driver.complete("c").status).toBe("completed");
  expect(joined(driver)).toEqual([["a>join", "b>join"], ["c>join"]]);
});

test("[K166] sees how many tokens wait on each flow", () => {
  const driver = discriminator("tokens.x + arrived == expected + n", ["join>after>end"]);
  driver.complete("a");
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", element: "join" }]);
  const counted = program(
    [start(), and("split"), service("a"), complex("join", "tokens.a_join == 1 && expected == 2"), end()],
    [],
    {
      flows: [
        { id: "s", from: "start", to: "split" },
        { id: "s_a", from: "split", to: "a" },
        { id: "s_join", from: "split", to: "join" },
        { id: "a_join", from: "a", to: "join" },
        { id: "out", from: "join", to: "end" },
      ],
    },
  );
  const other = new Driver(counted).create();
  expect(other.active).toEqual(["a"]);
  expect(other.complete("a").status).toBe("completed");
});

test("[K166] a condition that cannot be evaluated waits for a person, and is asked again", () => {
  const driver = discriminator("arrived >= missing").complete("a").complete("b");
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", element: "join", owner: 0 }]);
  driver.send({ type: "set-variables", scope: 0, values: { missing: 2 }, reason: "forgotten" }).resolve();
  expect(driver.active).toEqual(["after", "c", "join"]);
});

test("[K166] without a way out it waits for a person, having used up the tokens", () => {
  const driver = discriminator("arrived >= 2", ["join>after: n > 0", "after>end"]).complete("a").complete("b");
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", element: "join", error: { code: "no-route" } }]);
  // What comes meanwhile is kept.
  driver.complete("c");
  driver.send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "forgotten" }).resolve();
  expect(joined(driver)).toEqual([["a>join", "b>join"], ["c>join"]]);
  expect(driver.active).toEqual(["after"]);
});

test("[K167] conditions tell the phases apart by waitingForStart", () => {
  const driver = discriminator("arrived >= 1", [
    "join>after: waitingForStart",
    "join>late: !waitingForStart",
    "after>end",
  ]);
  expect(driver.complete("b").active).toEqual(["a", "after", "c", "join"]);
  expect(driver.complete("a").active).toEqual(["after", "c", "join"]);
  expect(driver.complete("c").active).toEqual(["after", "late"]);
});

test("[K167] resetting, the default flow is taken when no condition holds", () => {
  const made = program(
    [
      start(),
      and("split"),
      service("a"),
      service("b"),
      complex("join", "arrived >= 1", "join>late"),
      service("after"),
      service("late"),
    ],
    ["start>split>a>join", "split>b>join", "join>late", "join>after: waitingForStart"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["after", "b", "join"]);
  expect(driver.complete("b").active).toEqual(["after", "late"]);
});

test("[K167] a condition that fails while it resets is an incident, and asked again", () => {
  const driver = discriminator("arrived >= 2", ["join>after: waitingForStart || n > 1", "after>end"]);
  driver.complete("a").complete("b");
  driver.send({ type: "set-variables", scope: 0, values: { n: "many" }, reason: "wrong" }).complete("c");
  expect(driver.view().incidents).toMatchObject([{ kind: "route", element: "join" }]);
  expect(driver.resolve().view().incidents).toHaveLength(1);
  driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "right" }).resolve();
  expect(driver.view().elements.map(({ element }) => element)).toEqual(["after", "after"]);
});

test("[K167] does not wait for what cannot come any more, and waits for what another join holds back", () => {
  const late = onTimer("gone", "c", { timer: timer("duration", "PT5S") });
  const made = program(
    [
      start(),
      and("split"),
      service("a"),
      service("c"),
      service("d"),
      late,
      complex("join", "arrived >= 1"),
      end("out"),
    ],
    ["start>split>a>join", "split>c>join", "gone>out", "split>d"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["c", "d", "join"]);
  expect(driver.fire("gone").active).toEqual(["d"]);
});

test("[K167] waits for a gateway that took its tokens and has not found a way out", () => {
  const made = program(
    [start(), and("split"), complex("early", "arrived >= 1"), complex("join", "arrived >= 1"), service("after"), end()],
    ["start>split>early", "early>join: n > 0", "split>join>after>end"],
  );
  const driver = new Driver(made).create({ n: 0 }).complete("after");
  expect(driver.view().incidents).toMatchObject([
    { kind: "activation", element: "early", error: { code: "no-route" } },
  ]);
  expect(driver.view().waiting).toContainEqual(expect.objectContaining({ on: "join", element: "join" }));
  driver.send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "forgotten" }).resolve();
  expect(driver.status).toBe("completed");
  expect(joined(driver).slice(-1)).toEqual([["early>join"]]);
});

test("[K43] [K167] a gateway that waits for a join that is stuck is stuck with it", () => {
  const made = program(
    [
      start(),
      and("split"),
      service("a"),
      service("b"),
      xor("never", "never>end"),
      and("both"),
      complex("join", "arrived >= 1"),
      end(),
    ],
    ["start>split>a>join", "split>b>both>join", "split>never>end", "never>both: n > 1"],
  );
  const driver = new Driver(made).create({ n: 0 }).complete("a");
  expect(driver.view().incidents).toEqual([]);
  driver.complete("b");
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", error: { code: "join-stuck" } }]);
  expect(driver.active).toEqual(["join"]);
});

test("[K168] a second token on a flow it had one from is kept for the next time", () => {
  const again = onTimer("again", "b", { timer: timer("duration", "PT5S"), interrupting: false });
  const made = program(
    [
      start(),
      and("split"),
      service("a"),
      service("b"),
      again,
      xor("merge"),
      complex("join", "arrived >= 1"),
      service("after"),
    ],
    ["start>split>a>join>after", "split>b>merge>join", "again>merge"],
  );
  const driver = new Driver(made).create().fire("again");
  expect(joined(driver)).toEqual([["merge>join"]]);
  driver.complete("b");
  expect(joined(driver)).toEqual([["merge>join"]]);
  driver.complete("a");
  expect(joined(driver)).toEqual([["merge>join"], ["a>join"], ["merge>join"]]);
  expect(driver.view().elements.map(({ element }) => element)).toEqual(["after", "after"]);
});

test("[K168] with one incoming flow it only splits, once its condition holds", () => {
  const made = program(
    [start(), complex("split", "n > 0"), service("a"), service("b")],
    ["start>split", "split>a: n > 1", "split>b: n > 0"],
  );
  expect(new Driver(made).create({ n: 2 }).active).toEqual(["a", "b"]);
  expect(new Driver(made).create({ n: 0 }).view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
});

test("[K14] ends with its scope", () => {
  const box = sub("box", [start("s"), and("f"), service("x"), service("y"), complex("join", "arrived >= 1"), end("e")]);
  const stop = onTimer("stop", "box", { timer: timer("duration", "PT5S") });
  const made = program([start(), ...box, stop, end()], ["start>box>end", "s>f>x>join>e", "f>y>join", "stop>end"]);
  const driver = new Driver(made).create().complete("x");
  expect(driver.active).toEqual(["box", "join", "y"]);
  expect(driver.fire("stop").status).toBe("completed");
});
