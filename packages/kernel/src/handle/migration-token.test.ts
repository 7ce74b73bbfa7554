import { expect, test } from "vitest";
import { limits, loadProgram } from "../load.ts";
import {
  adHoc,
  and,
  complex,
  end,
  flows,
  literal,
  loop,
  or,
  program,
  raise,
  service,
  start,
  sub,
  user,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { testHost } from "../testing/host.ts";
import { migrate, problemsOf } from "../testing/migrating.ts";
import { renamedDocument } from "../testing/variant.ts";

test("[K205] a gateway that waits for the rest remembers what it went on with", () => {
  const gate = (suffix: string) =>
    renamedDocument(
      program(
        [start(), and("split"), service("a"), service("b"), complex("c", "arrived >= 1"), service("d"), end()],
        ["start>split>a>c>d>end", "split>b>c"],
      ).document,
      suffix,
    );
  const [one, two] = [gate(""), gate("2")];
  const driver = new Driver(loadProgram(one.document, testHost)).create().complete("a");
  const before = [...driver.state.joining.values()];
  expect(before).toHaveLength(1);
  migrate(driver, loadProgram(two.document, testHost), two.mapping);
  expect([...driver.state.joining.values()]).toEqual([{ ...before[0], flows: ["a>c2"] }]);
  driver.complete("b2").complete("d2");
  expect(driver.status).toBe("completed");
});

test("[K205] tokens that wait or are held go along their flow's counterpart, and a join is looked at again", () => {
  const flows = ["start>split>a>join>end", "split>b>join", "split>c>join"];
  const old = program([start(), and("split"), service("a"), service("b"), service("c"), and("join"), end()], flows);
  const fresh = program(
    [start(), and("split"), service("a"), service("b"), and("both"), end()],
    ["start>split>a>both>end", "split>b>both"],
  );
  const driver = new Driver(old).create().complete("a").complete("b");
  expect(problemsOf(driver, fresh, { join: "both" })).toEqual(["element-gone c"]);
  driver.complete("c");
  const waiting = new Driver(
    program(
      [start(), and("split"), service("a"), service("b"), and("join"), user("x"), end()],
      [...["start>split>a>join>end", "split>b>join", "x>join"]],
    ),
  ).create();
  waiting.complete("a").complete("b");
  expect(waiting.view().incidents).toMatchObject([{ error: { code: "join-stuck" } }]);
  migrate(waiting, fresh, { join: "both" });
  expect(waiting.status).toBe("completed");
});

test("[K205] a token without a flow to go on, or with nothing to wait for, is in the way", () => {
  const old = program(
    [start(), and("split"), service("a"), service("b"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join"],
  );
  const twice = program(
    [start(), and("split"), service("b"), and("join"), end()],
    ["start>split>b>join>end", "split>join"],
  );
  const driver = new Driver(old).create().complete("a");
  expect(problemsOf(driver, twice)).toEqual(["flow-gone join"]);
  const unreached = program([start(), and("join"), service("b"), end()], ["start>b>end", "join>end"]);
  expect(problemsOf(driver, unreached)).toEqual(["flow-gone join"]);
  const alone = program([start(), service("a"), and("join"), service("b"), end()], ["start>a>join>end", "b>end"]);
  expect(problemsOf(driver, alone)).toEqual(["flow-gone join"]);
});

test("[K205] a token whose flow is gone goes on by the one that the mapping names", () => {
  const old = program(
    [start(), and("split"), service("a"), service("b"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join"],
  );
  const checked = program(
    [start(), and("split"), service("a"), service("check"), service("b"), or("join"), end()],
    ["start>split>a>check>join>end", "split>b>join"],
  );
  const driver = new Driver(old).create().complete("a");
  expect(problemsOf(driver, checked)).toEqual(["element-differs join", "flow-gone join"]);
  const refusal = driver.try({ type: "migrate-instance", to: checked, mapping: {}, reason: "so" });
  expect(refusal?.problems?.[1]?.message).toBe(
    "a token came to 'join' from 'a' by 'a>join', and no flow leads there any more: map 'a>join' to 'check>join' or 'b>join'",
  );
  expect(problemsOf(driver, checked, { "a>join": "nowhere" })).toContain("mapping-unknown a>join");
  expect(problemsOf(driver, checked, { "a>join": "start>split" })).toEqual(["flow-gone join"]);
  migrate(driver, checked, { "a>join": "check>join" });
  expect(driver.lastEvents[0]).toMatchObject({ elements: {}, flows: { "a>join": "check>join" } });
  expect(driver.complete("b").status).toBe("completed");
});

test("[K205] what is mapped to a flow of another scope, that another token is on, or past a gateway that went on, is in the way", () => {
  const content = [start("s"), and("split"), service("a"), service("b"), service("c"), and("join"), end("e")];
  const lines = ["start>box>end", "s>split>a>join>e", "split>b>join", "split>c>join"];
  const old = program([start(), ...sub("box", content), end()], lines);
  const moved = program(
    [start(), ...sub("box", content), service("x"), service("y"), and("other"), end()],
    ["start>box>x>other>end", "y>other", "s>split>c>join>e", "split>b>join", "split>a"],
  );
  const driver = new Driver(old).create().complete("a").complete("b");
  expect(problemsOf(driver, moved, { "a>join": "x>other" })).toEqual(["flow-gone join"]);
  expect(problemsOf(driver, moved, { "a>join": "b>join", "b>join": "b>join" })).toEqual(["mapping-twice join"]);
  expect(problemsOf(driver, moved, { "a>join": "b>join" })).toEqual(["flow-gone join"]);
  const gate = (...more: string[]) =>
    program(
      [
        start(),
        and("split"),
        service("a"),
        service("b"),
        complex("c", "arrived >= 1"),
        complex("d", "arrived >= 2"),
        end(),
      ],
      ["start>split>b>c>end", "b>d>end", ...more],
    );
  const resting = new Driver(gate("split>a>c")).create().complete("a");
  expect(problemsOf(resting, gate("split>a>d"), { "a>c": "a>d" })).toEqual(["flow-gone c"]);
});

test("[K206] a token that nothing can be mapped to has to go on first", () => {
  const old = program(
    [start(), and("split"), service("a"), service("b"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join"],
  );
  const gone = program([start(), service("b"), and("join"), end()], ["start>b>end", "join>end"]);
  const driver = new Driver(old).create().complete("a");
  const refusal = driver.try({ type: "migrate-instance", to: gone, mapping: {}, reason: "so" });
  expect(refusal?.reason).toContain("no flow leads there any more: let it go on first, or take it away");
});

test("[K205] flows between the same two elements stay apart", () => {
  const two = (first: string, second: string) =>
    program([start(), and("split"), service("a"), and("join"), end()], ["start>split>a>join>end"], {
      flows: [
        { id: "1", from: "start", to: "split" },
        { id: first, from: "split", to: "join" },
        { id: second, from: "split", to: "join" },
        { id: "4", from: "split", to: "a" },
        { id: "5", from: "a", to: "join" },
        { id: "6", from: "join", to: "end" },
      ],
    });
  const mixed = migrate(new Driver(two("x", "y")).create(), two("x", "q"));
  expect(mixed.lastEvents[0]).toMatchObject({ flows: { y: "q" } });
  const driver = migrate(new Driver(two("x", "y")).create(), two("p", "q"));
  expect(driver.lastEvents[0]).toMatchObject({ flows: { x: "p", y: "q" } });
  migrate(driver, two("q", "p"));
  expect(driver.events).toEqual(["instance-migrated"]);
  migrate(driver, two("q", "z")).complete("a");
  expect(driver.status).toBe("completed");
});

test("[K205] tokens that the limit holds back go along", () => {
  const many = (name: string) =>
    program([start(), and("split"), raise("merge"), service("work")], [], {
      flows: [
        ...flows("start>split"),
        ...Array.from({ length: 1_200 }, (_, index) => ({ id: `f${index}`, from: "split", to: "merge" })),
        { id: name, from: "merge", to: "work" },
        { id: "same", from: "merge", to: "work" },
      ],
    });
  const driver = new Driver(many("one"), { checked: false }).create().send({ type: "continue" });
  migrate(driver, many("other"));
  driver.check();
  expect([...driver.state.heldFlows.values()].map(({ flow }) => flow)).toEqual(["same", "other"]);
  driver.goOn();
  expect(driver.view().elements).toHaveLength(2_400);
});

test("[K206] a token that the limit holds back on its way to what is gone is in the way", () => {
  const on = (...tasks: readonly string[]) => {
    const elements = [start(), and("split"), ...tasks.map((task) => service(task))];
    const { document } = program(elements, [...tasks.map((task) => `start>split>${task}`)]);
    return loadProgram(document, testHost, { ...limits, activationsPerCommandMax: 3 });
  };
  const driver = new Driver(on("a", "b")).create();
  expect([...driver.state.heldFlows.values()].map(({ flow }) => flow)).toEqual(["split>b"]);
  expect(problemsOf(driver, on("a", "c"))).toEqual(["flow-gone b"]);
});

test("[K205] ids are anybody's words: those that every object has stay what they are", () => {
  const odd = program(
    [start("constructor"), and("toString"), service("valueOf"), user("x"), and("join"), end()],
    ["constructor>toString>valueOf>join>end", "toString>x>join"],
  );
  const driver = new Driver(odd).create().complete("valueOf");
  const { document, mapping } = renamedDocument(odd.document, "!");
  migrate(driver, odd);
  expect(driver.lastEvents).toMatchObject([{ elements: {}, flows: {} }]);
  migrate(driver, loadProgram(document, testHost), mapping);
  expect(driver.active).toEqual(["x!"]);
});

test("[K205] what is chosen in an ad-hoc sub-process and has not started goes along, and has to be there", () => {
  const tools = (...names: readonly string[]) =>
    program(
      [
        start(),
        ...adHoc(
          "tools",
          names.map((name) => service(name)),
          { ordering: "sequential", activate: literal(["a", "b"]) },
        ),
        end(),
      ],
      ["start>tools>end"],
    );
  const old = tools("a", "b");
  const { document, mapping } = renamedDocument(old.document, "2");
  const driver = new Driver(old).create();
  expect(problemsOf(driver, tools("a"))).toEqual(["element-gone b"]);
  const follows = program(old.document.elements, ["start>tools>end", "a>b"]);
  expect(problemsOf(driver, follows)).toEqual(["element-differs b"]);
  const fresh = {
    ...document,
    elements: tools("a", "b", "c").document.elements.map((each) => ({
      ...each,
      id: `${each.id}2`,
      parent: each.parent === null ? null : `${each.parent}2`,
    })),
  };
  migrate(driver, loadProgram(fresh, testHost), mapping).complete("a2");
  expect(driver.active).toEqual(["b2", "tools2"]);
  expect(driver.complete("b2").status).toBe("completed");
});

test("[K205] tokens on the same flow in several scopes go along together", () => {
  const content = [start("s"), and("two"), service("a"), service("b"), and("join"), end("e")];
  const box = sub("box", content, { loop: loop("parallel") });
  const made = program([start(), ...box, end()], ["start>box>end", "s>two>a>join>e", "two>b>join"]);
  const { document, mapping } = renamedDocument(made.document, "2");
  const driver = new Driver(made).create({ items: [1, 2] });
  const jobs = [...driver.state.jobs.values()].filter(({ element }) => element === "a");
  for (const { key } of jobs) driver.send({ type: "complete-job", key, result: {} });
  migrate(driver, loadProgram(document, testHost), mapping);
  for (const { key } of [...driver.state.jobs.values()]) driver.send({ type: "complete-job", key, result: {} });
  expect(driver.status).toBe("completed");
});
