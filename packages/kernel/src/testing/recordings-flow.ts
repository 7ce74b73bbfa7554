import { and, complex, end, onError, or, program, service, start } from "./build.ts";
import { Driver } from "./driver.ts";

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

/** One run each for gateways, loops and containers. */
export const flowRecordings: { readonly [name: string]: () => Driver } = { inclusive, complex: complexJoin };
