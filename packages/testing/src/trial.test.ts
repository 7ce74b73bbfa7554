import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { readAnswers } from "./read-answers.ts";
import { begin, each, order, programsOf } from "./testing/processes.ts";
import { openTrial } from "./trial.ts";

const mail = { "mail.send": { complete: {} } };
const paid = { complete: { receipt: "R1" } };

test("[T1] an element's own answers go before those of its job type", async () => {
  const { trial, instance } = await begin(order, {
    "payment.charge": { fail: "x", retryable: false } as never,
    charge: paid,
  });
  expect(instance.view.variables["receipt"]).toBe("R1");
  expect(trial.unused()).toEqual(["payment.charge"]);
});

test("[T2] answers are used one after the other, and the last of them repeats", async () => {
  const answers = { greet: [{ complete: { text: "one" } }, { complete: { text: "two" } }] };
  const { instance } = await begin(each, answers, { variables: { names: ["a", "b", "c"] } });
  instance.expectEnd("completed", { texts: ["one", "two", "two"] });
});

test("[T2, T3] an answer with a condition is for those inputs only, and a result is computed from the input", async () => {
  const answers = {
    greet: [{ when: `name == "b"`, complete: { text: "you again" } }, { complete: { text: "hello ${name}" } }],
  };
  const { trial, instance } = await begin(each, answers, { variables: { names: ["a", "b", "c"] } });
  instance.expectEnd("completed", { texts: ["hello a", "you again", "hello c"] });
  expect(trial.unused()).toEqual([]);
});

test("[T2] a condition sees the key of the item and the attempt", async () => {
  const answers = {
    greet: [
      { when: `itemKey == "1" && attempt == 1`, fail: "busy" },
      { complete: { text: "=itemKey + string(attempt)" } },
    ],
  };
  const { trial, instance } = await begin(each, answers, { variables: { names: ["a", "b"] } });
  await trial.finish();
  instance.expectEnd("completed", { texts: ["01", "12"] });
});

test("[T3] a failure is tried again after its delay, a BPMN error goes to its boundary event", async () => {
  const again = await begin(order, { "payment.charge": [{ fail: "busy" }, paid] });
  again.instance.expectPath(["start", "charge"]).expectWaiting("charge");
  await again.trial.advance("1s");
  again.instance.expectPath(["start", "charge", "approve"]);
  const declined = { "payment.charge": { throw: { code: "declined", message: "no funds" } }, ...mail };
  const { instance } = await begin(order, declined);
  instance.expectPath(["start", "charge", "charge.on-error-declined", "apologise", "end"]);
  instance.expectVariables({ why: "no funds", receipt: null });
});

test("[T3] an answer takes its time, and who answers a task is in the log", async () => {
  const programs = programsOf(
    "process: p\nsteps: { read: { user: { title: Read, candidates: [ann, bob] } }, print: { job: print } }",
  );
  const answers = { print: { complete: {}, after: "2h" }, read: { complete: {}, by: "bob" } };
  const { trial, instance } = await begin(programs, answers);
  await trial.advance("1h59m");
  instance.expectWaiting("print");
  await trial.advance("1m");
  instance.expectEnd("completed");
  expect(instance.events.flatMap(({ event }) => (event.type === "task-completed" ? event.actor : []))).toEqual(["bob"]);
});

test("[T8] an answer that is refused is listed with the reason", async () => {
  const { trial, instance } = await begin(order, { charge: paid, approve: { complete: {}, by: "ann" } });
  instance.expectWaiting("approve", "approve.on-timer");
  expect(trial.refusals.map(({ question, reason }) => [question.element, reason])).toEqual([
    ["approve", expect.stringContaining("manager")],
  ]);
});

test("[T8] a person does not fail: the task stays open", async () => {
  const { trial, instance } = await begin(order, { charge: paid, approve: { fail: "nope" } });
  instance.expectWaiting("approve", "approve.on-timer");
  expect(trial.refusals.map(({ reason }) => reason)).toEqual([
    "Expected a result or an error, as a person does not fail",
  ]);
});

test("[T3] whoever has a task may end it with an error, which an event on it catches", async () => {
  const programs = programsOf(
    "process: p\nsteps: { ask: { user: A, on: { error: sorry }, then: end }, sorry: { job: x } }",
  );
  const { instance } = await begin(programs, { ask: { throw: "no", by: "ann" }, x: { complete: {} } });
  instance.expectPath(["start", "ask", "ask.on-error", "sorry", "end"]);
});

test("[T3] what is ignored stays open until its time is up", async () => {
  const { trial, instance } = await begin(order, { charge: paid, approve: { ignore: true }, ...mail });
  await trial.finish();
  instance.expectPath(["start", "charge", "approve", "approve.on-timer", "apologise", "end"]);
  expect(trial.now).toBe(Date.UTC(2024, 0, 8));
});

test("[T4] answers that were never used are named", async () => {
  const { trial } = await begin(order, { charge: [paid, { fail: "late" }], approve: { ignore: true }, ...mail });
  expect(trial.unused()).toEqual(["charge, answer 2 of 2", "mail.send"]);
});

test("[T8] an answer that does not fit the form of its task is not given", async () => {
  const form = "{ type: object, properties: { ok: { type: boolean } }, required: [ok] }";
  const programs = programsOf(`process: p\nsteps: { ask: { user: { title: A, form: ${form} } } }`);
  const { trial, instance } = await begin(programs, { ask: { complete: { ok: "yes" } } });
  instance.expectWaiting("ask");
  expect(trial.refusals.map(({ reason }) => reason)).toEqual([
    "Expected a result that fits the form of 'ask', but result.ok must be boolean and is \"yes\".",
  ]);
  (await begin(programs, { ask: { complete: { ok: true } } })).instance.expectEnd("completed");
});

test("[T6] a function answers, also one that takes real time, and a real worker's failure is one of the trial", async () => {
  const answers = {
    greet: async ({ input }: { readonly input: { readonly [name: string]: unknown } }) => {
      await sleep(5);
      return { complete: { text: `real ${String(input["name"])}` }, after: "1h" };
    },
  };
  const { trial, instance } = await begin(each, answers, { variables: { names: ["a", "b"] } });
  instance.expectWaiting("greet[0]", "greet[1]");
  await trial.finish();
  instance.expectEnd("completed", { texts: ["real a", "real b"] });
  const broken = begin(each, { greet: () => Promise.reject(new Error("no network")) }, { variables: { names: ["a"] } });
  await expect(broken).rejects.toThrow("no network");
});

test("[T7] what nobody answers is listed and waits, and an answer that comes later is taken", async () => {
  const { trial, instance } = await begin(order, { charge: paid, ...mail });
  expect(trial.unanswered.map(({ kind, element, title }) => [kind, element, title])).toEqual([
    ["task", "approve", "Approve 10?"],
  ]);
  await trial.answer("approve", { complete: { approved: "=amount > 5" } });
  instance.expectEnd("completed");
  expect(trial.unanswered).toEqual([]);
});

test("[T7] somebody is asked for what nobody has an answer for, before time passes, and once", async () => {
  const asked: string[] = [];
  const { trial, instance } = await begin(order, mail, {
    ask: async ({ element }) => {
      asked.push(element);
      return element === "charge" ? paid : undefined;
    },
  });
  expect(await trial.finish()).toBe("ended");
  expect(asked).toEqual(["charge", "approve"]);
  instance.expectOrder(["charge", "approve", "approve.on-timer"]);
});

test("[T10] starting lets everything move that can, and nothing that needs time", async () => {
  const programs = programsOf("process: p\nsteps: { a: { pass: true }, b: { wait: 1ms }, c: { pass: true } }");
  const { trial, instance } = await begin(programs, {});
  instance.expectPath(["start", "a", "b"]).expectWaiting("b");
  const before = trial.now;
  await trial.advance("1ms");
  expect(trial.now).toBe(before + 1);
  instance.expectPath(["start", "a", "b", "c", "end"]).expectEnd("completed");
});

test("[T11] advancing stops at everything due on the way, in order", async () => {
  const programs = programsOf(`
process: p
steps:
  work:
    user: wait
    on: { timer: [{ every: 1h, then: tick, interrupting: false }, { after: 150m, then: over }] }
    then: end
  tick: { pass: true, then: end }
  over: { pass: true, then: end }
`);
  const { trial, instance } = await begin(programs, {});
  await trial.advance("1d");
  const at = instance.steps.filter(({ element }) => element === "tick" || element === "over");
  const begun = Date.UTC(2024, 0, 1);
  expect(at.map((step) => [step.element, (step.at - begun) / 60_000])).toEqual([
    ["tick", 60],
    ["tick", 120],
    ["over", 150],
  ]);
  expect(trial.now).toBe(begun + 86_400_000);
});

test("[T11] finish ends when nothing can come any more, and says so", async () => {
  const { trial, instance } = await begin(programsOf("process: p\nsteps: { ask: { user: hello } }"), {});
  expect(await trial.finish()).toBe("waiting");
  instance.expectWaiting("ask");
});

test("[T12] the same trial gives the same events", async () => {
  const run = async () => {
    const answers = {
      greet: [
        { fail: "busy", when: "attempt == 1" },
        { complete: { text: "x" }, after: "3s" },
      ],
    };
    const { trial, instance } = await begin(each, answers, { variables: { names: ["a", "b", "c"] } });
    await trial.finish();
    return instance.events;
  };
  const [first, second] = [await run(), await run()];
  expect(first.length).toBeGreaterThan(20);
  expect(second).toEqual(first);
});

test("[T13] a process without an end is given up", async () => {
  const programs = programsOf(`
process: p
steps:
  again: { wait: 1s }
  back: { choose: [{ when: "false", then: end }, { otherwise: again }] }
`);
  const { trial } = await begin(programs, {}, { eventsMax: 1_000 });
  expect(await trial.finish()).toBe("limit");
});

test("[T13] so is one that goes round without ever waiting", async () => {
  const programs = programsOf(`
process: p
variables: { n: { type: integer, initial: 0 } }
steps:
  count: { script: { n: = n + 1 } }
  more: { choose: [{ when: n < 0, then: end }, { otherwise: count }] }
`);
  const { trial } = await begin(programs, {}, { eventsMax: 10_000 });
  expect(await trial.finish()).toBe("limit");
  await expect(trial.advance("1h")).rejects.toMatchObject({ code: "trial-limit" });
  await trial.close();
});

test("[T14] with real time a wait takes its time", async () => {
  const programs = programsOf("process: p\nsteps: { pause: { wait: 120ms } }");
  const { trial, instance } = await begin(programs, {}, { realTime: true });
  const before = Date.now();
  instance.expectWaiting("pause");
  expect(await trial.finish()).toBe("ended");
  expect(Date.now() - before).toBeGreaterThanOrEqual(90);
  expect(Math.abs(trial.now - Date.now())).toBeLessThan(1_000);
});

test("[T14] a wait for real time can be interrupted", async () => {
  const programs = programsOf("process: p\nsteps: { pause: { wait: 1h } }");
  const { trial } = await begin(programs, {}, { realTime: true, signal: AbortSignal.timeout(20) });
  expect(await trial.finish()).toBe("interrupted");
  await trial.close();
});

test("[T30] items and what stands in them carry the key of the item; called processes are instances of their own", async () => {
  const programs = programsOf(`
process: outer
variables: { list: { type: list, initial: [x] } }
steps:
  each:
    steps: { inner: { call: called } }
    forEach: { collection: = list, item: it, key: = it }
---
process: called
steps: { only: { job: only } }
`);
  const trial = await openTrial({ programs, answers: { answers: { only: { complete: {} } } } });
  const outer = await trial.start();
  outer.expectPath(["start", "each", "each[x]", "each.start[x]", "inner[x]", "each.end[x]", "end"]);
  expect(trial.instances.map(({ process, parentId }) => [process, parentId])).toEqual([
    ["outer", null],
    ["called", "outer"],
  ]);
  trial.instances[1]?.expectPath(["start", "only", "end"]).expectEnd("completed");
});

test("[T30] a call that is undone starts once; that it is undone has steps of its own, also of a call in a call", async () => {
  const programs = programsOf(`
process: outer
steps: { first: { call: middle }, back: { compensate: true } }
---
process: middle
steps: { again: { call: inner } }
---
process: inner
steps: { only: { job: only, undo: { job: unonly } } }
`);
  const answers = { only: { complete: {} }, "only.undo": { complete: {} } };
  const trial = await openTrial({ programs, answers: { answers } });
  (await trial.start()).expectPath(["start", "first", "back", "end"]).expectEnd("completed");
  const steps = trial.instances.flatMap(({ process, steps }) =>
    steps.map(({ type, element }) => `${process} ${type} ${element}`),
  );
  expect(steps.filter((step) => / (first|again|only)$/.test(step))).toEqual([
    ...["outer started first", "outer ended first", "outer undoing first", "outer undone first"],
    ...["middle started again", "middle ended again", "inner started only", "inner ended only"],
    ...["middle undoing again", "middle undone again"],
  ]);
  await trial.close();
});

test("[T31] what does not hold fails with what was expected and what is", async () => {
  const { instance } = await begin(order, { charge: paid, ...mail });
  expect(() => instance.expectPath(["start"])).toThrow(`expected ["start"]\nbut is   ["start","charge","approve"]`);
  expect(() => instance.expectOrder(["approve", "charge"])).toThrow("order (charge)");
  expect(() => instance.expectNever("charge", "send")).toThrow(`but is   ["charge"]`);
  expect(() => instance.expectWaiting()).toThrow(`but is   ["approve","approve.on-timer"]`);
  expect(() => instance.expectVariables({ receipt: "R2" })).toThrow(`but is   {"receipt":"R1"}`);
  expect(() => instance.expectIncidents("x")).toThrow("but is   []");
  expect(() => instance.expectEnd("completed")).toThrow("approve: 'Approve 10?' is for manager to do.");
  instance.expectOrder(["start", "approve"]).expectNever("send").expectVariables({ receipt: "R1" }).expectIncidents();
});

test("[T31] the end is held against its error and its result", async () => {
  const failing = programsOf("process: p\nsteps: { stop: { throw: broken } }");
  const { instance } = await begin(failing, {});
  instance.expectEnd("failed", "broken");
  expect(() => instance.expectEnd("failed", "other")).toThrow(`expected "other"`);
  const { trial, instance: done } = await begin(order, {
    charge: paid,
    approve: { complete: { approved: true } },
    ...mail,
  });
  await trial.finish();
  expect(() => done.expectEnd("completed", { receipt: "R9" })).toThrow(`but is   {"receipt":"R1"}`);
});

test("[T10] a command moves on what it frees, and its refusal is a value", async () => {
  const stuck = { charge: { fail: { code: "broken", retryable: false } }, ...mail };
  const { trial, instance } = await begin(order, stuck);
  instance.expectIncidents("broken");
  const [incident] = instance.view.incidents;
  const resolve = {
    type: "resolve-incident",
    key: incident?.key ?? 0,
    action: "retry",
    reason: "mended",
    actor: "me",
  } as const;
  await trial.answer("charge", () => paid);
  expect(await trial.command(instance.id, resolve)).toMatchObject({ ok: true });
  instance.expectIncidents().expectOrder(["charge", "approve"]);
  expect(await trial.command(instance.id, resolve)).toMatchObject({
    ok: false,
    rejection: { code: "incident-not-found" },
  });
});

test("[T16] jobs, calls and candidates that are worked out on the way are met like any other, also after a crash", async () => {
  const programs = programsOf(
    `process: p
variables: { kind: { type: string, initial: paint }, child: { type: string, initial: sub }, color: string }
outputs: [color]
steps:
  work: { job: "= kind", out: [color] }
  below: { call: "= child", binding: latest }
  ask: { user: { title: Fine?, candidates: "= [color, kind]" } }
---
process: sub
steps: { dry: { job: dry } }
`,
  );
  const answers = { paint: { complete: { color: "red" } }, dry: { complete: {} } };
  const { trial, instance } = await begin(programs, answers);
  expect(instance.view.waiting.map(({ reason }) => reason)).toEqual(["'Fine?' is for red, paint to do."]);
  await trial.crash();
  await trial.answer("ask", { complete: {} });
  instance.expectEnd("completed", { color: "red" });
  expect(
    readAnswers("format: tutti-answers/1\nanswers: { anything: { ignore: true } }", { file: "a.yaml", programs })
      .problems,
  ).toEqual([]);
});
