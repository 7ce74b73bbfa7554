import { loadProgram } from "../load.ts";
import {
  adHoc,
  and,
  complex,
  end,
  expr,
  map,
  onError,
  or,
  program,
  script,
  service,
  start,
  sub,
  xor,
} from "./build.ts";
import { Driver } from "./driver.ts";
import { testHost } from "./host.ts";

const thrown = { retry: { attemptsMax: 1, backoff: { firstMs: 0, factor: 1, maxMs: 0 }, exhausted: "error" as const } };

/** An inclusive join that goes on because an error took away what it waited for; conditions on flows out of a task. */
function inclusive(): Driver {
  const made = program(
    [
      ...[start(), or("which"), service("a"), service("b", { policy: thrown }), service("c"), or("join")],
      ...[onError("lost", "b"), service("sort", { defaultFlow: "sort>end" }), service("extra"), and("tidy"), end()],
    ],
    [
      ...["start>which", "which>a: n > 0", "which>b: n > 1", "which>c: n > 2", "a>join>sort", "b>join", "c>join"],
      ...["lost>tidy>end", "sort>extra: n > 1", "sort>end", "extra>end"],
    ],
  );
  return new Driver(made).create({ n: 2 }).complete("a").throw("b", "E").complete("sort").complete("extra");
}

/** A complex gateway that goes on with the first token, and lets the last one start something else. */
function complexJoin(): Driver {
  const made = program(
    [
      ...[start(), and("split"), service("a"), service("b"), complex("join", "arrived >= 1")],
      ...[service("first"), service("last"), end()],
    ],
    [
      ...["start>split>a>join", "split>b>join", "join>first: waitingForStart", "join>last: !waitingForStart"],
      ...["first>end", "last>end"],
    ],
  );
  return new Driver(made).create().complete("b").complete("first").complete("a").complete("last");
}

/** A loop with a test after each round, one that runs none, and two tokens where one came. */
function rounds(): Driver {
  const loop = { mode: "standard" as const, condition: expr("n < 2"), testBefore: false };
  const task = service("again", { loop, outputs: map({ n: "n" }) });
  const none = script("never", { n: "0" }, { loop: { ...loop, testBefore: true } });
  const made = program(
    [
      start(),
      task,
      none,
      script("twice", { n: "n" }, { completionQuantity: 2 }),
      service("pair", { startQuantity: 2 }),
      end(),
    ],
    ["start>again>never>twice>pair>end"],
  );
  const driver = new Driver(made).create({ n: 0 });
  for (const n of [1, 2]) {
    const [job] = driver.state.jobs.values();
    driver.send({ type: "complete-job", key: job?.key ?? 0, result: { n } });
  }
  return driver.complete("pair");
}

/** A job chooses twice in an ad-hoc sub-process, and a person once more; a condition ends it. */
function choosing(): Driver {
  const inside = [service("search"), service("read"), script("note", { n: "n + 1" })];
  const tools = adHoc("tools", inside, {
    job: { type: "agent", retry: { ...thrown.retry, exhausted: "incident" } },
    completion: expr("completed >= 4"),
    cancelRemaining: true,
    output: { target: "found", source: expr("n") },
  });
  const driver = new Driver(program([start(), ...tools, end()], ["start>tools>end"])).create({ n: 0 });
  const choose = (activate: readonly string[]): Driver => {
    const [job] = driver.state.jobs.values();
    return driver.send({ type: "complete-job", key: job?.key ?? 0, result: { activate } });
  };
  choose(["search"]).complete("search");
  choose(["read", "note"]);
  const key = driver.view().elements[0]?.key ?? 0;
  driver.send({ type: "activate-elements", key, elements: [{ element: "search", variables: { n: 7 } }] });
  return driver.complete("read").complete("search");
}

/** A token is moved into a sub-process that nothing has opened, and what is left ends by hand. */
function moved(): Driver {
  const box = sub("box", [start("s"), service("x"), service("y"), end("e")], {
    variables: [{ name: "limit", type: "integer", initial: 3 }],
  });
  const driver = new Driver(program([start(), service("a"), ...box, end()], ["start>a>box>end", "s>x>y>e"])).create();
  const activate = [{ element: "y", variables: { limit: 4 } }];
  driver.send({ type: "modify-instance", activate, terminate: [driver.key("a")], reason: "wrong way" });
  return driver.send({ type: "modify-instance", activate: [], terminate: [driver.key("y")], reason: "given up" });
}

/** A token that waits at a join is taken away, and one put before it in its place. */
function rejoined(): Driver {
  const made = program(
    [start(), and("f"), service("a"), service("b"), and("join"), end()],
    ["start>f>a>join>end", "f>b>join"],
  );
  const driver = new Driver(made).create().complete("a");
  const moved = { type: "modify-instance" as const, terminate: [], reason: "wrong way" };
  driver.send({ ...moved, activate: [], withdraw: [{ element: "join" }] });
  driver.send({ ...moved, activate: [{ element: "join", from: "b" }], terminate: [driver.key("b")] });
  return driver.send({ ...moved, activate: [{ element: "join", from: "a" }] });
}

/** A circle that never waits, continued until it is stopped, and let go once more. */
function circling(): Driver {
  const { document } = program(
    [start(), script("count", { n: "n + 1" }), xor("again", "again>end"), end()],
    ["start>count>again>end", "again>count: n < 20"],
  );
  const made = loadProgram(document, testHost, { activationsPerCommandMax: 4, continuationsMax: 3 });
  return new Driver(made).create({ n: 0 }).goOn().resolve().goOn().resolve().goOn();
}

/** Expressions that give null and say why: in an input, in an assignment, and in a condition, which is an incident. */
function doubting(): Driver {
  const made = program(
    [
      ...[start(), service("ask", { inputs: map({ whom: "maybe customer" }) }), script("note", { n: "maybe n.total" })],
      ...[xor("which", "which>end"), service("more"), end()],
    ],
    ["start>ask>note>which>end", "which>more: maybe n.total > 1"],
  );
  return new Driver(made).create({ n: 1 }).complete("ask");
}

/** One run each for gateways, loops and containers. */
export const flowRecordings: { readonly [name: string]: () => Driver } = {
  inclusive,
  complex: complexJoin,
  rounds,
  choosing,
  moved,
  rejoined,
  circling,
  // `doubting.jsonl` is of before, when a gateway that could not go on told its doubts twice.
  "doubting-once": doubting,
};
