import { expect, test } from "vitest";
import {
  and,
  boundary,
  catching,
  end,
  expr,
  line,
  literal,
  map,
  message,
  onMessage,
  onSignal,
  program,
  raise,
  receive,
  retry,
  script,
  sendTask,
  service,
  start,
  sub,
  variable,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

test("[K120] name and correlation key are worked out when the subscription opens, and stay", () => {
  const waits = catching("paid", onMessage("payment", "order.id"));
  const driver = new Driver(line(waits)).create({ order: { id: 7 } });
  expect(driver.lastEffects).toContainEqual({
    type: "open-subscription",
    key: driver.subscription("paid").key,
    element: "paid",
    kind: "message",
    name: "payment",
    correlationKey: "7",
  });
  const { key } = driver.subscription("paid");
  const shown = { key, element: "paid", kind: "message", name: "payment", correlationKey: "7" };
  expect(driver.view().subscriptions).toEqual([shown]);
  driver.send({ type: "set-variables", scope: 0, values: { order: { id: 8 } }, reason: "other" });
  expect(driver.subscription("paid").correlationKey).toBe("7");
  expect(driver.view().waiting).toEqual([
    expect.objectContaining({ on: "message", reason: "It waits for the message 'payment' with the key '7'." }),
  ]);
});

test.each([
  ["null", "null"],
  ["{}", "an object"],
  ["[]", "a list"],
])("[K120] a correlation key that is %s is an incident, and a retry works it out again", (text, found) => {
  const driver = new Driver(line(catching("paid", onMessage("payment", "key")))).create({ key: JSON.parse(text) });
  expect(driver.view().incidents).toMatchObject([
    { kind: "activation", error: { code: "message-invalid", message: expect.stringContaining(`it is ${found}`) } },
  ]);
  driver.send({ type: "set-variables", scope: 0, values: { key: true }, reason: "so" }).resolve();
  expect(driver.subscription("paid").correlationKey).toBe("true");
});

test("[K120] a name or key that cannot be worked out is an incident, wherever it stands", () => {
  const nameless = { type: "message" as const, message: { name: variable("missing") } };
  const boundaryOf = boundary("late", "job", { trigger: nameless });
  const noSend = sendTask("send", { message: { name: variable("missing") } });
  const noKey = sendTask("send", { message: { name: literal("x"), correlationKey: variable("missing") } });
  const noPayload = sendTask("send", { message: { ...message("x"), payload: map({ a: "missing" }) } });
  for (const made of [
    line(catching("wait", nameless)),
    line({ ...receive("wait", "x"), message: nameless.message }),
    line(noSend),
    line(noKey),
    line(noPayload),
    program([start(), service("job"), boundaryOf, end()], ["start>job>end", "late>end"]),
  ]) {
    expect(new Driver(made).create().view().incidents).toMatchObject([{ kind: "activation" }]);
  }
});

test("[K121] a message goes on at the event that waits, and its variables are visible to the outputs only", () => {
  const driver = new Driver(
    line(catching("paid", onMessage("payment"), { outputs: map({ total: "amount" }) })),
  ).create();
  const { key } = driver.subscription("paid");
  driver.deliver("paid", { amount: 5, other: 1 });
  expect(driver.status).toBe("completed");
  expect(driver.view().variables).toEqual({ total: 5 });
  expect(driver.lastEffects).toContainEqual({ type: "close-subscription", key });
});

test("[K121] without outputs nothing of a message is written", () => {
  const driver = new Driver(line(receive("wait", "payment"))).create().deliver("wait", { amount: 5 });
  expect(driver.status).toBe("completed");
  expect(driver.view().variables).toEqual({});
});

test("[K121] a payload that the outputs cannot be made of waits for a person, and is not lost", () => {
  const driver = new Driver(line(receive("wait", "payment", { outputs: map({ total: "amount + more" }) }))).create();
  driver.deliver("wait", { amount: 5 });
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
  driver.send({ type: "set-variables", scope: 0, values: { more: 2 }, reason: "forgotten" }).resolve();
  expect(driver.variable("total")).toBe(7);
});

test("[K122] a subscription that is not there, or waits for something else, refuses", () => {
  const driver = new Driver(line(catching("paid", onMessage("payment")))).create();
  const { key } = driver.subscription("paid");
  const said = { key, name: "payment", payload: {} };
  const wrong = driver.try({ type: "deliver-message", ...said, name: "other", messageId: "1" });
  expect(wrong).toEqual({
    code: "subscription-not-found",
    reason: `Expected subscription ${key} to wait for the message 'other', but it waits for the message 'payment'`,
  });
  expect(driver.try({ type: "deliver-signal", ...said })?.code).toBe("subscription-not-found");
  const missing = driver.try({ type: "deliver-message", ...said, key: 99, messageId: "1" });
  expect(missing?.reason).toContain("but there is none");
});

test("[K122] a paused instance takes nothing; on resume it asks again for what it waits for", () => {
  const driver = new Driver(line(catching("paid", onMessage("payment")), catching("go", onSignal("go")))).create();
  const { key } = driver.subscription("paid");
  driver.send({ type: "pause-instance", stopRunning: false, reason: "lunch" });
  const said = { key, name: "payment", payload: {}, messageId: "1" };
  expect(driver.try({ type: "deliver-message", ...said })?.code).toBe("instance-paused");
  driver.send({ type: "resume-instance" });
  expect(driver.lastEffects).toContainEqual(expect.objectContaining({ type: "open-subscription", key }));
  driver.deliver("paid");
  const go = driver.subscription("go").key;
  driver.send({ type: "pause-instance", stopRunning: false, reason: "lunch" });
  expect(driver.try({ type: "deliver-signal", key: go, name: "go", payload: {} })?.code).toBe("instance-paused");
});

test("[K123] an interrupting boundary message ends its activity, and its subscription ends with the activity", () => {
  const cancel = boundary("cancel", "job", { trigger: onMessage("cancel"), outputs: map({ why: "reason" }) });
  const made = program([start(), service("job"), cancel, end()], ["start>job>end", "cancel>end"]);
  const driver = new Driver(made).create().deliver("cancel", { reason: "late" });
  expect(driver.status).toBe("completed");
  expect(driver.variable("why")).toBe("late");
  expect(driver.events).toContain("job-cancelled");
  const other = new Driver(made).create().complete("job");
  expect(other.events).toContain("subscription-closed");
});

test("[K123] a non-interrupting one is there for every message, but takes the same one once", () => {
  const note = boundary("note", "job", { trigger: onMessage("note"), interrupting: false });
  const made = program([start(), service("job"), note, service("write"), end()], ["start>job>end", "note>write"]);
  const driver = new Driver(made).create().deliver("note", {}, "a").deliver("note", {}, "b");
  const { key } = driver.subscription("note");
  const again = driver.try({ type: "deliver-message", key, name: "note", payload: {}, messageId: "b" });
  expect(again?.code).toBe("message-duplicate");
  expect([...driver.state.jobs.values()].map((job) => job.element)).toEqual(["job", "write", "write"]);
});

test("[K123] an interrupting signal is taken once, a non-interrupting one each time", () => {
  const stop = boundary("stop", "job", { trigger: onSignal("stop") });
  const more = boundary("more", "job", { trigger: onSignal("more"), interrupting: false });
  const made = program(
    [start(), service("job"), stop, more, service("write"), end()],
    ["start>job>end", "stop>end", "more>write>end"],
  );
  const driver = new Driver(made).create().deliver("more").deliver("more").deliver("stop");
  expect(driver.active).toEqual(["write"]);
  expect(driver.view().waiting).toHaveLength(2);
});

test("[K124] a throwing message event and a send task publish and go on", () => {
  const ask = raise("ask", {
    type: "message",
    message: { ...message("question", "n"), ttlMs: 5, payload: map({ text: "n + 1" }) },
  });
  const driver = new Driver(line(ask, sendTask("tell", { message: message("hello") }))).create({ n: 1 });
  expect(driver.status).toBe("completed");
  const published = driver.lastEffects.filter((effect) => effect.type === "publish-message");
  expect(published).toMatchObject([
    { name: "question", correlationKey: "1", ttlMs: 5, payload: { text: 2 } },
    { name: "hello", correlationKey: null, ttlMs: 3_600_000, payload: {} },
  ]);
  expect(published.map((effect) => effect.messageId)).toEqual(published.map((effect) => `i/${effect.key}`));
});

test("[K124] a signal is broadcast, also as the process ends with it", () => {
  const signal = { name: literal("ready"), payload: map({ n: "n" }) };
  const driver = new Driver(program([start(), end("end", { type: "signal", signal })], ["start>end"])).create({ n: 4 });
  expect(driver.status).toBe("completed");
  expect(driver.lastEffects).toContainEqual(
    expect.objectContaining({ type: "broadcast-signal", name: "ready", payload: { n: 4 } }),
  );
});

const alarm = { type: "signal" as const, signal: { name: literal("alarm"), payload: map({ level: "n" }) } };
const counted = map({ seen: "level" });

test.each([true, false])(
  "[K124] who waits in the instance gets it as it is broadcast (interrupting: %s)",
  (interrupting) => {
    const heard = boundary("heard", "inner", { trigger: onSignal("alarm"), interrupting, outputs: counted });
    const made = program(
      [start(), ...sub("inner", [start("in"), end("out", alarm)]), heard, service("react"), end()],
      ["in>out", "start>inner>end", "heard>react>end"],
    );
    const driver = new Driver(made).create({ n: 3 });
    const goesOn = driver.history.some((event) => event.type === "flow-taken" && event.flow === "inner>end");
    expect(goesOn).toBe(!interrupting);
    expect(driver.view().variables).toEqual({ n: 3, seen: 3 });
    expect(driver.complete("react").status).toBe("completed");
  },
);

test("[K124] of those who wait for one in the instance, what an earlier one ends gets nothing; another signal is another", () => {
  const inner = sub("inner", [
    start("in"),
    and("fork"),
    raise("ring", alarm),
    end("rang"),
    catching("ear", onSignal("alarm")),
    end("heard"),
  ]);
  const out = boundary("out", "inner", { trigger: onSignal("alarm") });
  const other = boundary("other", "inner", { trigger: onSignal("bell") });
  const made = program(
    [start(), ...inner, out, other, service("react"), service("wrong"), end()],
    ["in>fork>ear>heard", "fork>ring>rang", "start>inner>wrong>end", "out>react>end", "other>wrong"],
  );
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.history.filter(({ type }) => type === "subscription-triggered")).toHaveLength(1);
  expect(driver.complete("react").status).toBe("completed");
});

test.each([
  ["fork>ring>rang", "fork>note>ear>heard"],
  ["fork>note>ear>heard", "fork>ring>rang"],
])(
  "[K124] a branch that can begin to wait in the same step hears the other one, drawn first or last: %s",
  (...branches) => {
    const two = { type: "multiple" as const, triggers: [alarm, { ...alarm, signal: { name: literal("bell") } }] };
    const parts = [script("note", { n: "n + 1" }), catching("ear", onSignal("bell")), raise("ring", two)];
    const made = program(
      [start(), and("fork"), ...parts, end("heard"), end("rang", alarm)],
      ["start>fork", ...branches],
    );
    const driver = new Driver(made).create({ n: 1 });
    expect(driver.status).toBe("completed");
    expect(driver.history.filter(({ type }) => type === "signal-broadcast")).toHaveLength(3);
  },
);

test("[K124] what begins to wait after a signal was broadcast in its instance does not get it", () => {
  const driver = new Driver(line(raise("ring", alarm), catching("ear", onSignal("alarm")))).create({ n: 1 });
  expect([driver.status, driver.subscription("ear").name]).toEqual(["running", "alarm"]);
});

test.each(["throw", "end", "task"])("[K125] with a job, a worker sends the message (%s)", (kind) => {
  const job = { type: "mail", retry: retry(2), headers: { to: "all" } };
  const sent = { ...message("hello"), payload: map({ text: "n" }) };
  const trigger = { type: "message" as const, message: sent, job };
  const made = {
    throw: () => line(raise("send", trigger)),
    end: () => program([start(), end("send", trigger)], ["start>send"]),
    task: () => line(sendTask("send", { job, inputs: map({ text: "n" }) })),
  }[kind];
  const driver = new Driver((made as () => ReturnType<typeof line>)()).create({ n: 3 });
  expect(driver.lastEffects).toContainEqual(
    expect.objectContaining({ type: "offer-job", jobType: "mail", input: { text: 3 }, headers: { to: "all" } }),
  );
  expect(driver.effects.some((effect) => effect.type === "publish-message")).toBe(false);
  driver.fail("send").fail("send");
  expect(driver.view().incidents).toMatchObject([{ kind: "job" }]);
  expect(driver.resolve().complete("send").status).toBe("completed");
});

test("[K125] a job whose input cannot be worked out is an incident of the activation", () => {
  const job = { type: "mail", retry: retry() };
  const inputs = map({ text: "missing" });
  const trigger = { type: "message" as const, message: { ...message("x"), payload: inputs }, job };
  for (const made of [line(raise("send", trigger)), line(sendTask("send", { job, inputs }))]) {
    expect(new Driver(made).create().view().incidents).toMatchObject([{ kind: "activation" }]);
  }
});

test("[K124] a name that is an expression is evaluated when it is sent", () => {
  const name = expr("'order-' + n");
  const driver = new Driver(line(raise("tell", { type: "signal", signal: { name } }))).create({ n: 1 });
  expect(driver.lastEffects).toMatchObject([{ type: "broadcast-signal", name: "order-1" }]);
  const missing = new Driver(line(raise("tell", { type: "signal", signal: { name: variable("x") } }))).create();
  expect(missing.view().incidents).toMatchObject([{ kind: "activation" }]);
});
