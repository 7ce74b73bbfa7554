import { expect, test } from "vitest";
import { and, call, end, program, retry, service, start, user, wait } from "./testing/build.ts";
import { Driver } from "./testing/driver.ts";

const made = program(
  [start(), and("split"), service("a"), user("b"), wait("c"), call("d"), and("join"), end()],
  ["start>split>a>join>end", "split>b>join", "split>c>join", "split>d>join"],
);

/** Another driver that goes on where the first `count` events of one led to. */
function forkOf(driver: Driver, count: number = driver.history.length): Driver {
  const fork = new Driver(driver.program).follow(driver.history.slice(0, count));
  return fork.send({ type: "fork-instance", instanceId: "j", reason: "What if?" });
}

test("[K210] [K211] a fork is an instance of its own, with everything that was open under its own id", () => {
  const driver = new Driver(made).create({ n: 1 }, { parent: { instanceId: "above", key: 9 } }).complete("a");
  const before = driver.history.length;
  driver.send({ type: "complete-task", key: driver.key("b"), result: {} });
  const fork = forkOf(driver, before);
  expect(fork.lastEvents).toEqual([
    {
      ...{ type: "instance-forked", instanceId: "j", from: "i", sequence: before, reason: "What if?" },
      ...{ actor: "tester", at: fork.at },
    },
  ]);
  const [task, timer, child] = ["b", "c", "d"].map((element) => fork.key(element));
  expect(fork.lastEffects).toEqual([
    { type: "arm-timer", key: (timer ?? 0) + 1, due: 11_000 },
    { type: "open-task", key: task, element: "b" },
    { type: "start-child", key: child, childId: `j/${child}`, process: "d", binding: "deployment", variables: {} },
  ]);
  expect(fork.view()).toMatchObject({ instanceId: "j", rootId: "j", parent: null, variables: { n: 1 } });
  fork.fire("c").send({ type: "complete-task", key: task ?? 0, result: {} });
  const outcome = { type: "completed" as const, result: {} };
  expect(fork.try({ type: "end-child", key: child ?? 0, childId: `i/${child}`, outcome })?.code).toBe(
    "child-not-found",
  );
  fork.send({ type: "end-child", key: child ?? 0, childId: `j/${child}`, outcome });
  expect(fork.status).toBe("completed");
  expect(fork.lastEffects).toEqual([]);
  expect(driver.active).toEqual(["c", "d"]);
});

test("[K211] a second attempt of a call keeps its number; a child that ended is not started again", () => {
  const driver = new Driver(program([start(), call("d"), end()], ["start>d>end"])).create();
  const key = driver.key("d");
  const failed = { type: "failed" as const, error: { code: "E", message: "m" } };
  driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: failed });
  const parked = forkOf(driver);
  expect(parked.lastEffects).toEqual([]);
  expect(parked.resolve().lastEffects).toMatchObject([{ type: "start-child", childId: `j/${key}.2` }]);
  driver.resolve();
  expect(forkOf(driver).lastEffects).toMatchObject([{ type: "start-child", childId: `j/${key}.2` }]);
});

test("[K211] jobs keep their attempts; a pause stays, and resuming asks for what it held", () => {
  const work = service("a", { policy: { retry: retry(3) } });
  const driver = new Driver(program([start(), work, call("d"), end()], ["start>a>end", "start>d>end"]))
    .create()
    .fail("a");
  driver.send({ type: "pause-instance", stopRunning: false, reason: "lunch" });
  const fork = forkOf(driver);
  expect(fork.lastEffects).toMatchObject([{ type: "hold-jobs" }, { type: "offer-job", attempt: 2, notBefore: 2_100 }]);
  fork.send({ type: "resume-instance" });
  expect(fork.lastEffects).toContainEqual(
    expect.objectContaining({ type: "start-child", childId: `j/${fork.key("d")}` }),
  );
});

test("[K210] what has ended, or is not there, cannot be forked", () => {
  const said = { type: "fork-instance" as const, instanceId: "j", reason: "" };
  expect(new Driver(made).try(said)?.code).toBe("instance-not-found");
  const driver = new Driver(program([start(), end()], ["start>end"])).create();
  expect(driver.try(said)?.code).toBe("instance-ended");
});
