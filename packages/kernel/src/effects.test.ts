import { expect, test } from "vitest";
import { pendingEffects, recordCount, restoreState, snapshotState } from "./index.ts";
import {
  and,
  call,
  end,
  line,
  literal,
  loop,
  map,
  onTimer,
  program,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  user,
  wait,
  xor,
} from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";

const everything = program(
  [
    ...[start(), and("split"), service("job"), user("task"), wait("timer"), call("child"), end()],
    service("each", {
      loop: loop("graph", {
        collection: literal([
          { id: "a", locks: ["x"] },
          { id: "b", locks: ["x"] },
        ]),
      }),
    }),
  ],
  ["start>split>job>end", "split>task>end", "split>timer>end", "split>child>end", "split>each>end"],
);

test("[K105] pending are exactly the effects that nothing has answered or called off", () => {
  const driver = new Driver(everything).create();
  const pending = () =>
    pendingEffects(driver.state)
      .map(({ type }) => type)
      .sort();
  const open = ["arm-timer", "offer-job", "offer-job", "open-task", "start-child"];
  expect(pending()).toEqual(open);
  driver.send({ type: "pause-instance", stopRunning: true, reason: "" });
  expect(pending()).toEqual(["arm-timer", "hold-jobs", "offer-job", "offer-job", "open-task"]);
  driver.send({ type: "resume-instance" });
  expect(pending()).toEqual(open);
  driver.fail("job");
  expect(pending()).toEqual(["arm-timer", "offer-job", "open-task", "start-child"]);
  driver.fire("timer").send({ type: "complete-task", key: driver.key("task"), result: {} });
  expect(pending()).toEqual(["offer-job", "start-child"]);
  driver.send({ type: "cancel-instance", reason: "" });
  expect(pending()).toEqual([]);
});

test("[K105] a retry that must wait is offered with the moment from which it may start", () => {
  const driver = new Driver(line(service("job", { policy: { retry: retry(2) } }))).create().fail("job");
  expect(pendingEffects(driver.state)).toEqual(driver.lastEffects);
  expect(driver.lastEffects).toMatchObject([{ attempt: 2, notBefore: driver.at + 100 }]);
});

test("[K106] a snapshot is plain JSON, and what it restores to decides and counts alike", () => {
  const driver = new Driver(everything).create({ n: 1 });
  const json = JSON.parse(JSON.stringify(snapshotState(driver.state)));
  const restored = restoreState(json);
  expect(snapshotState(restored)).toEqual(json);
  expect(recordCount(restored)).toBe(recordCount(driver.state));
  expect(recordCount(restored)).toBeGreaterThan(10);
  expect(() => restoreState({ ...json, version: 99 })).toThrow("Expected a state of version 1, but it has version 99.");
});

test("[K107] every kind of waiting is told with its reason and its end", () => {
  const driver = new Driver(everything).create().fail("job");
  const told = driver.view().waiting.map(({ on, element, item, until }) => [on, element, item, until]);
  expect(told).toEqual([
    ["incident", "job", null, "A person retries or cancels."],
    ["job", "each", "a", "A worker completes it, or it fails for good."],
    ["task", "task", null, "Somebody completes it."],
    ["child", "child", null, "It ends."],
    ["timer", "timer", null, "The timer is due."],
    ["lock", "each", "b", "The lock is free."],
  ]);
  expect(driver.send({ type: "cancel-instance", reason: "" }).view().waiting).toEqual([]);
});

test("[K107] an incident says what a person can do, and what a retry then does", () => {
  const failed = new Driver(line(service("work"))).create().fail("work");
  const advice = "Repair what the worker met; a retry offers the job with fresh attempts.";
  expect(failed.view().incidents).toMatchObject([{ kind: "job", advice }]);
  expect(failed.view().waiting).toMatchObject([{ on: "incident", advice }]);
  const unready = new Driver(line(service("work", { inputs: map({ x: "none" }) }))).create();
  expect(unready.view().waiting[0]?.advice).toContain("starts the element again");
});

test("[K107] what waits inside an item names it, and a retry says which attempt it is", () => {
  const box = sub("box", [start("s"), service("job", { policy: { retry: retry(3) } })], { loop: loop("graph") });
  const driver = new Driver(program([start(), ...box], ["start>box", "s>job"])).create({ items: [{ id: "u1" }] });
  driver.fail("job");
  expect(driver.view().waiting).toMatchObject([
    { on: "job", item: "u1", reason: "The job 'job' has not been completed, attempt 2 of 3 after a failure." },
  ]);
});

test("[K107] a lock that is free for a moment, and a place that is not, are told apart", () => {
  const task = service("each", {
    loop: loop("graph", {
      collection: literal([
        { id: "a", locks: ["x"] },
        { id: "b", locks: ["x"] },
        { id: "c", locks: ["x"] },
        { id: "d" },
      ]),
    }),
  });
  const driver = new Driver(line(task)).create();
  driver.send({ type: "adjust-concurrency", element: "each", maxParallel: 1 }).completeItem("a");
  expect(
    driver
      .view()
      .waiting.map(({ on, item, reason }) => [on, item, reason])
      .slice(1),
  ).toEqual([
    ["slot", "b", "All 1 places are taken."],
    ["lock", "c", "'x' is held by 'nobody'."],
  ]);
});

test("[K108] the view shows the instance as it is", () => {
  const driver = new Driver(everything).create({ n: 1 }, { rootId: "root", parent: { instanceId: "above", key: 3 } });
  const view = driver.view();
  expect(view).toMatchObject({
    ...{ instanceId: "i", rootId: "root", parent: { instanceId: "above", key: 3 }, status: "running", outcome: null },
    ...{ startedAt: 1_000, endedAt: null, sequence: driver.history.length, variables: { n: 1 } },
  });
  expect(view.elements.map(({ element, item }) => [element, item])).toEqual([
    ...[
      ["job", null],
      ["task", null],
      ["timer", null],
      ["child", null],
      ["each", null],
      ["each", "a"],
    ],
  ]);
  expect(view.collections).toMatchObject([
    { element: "each", counts: { running: 1, ready: 1, total: 2 }, items: [{ key: "a", locks: ["x"] }, { key: "b" }] },
  ]);
  expect(driver.send({ type: "cancel-instance", reason: "" }).view().endedAt).toBe(2_000);
});

test("[K10] [K47] a named boundary and a named task show their names", () => {
  const named = service("job", { name: "The job" });
  const nag = onTimer("nag", "job", { timer: timer("cycle", "R/PT1S"), interrupting: false });
  const driver = new Driver(
    program([start(), named, nag, xor("x"), script("s", {}), end()], ["start>job>end", "nag>x>s>end"]),
  ).create();
  expect(driver.fire("nag").view().elements).toMatchObject([{ name: "The job" }]);
});
