import { expect, test } from "vitest";
import type { Program } from "../load.ts";
import type { Element, ProgramDocument } from "../program.ts";
import { and, call, end, handling, onError, program, retry, service, start, sub, undo } from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";
import { Family } from "../testing/family.ts";

/** A task and the one that undoes it. */
function undoable(id: string): Element[] {
  return [
    service(id, { compensation: `undo-${id}` }),
    service(`undo-${id}`, { forCompensation: true, policy: { retry: retry(1) } }),
  ];
}

/** Does `a`, and in a sub-process `b`, and is then about to do `c`. */
function childWith(
  more: readonly (Element | readonly Element[])[] = [],
  options: Partial<ProgramDocument> = {},
): Program {
  const box = sub("box", [start("s"), ...undoable("b"), service("c"), end("e")]);
  const made = [start(), ...undoable("a"), ...box, ...more.flat(), end()];
  return program(made, ["start>a>box>end", "s>b>c>e"], { id: "child", hash: "hash of child", ...options });
}

const child = childWith();

/** Does `x`, calls `child`, and undoes all it did when it fails. */
function above(more: readonly (Element | readonly Element[])[] = [], flows: readonly string[] = []): Program {
  return program([start(), ...undoable("x"), call("child"), ...more.flat(), end()], ["start>x>child>end", ...flows], {
    id: "above",
    onError: "compensate",
  });
}

/** The child has done `a` and `b`. */
function called(programs: readonly Program[]): { readonly family: Family; readonly id: string } {
  const family = new Family(programs).create("above").complete("i:x");
  const [, id = ""] = family.members;
  return { family: family.complete(`${id}:a`).complete(`${id}:b`), id };
}

/** Completes what is open until nothing is; gives the order. */
function finish(family: Family): string[] {
  const order: string[] = [];
  for (let [job] = family.jobs; job !== undefined; [job] = family.jobs) {
    expect(family.jobs).toHaveLength(1);
    order.push(job.split(":")[1] ?? "");
    family.complete(job);
  }
  return order;
}

const isFailed = { type: "compensation-failed" };

test("[K109] what a called instance did before it failed is undone with the rest when nothing catches the error", () => {
  const { family, id } = called([above(), child]);
  family.act(id, (member) => member.throw("c", "E"));
  expect(family.member(id).view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
  const [, , undoing = ""] = family.members;
  expect(family.member(undoing).history[0]).toMatchObject({ type: "instance-created", undoes: id });
  expect(finish(family)).toEqual(["undo-b", "undo-a", "undo-x"]);
  expect(family.member("i").view().outcome).toMatchObject({ type: "failed", error: { code: "E" } });
  expect(family.member("i").history).not.toContainEqual(expect.objectContaining(isFailed));
});

test("[K109] neither the handler at the call nor the compensation event sub-process of the process undoes it: none completed", () => {
  const whole = childWith(handling("whole", { trigger: { type: "compensation" } }, [undo("rest"), end("we")]));
  const handled = program(
    [start(), call("child", { compensation: "undo-call" }), service("undo-call", { forCompensation: true }), end()],
    ["start>child>end"],
    { id: "above", onError: "compensate" },
  );
  const family = new Family([handled, whole]).create("above");
  family.complete("i/1:a").complete("i/1:b");
  family.act("i/1", (member) => member.throw("c", "E"));
  expect(finish(family)).toEqual(["undo-b", "undo-a"]);
});

test("[K109] it goes through every call that fails with it", () => {
  const middle = program([start(), ...undoable("m"), call("child"), end()], ["start>m>child>end"], {
    ...{ id: "middle", hash: "hash of middle" },
  });
  const top = program([start(), call("middle"), end()], ["start>middle>end"], { id: "above", onError: "compensate" });
  const family = new Family([top, middle, child]).create("above").complete("i/1:m");
  const [, , id = ""] = family.members;
  family.complete(`${id}:a`).complete(`${id}:b`);
  family.act(id, (member) => member.throw("c", "E"));
  expect(finish(family)).toEqual(["undo-b", "undo-a", "undo-m"]);
  expect(family.member("i").status).toBe("failed");
});

test("[K109] of a call whose error is caught nothing is undone, as of a sub-process that an error ends", () => {
  const caught = above([onError("catch", "child", { code: "E" }), service("after")], ["catch>after>end"]);
  const { family, id } = called([caught, child]);
  family.act(id, (member) => member.throw("c", "E"));
  expect(family.jobs).toEqual(["i:after"]);
  family.act("i", (member) => member.send({ type: "cancel-instance", reason: "enough", undo: true }));
  expect(finish(family)).toEqual(["undo-x"]);
});

test("[K109] a process that is cancelled with `undo` undoes what the call did whose failure waits for a person", () => {
  const waiting = program([start(), call("child"), end()], ["start>child>end"], { id: "above" });
  const family = new Family([waiting, child]).create("above").complete("i/1:a").complete("i/1:b");
  family.act("i/1", (member) => member.throw("c", "E"));
  expect(family.member("i").view().incidents).toMatchObject([{ kind: "error" }]);
  family.act("i", (member) => member.send({ type: "cancel-instance", reason: "enough", undo: true }));
  expect(finish(family)).toEqual(["undo-b", "undo-a"]);
  expect(family.member("i").status).toBe("cancelled");
});

test("[K102] [K109] what is too large to be handed on is said not to be undone", () => {
  const { family, id } = called([above(), child]);
  const values = { text: "x".repeat(524_288) };
  family.act(id, (member) => member.send({ type: "set-variables", scope: 0, values, reason: "so" }));
  family.act(id, (member) => member.throw("c", "E"));
  expect(family.member(id).history.at(-1)).toMatchObject({ type: "instance-failed", undoable: false });
  const error = expect.objectContaining({ code: "work-too-large" });
  expect(family.member("i").history).toContainEqual(expect.objectContaining({ ...isFailed, error }));
  expect(finish(family)).toEqual(["undo-x"]);
});

/** It calls `child` and waits beside it; cancelled with `undo`, while the child ends by itself and does not know yet. */
function crossing(made: Program, ends: (member: Driver) => void): Family {
  const beside = program(
    [start(), ...undoable("x"), and("split"), call("child"), service("wait"), end()],
    ["start>x>split>child>end", "split>wait>end"],
    { id: "above" },
  );
  const { family, id } = called([beside, made]);
  ends(family.member(id));
  return family.act("i", (member) => member.send({ type: "cancel-instance", reason: "enough", undo: true }));
}

test("[K104] [K109] of a child that failed just before it heard that it is undone, what it did is undone first", () => {
  const family = crossing(child, (member) => member.throw("c", "E"));
  expect(finish(family)).toEqual(["undo-b", "undo-a", "undo-x"]);
  expect(family.member("i").status).toBe("cancelled");
});

test("[K104] [K109] nothing is left to undo of a child that failed so and undid it all by itself", () => {
  const own = childWith([], { onError: "compensate" });
  const family = crossing(own, (member) => member.throw("c", "E").complete("undo-b").complete("undo-a"));
  expect(finish(family)).toEqual(["undo-x"]);
  expect(family.member("i").status).toBe("cancelled");
  expect(family.members).toHaveLength(2);
});

test("[K104] [K109] a child that failed so and could not undo all of it counts as a handler that failed", () => {
  const own = childWith([], { onError: "compensate" });
  const family = crossing(own, (member) => member.throw("c", "E").fail("undo-b").complete("undo-a"));
  expect(finish(family)).toEqual(["undo-x"]);
  expect(family.member("i").view().outcome).toMatchObject({ type: "failed", error: { code: "work-not-undone" } });
});

test("[K104] a child of which nobody says what it did counts as a handler that failed", () => {
  const driver = new Driver(above()).create().complete("x");
  driver.send({ type: "cancel-instance", reason: "enough", undo: true });
  const key = driver.key("child");
  const error = { code: "child-lost", message: "It is gone." };
  driver.send({ type: "end-child", key, childId: `i/${key}`, outcome: { type: "failed", error } });
  expect(driver.lastEvents).toContainEqual(expect.objectContaining({ ...isFailed, error }));
  expect(driver.complete("undo-x").status).toBe("failed");
});
