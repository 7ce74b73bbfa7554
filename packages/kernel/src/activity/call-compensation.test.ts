import { expect, test } from "vitest";
import type { Program } from "../load.ts";
import type { Element, ProgramDocument } from "../program.ts";
import {
  boundary,
  call,
  end,
  handling,
  literal,
  loop,
  map,
  onError,
  onTimer,
  or,
  program,
  raise,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  undo,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { Family } from "../testing/family.ts";

/** A task and the one that undoes it, told `n` as it was. */
function undoable(id: string): Element[] {
  return [
    service(id, { compensation: `undo-${id}`, outputs: map({ n: "n + 1" }) }),
    service(`undo-${id}`, { forCompensation: true, inputs: map({ n: "n" }), policy: { retry: retry(2) } }),
  ];
}

const withN: Pick<ProgramDocument, "variables"> = {
  variables: [{ name: "n", type: "number", initial: 0, required: false }],
};

/** A process of tasks in a row. */
function work(id: string, tasks: readonly string[], options: Partial<ProgramDocument> = {}): Program {
  return program([start(), ...tasks.map(undoable), end()], [["start", ...tasks, "end"].join(">")], {
    id,
    hash: `hash of ${id}`,
    ...withN,
    ...options,
  });
}

/** `above` calls `child`, does what else there is, and undoes all of it. */
function above(
  elements: readonly (Element | readonly Element[])[],
  line: string,
  options: Partial<ProgramDocument> = {},
) {
  return program([start(), ...elements, undo("back"), end()], [`start>${line}>back>end`], { id: "above", ...options });
}

/** Completes what is open until nothing is; gives the order. */
function finish(family: Family): string[] {
  const order: string[] = [];
  for (let [job] = family.jobs; job !== undefined; [job] = family.jobs) {
    expect(family.jobs).toHaveLength(1);
    order.push(job);
    family.complete(job);
  }
  return order;
}

const child = work("child", ["a", "b"]);

test("[K101] a completed call is undone by the handlers of the called process, the last first, with their snapshots", () => {
  const family = new Family([above([call("child"), ...undoable("x")], "child>x"), child]).create("above");
  expect(family.jobs).toEqual(["i/1:a"]);
  family.complete("i/1:a").complete("i/1:b");
  expect(family.member("i/1").status).toBe("completed");
  const variables = { n: 2 };
  expect(family.member("i/1").view().variables).toEqual(variables);
  family.act("i", (member) => member.send({ type: "set-variables", scope: 0, values: { n: 0 }, reason: "so" }));
  family.complete("i:x").complete("i:undo-x");
  const [, , undoing = ""] = family.members;
  expect(family.member("i").view().waiting).toContainEqual(
    expect.objectContaining({ element: "child", on: "child", reason: `'${undoing}' undoes what 'i/1' did.` }),
  );
  expect(family.jobs).toEqual([`${undoing}:undo-b`]);
  expect(family.member(undoing).view()).toMatchObject({ process: "child", hash: "hash of child", variables });
  expect(family.member(undoing).history[0]).toMatchObject({ type: "instance-created", undoes: "i/1" });
  const seen = family.member(undoing).lastEffects;
  expect(seen).toMatchObject([{ type: "offer-job", jobType: "undo-b", input: { n: 2 } }]);
  family.complete(`${undoing}:undo-b`);
  expect(family.member(undoing).lastEffects).toMatchObject([{ jobType: "undo-a", input: { n: 1 } }]);
  family.complete(`${undoing}:undo-a`);
  expect(family.member(undoing)).toMatchObject({ status: "completed" });
  expect(family.member("i").status).toBe("completed");
  expect(family.members).toHaveLength(3);
});

test("[K101] an instance that nobody called, or in which nothing can be undone, leaves nothing", () => {
  const alone = new Driver(child).create().complete("a").complete("b");
  expect(alone.lastEvents.at(-1)).not.toHaveProperty("undoable");
  const plain = program([start(), service("a"), end()], ["start>a>end"], { id: "child" });
  const family = new Family([above([call("child")], "child"), plain]).create("above").complete("i/1:a");
  expect(family.member("i").status).toBe("completed");
  expect(family.members).toEqual(["i", "i/1"]);
});

test("[K101] calls in calls are undone alike, each by an instance of its own process", () => {
  const middle = program([start(), ...undoable("m"), call("child"), ...undoable("z"), end()], ["start>m>child>z>end"], {
    id: "middle",
    hash: "middle",
    ...withN,
  });
  const family = new Family([above([call("middle")], "middle"), middle, child]).create("above");
  const order = finish(family).map((job) => job.split(":")[1]);
  expect(order).toEqual(["m", "a", "b", "z", "undo-z", "undo-b", "undo-a", "undo-m"]);
  expect(family.members.map((id) => family.member(id).status)).toEqual(Array(5).fill("completed"));
});

test("[K101] the compensation event sub-process of the called process undoes it, and decides what is undone", () => {
  const inside = (id: string, content: readonly Element[], then: string): Program =>
    program(
      [
        ...[start(), ...undoable("a"), end()],
        ...handling("whole", { trigger: { type: "compensation" } }, [...content, end("e")]),
      ],
      ["start>a>end", `whole-start>${then}>e`],
      { id, hash: id, ...withN },
    );
  const all = inside("child", [service("before", { inputs: map({ n: "n" }) }), undo("rest")], "before>rest");
  const family = new Family([above([call("child")], "child"), all]).create("above").complete("i/1:a");
  const [, , undoing = ""] = family.members;
  expect(family.member(undoing).lastEffects).toMatchObject([{ jobType: "before", input: { n: 1 } }]);
  expect(finish(family).map((job) => job.split(":")[1])).toEqual(["before", "undo-a"]);
  expect(family.member("i").status).toBe("completed");
  // Without a compensation event of its own it leaves the rest as it is; it undoes also where nothing else could.
  const other = inside("child", [service("instead")], "instead");
  const short = new Family([above([call("child")], "child"), other]).create("above").complete("i/1:a");
  expect(finish(short).map((job) => job.split(":")[1])).toEqual(["instead"]);
  expect(short.member("i").status).toBe("completed");
});

test("[K97] a handler at the call goes before what the called process has; named, the call is undone, too", () => {
  const handled = [call("child", { compensation: "undo-call" }), service("undo-call", { forCompensation: true })];
  const family = new Family([above(handled, "child"), child]).create("above").complete("i/1:a").complete("i/1:b");
  expect(family.jobs).toEqual(["i:undo-call"]);
  expect(family.complete("i:undo-call").member("i").status).toBe("completed");
  const named = program(
    [start(), call("child"), ...undoable("x"), undo("back", "child"), end()],
    ["start>child>x>back>end"],
    { id: "above" },
  );
  const only = new Family([named, child]).create("above").complete("i/1:a").complete("i/1:b");
  only.act("i", (member) => member.send({ type: "set-variables", scope: 0, values: { n: 0 }, reason: "so" }));
  only.complete("i:x");
  expect(finish(only).map((job) => job.split(":")[1])).toEqual(["undo-b", "undo-a"]);
  expect(only.member("i").status).toBe("completed");
});

test("[K101] of several calls of one activity the last that completed is undone first", () => {
  const items = script("list", {}, { assignments: [{ target: "items", source: literal(["p", "q"]) }] });
  const several = call("child", { loop: loop("sequential") });
  const one = work("child", ["a"]);
  const family = new Family([above([items, several], "list>child"), one]).create("above");
  const order = finish(family);
  expect(order.map((job) => job.split(":")[1])).toEqual(["a", "a", "undo-a", "undo-a"]);
  const undone = family.members.slice(3).map((id) => family.member(id).history[0]);
  expect(undone).toMatchObject([{ undoes: family.members[2] }, { undoes: family.members[1] }]);
});

test("[K101] it is undone as a process fails, as a transaction is cancelled, and in the class it was called in", () => {
  const failing = program([start(), call("child"), service("x"), end()], ["start>child>x>end"], {
    id: "above",
    onError: "compensate",
  });
  const family = new Family([failing, child]).create("above").complete("i/1:a").complete("i/1:b");
  family.act("i", (member) => member.throw("x", "E"));
  expect(family.member("i").status).toBe("failing");
  expect(finish(family).map((job) => job.split(":")[1])).toEqual(["undo-b", "undo-a"]);
  expect(family.member("i").view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
  const deal = sub("deal", [start("s"), call("child"), end("c", { type: "cancel" })], { transaction: true });
  const dealing = program(
    [start(), ...deal, boundary("off", "deal", { trigger: { type: "cancel" } }), end()],
    ["start>deal>end", "s>child>c", "off>end"],
    { id: "above" },
  );
  const cancelled = new Family([dealing, child]).create("above");
  expect(finish(cancelled).map((job) => job.split(":")[1])).toEqual(["a", "b", "undo-b", "undo-a"]);
  expect(cancelled.member("i").status).toBe("completed");
  const driver = new Driver(above([call("child")], "child")).create({}, { queue: "light", priority: 2 });
  const done = { type: "completed" as const, result: {} };
  const record = { key: 4, scope: 0, element: "a", handler: "undo-a", variables: {} };
  const left = {
    instanceId: "i/1",
    process: "child",
    hash: "h",
    work: { values: [], variables: {}, records: [record] },
  };
  driver.send({ type: "end-child", key: 1, childId: "i/1", outcome: done, undoable: left });
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", queue: "light", priority: 2, undoes: left }]);
});

test("[K102] a handler that fails for good is retried and reported by its instance, and its caller goes on", () => {
  const made = above([...undoable("x"), call("child")], "x>child", withN);
  const family = new Family([made, child]).create("above").complete("i:x");
  family.complete("i/2:a").complete("i/2:b");
  const [, , undoing = ""] = family.members;
  const fail = (element: string) => family.act(undoing, (member) => member.fail(element));
  fail("undo-b");
  expect(family.jobs).toEqual([`${undoing}:undo-b`]);
  fail("undo-b");
  expect(family.jobs).toEqual([`${undoing}:undo-a`]);
  family.complete(`${undoing}:undo-a`);
  const error = { code: "work-not-undone", message: "Expected all that 'i/2' did to be undone, but 1 could not be" };
  expect(family.member(undoing).view().outcome).toEqual({ type: "failed", error });
  const { history } = family.member("i");
  expect(history.filter(({ type }) => type === "compensation-failed")).toMatchObject([{ error }]);
  expect(finish(family)).toEqual(["i:undo-x"]);
  expect(family.member("i").status).toBe("completed");
});

test("[K102] what is too large to be handed on is said not to be undone, and the others are", () => {
  const made = above([...undoable("x"), call("child")], "x>child", withN);
  const large = (chars: number): Family => {
    const family = new Family([made, child]).create("above").complete("i:x");
    const values = { text: "x".repeat(chars) };
    family.act("i/2", (member) => member.send({ type: "set-variables", scope: 0, values, reason: "so" }));
    return family.complete("i/2:a").complete("i/2:b");
  };
  const family = large(524_288);
  expect(family.member("i/2").lastEvents.at(-1)).toMatchObject({ type: "instance-completed", undoable: false });
  expect(family.member("i").history).toContainEqual(
    expect.objectContaining({
      type: "compensation-failed",
      error: {
        code: "work-too-large",
        message: "Expected to undo 'i/2', but what it did is too large to be handed on",
      },
    }),
  );
  expect(finish(family)).toEqual(["i:undo-x"]);
  expect(family.member("i").status).toBe("completed");
  // The snapshots of both tasks have the text, and it is counted once.
  expect(large(500_000).jobs).toEqual(["i/4:undo-b"]);
});

test("[K103] what undoes a call has no boundary events: no timer is armed, and what it throws passes them by", () => {
  const warning = program(
    [
      ...[start(), service("a", { compensation: "box" }), end()],
      ...sub("box", [start("s"), raise("warn", { type: "escalation", code: "hot" }), end("e")], {
        forCompensation: true,
      }),
    ],
    ["start>a>end", "s>warn>e"],
    { id: "child" },
  );
  const hot = { trigger: { type: "escalation" as const }, interrupting: false };
  const guarded = above(
    [
      ...[call("child"), onTimer("late", "child", { timer: timer("duration", "PT5S") }), onError("broken", "child")],
      ...[boundary("hot", "child", hot), service("note"), service("other")],
    ],
    "child",
  );
  const made = program(guarded.document.elements, [
    "start>child>back>end",
    "hot>note>end",
    "late>other>end",
    "broken>other",
  ]);
  const family = new Family([
    program(made.document.elements, [], { ...made.document, id: "above", flows: made.document.flows }),
    warning,
  ]);
  family.create("above").complete("i/1:a");
  expect(family.member("i").history.filter(({ type }) => type === "timer-armed")).toHaveLength(1);
  expect(family.member("i").history).toContainEqual(
    expect.objectContaining({ type: "escalation-thrown", code: "hot", caughtBy: null }),
  );
  expect(family.jobs).toEqual([]);
  expect(family.member("i").status).toBe("completed");
});

test("[K103] no join waits for what undoes a call", () => {
  const made = program(
    [
      ...[start(), call("child"), or("split"), raise("back", { type: "compensation", waits: false })],
      ...[or("join"), service("x"), service("after"), end()],
    ],
    ["start>child>split>back>join>after>end", "split>x>join"],
    { id: "above" },
  );
  const family = new Family([made, work("child", ["a"])]).create("above").complete("i/1:a");
  const [, , undoing = ""] = family.members;
  expect(family.jobs).toEqual(["i:x", `${undoing}:undo-a`]);
  expect(family.complete("i:x").jobs).toEqual(["i:after", `${undoing}:undo-a`]);
});

test("[K92] whoever is cancelled cancels what undoes its calls; a pause holds it back", () => {
  const family = new Family([above([call("child"), ...undoable("x")], "child>x"), child]).create("above");
  family.complete("i/1:a").complete("i/1:b");
  family.act("i", (member) => member.send({ type: "set-variables", scope: 0, values: { n: 0 }, reason: "so" }));
  family.complete("i:x");
  const parent = family.member("i");
  parent.send({ type: "pause-instance", stopRunning: false, reason: "rest" }).complete("undo-x");
  expect(family.act("i", () => undefined).members).toHaveLength(2);
  family.act("i", (member) => member.send({ type: "resume-instance" }));
  const [, , undoing = ""] = family.members;
  expect(family.jobs).toEqual([`${undoing}:undo-b`]);
  family.act("i", (member) => member.send({ type: "cancel-instance", reason: "enough" }));
  expect(family.member(undoing).status).toBe("cancelled");
});

test("[K101] a call that could not write its outputs at once is undone once it has", () => {
  const mapped = call("child", { outputs: map({ got: "missing" }) });
  const family = new Family([above([mapped], "child"), work("child", ["a"])]).create("above").complete("i/1:a");
  expect(family.member("i").view().incidents).toMatchObject([{ kind: "completion" }]);
  family.act("i", (member) =>
    member.send({ type: "set-variables", scope: 0, values: { missing: 1 }, reason: "so" }).resolve(),
  );
  expect(finish(family).map((job) => job.split(":")[1])).toEqual(["undo-a"]);
  expect(family.member("i").status).toBe("completed");
});

test("[K202] what is left to undo of a call, and what is being undone, goes on under another version of the caller", () => {
  const to = (id: string, more: readonly Element[] = []) =>
    above([call(id, { process: "child" }), service("x"), ...more], `${id}>x`, { hash: "next" });
  const move = (member: Driver, program: Program) =>
    member.send({ type: "migrate-instance", to: program, mapping: { child: "called" }, reason: "so" });
  const family = new Family([above([call("child"), service("x")], "child>x"), work("child", ["a"])]).create("above");
  family.complete("i/1:a").act("i", (member) => move(member, to("called")));
  family.complete("i:x");
  const [, , undoing = ""] = family.members;
  expect(family.jobs).toEqual([`${undoing}:undo-a`]);
  const late = onTimer("late", "called", { timer: timer("duration", "PT5S") });
  const timed = to("called", [late]);
  family.act("i", (member) => member.send({ type: "migrate-instance", to: timed, mapping: {}, reason: "so" }));
  expect(family.member("i").state.timers.values().next().done).toBe(true);
  const undoes = family.member(undoing);
  expect(undoes.try({ type: "migrate-instance", to: child, mapping: {}, reason: "so" })?.problems).toMatchObject([
    { code: "instance-failing" },
  ]);
  const modification = { activate: [{ element: "a" }], terminate: [], reason: "so" };
  expect(undoes.try({ type: "modify-instance", ...modification })?.code).toBe("instance-failing");
  expect(finish(family)).toEqual([`${undoing}:undo-a`]);
  expect(family.member("i").status).toBe("completed");
});

test("[K211] a fork undoes what its original could, by an instance of its own", () => {
  const family = new Family([above([call("child"), service("x")], "child>x"), work("child", ["a"])]).create("above");
  family.complete("i/1:a").complete("i:x");
  const { history, program: made } = family.member("i");
  const fork = new Driver(made).follow(history).send({ type: "fork-instance", instanceId: "j", reason: "so" });
  const key = fork.key("child");
  expect(fork.lastEffects).toMatchObject([{ type: "start-child", childId: `j/${key}`, undoes: { instanceId: "i/1" } }]);
});

test("[K103] errors and event sub-processes of the process play no part while it only undoes", () => {
  const elements = [
    ...[start(), ...undoable("a"), end()],
    ...handling("rescue", { trigger: { type: "error" } }, [service("help"), end("e")]),
    ...handling("timed", { trigger: { type: "timer", timer: timer("duration", "PT5S") } }, [end("f")]),
  ];
  const made = program(elements, ["start>a>end", "rescue-start>help>e", "timed-start>f"], {
    id: "child",
    ...withN,
  });
  const family = new Family([above([call("child")], "child"), made]).create("above").complete("i/1:a");
  const [, , undoing = ""] = family.members;
  expect(family.member(undoing).state.timers.values().next().done).toBe(true);
  family.act(undoing, (member) => member.throw("undo-a", "E"));
  expect(family.member(undoing).status).toBe("failed");
  expect(family.member("i").status).toBe("completed");
});
