import { and, boundary, call, end, handling, map, program, service, start, sub, undo } from "./build.ts";
import type { Driver } from "./driver.ts";
import { Family } from "./family.ts";

/** A process calls another one and then undoes all it did, in the class it was itself started in. */
function undone(): Family {
  const undoable = (id: string) => [
    service(id, { compensation: `undo-${id}`, outputs: map({ n: "n + 1" }) }),
    service(`undo-${id}`, { forCompensation: true, inputs: map({ n: "n" }) }),
  ];
  const options = { hash: "hash", variables: [{ name: "n", type: "integer" as const, initial: 1, required: false }] };
  const above = program(
    [start(), call("child"), ...undoable("x"), call("whole"), undo("back"), end()],
    ["start>child>x>whole>back>end"],
    { id: "above", ...options },
  );
  const child = program([start(), ...undoable("a"), ...undoable("b"), end()], ["start>a>b>end"], {
    id: "child",
    ...options,
  });
  const whole = program(
    [
      ...[start(), ...undoable("c"), end()],
      ...handling("all", { trigger: { type: "compensation" } }, [undo("rest"), end("e")]),
    ],
    ["start>c>end", "all-start>rest>e"],
    { id: "whole", ...options },
  );
  const family = new Family([above, child, whole]).create("above");
  for (let [job] = family.jobs; job !== undefined; [job] = family.jobs) {
    if (job.endsWith(":undo-b")) family.act(job.split(":")[0] ?? "", (member) => member.fail("undo-b"));
    else family.complete(job);
  }
  return family;
}

/** The n-th instance of it, from 0. */
function member(n: number): Driver {
  const family = undone();
  return family.member(family.members[n] ?? "");
}

/** A transaction is cancelled while two calls in it are open: one that has done something, and one that completes first. */
function openCalls(): Family {
  const undoable = [service("a", { compensation: "undo-a" }), service("undo-a", { forCompensation: true })];
  const child = program([start(), ...undoable, service("b"), end()], ["start>a>b>end"], { id: "child", hash: "hash" });
  const deal = [start("s"), and("split"), call("one", { process: "child" }), call("two", { process: "child" })];
  const above = program(
    [
      ...[
        start(),
        ...sub("deal", [...deal, service("ask"), end("no", { type: "cancel" })], { transaction: true }),
        end(),
      ],
      boundary("off", "deal", { trigger: { type: "cancel" } }),
    ],
    ["start>deal>end", "s>split>one", "split>two", "split>ask>no", "off>end"],
    { id: "above", hash: "hash" },
  );
  const family = new Family([above, child]).create("above");
  const [, one = "", two = ""] = family.members;
  family.complete(`${one}:a`).complete(`${two}:a`);
  // Its answer and the cancelling cross each other.
  family.member(two).complete("b");
  family.complete("i:ask");
  for (let [job] = family.jobs; job !== undefined; [job] = family.jobs) family.complete(job);
  return family;
}

/** A called process fails, its caller with it, and all that both did is undone. */
function failedCall(): Family {
  const undoable = [service("a", { compensation: "undo-a" }), service("undo-a", { forCompensation: true })];
  const child = program([start(), ...undoable, service("b"), end()], ["start>a>b>end"], { id: "child", hash: "hash" });
  const above = program([start(), call("child"), end()], ["start>child>end"], {
    ...{ id: "above", hash: "hash", onError: "compensate" },
  });
  const family = new Family([above, child]).create("above").complete("i/1:a");
  family.act("i/1", (member) => member.throw("b", "E"));
  return family.complete(family.jobs[0] ?? "");
}

/** Who called and undid, who was called, and what undid that: by its handlers with one that fails, and as a whole. */
export const callRecordings: { readonly [name: string]: () => Driver } = {
  calling: () => member(0),
  called: () => member(1),
  "undoing-whole": () => member(3),
  undoing: () => member(4),
  "cancelling-calls": () => openCalls().member("i"),
  "failing-call": () => failedCall().member("i"),
  "called-failing": () => failedCall().member("i/1"),
  "undoing-failed": () => failedCall().member(failedCall().members[2] ?? ""),
  "undoing-itself": () => openCalls().member(openCalls().members[1] ?? ""),
};
