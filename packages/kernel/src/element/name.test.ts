import { expect, test } from "vitest";
import type { Element, ThrowTrigger } from "../program.ts";
import {
  adHoc,
  boundary,
  call,
  end,
  expr,
  line,
  literal,
  loop,
  map,
  message,
  program,
  raise,
  retry,
  sendTask,
  service,
  start,
  user,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

const job = { type: "= kind", typeFrom: expr("kind"), retry: retry() };
const sent = { type: "message", message: message("m"), job } as const;

/** The types of the jobs that are open. */
function jobTypes(driver: Driver): string[] {
  return [...driver.state.jobs.values()].map(({ jobType }) => jobType);
}

test("[K220] a job has the type that its expression gave as it was offered", () => {
  const elements: readonly Element[] = [
    service("work", { job }),
    sendTask("work", { job, inputs: map({ a: "1" }) }),
    { id: "work", kind: "business-rule-task", parent: null, job },
    raise("work", sent),
  ];
  for (const element of elements) {
    const driver = new Driver(line(element)).create({ kind: "paint" });
    expect(jobTypes(driver)).toEqual(["paint"]);
    driver.complete("work");
    expect(driver.status).toBe("completed");
  }
});

test("[K221] a name that is no text, or empty, is an incident that says so, and a retry works it out again", () => {
  for (const [kind, found] of [
    [null, "null"],
    ["", '""'],
    [{ a: 1 }, '{"a":1}'],
  ] as const) {
    for (const element of [service("work", { job }), sendTask("work", { job }), raise("work", sent)]) {
      const driver = new Driver(line(element)).create({ kind });
      const error = {
        code: "name-invalid",
        message: `Expected the job type ('= kind') to be a text, but it is ${found}`,
      };
      expect(driver.view().incidents).toMatchObject([{ kind: "activation", error }]);
      driver.send({ type: "set-variables", scope: 0, values: { kind: "paint" }, reason: "corrected" });
      driver.resolve();
      expect(jobTypes(driver)).toEqual(["paint"]);
    }
  }
  const unknown = new Driver(line(service("work", { job: { ...job, typeFrom: variable("nobody") } }))).create();
  expect(unknown.view().incidents).toMatchObject([{ error: { code: "variable-missing" } }]);
});

test("[K220] the type of a job that chooses is worked out each time it is offered", () => {
  const choosing = adHoc("choose", [service("a", { outputs: map({ kind: "next" }) })], { job });
  const driver = new Driver(program([start(), choosing, end()], ["start>choose>end"])).create({ kind: "one" });
  expect(jobTypes(driver)).toEqual(["one"]);
  const round = () => [...driver.state.jobs.values()].find(({ element }) => element === "choose")?.key ?? 0;
  const choose = () => driver.send({ type: "complete-job", key: round(), result: { activate: ["a"] }, actor: "w" });
  choose().complete("a", { next: null });
  expect(driver.view().incidents).toMatchObject([{ kind: "choice", error: { code: "name-invalid" } }]);
  driver.send({ type: "activate-elements", key: driver.key("choose"), elements: [{ element: "a" }] });
  driver.complete("a", { next: "two" });
  expect(jobTypes(driver)).toEqual(["two"]);
  expect(driver.view().incidents).toEqual([]);
});

test("[K220] [K221] a call asks for the process that its expression names, and a retry for the one that it names then", () => {
  const calls = call("sub", { process: "= which", processFrom: variable("which") });
  const driver = new Driver(line(calls)).create({ which: null });
  expect(driver.view().incidents).toMatchObject([{ kind: "activation", error: { code: "name-invalid" } }]);
  const say = (which: string | number) =>
    driver.send({ type: "set-variables", scope: 0, values: { which }, reason: "corrected" });
  say("child").resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", process: "child" }]);
  const failed = () =>
    driver.send({
      type: "end-child",
      key: driver.key("sub"),
      childId: driver.state.calls.get(driver.key("sub"))?.childId ?? "",
      outcome: { type: "failed", error: { code: "lost", message: "gone" } },
    });
  failed();
  say("other").resolve();
  expect(driver.lastEffects).toMatchObject([{ type: "start-child", process: "other" }]);
  failed();
  say(7).resolve();
  expect(driver.view().incidents).toMatchObject([{ kind: "call", error: { code: "name-invalid" } }]);
});

test("[K220] [K221] the code of an error or escalation may be worked out, and is caught like one that is fixed", () => {
  const escalation: ThrowTrigger = { type: "escalation", code: "= why", codeFrom: expr("why") };
  const caught = (trigger: "error" | "escalation", thrower: Element, why: unknown) => {
    const inner = { ...thrower, parent: "box" } as Element;
    const around = { id: "box", kind: "sub-process", parent: null } as const;
    const first = { ...start("first"), parent: "box" };
    const late = boundary("late", "box", { trigger: { type: trigger, code: "late" } });
    const process = program(
      [start(), around, first, inner, late, service("after"), end()],
      ["start>box>end", `first>${inner.id}`, "late>after"],
    );
    return new Driver(process).create({ why: why as string });
  };
  const failing = end("thrower", { type: "error", code: "= why", codeFrom: expr("why") });
  expect(caught("error", failing, "late").active).toContain("after");
  expect(caught("error", failing, 3).view().incidents).toMatchObject([{ error: { code: "name-invalid" } }]);
  for (const thrower of [raise("thrower", escalation), end("thrower", escalation)]) {
    expect(caught("escalation", thrower, "late").active).toContain("after");
    expect(caught("escalation", thrower, null).view().incidents).toMatchObject([{ error: { code: "name-invalid" } }]);
  }
});

test("[K220] [K221] what a collection escalates as its items complete may be worked out from them", () => {
  const event = { type: "escalation", code: "= item.code", codeFrom: expr("item.code") } as const;
  const each = service("each", { loop: loop("sequential", { behavior: "none", event }) });
  const late = boundary("late", "each", { trigger: { type: "escalation", code: "late" }, interrupting: false });
  const process = program([start(), each, late, service("after"), end()], ["start>each>end", "late>after"]);
  const driver = new Driver(process).create({ items: [{ code: "late" }, { code: null }] });
  driver.completeItem("0");
  expect(driver.active).toContain("after");
  driver.completeItem("1");
  expect(driver.view().incidents).toMatchObject([{ error: { code: "name-invalid" } }]);
});

test("[K222] candidates that are worked out stand beside those that are fixed, each once", () => {
  const given = (candidatesFrom: Parameters<typeof user>[1], people: unknown) =>
    new Driver(line(user("ask", candidatesFrom))).create({ people: people as string });
  const candidates = (driver: Driver) => driver.state.tasks.get(driver.key("ask"))?.candidates;
  const both = { candidates: ["ann"], candidatesFrom: [variable("people"), literal("carl")] };
  expect(candidates(given(both, ["bob", "ann"]))).toEqual(["ann", "bob", "carl"]);
  expect(candidates(given(both, "bob, dora,"))).toEqual(["ann", "bob", "dora", "carl"]);
  expect(candidates(given({ candidatesFrom: [variable("people")] }, []))).toEqual([]);
  for (const people of [null, 7, ["bob", 7], { bob: true }]) {
    expect(given(both, people).view().incidents).toMatchObject([{ error: { code: "name-invalid" } }]);
  }
  const missing = given({ candidatesFrom: [variable("nobody")] }, []);
  expect(missing.view().incidents).toMatchObject([{ error: { code: "variable-missing" } }]);
});

test("[K222] an assignee is a text or nobody", () => {
  const assigned = (boss: unknown) =>
    new Driver(line(user("ask", { assignee: variable("boss") }))).create({ boss: boss as string });
  expect(assigned("ann").view().waiting[0]?.reason).toBe("'ask' is for ann to do.");
  expect(assigned(null).view().waiting[0]?.reason).toBe("'ask' is for anyone to do.");
  for (const boss of [7, ["ann"], { name: "ann" }]) {
    expect(assigned(boss).view().incidents).toMatchObject([{ error: { code: "name-invalid" } }]);
  }
});
