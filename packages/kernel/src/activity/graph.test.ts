import { expect, test } from "vitest";
import { itemsMax } from "../index.ts";
import type { Json } from "../json.ts";
import type { MultiInstance } from "../program.ts";
import {
  and,
  expr,
  line,
  literal,
  loop,
  map,
  program,
  retry,
  service,
  start,
  sub,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

function graph(items: readonly Json[], options: Partial<MultiInstance> = {}): Driver {
  const task = service("work", { policy: { retry: retry(1, "error") }, loop: loop("graph", options) });
  return new Driver(line(task)).create({ items: [...items] });
}

function incidentOf(items: readonly Json[], options: Partial<MultiInstance> = {}): string | undefined {
  return graph(items, options).view().incidents[0]?.error.message;
}

test("[K68] each item starts the moment its dependencies are met", () => {
  const driver = graph([
    { id: "A" },
    { id: "B" },
    { id: "C", dependsOn: ["A", "B"] },
    { id: "D" },
    { id: "E", dependsOn: ["C", "D"] },
  ]);
  expect(driver.items("running")).toEqual(["A", "B", "D"]);
  expect(driver.view().waiting.filter(({ on }) => on === "dependency")).toMatchObject([
    { item: "C", reason: "It depends on 'A', 'B'." },
    { item: "E", reason: "It depends on 'C', 'D'." },
  ]);
  driver.completeItem("A");
  expect(driver.items("running")).toEqual(["B", "D"]);
  expect(driver.completeItem("B").items("running")).toEqual(["C", "D"]);
  expect(driver.completeItem("D").items("running")).toEqual(["C"]);
  expect(driver.completeItem("C").completeItem("E").status).toBe("completed");
});

test("[K68] the order in which items stand does not matter", () => {
  const driver = graph([
    { id: "last", dependsOn: ["middle"] },
    { id: "middle", dependsOn: ["first"] },
    { id: "first" },
  ]);
  expect(driver.items("running")).toEqual(["first"]);
  expect(driver.completeItem("first").completeItem("middle").items("running")).toEqual(["last"]);
});

test.each([
  [
    "an unknown id",
    [{ id: "a", dependsOn: ["b"] }],
    "Expected 'a' to depend on items of its collection, but there is no 'b'",
  ],
  [
    "a duplicate",
    [{ id: "a" }, { id: "a" }],
    "Expected every item to have a key of its own, but 'a' stands there twice",
  ],
  ["a self edge", [{ id: "a", dependsOn: ["a"] }], "Expected 'a' to depend on others, but it depends on itself"],
  [
    "an edge named twice",
    [{ id: "a" }, { id: "b", dependsOn: ["a", "a"] }],
    "Expected 'b' to name each dependency once, but 'a' stands there twice",
  ],
  [
    "a cycle",
    [
      { id: "s", dependsOn: ["a"] },
      { id: "a", dependsOn: ["b"] },
      { id: "b", dependsOn: ["c"] },
      { id: "c", dependsOn: ["a"] },
      { id: "d" },
    ],
    "Expected dependencies without a cycle, but a → b → c → a",
  ],
])("[K69] %s is refused when the collection opens", (_what, items, message) => {
  expect(incidentOf(items as Json[])).toBe(message);
});

test.each<[string, Json, string]>([
  ["an empty key", { id: "" }, "Expected item 0 to have a key of 1 to 200 characters"],
  ["a key that no object can hold", { id: "__proto__" }, "Expected item 0 to have a key"],
  ["a key of another kind", { id: [1] }, "Expected item 0 to have a key"],
  ["dependsOn that is no list", { id: "a", dependsOn: "b" }, "Expected dependsOn of 'a' to be a list"],
  ["an edge without a key", { id: "a", dependsOn: [{}] }, "Expected dependsOn of 'a' to hold keys or {key, policy}"],
  ["an edge with an unknown policy", { id: "a", dependsOn: [{ key: "b", policy: "x" }] }, "Expected dependsOn of 'a'"],
  ["locks that are no names", { id: "a", locks: [1] }, "Expected locks of 'a' to be a list"],
  ["an unknown class", { id: "a", queue: "constructor" }, "Expected queue of 'a' to be light, standard or heavy"],
  ["a class of another kind", { id: "a", queue: 1 }, "Expected queue of 'a'"],
  ["a priority out of range", { id: "a", priority: 6 }, "Expected priority of 'a' to be an integer from 1 to 5"],
  ["a priority that is no number", { id: "a", priority: "high" }, "Expected priority of 'a'"],
  ["an unknown failure policy", { id: "a", onFailure: "ignore" }, "Expected onFailure of 'a'"],
  ["no attempts", { id: "a", attempts: 0 }, "Expected attempts of 'a' to be an integer from 1 to 1000"],
])("[K84] %s is refused, naming item and field", (_what, item, message) => {
  expect(incidentOf([item])).toContain(message);
});

test("[K84] fields come from the item, or from where the definition says", () => {
  const driver = graph([{ key: 1 }, { id: "b", queue: "medium" }, "plain"]);
  expect(driver.view().collections[0]?.items.map(({ key, queue }) => [key, queue])).toEqual([
    ["1", null],
    ["b", "standard"],
    ["2", null],
  ]);
  const told = graph([{ name: "x" }, { name: "y", needs: ["x"] }], {
    fields: { key: expr("item.name"), dependsOn: variable("none") },
  });
  expect(told.view().incidents).toHaveLength(1);
  const named = graph([{ name: "x" }, { name: "y" }], {
    fields: { key: expr("item.name"), priority: expr("level"), locks: literal(["one"]) },
  });
  expect(named.view().incidents[0]?.error.message).toContain("there is no 'level'");
  const plain = new Driver(line(service("work", { loop: loop("parallel", { fields: { key: expr("item.name") } }) })));
  expect(plain.create({ items: [{ name: "x", dependsOn: ["nobody"] }] }).items("running")).toEqual(["x"]);
});

test("[K70] the better priority starts first, then the older", () => {
  const driver = graph([{ id: "a" }, { id: "b" }, { id: "c", priority: 1 }, { id: "d", priority: 5 }, { id: "e" }], {
    maxParallel: literal(1),
  });
  const order: string[] = [];
  while (driver.status === "running") {
    const [running = ""] = driver.items("running");
    order.push(running);
    driver.completeItem(running);
  }
  expect(order).toEqual(["c", "a", "b", "e", "d"]);
});

test("[K71] two that share a lock never run at once, a third is not delayed", () => {
  const driver = graph([
    { id: "one", locks: ["auth.rb"] },
    { id: "two", locks: ["auth.rb"] },
    { id: "three", locks: ["other.rb"] },
  ]);
  expect(driver.items("running")).toEqual(["one", "three"]);
  expect(driver.view().waiting).toContainEqual(
    expect.objectContaining({ on: "lock", item: "two", reason: "'auth.rb' is held by 'one'." }),
  );
  expect(driver.completeItem("one").items("running")).toEqual(["two", "three"]);
});

test("[K71] who waits for two locks does not keep others from the one that is free", () => {
  const driver = graph([
    { id: "a", locks: ["a"] },
    { id: "b", locks: ["b"] },
    { id: "both", locks: ["a", "b"] },
    { id: "next", locks: ["a"] },
  ]);
  expect(driver.items("running")).toEqual(["a", "b"]);
  expect(driver.completeItem("a").items("running")).toEqual(["b", "next"]);
  expect(driver.completeItem("b").items("running")).toEqual(["next"]);
  expect(driver.completeItem("next").items("running")).toEqual(["both"]);
});

test("[K71] nor does it keep one of a better priority from it, which came later", () => {
  const driver = graph([
    { id: "a", locks: ["x"] },
    { id: "b", locks: ["y"] },
    { id: "both", locks: ["x", "y"] },
  ]);
  driver.send({ type: "add-items", element: "work", items: [{ id: "urgent", locks: ["x"], priority: 1 }] });
  expect(driver.items("running")).toEqual(["a", "b"]);
  expect(driver.completeItem("a").items("running")).toEqual(["b", "urgent"]);
});

test("[K71] a failed attempt gives its locks to whoever can start", () => {
  const driver = graph([
    { id: "a", locks: ["x"], attempts: 2 },
    { id: "b", locks: ["x"] },
  ]);
  driver.failItem("a");
  expect(driver.items("running")).toHaveLength(1);
  while (driver.status === "running") driver.completeItem(driver.items("running")[0] ?? "");
  expect(driver.status).toBe("completed");
});

test("[K72] edge policies: all-success, all-done, any-success", () => {
  const after = (policy: string): Json[] => [
    { id: "a" },
    { id: "b" },
    {
      id: "next",
      dependsOn: [
        { key: "a", policy },
        { key: "b", policy },
      ],
    },
  ];
  const success = graph(after("all-success")).completeItem("a");
  expect(success.items("waiting")).toEqual(["next"]);
  expect(success.failItem("b").items("skipped")).toEqual(["next"]);
  const done = graph(after("all-done")).failItem("a");
  expect(done.items("waiting")).toEqual(["next"]);
  expect(done.failItem("b").items("running")).toEqual(["next"]);
  const any = graph(after("any-success")).failItem("a");
  expect(any.items("waiting")).toEqual(["next"]);
  expect(any.completeItem("b").items("running")).toEqual(["next"]);
  const first = graph(after("any-success")).completeItem("a");
  expect(first.items("running")).toEqual(["b", "next"]);
  expect(first.completeItem("b").events.filter((type) => type === "item-activated")).toEqual([]);
  const none = graph(after("any-success")).failItem("a").failItem("b");
  expect(none.items("skipped")).toEqual(["next"]);
  const standard = graph([{ id: "a" }, { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: [{ key: "a" }] }], {
    edgePolicy: "all-done",
  });
  expect(standard.failItem("a").items("running")).toEqual(["b", "c"]);
});

test("[K72] mixed edges must all be met", () => {
  const driver = graph([
    { id: "a" },
    { id: "b" },
    { id: "c" },
    { id: "next", dependsOn: ["c", { key: "a", policy: "any-success" }, { key: "b", policy: "any-success" }] },
  ]);
  expect(driver.completeItem("c").items("waiting")).toEqual(["next"]);
  expect(driver.completeItem("b").items("running")).toEqual(["a", "next"]);
});

test("[K80] items can be added while it runs; what they depend on may have ended", () => {
  const driver = graph([{ id: "a" }, { id: "b" }, { id: "c" }])
    .completeItem("a")
    .failItem("b");
  const added = (...items: Json[]) => driver.try({ type: "add-items", element: "work", items });
  expect(
    added(
      { id: "x", dependsOn: ["a"] },
      { id: "y", dependsOn: ["x", "c"] },
      { id: "z", dependsOn: ["b"] },
      { id: "any", dependsOn: [{ key: "a", policy: "any-success" }] },
    ),
  ).toBeUndefined();
  expect(driver.items("running")).toEqual(["c", "x", "any"]);
  expect(driver.items("waiting")).toEqual(["y"]);
  expect(driver.items("skipped")).toEqual(["z"]);
  expect(added({ id: "w" }, { id: "a" })).toEqual({
    code: "item-invalid",
    reason: "Expected every item to have a key of its own, but 'a' stands there twice",
  });
  expect(added({ id: "w", dependsOn: ["none"] })?.code).toBe("item-invalid");
  expect(added({ id: "v", dependsOn: ["w"] }, { id: "w", dependsOn: ["v"] })?.reason).toContain("v → w → v");
  expect(added()).toBeUndefined();
  expect(driver.items("running")).toEqual(["c", "x", "any"]);
});

test("[K80] what has no hope when it is added is skipped, whatever its edge", () => {
  const driver = graph([{ id: "a" }, { id: "b" }, { id: "c" }])
    .failItem("a")
    .failItem("b");
  driver.send({
    ...{ type: "add-items", element: "work" },
    items: [
      {
        id: "any",
        dependsOn: [
          { key: "a", policy: "any-success" },
          { key: "b", policy: "any-success" },
        ],
      },
      {
        id: "some",
        dependsOn: [
          { key: "a", policy: "any-success" },
          { key: "c", policy: "any-success" },
        ],
      },
      { id: "done", dependsOn: [{ key: "a", policy: "all-done" }] },
      { id: "behind", dependsOn: ["any", "c"] },
    ],
  });
  expect(driver.items("skipped")).toEqual(["any", "behind"]);
  expect(driver.items("waiting")).toEqual(["some"]);
  expect(driver.completeItem("c").items("running")).toEqual(["some", "done"]);
});

test("[K80] adding needs exactly one open collection of that activity", () => {
  const twice = program(
    [
      start(),
      and("split"),
      ...sub("one", [start("s"), service("work", { loop: loop("parallel") })], { loop: loop("parallel") }),
    ],
    ["start>split>one", "s>work"],
  );
  const driver = new Driver(twice).create({ items: [1, 2] });
  const send = (element: string) => driver.try({ type: "add-items", element, items: [9] });
  expect(send("work")?.reason).toBe("Expected one open collection of 'work', but there are 2");
  expect(send("split")?.code).toBe("collection-not-found");
  expect(send("one")).toBeUndefined();
});

test("[K81] items that have not started can be withdrawn, unless something else waits for them", () => {
  const driver = graph(
    [
      { id: "a", locks: ["x"] },
      { id: "b", locks: ["x"] },
      { id: "c", locks: ["x"] },
      { id: "d", dependsOn: ["b"] },
    ],
    {},
  );
  const withdraw = (...items: string[]) => driver.try({ type: "withdraw-items", element: "work", items });
  expect(withdraw("z")?.code).toBe("item-unknown");
  expect(withdraw("a")?.code).toBe("item-started");
  expect(withdraw("b")).toEqual({ code: "item-needed", reason: "Expected nothing to depend on 'b', but 'd' does" });
  expect(withdraw("b", "d")).toBeUndefined();
  expect(driver.items("withdrawn")).toEqual(["b", "d"]);
  expect(withdraw("b")?.code).toBe("item-started");
  expect(driver.completeItem("a").items("running")).toEqual(["c"]);
  expect(driver.completeItem("c").status).toBe("completed");
});

test("[K67] [K81] a withdrawn item is in no output, and an item may depend on a withdrawn one no more", () => {
  const task = service("work", { loop: loop("sequential", { output: { target: "all", source: expr("item") } }) });
  const driver = new Driver(line(task)).create({ items: [1, 2, 3] });
  driver
    .send({ type: "withdraw-items", element: "work", items: ["1"] })
    .completeItem("0")
    .completeItem("2");
  expect(driver.variable("all")).toEqual([1, 3]);
  const late = graph([{ id: "a" }, { id: "b", dependsOn: ["a"] }]);
  late.send({ type: "withdraw-items", element: "work", items: ["b"] });
  late.send({ type: "add-items", element: "work", items: [{ id: "c", dependsOn: ["b"] }] });
  expect(late.items("skipped")).toEqual(["c"]);
  expect(late.completeItem("a").view().incidents).toEqual([]);
});

test("[K82] concurrency can be changed while it runs; a lower one ends nothing", () => {
  const driver = graph([{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }], { maxParallel: literal(1) });
  const adjust = (maxParallel: number | null) =>
    driver.try({ type: "adjust-concurrency", element: "work", maxParallel });
  expect(adjust(3)).toBeUndefined();
  expect(driver.items("running")).toEqual(["a", "b", "c"]);
  expect(adjust(1)).toBeUndefined();
  expect(driver.completeItem("a").items("running")).toEqual(["b", "c"]);
  expect(adjust(0)?.code).toBe("limit-exceeded");
  expect(adjust(null)).toBeUndefined();
  expect(driver.items("running")).toEqual(["b", "c", "d"]);
});

test("[K83] a collection has at most 100 000 items", () => {
  const many = Array.from({ length: itemsMax + 1 }, () => null);
  const driver = new Driver(line(service("work", { loop: loop("sequential") })), { checked: false }).create({
    items: many,
  });
  expect(driver.view().incidents[0]?.error.code).toBe("collection-too-large");
  const full = new Driver(line(service("work", { loop: loop("sequential") })), { checked: false }).create({
    items: many.slice(1),
  });
  expect(full.try({ type: "add-items", element: "work", items: [1] })).toEqual({
    code: "limit-exceeded",
    reason: "Expected at most 100000 items, but there would be 100001",
  });
});

test("[K83] predecessors are completed dependencies, then whoever completed last with each of its locks", () => {
  const task = service("work", {
    ...{ policy: { retry: retry(1, "error") }, inputs: map({ on: "loop.predecessors" }) },
    loop: loop("graph", { onFailure: "continue", output: { target: "all", source: expr("commit") } }),
  });
  const driver = new Driver(line(task)).create({
    items: [
      { id: "a", locks: ["x"] },
      { id: "b" },
      { id: "f", locks: ["x"] },
      { id: "c", dependsOn: ["b", "f"], locks: ["x"] },
      { id: "d", dependsOn: ["c"], locks: ["x"] },
    ],
  });
  driver.completeItem("b", { commit: "cb" }).completeItem("a", { commit: "ca" }).failItem("f");
  expect(driver.lastEffects.at(-1)).toMatchObject({
    input: {
      on: [
        { key: "b", result: "cb" },
        { key: "a", result: "ca" },
      ],
    },
  });
  driver.completeItem("c", { commit: "cc" });
  expect(driver.lastEffects.at(-1)).toMatchObject({ input: { on: [{ key: "c", result: "cc" }] } });
});
