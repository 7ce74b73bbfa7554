import type { SlaRule } from "../program.ts";
import {
  allOf,
  and,
  anyOf,
  boundary,
  catching,
  end,
  eventGateway,
  handling,
  loop,
  map,
  onCondition,
  onError,
  onMessage,
  onSignal,
  program,
  raise,
  receive,
  service,
  start,
  sub,
  timer,
  undo,
  user,
  xor,
} from "./build.ts";
import { Driver } from "./driver.ts";

/** Event sub-processes beside the work, over it, and to undo it. */
function rescue(): Driver {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook" }), service("risky"), end("e")],
    service("unbook", { forCompensation: true }),
    ...handling("again", { trigger: { type: "error", code: "E" }, outputs: map({ why: "error.code" }) }, [
      service("calm"),
    ]),
    ...handling("back", { trigger: { type: "compensation" } }, [undo("all"), service("tell")]),
  ];
  const cycle = { type: "timer" as const, timer: timer("cycle", "R2/PT5S") };
  const made = program(
    [
      ...[start(), ...sub("trip", inside), undo("undo"), end()],
      ...handling("nag", { trigger: cycle, interrupting: false }, [service("remind")]),
      ...handling("stop", { trigger: { type: "escalation" } }, [service("tidy")]),
      raise("enough", { type: "escalation", code: "enough" }),
    ],
    [
      ...["start>trip>undo>enough>end", "s>book>risky>e", "again-start>calm", "back-start>all>tell"],
      ...["nag-start>remind", "stop-start>tidy"],
    ],
  );
  const driver = new Driver(made).create().complete("book").fire("nag-start").throw("risky", "E").complete("calm");
  return driver.complete("unbook").complete("tell").complete("tidy");
}

/** A transaction that is cancelled while it works and waits. */
function deal(): Driver {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook" }), and("split"), receive("slow", "slow")],
    ...[service("ask"), end("no", { type: "cancel" }), service("unbook", { forCompensation: true })],
  ];
  const made = program(
    [
      ...[start(), ...sub("deal", inside, { transaction: true }), service("apologise"), end()],
      boundary("cancelled", "deal", { trigger: { type: "cancel" } }),
    ],
    ["start>deal>end", "cancelled>apologise>end", "s>book>split>slow", "split>ask>no"],
  );
  return new Driver(made).create().complete("book").complete("ask").complete("unbook").complete("apologise");
}

/** A transaction for each of three items, which one of them cancels for all. */
function deals(): Driver {
  const inside = [
    ...[start("s"), service("book", { compensation: "unbook", inputs: map({ at: "item" }) }), xor("ok?", "ok?>yes")],
    ...[end("yes"), end("no", { type: "cancel" }), service("unbook", { forCompensation: true })],
  ];
  const made = program(
    [
      ...[
        start(),
        ...sub("deal", inside, { transaction: true, loop: loop("sequential") }),
        service("apologise"),
        end(),
      ],
      boundary("cancelled", "deal", { trigger: { type: "cancel" } }),
    ],
    ["start>deal>end", "cancelled>apologise>end", "s>book>ok?", "ok?>no: item == 2", "ok?>yes"],
  );
  const driver = new Driver(made)
    .create({ items: [1, 2, 3] })
    .complete("book")
    .complete("book");
  return driver.complete("unbook").complete("unbook").complete("apologise");
}

/** An instance that an event begins, one of several after a gateway and all of several in one event. */
function events(): Driver {
  const first = { ...start("order", onMessage("order")), outputs: map({ id: "id" }) };
  const all = {
    trigger: allOf(onMessage("paid", "id"), onSignal("open"), onCondition("n > 2")),
    outputs: map({ sum: "sum" }),
  };
  const made = program(
    [
      ...[
        first,
        eventGateway("which"),
        catching("ready", onMessage("ready", "id")),
        catching("late", anyOf(onSignal("bell"))),
      ],
      ...[{ ...catching("all", all.trigger), outputs: all.outputs }, service("ship"), end()],
    ],
    ["order>which>ready>all>ship>end", "which>late>ship"],
  );
  const driver = new Driver(made).create(
    { n: 0 },
    { start: { element: "order", payload: { id: 7 }, messageId: "m1" } },
  );
  driver.deliver("ready", {}, "m2");
  const [paid, open] = [...driver.state.subscriptions.values()].map(({ key }) => key);
  driver.send({ type: "deliver-signal", key: open ?? 0, name: "open", payload: { sum: 1 } });
  driver.send({ type: "deliver-message", key: paid ?? 0, name: "paid", payload: { sum: 2 }, messageId: "m3" });
  driver.send({ type: "set-variables", scope: 0, values: { n: 3 }, reason: "stock" });
  return driver.complete("ship");
}

/** A task that whoever has it ends with an error, once with an event that catches it and once with none. */
function declined(): Driver {
  const sla: SlaRule = {
    on: "not-started",
    after: timer("duration", "PT9S"),
    action: { type: "notify", to: ["boss"] },
  };
  const made = program(
    [start(), user("check", { sla: [sla] }), onError("no", "check", { code: "no" }), user("sign"), end()],
    ["start>check>end", "no>sign>end"],
  );
  const driver = new Driver(made).create();
  const decline = (element: string) =>
    driver.send({
      ...{ type: "throw-task-error", key: driver.key(element), error: { code: "no", message: "It is too late." } },
      ...(element === "check" ? { rationale: "The offer has ended." } : {}),
    });
  decline("check");
  decline("sign").resolve();
  return driver.send({ type: "complete-task", key: driver.key("sign"), result: {} });
}

/** What begins, interrupts and undoes by events. */
export const eventRecordings: { readonly [name: string]: () => Driver } = { rescue, deal, deals, events, declined };
