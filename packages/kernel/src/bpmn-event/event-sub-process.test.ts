import { expect, test } from "vitest";
import type { Element, StartEvent } from "../program.ts";
import {
  and,
  boundary,
  call,
  catching,
  end,
  handling,
  loop,
  map,
  message,
  onCondition,
  onError,
  onMessage,
  onSignal,
  program,
  raise,
  script,
  service,
  start,
  sub,
  timer,
  undo,
  variable,
  xor,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

/** start → work → end, with an event sub-process `late` that does `fix`. */
function handled(
  first: Pick<StartEvent, "trigger" | "interrupting" | "outputs">,
  content: Element[] = [service("fix")],
): Driver {
  const path = ["late-start", ...content.filter((each) => each.parent === null).map(({ id }) => id)].join(">");
  const made = program(
    [start(), service("work"), end(), ...handling("late", first, content)],
    ["start>work>end", path],
  );
  return new Driver(made);
}

test("[K131] it is awaited while its scope lives, and does not keep it from ending", () => {
  const driver = handled({ trigger: onMessage("stop") }).create();
  const { key } = driver.subscription("late-start");
  expect(driver.complete("work").status).toBe("completed");
  expect(driver.lastEffects).toContainEqual({ type: "close-subscription", key });
  const cancelled = handled({ trigger: onMessage("stop") })
    .create()
    .send({ type: "cancel-instance", reason: "enough" });
  expect(cancelled.events).toContain("subscription-closed");
  const failed = new Driver(
    program(
      [start(), end("e", { type: "error", code: "E" }), ...handling("late", { trigger: onSignal("s") }, [])],
      ["start>e"],
    ),
  ).create();
  expect(failed.status).toBe("failed");
  expect(failed.events).toContain("subscription-closed");
});

test("[K131] what cannot be worked out is an incident of the scope, which goes on; retrying works it out again", () => {
  const trigger = { type: "message" as const, message: { ...message("stop"), correlationKey: variable("key") } };
  const driver = handled({ trigger }).create();
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", owner: 0, element: "late-start" }]);
  expect(driver.active).toEqual(["work"]);
  driver.send({ type: "set-variables", scope: 0, values: { key: 5 }, reason: "so" }).resolve();
  expect(driver.subscription("late-start").correlationKey).toBe("5");
  const again = handled({ trigger }).create().resolve();
  expect(again.view().incidents).toHaveLength(1);
  expect(again.complete("work").status).toBe("completed");
});

test("[K132] an interrupting one ends everything else in its scope, which ends with it", () => {
  const other = handling("other", { trigger: onSignal("bell"), interrupting: false }, [service("ring")]);
  const made = program(
    [
      ...[start(), and("split"), service("a"), service("b"), and("join"), end(), ...other],
      ...handling("late", { trigger: onMessage("stop") }, [service("fix")]),
    ],
    ["start>split>a>join>end", "split>b>join", "late-start>fix", "other-start>ring"],
  );
  const driver = new Driver(made).create().complete("a").deliver("other-start").deliver("late-start");
  expect(driver.active).toEqual(["fix", "late"]);
  expect(driver.view().waiting).toHaveLength(1);
  expect(driver.complete("fix").status).toBe("completed");
});

test("[K132] boundary events around the scope stay", () => {
  const inside = [
    ...[start("s"), service("work"), end("e")],
    ...handling("late", { trigger: onMessage("stop") }, [service("fix")]),
  ];
  const made = program(
    [start(), ...sub("box", inside), boundary("out", "box", { trigger: onSignal("out") }), service("note"), end()],
    ["start>box>end", "s>work>e", "late-start>fix", "out>note>end"],
  );
  const driver = new Driver(made).create().deliver("late-start");
  expect(driver.active).toEqual(["box", "fix", "late"]);
  expect(driver.deliver("out").active).toEqual(["note"]);
  const plain = new Driver(made).create().deliver("late-start").complete("fix");
  expect(plain.status).toBe("completed");
});

test("[K132] what was wrong with an event that cannot start any more is gone", () => {
  const odd = handling("odd", { trigger: onCondition("n") }, [service("never")]);
  const made = program(
    [start(), service("work"), ...odd, ...handling("late", { trigger: onMessage("stop") }, [service("fix")])],
    ["start>work", "late-start>fix", "odd-start>never"],
  );
  const driver = new Driver(made).create({ n: 1 });
  expect(driver.view().incidents).toMatchObject([{ kind: "trigger", element: "odd-start" }]);
  expect(driver.deliver("late-start").view().incidents).toEqual([]);
});

test("[K133] one that does not interrupt runs as often as it is triggered, also at once", () => {
  const driver = handled({ trigger: onMessage("more"), interrupting: false }).create();
  driver.deliver("late-start", {}, "a").deliver("late-start", {}, "b").complete("work");
  expect(driver.active).toEqual(["fix", "late"]);
  for (const { key } of [...driver.state.jobs.values()]) {
    expect(driver.status).toBe("running");
    driver.send({ type: "complete-job", key, result: {} });
  }
  expect(driver.status).toBe("completed");
});

test("[K133] a cycle starts it again and again, a duration once", () => {
  const driver = handled({
    trigger: { type: "timer", timer: timer("cycle", "R2/PT5S") },
    interrupting: false,
  }).create();
  driver.fire("late-start").fire("late-start");
  expect([...driver.state.timers.values()]).toEqual([]);
  expect([...driver.state.jobs.values()].filter((job) => job.element === "fix")).toHaveLength(2);
  const once = handled({ trigger: { type: "timer", timer: timer("duration", "PT5S") } })
    .create()
    .fire("late-start");
  expect(once.active).toEqual(["fix", "late"]);
});

test("[K133] a condition starts it at scope entry, or when it comes to hold", () => {
  expect(handled({ trigger: onCondition("n > 1") }).create({ n: 2 }).active).toEqual(["fix", "late"]);
  const driver = handled({ trigger: onCondition("n > 1"), interrupting: false }).create({ n: 0 });
  driver.send({ type: "set-variables", scope: 0, values: { n: 2 }, reason: "so" });
  expect(driver.active).toEqual(["fix", "late", "work"]);
});

test("[K134] an error is caught inside the scope before a boundary event, with its code before without", () => {
  const inside = [
    ...[start("s"), service("risky"), end("e")],
    ...handling("any", { trigger: { type: "error" } }, [service("fix-any")]),
    ...handling("mine", { trigger: { type: "error", code: "E1" }, outputs: map({ why: "error.message" }) }, [
      service("fix"),
    ]),
  ];
  const made = program(
    [start(), ...sub("box", inside), onError("out", "box"), end()],
    ["start>box>end", "out>end", "s>risky>e", "mine-start>fix", "any-start>fix-any"],
  );
  const driver = new Driver(made).create().throw("risky", "E1");
  expect(driver.active).toEqual(["box", "fix", "mine"]);
  expect(driver.variable("why")).toBe("it was thrown");
  const other = new Driver(made).create().throw("risky", "E2");
  expect(other.active).toEqual(["any", "box", "fix-any"]);
});

test("[K134] what it throws itself goes on outwards", () => {
  const inside = [
    ...[start("s"), service("risky"), end("e")],
    ...handling("mine", { trigger: { type: "error" } }, [service("fix")]),
  ];
  const made = program(
    [start(), ...sub("box", inside), onError("out", "box"), service("note"), end()],
    ["start>box>end", "out>note>end", "s>risky>e", "mine-start>fix"],
  );
  const driver = new Driver(made).create().throw("risky", "E").throw("fix", "E");
  expect(driver.active).toEqual(["note"]);
});

test("[K134] an error of one that does not interrupt is caught beside it", () => {
  const driver = new Driver(
    program(
      [
        ...[start(), service("work"), end()],
        ...handling("more", { trigger: onMessage("more"), interrupting: false }, [service("extra")]),
        ...handling("mine", { trigger: { type: "error" } }, [service("fix")]),
      ],
      ["start>work>end", "more-start>extra", "mine-start>fix"],
    ),
  );
  driver.create().deliver("more-start").throw("extra", "E");
  expect(driver.active).toEqual(["fix", "mine"]);
  expect(driver.status).toBe("running");
});

test("[K134] at process level it catches what would end or stop the instance: errors of jobs, of ends, of children", () => {
  const caught = { trigger: { type: "error" as const } };
  expect(handled(caught).create().throw("work", "E").active).toEqual(["fix", "late"]);
  const ends = program(
    [start(), end("e", { type: "error", code: "E" }), ...handling("late", caught, [service("fix")])],
    ["start>e", "late-start>fix"],
  );
  expect(new Driver(ends).create().active).toEqual(["fix", "late"]);
  const calls = program(
    [start(), call("child"), end(), ...handling("late", caught, [service("fix")])],
    ["start>child>end", "late-start>fix"],
  );
  const driver = new Driver(calls).create();
  const key = driver.key("child");
  driver.send({
    type: "end-child",
    key,
    childId: `i/${key}`,
    outcome: { type: "failed", error: { code: "E", message: "no" } },
  });
  expect(driver.active).toEqual(["fix", "late"]);
});

test("[K134] the scope of each item catches by itself; the collection goes on", () => {
  const inside = [
    ...[start("s"), service("risky"), end("e")],
    ...handling("mine", { trigger: { type: "error" } }, [service("fix")]),
  ];
  const made = program(
    [start(), ...sub("box", inside, { loop: loop("parallel") }), end()],
    ["start>box>end", "s>risky>e", "mine-start>fix"],
  );
  const driver = new Driver(made).create({ items: [1, 2] });
  const [first, second] = [...driver.state.jobs.values()];
  driver.send({ type: "throw-job-error", key: first?.key ?? 0, error: { code: "E", message: "no" } });
  driver.send({ type: "complete-job", key: second?.key ?? 0, result: {} }).complete("fix");
  expect(driver.status).toBe("completed");
});

test.each([true, false])(
  "[K134] [K128] an escalation is caught inside the scope first (interrupting: %s)",
  (interrupting) => {
    const inside = [
      ...[start("s"), raise("warn", { type: "escalation", code: "hot" }), service("after"), end("e")],
      ...handling("mine", { trigger: { type: "escalation", code: "hot" }, interrupting }, [service("fix")]),
    ];
    const made = program(
      [start(), ...sub("box", inside), boundary("out", "box", { trigger: { type: "escalation" } }), end()],
      ["start>box>end", "out>end", "s>warn>after>e", "mine-start>fix"],
    );
    const driver = new Driver(made).create();
    expect(driver.active).toEqual(interrupting ? ["box", "fix", "mine"] : ["after", "box", "fix", "mine"]);
  },
);

test("[K134] [K128] what an event sub-process throws itself goes on outside of it, also when it is what started it", () => {
  const hot = { type: "escalation" as const, code: "hot" };
  const mine = handling("mine", { trigger: hot, interrupting: false }, [service("fix"), end("again", hot)]);
  const inside = [start("s"), raise("warn", hot), service("after"), ...mine];
  const outer = handling("outer", { trigger: hot, interrupting: false }, [service("look")]);
  const made = program(
    [start(), ...sub("box", inside), end(), ...outer],
    ["start>box>end", "s>warn>after", "mine-start>fix>again", "outer-start>look"],
  );
  const driver = new Driver(made).create();
  expect(driver.active).toEqual(["after", "box", "fix", "mine"]);
  expect(driver.complete("fix").active).toEqual(["after", "box", "look", "outer"]);
});

test("[K135] its variables are its own, and its start sees what triggered it", () => {
  const content = [service("fix", { inputs: map({ total: "total", seen: "seen" }) })];
  const inside = handling(
    "late",
    { trigger: onMessage("more"), interrupting: false, outputs: map({ total: "amount" }) },
    content,
  );
  const own = inside.map((each) =>
    each.kind === "sub-process"
      ? {
          ...each,
          variables: [
            { name: "total", type: "any" as const },
            { name: "seen", type: "any" as const, initial: 1 },
          ],
        }
      : each,
  );
  const made = program([start(), service("work"), ...own], ["start>work", "late-start>fix"]);
  const driver = new Driver(made)
    .create()
    .deliver("late-start", { amount: 1 }, "a")
    .deliver("late-start", { amount: 2 }, "b");
  const inputs = driver.effects.flatMap((effect) => (effect.type === "offer-job" ? [effect.input] : []));
  expect(inputs.slice(1)).toEqual([
    { total: 1, seen: 1 },
    { total: 2, seen: 1 },
  ]);
  expect(driver.variable("total")).toBeUndefined();
});

test("[K135] outputs that cannot be made leave the start waiting for a person", () => {
  const driver = handled({ trigger: onMessage("more"), outputs: map({ total: "amount + more" }) }).create();
  driver.deliver("late-start", { amount: 1 });
  expect(driver.active).toEqual(["late", "late-start"]);
  driver.send({ type: "set-variables", scope: 0, values: { more: 2 }, reason: "so" }).resolve();
  expect(driver.active).toEqual(["fix", "late"]);
});

test("[K131] event sub-processes stand in one another", () => {
  const inner = handling("inner", { trigger: onMessage("deeper") }, [service("deep")]);
  const made = program(
    [start(), service("work"), ...handling("outer", { trigger: onMessage("down") }, [service("fix"), ...inner])],
    ["start>work", "outer-start>fix", "inner-start>deep"],
  );
  const driver = new Driver(made).create();
  expect([...driver.state.subscriptions.values()].map(({ element }) => element)).toEqual(["outer-start"]);
  driver.deliver("outer-start").deliver("inner-start");
  expect(driver.active).toEqual(["deep", "inner", "outer"]);
  expect(driver.complete("deep").status).toBe("completed");
});

test("[K136] one of the process itself never starts", () => {
  const back = handling("back", { trigger: { type: "compensation" } }, [service("tell")]);
  const content = [start(), service("a", { compensation: "un" }), service("un", { forCompensation: true }), ...back];
  const lines = ["start>a>all>end", "back-start>tell"];
  const driver = new Driver(program([...content, undo("all"), end()], lines)).create().complete("a");
  expect(driver.active).toEqual(["all", "un"]);
  expect(driver.complete("un").status).toBe("completed");
  const failing = program([...content, end("all", { type: "error", code: "E" })], ["start>a>all", "back-start>tell"], {
    onError: "compensate",
  });
  expect(new Driver(failing).create().complete("a").complete("un").status).toBe("failed");
});

test("[K136] an event sub-process that repairs can have undone what completed in its scope, itself first", () => {
  const inside = [
    ...[start("s"), service("a", { compensation: "undo-a" }), service("risky"), end("e")],
    service("undo-a", { forCompensation: true }),
    ...handling("mine", { trigger: { type: "error" } }, [service("b", { compensation: "undo-b" }), undo("back")]),
    { ...service("undo-b", { forCompensation: true }), parent: "mine" },
  ];
  const made = program([start(), ...sub("box", inside), end()], ["start>box>end", "s>a>risky>e", "mine-start>b>back"]);
  const driver = new Driver(made).create().complete("a").throw("risky", "E").complete("b");
  expect(driver.active).toEqual(["back", "box", "mine", "undo-b"]);
  expect(driver.complete("undo-b").active).toEqual(["back", "box", "mine", "undo-a"]);
  expect(driver.complete("undo-a").status).toBe("completed");
});

test("[K15] a step that goes on leaves what waits as it is", () => {
  const made = program(
    [
      start(),
      and("split"),
      catching("news", onMessage("news")),
      ...sub("many", [start("s"), service("one"), end("e")], { loop: loop("parallel") }),
      end(),
    ],
    ["start>split>news>end", "split>many>end", "s>one>e"],
  );
  const driver = new Driver(made, { checked: false }).create({ items: Array.from({ length: 1_200 }, (_, n) => n) });
  expect(driver.state.head.continuing).toBe(true);
  expect(driver.goOn().deliver("news").status).toBe("running");
  driver.check();
});

test("[K128] what undoes something may escalate to an event sub-process of its scope", () => {
  const inside = [
    ...[start("s"), service("a", { compensation: "h" }), undo("back"), end("e")],
    ...sub("h", [start("hs"), raise("cry", { type: "escalation", code: "x" }), service("more"), end("he")], {
      forCompensation: true,
    }),
    ...handling("mine", { trigger: { type: "escalation" }, interrupting: false }, [service("heard")]),
  ];
  const made = program(
    [start(), ...sub("box", inside), end()],
    ["start>box>end", "s>a>back>e", "hs>cry>more>he", "mine-start>heard"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["back", "box", "h", "heard", "mine", "more"]);
});

/** box: a and b (which can be undone), then back; box itself is undone by an event sub-process in it. */
function undoing(content: Element[], options: { readonly compensation?: string } = {}): Driver {
  const inside = [
    ...[start("s"), service("a", { compensation: "undo-a", outputs: map({ n: "n" }) }), end("e")],
    service("undo-a", { forCompensation: true }),
    ...handling("mine", { trigger: { type: "compensation" } }, content),
  ];
  const path = ["mine-start", ...content.map(({ id }) => id)].join(">");
  const made = program(
    [
      ...[
        start(),
        ...sub("box", inside, { ...options, inputs: map({ local: "1" }) }),
        service("after"),
        undo("back"),
        end(),
      ],
      service("undo-box", { forCompensation: true }),
    ],
    ["start>box>after>back>end", "s>a>e", path],
  );
  return new Driver(made).create({ n: 0 }).complete("a", { n: 1 }).complete("after");
}

test("[K136] a completed sub-process is undone by the event sub-process in it alone, with its variables as they were", () => {
  const driver = undoing([service("fix", { inputs: map({ local: "local", n: "n" }) })]);
  expect(driver.active).toEqual(["back", "fix", "mine"]);
  expect(driver.lastEffects).toContainEqual(expect.objectContaining({ type: "offer-job", input: { local: 1, n: 1 } }));
  expect(driver.complete("fix").status).toBe("completed");
});

test("[K136] from there its content can be undone", () => {
  const driver = undoing([undo("inner"), service("fix")]);
  expect(driver.active).toEqual(["back", "inner", "mine", "undo-a"]);
  expect(driver.complete("undo-a").active).toEqual(["back", "fix", "mine"]);
  expect(driver.complete("fix").status).toBe("completed");
});

test("[K136] a handler named at the sub-process comes first", () => {
  expect(undoing([service("fix")], { compensation: "undo-box" }).active).toEqual(["back", "undo-box"]);
});

test("[K136] [K98] one that fails is recorded, and undoing goes on", () => {
  const driver = undoing([service("fix")]).throw("fix", "E");
  expect(driver.status).toBe("completed");
  expect(driver.events).toContain("compensation-failed");
});

test("[K132] an event sub-process in a handler may take it over", () => {
  const inside = [
    ...[start("s"), service("slow"), end("e")],
    ...handling("late", { trigger: onMessage("hurry") }, [service("quick")]),
  ];
  const made = program(
    [
      start(),
      service("a", { compensation: "back-a" }),
      ...sub("back-a", inside, { forCompensation: true }),
      undo("back"),
      end(),
    ],
    ["start>a>back>end", "s>slow>e", "late-start>quick"],
  );
  const driver = new Driver(made).create().complete("a").deliver("late-start").complete("quick");
  expect(driver.status).toBe("completed");
});

test("[K134] [K99] a process that fails starts nothing but what undoes its work", () => {
  const escalate = { type: "escalation" as const, code: "x" };
  const made = program(
    [
      ...[start(), service("a", { compensation: "h" }), end("e", { type: "error", code: "E" })],
      ...sub("h", [start("hs"), raise("cry", escalate), service("undo"), end("he")], { forCompensation: true }),
      ...handling("late", { trigger: { type: "escalation" } }, [service("fix")]),
    ],
    ["start>a>e", "hs>cry>undo>he", "late-start>fix"],
    { onError: "compensate" },
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["h", "undo"]);
  expect(driver.complete("undo").status).toBe("failed");
});

test("[K131] once its content has ended, nothing starts in a scope that waits for a person to complete", () => {
  const inside = [start("s"), service("a"), end("e"), ...handling("late", { trigger: onMessage("m") }, [])];
  const made = program(
    [start(), ...sub("box", inside, { outputs: map({ x: "missing" }) }), end()],
    ["start>box>end", "s>a>e"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.view().incidents).toMatchObject([{ kind: "completion" }]);
  expect([...driver.state.subscriptions.values()]).toEqual([]);
  driver.send({ type: "set-variables", scope: 0, values: { missing: 1 }, reason: "so" }).resolve();
  expect(driver.status).toBe("completed");
});

test("[K131] a version that brings one is waited for also where nothing has an instance just now", () => {
  const elements = [start(), script("add", { n: "n + 1" }), xor("again", "again>end"), end()];
  const lines = ["start>add>again", "again>add: n < 600", "again>end"];
  const driver = new Driver(program(elements, lines), { checked: false }).create({ n: 0 });
  expect([driver.active, driver.state.head.continuing]).toEqual([[], true]);
  const late = handling("late", { trigger: onMessage("stop") }, [service("fix")]);
  const to = program([...elements, ...late], [...lines, "late-start>fix"], { version: "2", hash: "other" });
  driver.send({ type: "migrate-instance", to, mapping: {}, reason: "so" });
  expect(driver.subscription("late-start").name).toBe("stop");
});

test("[K131] a scope that waits only for itself still ends", () => {
  const inside = [
    start("s"),
    catching("go", onCondition("n > 1")),
    end("e"),
    ...handling("late", { trigger: onMessage("m") }, []),
  ];
  const made = program([start(), ...sub("box", inside), end()], ["start>box>end", "s>go>e"]);
  expect(new Driver(made).create({ n: 2 }).status).toBe("completed");
});
