import { expect, test } from "vitest";
import {
  and,
  boundary,
  end,
  expr,
  handling,
  literal,
  loop,
  map,
  onError,
  onSignal,
  onTimer,
  program,
  raise,
  receive,
  service,
  start,
  sub,
  timer,
  undo,
  xor,
} from "../testing/build.ts";
import { Driver } from "../testing/driver.ts";

function transaction(options: { readonly boundary?: boolean; readonly loop?: boolean } = {}): Driver {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook" }), and("split"), service("ask"), receive("slow", "slow")],
    ...[end("no", { type: "cancel" }), end("yes")],
    service("unbook", { forCompensation: true }),
    ...sub("inner", [start("s2"), service("pay", { compensation: "repay" }), service("hang"), end("e2")]),
    { ...service("repay", { forCompensation: true }), parent: "inner" },
    ...handling("late", { trigger: onSignal("bell"), interrupting: false }, []),
  ];
  const made = program(
    [
      ...[start(), service("after"), service("undone"), end()],
      ...sub("deal", inside, { transaction: true, ...(options.loop ? { loop: loop("parallel") } : {}) }),
      ...(options.boundary === false ? [] : [boundary("cancelled", "deal", { trigger: { type: "cancel" } })]),
      onTimer("late-deal", "deal", { timer: timer("duration", "PT9S") }),
      onError("failed", "deal"),
    ],
    [
      ...["start>deal>after>end", "s>book>split>ask>no", "split>slow>yes", "split>inner", "s2>pay>hang>e2"],
      ...(options.boundary === false ? [] : ["cancelled>undone>end"]),
      ...["late-deal>end", "failed>end"],
    ],
  );
  return new Driver(made)
    .create({ items: [1] })
    .complete("book")
    .complete("pay");
}

test("[K137] a cancel end event ends all else, undoes in reverse order, and goes on at the cancel event", () => {
  const driver = transaction().complete("ask");
  expect(driver.active).toEqual(["deal", "no", "repay"]);
  expect([...driver.state.timers.values(), ...driver.state.subscriptions.values()]).toEqual([]);
  expect(driver.complete("repay").active).toEqual(["deal", "no", "unbook"]);
  expect(driver.complete("unbook").active).toEqual(["undone"]);
  expect(driver.complete("undone").status).toBe("completed");
});

test("[K137] a multiple end event may cancel, too", () => {
  const last = {
    type: "multiple" as const,
    triggers: [{ type: "cancel" as const }, { type: "escalation" as const, code: "x" }],
  };
  const inside = [
    start("s"),
    service("a", { compensation: "h" }),
    end("no", last),
    service("h", { forCompensation: true }),
  ];
  const made = program(
    [
      start(),
      ...sub("deal", inside, { transaction: true }),
      boundary("off", "deal", { trigger: { type: "cancel" } }),
      service("undone"),
    ],
    ["start>deal", "s>a>no", "off>undone"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["deal", "h", "no"]);
  expect(driver.complete("h").active).toEqual(["undone"]);
});

test("[K137] with nothing to undo it goes on at once", () => {
  const inside = [
    start("s"),
    end("no", { type: "multiple", triggers: [{ type: "escalation", code: "x" }, { type: "cancel" }] }),
  ];
  const made = program(
    [
      start(),
      ...sub("deal", inside, { transaction: true }),
      boundary("off", "deal", { trigger: { type: "cancel" } }),
      service("undone"),
    ],
    ["start>deal", "s>no", "off>undone"],
  );
  expect(new Driver(made).create().active).toEqual(["undone"]);
});

test("[K138] without a cancel event the token ends there", () => {
  const driver = transaction({ boundary: false }).complete("ask").complete("repay").complete("unbook");
  expect(driver.status).toBe("completed");
  expect(driver.events).not.toContain("element-activated");
});

/** A transaction for each of some items: books, asks where there is more than one, and is cancelled by item `no`. */
function several(options: { readonly boundary?: boolean; readonly mode?: "parallel" | "sequential" } = {}): Driver {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook", inputs: map({ at: "item" }) }), xor("ok?", "ok?>ask")],
    ...[service("ask"), end("yes"), end("no", { type: "cancel" })],
    service("unbook", { forCompensation: true, inputs: map({ at: "item" }) }),
  ];
  const looped = loop(options.mode ?? "parallel", { maxParallel: literal(3) });
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true, loop: looped }), service("after"), service("undone")],
      ...(options.boundary === false ? [] : [boundary("off", "deal", { trigger: { type: "cancel" } })]),
      boundary("bell", "deal", { trigger: onSignal("bell"), interrupting: true }),
      end(),
    ],
    [
      ...["start>deal>after>end", "s>book>ok?", "ok?>no: item == 2", "ok?>ask>yes", "bell>end"],
      ...(options.boundary === false ? [] : ["off>undone>end"]),
    ],
  );
  return new Driver(made).create({ items: [0, 1, 2, 3, 4] });
}

/** What each open `unbook` is told. */
function undoing(driver: Driver): readonly unknown[] {
  return [...driver.state.jobs.values()].map(({ element, input }) => [element, input["at"]]);
}

test("[K137] cancelled in one of its items, the whole transaction ends, and what any of them did is undone", () => {
  const driver = several();
  const book = (): Driver => {
    const [job] = [...driver.state.jobs.values()].filter(({ element }) => element === "book");
    return driver.send({ type: "complete-job", key: job?.key ?? 0, result: {} });
  };
  book().complete("ask");
  book();
  expect(driver.items("running")).toEqual(["1", "2", "3"]);
  const body = driver.state.collections.values().next().value?.body;
  book();
  expect([...driver.state.subscriptions.values()]).toEqual([]);
  expect(driver.lastEvents).toContainEqual({ type: "collection-closing", body, reason: "cancel" });
  expect(driver.active).toEqual(["deal", "no", "unbook"]);
  expect(undoing(driver)).toEqual([["unbook", 2]]);
  expect(undoing(driver.complete("unbook"))).toEqual([["unbook", 1]]);
  expect(undoing(driver.complete("unbook"))).toEqual([["unbook", 0]]);
  expect(driver.complete("unbook").active).toEqual(["undone"]);
  expect(driver.history.filter(({ type }) => type === "item-failed")).toEqual([]);
  expect(driver.complete("undone").status).toBe("completed");
});

test("[K138] without a cancel event the token ends there, with all items", () => {
  const driver = several({ boundary: false, mode: "sequential" });
  driver.complete("book").complete("ask").complete("book").complete("ask").complete("book");
  expect(driver.complete("unbook").complete("unbook").active).toEqual(["deal", "no", "unbook"]);
  expect(driver.complete("unbook").status).toBe("completed");
  expect(driver.history.some((event) => "element" in event && event.element === "after")).toBe(false);
});

test("[K137] an item that fails in the same step does not go before the cancelling of all", () => {
  const inside = [start("s"), xor("which"), end("bad", { type: "error", code: "E" }), end("no", { type: "cancel" })];
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true, loop: loop("parallel", { onFailure: "fail" }) }), end()],
      ...[boundary("off", "deal", { trigger: { type: "cancel" } }), service("undone"), onError("failed", "deal")],
    ],
    ["start>deal>end", "s>which", "which>bad: item == 0", "which>no", "off>undone>end", "failed>end"],
  );
  expect(new Driver(made).create({ items: [0, 1] }).active).toEqual(["undone"]);
});

test("[K137] cancelled in one round of a loop, the rounds before are undone, too", () => {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook" }), xor("ok?", "ok?>yes"), end("yes")],
    ...[end("no", { type: "cancel" }), service("unbook", { forCompensation: true })],
  ];
  const rounds = { mode: "standard" as const, testBefore: false, condition: expr("true") };
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true, loop: rounds }), service("undone")],
      boundary("off", "deal", { trigger: { type: "cancel" } }),
    ],
    ["start>deal", "s>book>ok?", "ok?>no: loopCounter == 2", "ok?>yes", "off>undone"],
  );
  const driver = new Driver(made).create().complete("book").complete("book").complete("unbook");
  expect(driver.active).toEqual(["deal", "no", "unbook"]);
  expect(driver.complete("unbook").active).toEqual(["undone"]);
});

test("[K138] a loop whose transaction is cancelled ends, at the cancel event if there is one", () => {
  const inside = [start("s"), end("no", { type: "cancel" })];
  const rounds = { mode: "standard" as const, testBefore: false, condition: expr("true"), maximum: 3 };
  const looped = (caught: boolean) =>
    program(
      [
        ...[start(), ...sub("deal", inside, { transaction: true, loop: rounds }), service("after")],
        ...(caught ? [boundary("off", "deal", { trigger: { type: "cancel" } }), service("undone")] : []),
      ],
      ["start>deal>after", "s>no", ...(caught ? ["off>undone"] : [])],
    );
  expect(new Driver(looped(false)).create().status).toBe("completed");
  expect(new Driver(looped(true)).create().active).toEqual(["undone"]);
});

test.each([
  ["", {}],
  [", nor to those of all its items", { loop: loop("parallel", { collection: literal([1]) }) }],
])("[K137] what undoes its work may escalate, but not to its own events%s", (_, several) => {
  const escalate = { type: "escalation" as const, code: "x" };
  const inside = [
    ...[start("s"), service("a", { compensation: "h" }), end("no", { type: "cancel" })],
    ...sub("h", [start("hs"), raise("cry", escalate), service("undo"), end("he")], { forCompensation: true }),
    ...handling("late", { trigger: { type: "escalation" } }, []),
  ];
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true, ...several }), service("undone")],
      ...[
        boundary("off", "deal", { trigger: { type: "cancel" } }),
        boundary("cry-out", "deal", { trigger: { type: "escalation" } }),
      ],
      ...handling("all", { trigger: { type: "escalation" }, interrupting: false }, [service("heard")]),
    ],
    ["start>deal", "s>a>no", "hs>cry>undo>he", "off>undone", "all-start>heard"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.active).toEqual(["all", "deal", "h", "heard", "no", "undo"]);
  expect(driver.complete("undo").active).toEqual(["all", "heard", "undone"]);
});

test("[K138] a handler that cancels itself has failed", () => {
  const inside = [start("s"), end("no", { type: "cancel" })];
  const made = program(
    [
      start(),
      service("a", { compensation: "t" }),
      ...sub("t", inside, { transaction: true, forCompensation: true }),
      undo("back"),
      end(),
    ],
    ["start>a>back>end", "s>no"],
  );
  const driver = new Driver(made).create().complete("a");
  expect(driver.status).toBe("completed");
  expect(driver.events).toContain("compensation-failed");
});

test("[K139] an error that leaves a transaction undoes nothing", () => {
  const driver = transaction().throw("ask", "E");
  expect(driver.status).toBe("completed");
  expect(driver.events).not.toContain("compensation-started");
});
