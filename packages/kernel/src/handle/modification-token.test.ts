import { expect, test } from "vitest";
import type { ModifyInstance } from "../command.ts";
import { loadProgram } from "../load.ts";
import type { Element } from "../program.ts";
import { and, complex, end, loop, or, program, script, service, start, sub, undo } from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { testHost } from "../testing/host.ts";

type Changes = Partial<Pick<ModifyInstance, "activate" | "terminate" | "withdraw">>;

function refusal(driver: Driver, changes: Changes): string | undefined {
  return driver.try({ type: "modify-instance", activate: [], terminate: [], ...changes, reason: "so" })?.code;
}

/** Which must be accepted. */
function modified(driver: Driver, changes: Changes): Driver {
  expect(refusal(driver, changes)).toBeUndefined();
  return driver;
}

/** start → a, b → join → after, with a token that came from `a`. */
function joining(join: Element = and("join")): Driver {
  const made = program(
    [start(), and("f"), service("a"), service("b"), join, service("after"), end()],
    ["start>f>a>join>after>end", "f>b>join"],
  );
  return new Driver(made).create().complete("a");
}

const waitingAt = (driver: Driver): number => driver.view().waiting.filter(({ on }) => on === "join").length;

test.each([and("join"), or("join")])("[K198] tokens that wait at a join are taken away ($kind)", (join) => {
  const driver = joining(join);
  expect(waitingAt(driver)).toBe(1);
  modified(driver, { withdraw: [{ element: "join" }] });
  expect([waitingAt(driver), driver.active]).toEqual([0, ["b"]]);
  expect(driver.history).toContainEqual(
    expect.objectContaining({ type: "instance-modified", withdraw: [{ element: "join" }], actor: "tester" }),
  );
  expect(refusal(driver, { withdraw: [{ element: "join" }] })).toBe("element-not-found");
});

test("[K198] only those that came from one element, when it is named", () => {
  const driver = joining();
  expect(refusal(driver, { withdraw: [{ element: "join", from: "b" }] })).toBe("element-not-found");
  expect(refusal(driver, { withdraw: [{ element: "nobody" }] })).toBe("element-not-found");
  modified(driver, { withdraw: [{ element: "join", from: "a" }] }).complete("b");
  expect(driver.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
});

test("[K198] with the last of a scope it ends, and with the last of all the instance is cancelled", () => {
  const inside = [start("s"), and("f"), service("x"), service("y"), and("join")];
  const made = program(
    [start(), and("g"), ...sub("box", inside), service("a")],
    [...["start>g>box", "g>a", "s>f>x>join", "f>y>join"]],
  );
  const driver = new Driver(made).create().complete("x");
  modified(driver, { withdraw: [{ element: "join" }], terminate: [driver.key("y")] });
  expect(driver.active).toEqual(["a"]);
  const alone = joining();
  modified(alone, { terminate: [alone.key("b")] });
  expect(alone.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
  modified(alone, { withdraw: [{ element: "join" }, { element: "join", from: "a" }] });
  expect(alone.status).toBe("cancelled");
});

test("[K198] what is ended at the same time may be the last", () => {
  const driver = joining();
  modified(driver, { withdraw: [{ element: "join" }], terminate: [driver.key("b")] });
  expect(driver.status).toBe("cancelled");
});

test("[K198] it goes on with what is activated at the same time", () => {
  const driver = joining();
  modified(driver, { terminate: [driver.key("b")] });
  modified(driver, { withdraw: [{ element: "join" }], activate: [{ element: "after" }] });
  expect([driver.active, driver.view().incidents]).toEqual([["after"], []]);
});

test("[K198] in a round of a loop the next follows", () => {
  const inside = [start("s"), and("f"), service("x"), service("y"), and("join")];
  const looped = { mode: "standard" as const, condition: { language: "cel" as const, text: "loopCounter < 2" } };
  const box = sub("box", inside, { loop: { ...looped, testBefore: false } });
  const driver = new Driver(program([start(), ...box], ["start>box", "s>f>x>join", "f>y>join"])).create();
  driver.complete("x");
  modified(driver, { withdraw: [{ element: "join" }], terminate: [driver.key("y")] });
  expect(driver.active).toEqual(["box", "x", "y"]);
});

test("[K198] where they wait in several scopes the one is named", () => {
  const inside = [start("s"), and("f"), service("x"), service("y"), and("join"), end("e")];
  const box = sub("box", inside, { loop: loop("parallel") });
  const made = program([start(), ...box, end()], ["start>box>end", "s>f>x>join>e", "f>y>join"]);
  const driver = new Driver(made).create({ items: [1, 2] });
  for (const { key, element } of driver.view().elements)
    if (element === "x") driver.send({ type: "complete-job", key, result: {} });
  expect(refusal(driver, { withdraw: [{ element: "join" }] })).toBe("scope-ambiguous");
  const scope = driver.view().elements.find(({ element }) => element === "y")?.scope ?? 0;
  modified(driver, { withdraw: [{ element: "join", scope }] });
  expect(refusal(driver, { withdraw: [{ element: "join", scope }] })).toBe("element-not-found");
  expect(waitingAt(driver)).toBe(1);
});

test("[K199] a token is put before a join, by the flow that it would have come by", () => {
  const driver = joining();
  modified(driver, { activate: [{ element: "join", from: "a" }] });
  expect(driver.active).toEqual(["b"]);
  modified(driver, { terminate: [driver.key("b")] });
  expect(driver.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
  modified(driver, { activate: [{ element: "join", from: "b" }] });
  expect(driver.active).toEqual(["after"]);
  // One of the two from `a` is left over, and no other can come for it.
  expect(driver.complete("after").view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
});

test("[K199] so a complex gateway is reached, which a token that came by no flow cannot", () => {
  const made = program(
    [start(), and("f"), service("a"), service("b"), service("c"), complex("join", "arrived >= 2"), service("after")],
    ["start>f>a>join>after", "f>b>join", "f>c>join"],
  );
  const driver = new Driver(made).create();
  expect(refusal(driver, { activate: [{ element: "join" }] })).toBe("element-not-activatable");
  expect(refusal(driver, { activate: [{ element: "join", from: "f" }] })).toBe("element-not-activatable");
  modified(driver, { activate: [{ element: "join", from: "a" }], terminate: [driver.key("a")] });
  expect(driver.active).toEqual(["b", "c"]);
  modified(driver, { withdraw: [{ element: "join" }] });
  modified(driver, {
    activate: [
      { element: "join", from: "a" },
      { element: "join", from: "b" },
    ],
  });
  expect(driver.active).toEqual(["after", "b", "c", "join"]);
  modified(driver, { terminate: [driver.key("b"), driver.key("c")] });
  expect(driver.active).toEqual(["after"]);
});

test("[K166] [K199] the condition of a complex gateway that failed is asked of the tokens there are then", () => {
  const made = program(
    [start(), and("f"), service("a"), service("b"), complex("join", "arrived > missing"), service("after")],
    ["start>f>a>join>after", "f>b>join"],
  );
  const driver = new Driver(made).create().complete("a");
  const before = driver.view().incidents;
  expect(before).toMatchObject([{ kind: "flow", element: "join" }]);
  modified(driver, { withdraw: [{ element: "join" }] });
  expect(driver.view().incidents).toEqual([]);
  modified(driver, { activate: [{ element: "join", from: "a" }] });
  expect(driver.view().incidents).toMatchObject([{ kind: "flow", element: "join" }]);
});

test("[K15] [K199] a token beyond what one command may start follows in the next", () => {
  const made = program(
    [start(), and("f"), service("a"), service("b"), and("join"), service("after")],
    [...["start>f>a>join>after", "f>b>join"]],
  );
  const driver = new Driver(loadProgram(made.document, testHost, { activationsPerCommandMax: 1, continuationsMax: 9 }));
  driver.create().goOn();
  modified(driver, {
    activate: [
      { element: "join", from: "a" },
      { element: "join", from: "b" },
    ],
  });
  expect(driver.events).toContain("continuation-requested");
  expect(driver.goOn().active).toEqual(["a", "after", "b"]);
});

test("[K15] [K188] an event that undoes can be ended between two handlers, where the limit holds back the next", () => {
  const made = program(
    [
      ...[start(), service("a", { compensation: "undo-a" }), service("b", { compensation: "undo-b" }), undo("back")],
      ...[service("undo-a", { forCompensation: true }), script("undo-b", {}, { forCompensation: true }), end()],
    ],
    ["start>a>b>back>end"],
  );
  const driver = new Driver(loadProgram(made.document, testHost, { activationsPerCommandMax: 1, continuationsMax: 9 }));
  driver.create().goOn().complete("a").goOn().complete("b");
  while (!driver.lastEvents.some(({ type }) => type === "compensation-taken")) driver.send({ type: "continue" });
  expect([driver.active, driver.state.head.continuing]).toEqual([["back"], true]);
  expect(modified(driver, { terminate: [driver.key("back")] }).status).toBe("cancelled");
});
