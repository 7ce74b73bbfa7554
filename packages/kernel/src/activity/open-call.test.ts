import { expect, test } from "vitest";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import type { Element, ProgramDocument } from "../program.ts";
import {
  and,
  boundary,
  call,
  end,
  literal,
  loop,
  onSignal,
  onTimer,
  program,
  retry,
  service,
  start,
  sub,
  timer,
  undo,
  xor,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { Family } from "../testing/family.ts";

/** A task and the one that undoes it. */
function undoable(id: string): Element[] {
  return [
    service(id, { compensation: `undo-${id}` }),
    service(`undo-${id}`, { forCompensation: true, policy: { retry: retry(1) } }),
  ];
}

function work(id: string, tasks: readonly string[], options: Partial<ProgramDocument> = {}): Program {
  const made = [start(), ...tasks.map(undoable), end()];
  return program(made, [["start", ...tasks, "end"].join(">")], { id, hash: `hash of ${id}`, ...options });
}

const child = work("child", ["a", "b", "c"]);

/** A transaction that has done `x`, calls `child` in a sub-process and waits for somebody to ask; then it is cancelled. */
function dealing(calls: Element = call("child"), more: readonly Element[] = []): Program {
  const box = sub("box", [start("bs"), calls, ...more, end("be")]);
  const deal = [start("s"), ...undoable("x"), and("split"), ...box, service("ask"), end("no", { type: "cancel" })];
  return program(
    [
      ...[start(), ...sub("deal", deal, { transaction: true }), service("after"), service("undone"), end()],
      ...[boundary("off", "deal", { trigger: { type: "cancel" } })],
    ],
    ["start>deal>after>end", "s>x>split>box", `bs>${calls.id}>be`, "split>ask>no", "off>undone>end"],
    { id: "above" },
  );
}

/** Cancelled while its child has done `a` and `b`, and is about to do `c`. */
function cancelled(programs: readonly Program[] = [dealing(), child]): Family {
  const family = new Family(programs).create("above").complete("i:x");
  const [, called = ""] = family.members;
  return family.complete(`${called}:a`).complete(`${called}:b`).complete("i:ask");
}

test("[K104] an open call of a cancelled transaction undoes what it did, and then the rest is undone", () => {
  const family = cancelled();
  const [, called = ""] = family.members;
  expect(family.jobs).toEqual([`${called}:undo-b`]);
  expect(family.member(called)).toMatchObject({ status: "failing" });
  expect(family.member("i").active).toEqual(["child", "deal", "no"]);
  expect(family.member("i").view().waiting).toContainEqual(
    expect.objectContaining({ element: "child", on: "child", reason: `'${called}' undoes what it did.` }),
  );
  family.complete(`${called}:undo-b`).complete(`${called}:undo-a`);
  const actor = "tester";
  expect(family.member(called).view().outcome).toEqual({ type: "cancelled", reason: "What called it is undone." });
  expect(family.member(called).history.at(-1)).toMatchObject({ type: "instance-cancelled", actor });
  expect(family.jobs).toEqual(["i:undo-x"]);
  expect(family.complete("i:undo-x").member("i").active).toEqual(["undone"]);
});

test("[K104] with nothing done the call ends at once", () => {
  const family = new Family([dealing(), child]).create("above").complete("i:x").complete("i:ask");
  expect(family.members.map((id) => family.member(id).status)).toEqual(["running", "cancelled"]);
  expect(family.jobs).toEqual(["i:undo-x"]);
});

test("[K104] calls in the called process undo what they did, too", () => {
  const middle = program([start(), ...undoable("m"), call("child"), end()], ["start>m>child>end"], { id: "middle" });
  const family = new Family([dealing(call("middle")), middle, child]).create("above").complete("i:x");
  const [, between = ""] = family.members;
  family.complete(`${between}:m`);
  const [, , called = ""] = family.members;
  family.complete(`${called}:a`).complete("i:ask");
  expect(family.jobs).toEqual([`${called}:undo-a`]);
  expect(family.complete(`${called}:undo-a`).jobs).toEqual([`${between}:undo-m`]);
  expect(family.complete(`${between}:undo-m`).jobs).toEqual(["i:undo-x"]);
});

test("[K104] several undo themselves at the same time, those of a collection too; nothing on them fires any more", () => {
  const several = call("child", { loop: loop("parallel", { collection: literal([1, 2]) }) });
  const late = onTimer("late", "child", { timer: timer("duration", "PT5S") });
  const bell = boundary("bell", "child", { trigger: onSignal("bell"), interrupting: false });
  const family = new Family([dealing(several, [late, bell]), child]).create("above").complete("i:x");
  const [, one = "", two = ""] = family.members;
  family.complete(`${one}:a`).complete(`${two}:a`).complete("i:ask");
  expect(family.jobs).toEqual([`${one}:undo-a`, `${two}:undo-a`]);
  const { state } = family.member("i");
  expect([...state.timers.values(), ...state.subscriptions.values(), ...state.collections.values()]).toEqual([]);
  expect(family.complete(`${two}:undo-a`).jobs).toEqual([`${one}:undo-a`]);
  expect(family.complete(`${one}:undo-a`).jobs).toEqual(["i:undo-x"]);
});

test("[K104] a process that has nothing but an open call to undo waits for that", () => {
  const failing = program(
    [start(), and("split"), call("child"), service("risky"), end()],
    ["start>split>child>end", "split>risky>end"],
    { id: "above", onError: "compensate" },
  );
  const family = new Family([failing, child]).create("above");
  const [, called = ""] = family.members;
  family.complete(`${called}:a`).act("i", (member) => member.throw("risky", "E"));
  expect(family.member("i").status).toBe("failing");
  expect(family.complete(`${called}:undo-a`).member("i").status).toBe("failed");
});

test("[K104] a process that fails and undoes its work waits for its open calls", () => {
  const failing = program(
    [start(), ...undoable("x"), and("split"), call("child"), service("risky"), end()],
    ["start>x>split>child>end", "split>risky>end"],
    { id: "above", onError: "compensate" },
  );
  const family = new Family([failing, child]).create("above").complete("i:x");
  const [, called = ""] = family.members;
  family.complete(`${called}:a`).act("i", (member) => member.throw("risky", "E"));
  expect(family.jobs).toEqual([`${called}:undo-a`]);
  family.complete(`${called}:undo-a`).complete("i:undo-x");
  expect(family.member("i").view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
});

test("[K104] what a child did that completed meanwhile is undone first, and by its own process", () => {
  const handled = call("child", { compensation: "undo-call" });
  const handler = service("undo-call", { forCompensation: true });
  const made = dealing(handled, [handler]);
  const driver = new Driver(made).create().complete("x").complete("ask");
  const key = driver.key("child");
  expect(driver.lastEffects).toContainEqual({
    ...{ type: "cancel-child", childId: `i/${key}`, reason: "What called it is undone.", undo: true },
  });
  const record = { key: 4, scope: 0, element: "a", handler: "undo-a", variables: {} };
  const work = { values: [], variables: {}, records: [record] };
  const left = { instanceId: `i/${key}`, process: "child", hash: "h", work };
  const done = {
    type: "end-child" as const,
    key,
    childId: `i/${key}`,
    outcome: { type: "completed", result: {} } as const,
  };
  driver.send({ ...done, undoable: left });
  expect(driver.active).toEqual(["child", "deal", "no"]);
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", process: "child", undoes: left }]);
  const undoing = driver.key("child");
  driver.send({ ...done, key: undoing, childId: `i/${undoing}` });
  expect(driver.complete("undo-x").active).toEqual(["undone"]);
});

test("[K104] a child that could not undo all it did counts as a handler that failed", () => {
  const family = cancelled();
  const [, called = ""] = family.members;
  family.act(called, (member) => member.fail("undo-b"));
  family.complete(`${called}:undo-a`);
  const message = `Expected all that '${called}' did to be undone, but 1 could not be`;
  const error = { code: "work-not-undone", message };
  expect(family.member(called).view().outcome).toEqual({ type: "failed", error });
  expect(family.member("i").history).toContainEqual(expect.objectContaining({ type: "compensation-failed", error }));
  expect(family.jobs).toEqual(["i:undo-x"]);
});

test("[K104] a call that came up during a pause has no child: it just ends", () => {
  const driver = new Driver(dealing()).create();
  driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" }).complete("x");
  driver.complete("ask");
  expect(driver.events).toContain("child-cancelled");
  expect(driver.active).toEqual(["deal", "no", "undo-x"]);
  driver.send({ type: "resume-instance" });
  expect(driver.lastEffects.filter(({ type }) => type.endsWith("child"))).toEqual([]);
});

test("[K104] while the caller is paused its children begin to undo nothing; a resume tells them to", () => {
  const driver = new Driver(dealing()).create().complete("x");
  driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" }).complete("ask");
  expect(driver.lastEffects).not.toContainEqual(expect.objectContaining({ type: "cancel-child" }));
  driver.send({ type: "resume-instance" });
  expect(driver.lastEffects).toContainEqual(expect.objectContaining({ type: "cancel-child", undo: true }));
  expect(driver.lastEffects).not.toContainEqual(expect.objectContaining({ type: "start-child" }));
});

test("[K104] a caller that fails while it is paused tells its children at once, since its pause ends", () => {
  const failing = program(
    [start(), and("split"), call("child"), service("risky"), end()],
    ["start>split>child>end", "split>risky>end"],
    { id: "above", onError: "compensate" },
  );
  const driver = new Driver(failing).create();
  driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" }).throw("risky", "E");
  expect(driver.lastEffects).toContainEqual(expect.objectContaining({ type: "cancel-child", undo: true }));
});

test("[K104] what was to undo a completed call, but came up during a pause, begins with the resume", () => {
  const family = new Family([twice(), work("child", ["a"])]).create("above");
  const [, called = ""] = family.members;
  family.act("i", (member) => member.send({ type: "pause-instance", stopRunning: false, reason: "rest" }));
  family.complete(`${called}:a`).complete("i:ask");
  expect(family.members).toHaveLength(2);
  family.act("i", (member) => member.send({ type: "resume-instance" }));
  const [, , undoing = ""] = family.members;
  expect(family.complete(`${undoing}:undo-a`).member("i").active).toEqual(["undone"]);
});

test("[K211] a call that had not begun during a pause begins in the fork as it resumes", () => {
  const driver = new Driver(dealing()).create().complete("x");
  driver.send({ type: "pause-instance", stopRunning: false, reason: "rest" });
  const fork = new Driver(driver.program).follow(driver.history);
  fork.send({ type: "fork-instance", instanceId: "j", reason: "so" }).complete("ask");
  expect(fork.active).toEqual(["deal", "no", "undo-x"]);
});

/** A transaction that undoes a completed call by itself, and may be cancelled meanwhile. */
function twice(): Program {
  const box = sub("box", [start("bs"), call("child"), undo("back"), end("be")]);
  const deal = [start("s"), and("split"), ...box, service("ask"), end("no", { type: "cancel" })];
  return program(
    [
      ...[start(), ...sub("deal", deal, { transaction: true }), service("undone"), end()],
      boundary("off", "deal", { trigger: { type: "cancel" } }),
    ],
    ["start>deal>end", "s>split>box", "bs>child>back>be", "split>ask>no", "off>undone>end"],
    { id: "above" },
  );
}

test("[K104] what undoes a completed call goes on with that as the transaction around it is cancelled", () => {
  const family = new Family([twice(), work("child", ["a", "b"])]).create("above");
  const [, called = ""] = family.members;
  family.complete(`${called}:a`).complete(`${called}:b`);
  const [, , undoing = ""] = family.members;
  expect(family.complete("i:ask").jobs).toEqual([`${undoing}:undo-b`]);
  expect(family.member("i").active).toEqual(["child", "deal", "no"]);
  family.complete(`${undoing}:undo-b`).complete(`${undoing}:undo-a`);
  expect(family.member("i").active).toEqual(["undone"]);
});

test("[K104] a call that completed and could not write its outputs is undone with the rest", () => {
  const mapped = call("child", { outputs: [{ target: "got", source: { variable: "missing" } }] });
  const family = new Family([dealing(mapped), work("child", ["a"])]).create("above").complete("i:x");
  const [, called = ""] = family.members;
  family.complete(`${called}:a`);
  expect(family.member("i").view().incidents).toMatchObject([{ kind: "completion" }]);
  family.complete("i:ask");
  const [, , undoing = ""] = family.members;
  expect(family.jobs).toEqual([`${undoing}:undo-a`]);
});

test("[K211] the fork of a caller whose call undoes itself has no child to wait for", () => {
  const { history, program: made } = cancelled().member("i");
  const fork = new Driver(made).follow(history).send({ type: "fork-instance", instanceId: "j", reason: "so" });
  expect(fork.active).toEqual(["deal", "no", "undo-x"]);
});

test("[K188] a call that undoes itself and is ended by hand counts as a handler that failed", () => {
  const family = cancelled();
  family.act("i", (member) =>
    member.send({ type: "modify-instance", activate: [], terminate: [member.key("child")], reason: "so" }),
  );
  expect(family.member("i").history.filter(({ type }) => type === "compensation-failed")).toHaveLength(1);
  const [, called = ""] = family.members;
  expect(family.member(called).status).toBe("cancelled");
  expect(family.jobs).toEqual(["i:undo-x"]);
});

test("[K188] a cancel end event that is ended by hand ends the calls that undo themselves for it", () => {
  const family = cancelled();
  family.act("i", (member) =>
    member.send({
      ...{ type: "modify-instance", reason: "so", terminate: [member.key("no")] },
      activate: [{ element: "ask", variables: {} }],
    }),
  );
  const [, called = ""] = family.members;
  expect(family.member(called).status).toBe("cancelled");
  expect(family.member("i").active).toEqual(["ask", "deal"]);
});

test("[K92] cancelled with `undo` while a transaction in it is being cancelled, what completed in its items is undone once", () => {
  const ends = [xor("ok?", "ok?>yes"), end("yes"), end("no", { type: "cancel" })];
  const deal = [start("s"), ...undoable("x"), ...undoable("y"), ...ends];
  const made = program(
    [start(), ...sub("deal", deal, { transaction: true, loop: loop("sequential") }), end()],
    ["start>deal>end", "s>x>y>ok?", "ok?>no: item == 2", "ok?>yes"],
  );
  const driver = new Driver(made)
    .create({ items: [1, 2] })
    .complete("x")
    .complete("y")
    .complete("x")
    .complete("y");
  expect(driver.active).toEqual(["deal", "no", "undo-y"]);
  driver.send({ type: "cancel-instance", reason: "enough", undo: true });
  for (const undoer of ["undo-x", "undo-y", "undo-x"]) {
    expect(driver.active).toEqual([undoer]);
    driver.complete(undoer);
  }
  expect(driver.status).toBe("cancelled");
});

test("[K92] cancelled with `undo` while it is paused, what undoes a call goes on with what the pause held back", () => {
  const middle = program([start(), call("child"), ...undoable("x"), end()], ["start>child>x>end"], {
    ...{ id: "middle", hash: "hash of middle" },
  });
  const top = program([start(), call("middle"), undo("back"), end()], ["start>middle>back>end"], { id: "above" });
  const family = new Family([top, middle, work("child", ["a"])]).create("above");
  const [, between = "", called = ""] = family.members;
  family.complete(`${called}:a`).complete(`${between}:x`);
  const undoing = must(family.members[3], "it was undone");
  family.act(undoing, (member) => member.send({ type: "pause-instance", stopRunning: false, reason: "rest" }));
  expect(family.complete(`${undoing}:undo-x`).jobs).toEqual([]);
  family.act(undoing, (member) => member.send({ type: "cancel-instance", reason: "enough", undo: true }));
  const last = must(family.members[4], "the pause has ended");
  expect(family.complete(`${last}:undo-a`).member(undoing).status).toBe("cancelled");
});

test("[K92] cancelled with `undo` an instance undoes what it did, also in what is open, and is then cancelled", () => {
  const box = sub("box", [start("s"), ...undoable("y"), service("hang"), end("e")]);
  const made = program([start(), ...undoable("x"), ...box, end()], ["start>x>box>end", "s>y>hang>e"]);
  const driver = new Driver(made).create().complete("x").complete("y");
  driver.send({ type: "cancel-instance", reason: "enough", undo: true });
  expect(driver.active).toEqual(["undo-y"]);
  const again = driver.try({ type: "cancel-instance", reason: "more", undo: true });
  expect(again?.code).toBe("instance-failing");
  expect(driver.complete("undo-y").active).toEqual(["undo-x"]);
  driver.complete("undo-x");
  expect(driver.lastEvents.at(-1)).toMatchObject({ type: "instance-cancelled", reason: "enough", actor: "tester" });
  const nothing = new Driver(made).create().send({ type: "cancel-instance", reason: "enough", undo: true });
  expect(nothing.status).toBe("cancelled");
});

test("[K92] cancelled so while it fails, it goes on with what it undoes, and is cancelled", () => {
  const made = program([start(), ...undoable("x"), service("y"), end()], ["start>x>y>end"], { onError: "compensate" });
  const driver = new Driver(made).create().complete("x").throw("y", "E");
  driver.send({ type: "cancel-instance", reason: "enough", undo: true });
  expect(driver.active).toEqual(["undo-x"]);
  expect(driver.complete("undo-x").status).toBe("cancelled");
});
