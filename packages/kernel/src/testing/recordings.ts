import type { Json } from "../json.ts";
import type { Element, SlaRule } from "../program.ts";
import {
  and,
  boundary,
  call,
  catching,
  end,
  expr,
  line,
  literal,
  loop,
  map,
  message,
  onCondition,
  onError,
  onMessage,
  onSignal,
  onTimer,
  program,
  raise,
  receive,
  retry,
  script,
  service,
  start,
  sub,
  timer,
  undo,
  user,
  variable,
  wait,
  xor,
} from "./build.ts";
import { Driver } from "./driver.ts";
import { callRecordings } from "./recordings-call.ts";
import { eventRecordings } from "./recordings-events.ts";
import { flowRecordings } from "./recordings-flow.ts";

const thrown = { retry: retry(1, "error") };

function undoable(id: string): Element[] {
  const handler = service(`undo-${id}`, { forCompensation: true, inputs: map({ n: "n" }) });
  return [service(id, { compensation: `undo-${id}`, policy: thrown, outputs: map({ n: "n" }) }), handler];
}

/** An order with a task, a call, timers and errors on the way; paused once, its incidents resolved. */
function order(): Driver {
  const box = sub("box", [start("s"), service("pack", { policy: thrown }), service("label"), end("e")], {
    variables: [{ name: "weight", type: "integer", initial: 1 }],
  });
  const made = program(
    [
      ...[start(), user("approve", { candidates: ["ann"], outputs: map({ ok: "ok" }) }), xor("ok?", "ok?>end")],
      ...[
        service("charge", { policy: { retry: retry(2) }, outputs: map({ paid: "paid" }) }),
        and("split"),
        and("join"),
      ],
      ...[
        call("ship", { inputs: map({ paid: "paid" }) }),
        call("gift"),
        ...box,
        onError("lost", "box", { outputs: map({ why: "error.code" }) }),
      ],
      ...[
        onTimer("nag", "ship", { timer: timer("cycle", "R2/PT5S"), interrupting: false }),
        service("remind"),
        wait("cool"),
        end(),
      ],
      service("note", { inputs: map({ text: "text" }) }),
    ],
    [
      "start>approve>ok?",
      "ok?>charge: ok == true",
      "ok?>end",
      "charge>split>ship>join>cool>note>end",
      "split>box>join",
      "split>gift>join",
      "lost>join",
      "nag>remind>end",
      "s>pack>label>e",
    ],
    { outputs: ["paid"], variables: [{ name: "paid", type: "integer" }] },
  );
  const driver = new Driver(made).create({}, { businessKey: "order 7", queue: "light", priority: 2 });
  const task = driver.key("approve");
  driver.send({ type: "claim-task", key: task, actor: "ann" }).send({ type: "release-task", key: task, actor: "ann" });
  driver.send({ type: "complete-task", key: task, result: { ok: true }, actor: "bob" });
  driver.fail("charge").fail("charge").resolve().complete("charge", { paid: "much" });
  driver.send({
    type: "resolve-incident",
    key: driver.view().incidents[0]?.key ?? 0,
    action: "retry",
    reason: "again",
  });
  // The result can never be written: the first order is given up, which records a cancellation with all that was open.
  return driver.send({ type: "cancel-instance", reason: "wrong result" });
}

function delivery(): Driver {
  const made = program(
    [
      ...[
        start(),
        and("split"),
        and("join"),
        xor("packed"),
        xor("signed"),
        call("ship"),
        call("gift"),
        user("sign"),
        end(),
      ],
      ...[service("pack", { policy: thrown }), onError("lost", "pack", { outputs: map({ why: "error.code" }) })],
      ...[onTimer("nag", "ship", { timer: timer("cycle", "R2/PT5S"), interrupting: false }), service("remind")],
      ...[
        onTimer("late", "sign", { timer: timer("duration", "PT3S") }),
        service("note", { inputs: map({ text: "text" }) }),
      ],
    ],
    [
      ...["start>split>ship>join>note>end", "split>pack>packed>join", "lost>packed", "split>gift>join"],
      ...["split>sign>signed>join", "late>signed", "nag>remind>end"],
    ],
  );
  const driver = new Driver(made).create();
  driver.send({ type: "pause-instance", stopRunning: false, reason: "lunch" }).send({ type: "resume-instance" });
  driver.throw("pack", "lost-parcel").fire("late").fire("nag");
  const gift = driver.key("gift");
  const error = { code: "no-gift", message: "sold out" };
  driver.send({ type: "end-child", key: gift, childId: `i/${gift}`, outcome: { type: "failed", error } }).resolve();
  driver.send({ type: "end-child", key: gift, childId: `i/${gift}.2`, outcome: { type: "completed", result: {} } });
  const ship = driver.key("ship");
  driver.send({ type: "end-child", key: ship, childId: `i/${ship}`, outcome: { type: "completed", result: {} } });
  driver.send({ type: "set-variables", scope: 0, values: { text: "hello" }, reason: "forgotten" }).resolve();
  return driver.complete("note").complete("remind");
}

/** Everything that is open when an instance is cancelled. */
function cancelled(): Driver {
  const made = program(
    [start(), and("split"), service("a"), user("b"), wait("c"), call("d"), service("e"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join", "split>c>join", "split>d>join", "split>e>join"],
  );
  return new Driver(made).create().complete("e").send({ type: "cancel-instance", reason: "enough" });
}

/** A graph with locks and policies, changed while it runs, retried and accepted. */
function graph(): Driver {
  const items: Json[] = [
    { id: "a", locks: ["x"] },
    { id: "b", locks: ["x"], dependsOn: [] },
    { id: "c", dependsOn: ["a", "b"] },
    { id: "d", attempts: 2, queue: "heavy", priority: 1 },
    {
      id: "e",
      dependsOn: [
        { key: "d", policy: "any-success" },
        { key: "c", policy: "any-success" },
      ],
    },
  ];
  const options = { maxParallel: literal(3), output: { target: "commits", source: variable("commit") } };
  const task = service("unit", { policy: thrown, outputs: map({ commit: "commit" }), loop: loop("graph", options) });
  const driver = new Driver(line(task)).create({ items });
  driver.completeItem("a", { commit: "ca" }).failItem("d").failItem("b").failItem("d");
  driver.resolve("retry", ["b"]).completeItem("b", { commit: "cb" });
  driver.send({ type: "add-items", element: "unit", items: [{ id: "late" }, { id: "later", dependsOn: ["late"] }] });
  driver.send({ type: "withdraw-items", element: "unit", items: ["later"] });
  driver.send({ type: "adjust-concurrency", element: "unit", maxParallel: 1 });
  driver.completeItem("c", { commit: "cc" }).completeItem("late", { commit: "cl" }).completeItem("e", { commit: "ce" });
  return driver.resolve("accept");
}

/** Loops that end early: by their condition, and by a failure that fails the instance. */
function loops(): Driver {
  const first = service("first", { loop: loop("parallel", { completion: expr("completed >= 1") }) });
  const second = service("second", { policy: thrown, loop: loop("sequential") });
  return new Driver(line(first, second))
    .create({ items: [1, 2, 3] })
    .completeItem("1")
    .completeItem("0")
    .failItem("1");
}

/** A saga that is undone: a handler fails, a sub-process is undone by its content. */
function saga(): Driver {
  const box = sub("box", [start("s"), ...undoable("x"), end("e")]);
  const made = program(
    [start(), ...undoable("a"), ...box, ...undoable("b"), ...undoable("c"), undo("back", "a"), end()],
    ["start>a>back>box>b>c>end", "s>x>e"],
    { onError: "compensate" },
  );
  const driver = new Driver(made).create({ n: 0 }, { parent: { instanceId: "above", key: 9 } });
  driver.complete("a", { n: 1 }).complete("undo-a").complete("x", { n: 2 }).complete("b", { n: 3 }).throw("c", "E");
  return driver.fail("undo-b").complete("undo-x");
}

/** A task that goes through many hands, watched by rules. */
function handover(): Driver {
  const sla: SlaRule[] = [
    { on: "not-started", after: timer("duration", "PT60S"), action: { type: "notify", to: ["boss"] }, repeat: true },
    { on: "not-completed", after: timer("duration", "PT200S"), action: { type: "reassign", to: ["team"] } },
    { on: "not-completed", after: timer("duration", "PT300S"), action: { type: "escalate", code: "late" } },
  ];
  const dates = { due: timer("duration", "PT100S"), followUp: timer("duration", "PT50S") };
  const task = user("check", {
    ...dates,
    priority: variable("urgency"),
    sla,
    late: "flag",
    outputs: map({ late: "late" }),
  });
  const driver = new Driver(line(task)).create({ urgency: 70 }).fire("check", 0);
  const key = driver.key("check");
  driver.send({ type: "start-task", key, actor: "ann" });
  driver.send({ type: "delegate-task", key, to: "bob", reason: "He knows it.", actor: "ann" });
  driver
    .send({ type: "resolve-task", key, actor: "bob" })
    .send({ type: "update-task", key, dueAt: null, priority: 80, authority: true });
  driver.send({ type: "reassign-task", key, to: "carl", reason: "Ann is ill.", actor: "boss", authority: true });
  driver.send({ type: "escalate-task", key, to: ["heads"], reason: "Nobody knows.", actor: "carl" });
  driver.fire("check", 1).fire("check", 2).send({ type: "claim-task", key, actor: "dora" });
  return driver.send({ type: "complete-task", key, result: {}, rationale: "It is fine.", actor: "dora" });
}

/** It goes on under another version, in which everything that waits is called otherwise. */
function migrated(): Driver {
  const flows = (task: string, join: string) => [
    `start>split>${task}>${join}>end`,
    `split>b>${join}`,
    `split>c>${join}`,
  ];
  const one = program(
    [start(), and("split"), user("a"), service("b"), wait("c"), and("join"), end()],
    flows("a", "join"),
  );
  const two = program(
    [start(), and("split"), user("ask"), service("b"), wait("c"), and("all"), end()],
    flows("ask", "all"),
    { version: "2", variables: [{ name: "n", type: "integer", initial: 1 }] },
  );
  const driver = new Driver(one).create().complete("b");
  driver.send({
    type: "migrate-instance",
    to: two,
    mapping: { a: "ask", join: "all" },
    reason: "The new one is better.",
  });
  return driver.fire("c").send({ type: "complete-task", key: driver.key("ask"), result: {} });
}

/** Another instance goes on from the middle of this one, with all that was open. */
function forked(): Driver {
  const made = program(
    [start(), and("split"), service("a"), user("b"), wait("c"), call("d"), and("join"), end()],
    ["start>split>a>join>end", "split>b>join", "split>c>join", "split>d>join"],
  );
  const driver = new Driver(made).create({}, { parent: { instanceId: "above", key: 9 } }).complete("a");
  driver.send({ type: "fork-instance", instanceId: "j", reason: "What if?" }).fire("c");
  const key = driver.key("d");
  driver.send({ type: "end-child", key, childId: `j/${key}`, outcome: { type: "completed", result: {} } });
  return driver.send({ type: "complete-task", key: driver.key("b"), result: {} });
}

/** More than one step may start. */
function long(): Driver {
  const made = program(
    [start(), script("add", { n: "n + 1" }), xor("again", "again>end"), end()],
    ["start>add>again", "again>add: n < 510", "again>end"],
    { outputs: ["n"] },
  );
  return new Driver(made).create({ n: 0 }).goOn();
}

/** A question and its answers: messages and signals that are sent, awaited, taken once or often, and called off. */
function messages(): Driver {
  const made = program(
    [
      ...[start(), and("split"), and("join"), xor("either"), end()],
      ...[raise("ask", { type: "message", message: { ...message("question", "n"), payload: map({ text: "n" }) } })],
      ...[catching("answer", onMessage("answer", "n"), { outputs: map({ n: "text" }) }), receive("proof", "proof")],
      ...[
        service("work"),
        service("note"),
        boundary("hint", "work", { trigger: onSignal("hint"), interrupting: false }),
      ],
      ...[boundary("stop", "work", { trigger: onSignal("stop") })],
      ...[raise("done", { type: "signal", signal: { name: literal("done"), payload: map({ n: "n" }) } })],
    ],
    ["start>split>ask>answer>proof>join>done>end", "split>work>either>join", "stop>either", "hint>note"],
  );
  const driver = new Driver(made).create({ n: 1 }).deliver("hint").deliver("hint", { loud: true });
  driver.deliver("answer", { text: 2 }, "m1").deliver("stop").deliver("proof", {}, "m2");
  for (const { key } of [...driver.state.jobs.values()]) driver.send({ type: "complete-job", key, result: {} });
  return driver;
}

/** A condition that comes and goes while others watch, and an escalation that is caught once and once not. */
function conditions(): Driver {
  const inside = [start("s"), service("heat"), raise("warn", { type: "escalation", code: "hot" }), end("e")];
  const made = program(
    [
      ...[start(), ...sub("box", inside), catching("cold", onCondition("n < 3", ["n"])), service("note"), end()],
      ...[boundary("hot", "box", { trigger: onCondition("n > 5"), interrupting: false })],
      ...[boundary("told", "box", { trigger: { type: "escalation", code: "hot" }, interrupting: false })],
      ...[raise("shout", { type: "escalation", code: "done", payload: map({ n: "n" }) })],
    ],
    ["start>box>cold>shout>end", "s>heat>warn>e", "hot>note", "told>note"],
  );
  const driver = new Driver(made).create({ n: 6 });
  for (const n of [4, 7, 9]) driver.send({ type: "set-variables", scope: 0, values: { n }, reason: "weather" });
  driver.complete("heat").send({ type: "set-variables", scope: 0, values: { n: 1 }, reason: "weather" });
  for (const { key } of [...driver.state.jobs.values()]) driver.send({ type: "complete-job", key, result: {} });
  return driver;
}

/** One run each that ends; together they hold every type of event. */
export const recordings: { readonly [name: string]: () => Driver } = {
  order,
  delivery,
  cancelled,
  graph,
  loops,
  saga,
  handover,
  migrated,
  forked,
  long,
  ...flowRecordings,
  ...eventRecordings,
  ...callRecordings,
  messages,
  conditions,
};
