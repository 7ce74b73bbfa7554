import { expect, test } from "vitest";
import {
  and,
  boundary,
  end,
  expr,
  handling,
  loop,
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

test("[K138] an item whose transaction is cancelled fails, or ends the collection by the cancel event", () => {
  const failed = transaction({ boundary: false, loop: true }).complete("ask").complete("repay").complete("unbook");
  expect(failed.active).toEqual([]);
  expect(failed.status).toBe("completed");
  expect(failed.lastEvents).toContainEqual(
    expect.objectContaining({ type: "item-failed", error: expect.objectContaining({ code: "transaction-cancelled" }) }),
  );
  const caught = transaction({ loop: true }).complete("ask").complete("repay").complete("unbook");
  expect(caught.active).toEqual(["undone"]);
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

test("[K137] what undoes its work may escalate, but not to its own events", () => {
  const escalate = { type: "escalation" as const, code: "x" };
  const inside = [
    ...[start("s"), service("a", { compensation: "h" }), end("no", { type: "cancel" })],
    ...sub("h", [start("hs"), raise("cry", escalate), service("undo"), end("he")], { forCompensation: true }),
    ...handling("late", { trigger: { type: "escalation" } }, []),
  ];
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true }), service("undone")],
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
