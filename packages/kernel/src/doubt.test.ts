import { expect, test } from "vitest";
import type { Event } from "./event.ts";
import type { JsonObject } from "./json.ts";
import {
  boundary,
  end,
  expr,
  line,
  literal,
  loop,
  map,
  onCondition,
  program,
  script,
  service,
  start,
  xor,
} from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";

function doubts(driver: Driver): Event[] {
  return driver.history.filter(({ type }) => type === "expression-doubted");
}

test("[K28] an expression that gives null and says why is recorded, before what follows from it", () => {
  const driver = new Driver(line(service("ask", { inputs: map({ whom: "maybe customer" }) }))).create();
  expect(driver.events).toEqual([
    ...["instance-created", "element-passed", "flow-taken"],
    ...["expression-doubted", "element-activated", "job-created"],
  ]);
  expect(doubts(driver)).toEqual([
    {
      ...{ type: "expression-doubted", scope: 1, expression: "maybe customer" },
      ...{ warnings: ["there is no 'customer'"], at: 1_000 },
    },
  ]);
});

test("[K28] [K41] where null decides a way it is an incident, which tells why it is null", () => {
  const made = program(
    [start(), xor("which", "which>end"), service("more"), end()],
    ["start>which>end", "which>more: maybe n.total"],
  );
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.view().waiting.map(({ reason }) => reason)).toEqual([
    "It failed (condition-type): Expected 'maybe n.total' to be true or false, but it is null: there is no 'total'",
  ]);
});

test("[K28] what is asked twice in one command is recorded once, and in the next command again", () => {
  const made = program([start(), xor("which"), service("more"), end()], ["start>which", "which>more: maybe n.total"]);
  const driver = new Driver(made).create({ n: 1 });
  expect(doubts(driver)).toHaveLength(1);
  const [incident] = driver.view().incidents;
  driver.send({ type: "resolve-incident", key: incident?.key ?? 0, action: "retry", reason: "again" });
  expect(doubts(driver)).toHaveLength(2);
});

test("[K28] what a condition that goes on waiting was not sure of is recorded once, and again when it is something else", () => {
  const event = boundary("late", "work", { trigger: onCondition("maybe count.total > n") });
  const made = program([start(), service("work"), event, end()], ["start>work", "late>end"]);
  const driver = new Driver(made).create({ n: 1 });
  const said = () => doubts(driver).map((each) => (each.type === "expression-doubted" ? each.warnings : []));
  const first = said();
  expect(first).toHaveLength(1);
  const write = (values: JsonObject) => driver.send({ type: "set-variables", scope: 0, values, reason: "so" });
  write({ n: 2 });
  write({ other: 3 });
  expect(said()).toEqual(first);
  write({ count: {} });
  expect(said()).toHaveLength(2);
  expect(said()[1]).not.toEqual(first[0]);
  write({ n: 3 });
  expect(said()).toHaveLength(2);
});

test("[K28] a command records 20 of them, each with 5 warnings of 200 characters", () => {
  const long = (index: number) => `maybe ${index} ${"x".repeat(300)}`;
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`v${index}`, long(index)]));
  const made = line(script("note", many));
  const host = {
    ...made.host,
    evaluate: () => ({ ok: true as const, value: null, warnings: Array.from({ length: 9 }, () => "y".repeat(300)) }),
  };
  const driver = new Driver({ ...made, host }).create();
  const found = doubts(driver);
  expect(found).toHaveLength(20);
  for (const each of found) {
    if (each.type !== "expression-doubted") continue;
    expect(each.expression).toHaveLength(200);
    expect(each.warnings.map((text) => text.length)).toEqual([200, 200, 200, 200, 200]);
  }
});

test("[K28] [K4] what is refused leaves no trace of what its expressions were not sure of", () => {
  const plan = loop("graph", { collection: literal([{ id: "a" }]), fields: { priority: expr("maybe missing") } });
  const driver = new Driver(line(service("work", { loop: plan }))).create();
  expect(doubts(driver)).toHaveLength(1);
  const items = [{ id: "b", dependsOn: ["nobody"] }];
  expect(driver.try({ type: "add-items", element: "work", items })?.code).toBe("item-invalid");
  driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "so" });
  expect(driver.events).toEqual(["variables-set"]);
});
