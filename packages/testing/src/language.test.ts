import type { ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import type { Answers } from "./answers.ts";
import { expectCrashProof } from "./crash.ts";
import {
  boundary,
  catching,
  cel,
  message,
  parallel,
  type Sketch,
  signal,
  sketch,
  startIn,
  sub,
  timer,
  work,
} from "./testing/patterns/sketch.ts";
import type { Trial } from "./trial.ts";

// What the language can say and no pattern needs: on the engine, through every crash.

async function tell(
  given: readonly Sketch[],
  check: (trial: Trial) => void,
  answers: Partial<Answers> = {},
): Promise<void> {
  const programs: readonly ProgramDocument[] = given.map(sketch);
  const all = { answers: { work: { complete: {} }, ...answers.answers }, publish: answers.publish ?? [] };
  await expectCrashProof({ programs, answers: all }, async (trial) => {
    await trial.start();
    await trial.finish();
    check(trial);
  });
}

const thrown = (trigger: object) => ({ kind: "intermediate-throw-event", trigger }) as const;
const ending = (trigger: object) => ({ kind: "end-event", trigger }) as const;

test("[T22] a cancelled transaction undoes what completed in it, the last first, and goes on at its boundary", async () => {
  const parts = {
    T: sub({ transaction: true }),
    "T.start": startIn("T"),
    A: work({ in: "T", compensation: "undoA" }),
    B: work({ in: "T", compensation: "undoB" }),
    undoA: work({ in: "T", forCompensation: true }),
    undoB: work({ in: "T", forCompensation: true }),
    off: { ...ending({ type: "cancel" }), in: "T" },
    cancelled: boundary("T", { type: "cancel" }),
  };
  await tell([{ id: "p", parts, flows: "start>T T.start>A A>B B>off T>C cancelled>D" }], ({ instances: [p] }) => {
    p?.expectOrder(["A", "B", "off", "undoB", "undoA", "cancelled", "D"]).expectNever("C").expectEnd("completed");
  });
});

test("[T22] an escalation is caught where it goes by, and whoever threw it goes on unless it is interrupted", async () => {
  const parts = (interrupting: boolean) => ({
    P: sub(),
    "P.start": startIn("P"),
    A: work({ in: "P" }),
    up: { ...thrown({ type: "escalation", code: "late" }), in: "P" },
    B: work({ in: "P" }),
    caught: boundary("P", { type: "escalation", code: "late" }, interrupting),
  });
  const flows = "start>P P.start>A A>up up>B P>C caught>D";
  await tell([{ id: "p", parts: parts(false), flows }], ({ instances: [p] }) => {
    p?.expectEnd("completed");
    expect(p?.completed).toEqual(expect.arrayContaining(["B", "C", "D"]));
  });
  await tell([{ id: "p", parts: parts(true), flows }], ({ instances: [p] }) => {
    p?.expectNever("B", "C").expectOrder(["caught", "D"]);
  });
});

test("[T22] one instance sends a message to another, which answers, each exactly once", async () => {
  const to = (name: string) => ({ kind: "send-task", message: { name: { literal: name }, ttlMs: 3_600_000 } }) as const;
  const receive = (name: string) => ({ kind: "receive-task", message: { name: { literal: name } } }) as const;
  const asker = {
    id: "asker",
    parts: { ask: to("question"), wait: receive("answer") },
    flows: "start>ask ask>wait wait>end",
  };
  const begin = { kind: "start-event", trigger: message("question") } as const;
  const answerer = { id: "answerer", parts: { begin, reply: to("answer") }, flows: "begin>A A>reply reply>end" };
  await tell(
    [asker, answerer],
    ({ instances }) => {
      expect(instances.map(({ process, hasEnded }) => [process, hasEnded])).toEqual([
        ["asker", true],
        ["answerer", true],
      ]);
    },
    { answers: { A: { complete: {}, after: "1h" } } },
  );
});

test("[T22] a signal that one instance broadcasts reaches all that wait, called ones included", async () => {
  const call = { kind: "call-activity", process: "waiting", binding: "deployment" } as const;
  const parts = { S: parallel, one: call, two: call, delay: catching(timer("PT1H")), go: thrown(signal("go")) };
  const caller = { id: "caller", parts, flows: "start>S S>one S>two S>delay delay>go" };
  const waiting = { id: "waiting", parts: { W: catching(signal("go")) }, flows: "start>W W>end" };
  await tell([caller, waiting], ({ instances }) => {
    expect(instances).toHaveLength(3);
    for (const instance of instances) instance.expectEnd("completed");
  });
});

test("[T22] an event sub-process ends the rest of its scope when an error is thrown in it, and the scope completes", async () => {
  const parts = {
    P: sub(),
    "P.start": startIn("P"),
    S: { ...parallel, in: "P" },
    A: work({ in: "P" }),
    B: work({ in: "P" }),
    E: { ...sub({ triggeredByEvent: true }), in: "P" },
    "E.start": startIn("E", { trigger: { type: "error", code: "broken" } }),
    mend: work({ in: "E" }),
  };
  const answers = { A: { throw: "broken", after: "1h" }, B: { complete: {}, after: "2h" } };
  await tell(
    [{ id: "p", parts, flows: "start>P P.start>S S>A S>B E.start>mend P>C" }],
    ({ instances: [p] }) => {
      p?.expectOrder(["A", "E.start", "mend", "C"]).expectEnd("completed");
      expect(p?.completed).not.toContain("B");
    },
    { answers },
  );
});

test("[T22] a condition is watched while something else changes what it depends on", async () => {
  const increment = { kind: "script-task", assignments: [{ target: "n", source: cel("n + 1") }] } as const;
  const parts = {
    S: parallel,
    W: catching({ type: "conditional", condition: cel("n >= 2.0") }),
    one: increment,
    two: increment,
  };
  await tell(
    [{ id: "p", variables: { n: 0 }, parts, flows: "start>S S>W S>A A>one one>B B>two W>C" }],
    ({ instances: [p] }) => void p?.expectOrder(["one", "two", "C"]).expectEnd("completed"),
    { answers: { A: { complete: {}, after: "1h" }, B: { complete: {}, after: "1h" } } },
  );
});

test("[T22] links lead on, several triggers start once, several throws all happen", async () => {
  const several = { type: "multiple", parallel: false, triggers: [message("m"), signal("s")] };
  const both = { type: "multiple", triggers: [signal("x"), signal("y")] };
  const parts = {
    away: thrown({ type: "link", name: "on" }),
    here: catching({ type: "link", name: "on" }),
    W: catching(several),
    S: parallel,
    X: catching(signal("x")),
    Y: catching(signal("y")),
    delay: catching(timer("PT1M")),
    both: ending(both),
  };
  const flows = "start>A A>away here>W W>S S>X S>Y S>delay delay>both";
  const publish = [{ signal: "s", after: "1h" }];
  await tell(
    [{ id: "p", parts, flows }],
    ({ instances: [p] }) => {
      p?.expectEnd("completed");
      expect(p?.completed).toEqual(expect.arrayContaining(["X", "Y", "both"]));
    },
    { publish },
  );
});

test("[T22] an ad-hoc sub-process is driven by a job that chooses, again and again, until it is done", async () => {
  const parts = {
    P: {
      kind: "ad-hoc-sub-process",
      ordering: "parallel",
      cancelRemaining: true,
      job: { ...(work()["job"] as object), type: "choose" },
    } as const,
    A: work({ in: "P" }),
    B: work({ in: "P" }),
  };
  const choose = [
    { complete: { activate: [{ element: "A" }] } },
    { complete: { activate: [{ element: "B" }, { element: "A" }] } },
    { complete: { done: true } },
  ];
  await tell(
    [{ id: "p", parts, flows: "start>P P>end" }],
    ({ instances: [p] }) => {
      p?.expectEnd("completed");
      expect(p?.path.filter((name) => name === "A" || name === "B")).toEqual(["A", "B", "A"]);
    },
    { answers: { choose, A: { complete: {}, after: "1h" }, B: { complete: {}, after: "1h" } } },
  );
});

test("[T22] completed work is undone in strict reverse order by a compensation event, calls included", async () => {
  const call = { kind: "call-activity", process: "inner", binding: "deployment", compensation: "undoCall" } as const;
  const parts = {
    A: work({ compensation: "undoA" }),
    call,
    undoA: work({ forCompensation: true }),
    undoCall: work({ forCompensation: true }),
    undo: thrown({ type: "compensation" }),
  };
  await tell(
    [
      { id: "outer", parts, flows: "start>A A>call call>undo undo>C" },
      { id: "inner", flows: "start>I I>end" },
    ],
    ({ instances: [outer] }) =>
      void outer?.expectOrder(["A", "call", "undo", "undoCall", "undoA", "C"]).expectEnd("completed"),
  );
});
