import { expect } from "vitest";
import { finished, type Pattern, startsOf, type Tried, tried } from "./pattern.ts";
import {
  boundary,
  cel,
  each,
  exclusive,
  parallel,
  sketch,
  startIn,
  sub,
  task,
  terminate,
  timer,
  work,
} from "./sketch.ts";

const increment = { kind: "script-task", assignments: [{ target: "n", source: cel("n + 1") }] } as const;
const items = { items: ["a", "b", "c"] };

/** The items that started, with the hour of each. */
function startedItems({ instance }: Tried): readonly string[] {
  const begun = instance.steps[0]?.at ?? 0;
  return instance.steps
    .filter(({ item, type, element }) => item !== null && type === "started" && element === "A")
    .map(({ item, at }) => `${item}@${(at - begun) / 3_600_000}`);
}

/** One job per item, which takes as many hours as its place in the list. */
const inTurn = {
  A: [
    { when: `itemKey == "0"`, complete: {}, after: "1h" },
    { when: `itemKey == "1"`, complete: {}, after: "2h" },
    { complete: {}, after: "3h" },
  ],
};

export const multipleInstances: readonly Pattern[] = [
  {
    number: 12,
    name: "Multiple instances without synchronization",
    how: "a loop that gives off a token for each instance and goes on",
    async shows() {
      const parts = { M: exclusive, N: increment, S: parallel, X: exclusive };
      const flows = "start>M M>N N>S S>A S>X X>M?n<3.0 X>B";
      const run = await finished({ id: "p", variables: { n: 0 }, parts, flows }, { hours: { A: 1 } });
      expect([startsOf(run, "A"), startsOf(run, "B")]).toEqual([[0, 0, 0], [0]]);
    },
  },
  {
    number: 13,
    name: "Multiple instances with a priori design-time knowledge",
    how: "multi-instance over a fixed list",
    async shows() {
      const parts = { A: work({ loop: { mode: "parallel", collection: { literal: [1, 2, 3] }, item: "item" } }) };
      const run = await finished({ id: "p", parts, flows: "start>A A>B" }, { answers: inTurn });
      expect([startedItems(run), startsOf(run, "B")]).toEqual([["0@0", "1@0", "2@0"], [3]]);
    },
  },
  {
    number: 14,
    name: "Multiple instances with a priori run-time knowledge",
    how: "multi-instance over a variable that an earlier activity wrote",
    async shows() {
      const count = { outputs: [{ target: "items", source: { variable: "items" } }] };
      const parts = { count: work(count), A: work(each("items")) };
      const sketched = { id: "p", variables: { items: null }, parts, flows: "start>count count>A A>B" };
      const run = await finished(sketched, { answers: { count: { complete: { items: ["x", "y"] } }, ...inTurn } });
      expect([startedItems(run), startsOf(run, "B")]).toEqual([["0@0", "1@0"], [2]]);
    },
  },
  {
    number: 15,
    name: "Multiple instances without a priori run-time knowledge",
    how: "items added while the multi-instance runs (`add-items`); the standard has nothing for it",
    async shows() {
      const run = await tried(
        { id: "p", variables: items, parts: { A: work(each("items")) }, flows: "start>A A>B" },
        { answers: inTurn },
      );
      await run.trial.advance("1h");
      const added = await run.trial.command("p", { type: "add-items", element: "A", items: ["d", "e"], actor: "me" });
      expect(added).toMatchObject({ ok: true });
      await run.trial.finish();
      expect(startedItems(run)).toEqual(["0@0", "1@0", "2@0", "3@1", "4@1"]);
      expect(startsOf(run, "B")).toEqual([4]);
    },
  },
  {
    number: 34,
    name: "Static partial join for multiple instances",
    how: "a conditional boundary event that does not interrupt, on what the instances count",
    async shows() {
      const conditional = { type: "conditional", condition: cel("n >= 2.0") };
      const parts = {
        P: sub(each("items")),
        "P.start": startIn("P"),
        A: work({ in: "P" }),
        N: { ...increment, in: "P" },
        enough: boundary("P", conditional, false),
      };
      const flows = "start>P P.start>A A>N enough>B P>end";
      const run = await finished({ id: "p", variables: { ...items, n: 0 }, parts, flows }, { answers: inTurn });
      expect(startsOf(run, "B")).toEqual([2]);
      expect(run.instance.completed).toContain("A[2]");
    },
  },
  {
    number: 35,
    name: "Cancelling partial join for multiple instances",
    how: "completion condition `completed >= n`",
    async shows() {
      const parts = { A: work(each("items", { completion: cel("completed >= 2") })) };
      const run = await finished({ id: "p", variables: items, parts, flows: "start>A A>B" }, { answers: inTurn });
      expect(startsOf(run, "B")).toEqual([2]);
      expect(run.instance.completed).not.toContain("A[2]");
    },
  },
  {
    number: 36,
    name: "Dynamic partial join for multiple instances",
    how: "a completion condition over variables, and items added while it runs",
    async shows() {
      const parts = { A: work(each("items", { completion: cel("completed >= need") })) };
      const run = await tried(
        { id: "p", variables: { ...items, need: 4 }, parts, flows: "start>A A>B" },
        { answers: inTurn },
      );
      await run.trial.command("p", { type: "add-items", element: "A", items: ["d", "e"], actor: "me" });
      const values = { values: { need: 3 }, reason: "enough", actor: "me" };
      await run.trial.advance("2h");
      await run.trial.command("p", { type: "set-variables", scope: 0, ...values });
      await run.trial.finish();
      expect(startsOf(run, "B")).toEqual([3]);
      expect(startedItems(run)).toHaveLength(5);
    },
  },
];

export const cancellation: readonly Pattern[] = [
  {
    number: 19,
    name: "Cancel task",
    how: "interrupting boundary event",
    async shows() {
      const parts = { T: task(), late: boundary("T", timer("PT1H")) };
      const { instance } = await finished(
        { id: "p", parts, flows: "start>T T>A late>B" },
        { answers: { T: { ignore: true } } },
      );
      instance.expectPath(["start", "T", "late", "B"]);
    },
  },
  {
    number: 20,
    name: "Cancel case",
    how: "the command `cancel-instance`; from within, a terminate end event",
    async shows() {
      const run = await tried(
        { id: "p", parts: { S: parallel, T: task() }, flows: "start>S S>A S>T" },
        { hours: { A: 1 } },
      );
      await run.trial.command("p", { type: "cancel-instance", reason: "withdrawn", actor: "me" });
      run.instance.expectEnd("cancelled").expectWaiting();
    },
  },
  {
    number: 25,
    name: "Cancel region",
    how: "the region as a sub-process with an interrupting boundary event",
    async shows() {
      const parts = {
        S: parallel,
        P: sub(),
        "P.start": startIn("P"),
        Q: { ...parallel, in: "P" },
        A: work({ in: "P" }),
        B: work({ in: "P" }),
        off: boundary("P", { type: "error", code: "off" }),
      };
      const flows = "start>S S>P S>C P.start>Q Q>A Q>B off>D";
      const answers = { A: { throw: "off", after: "1h" } };
      const run = await finished({ id: "p", parts, flows }, { hours: { B: 5, C: 5 }, answers });
      expect(startsOf(run, "D")).toEqual([1]);
      expect([run.instance.completed.includes("B"), run.instance.completed.includes("C")]).toEqual([false, true]);
    },
  },
  {
    number: 26,
    name: "Cancel multiple instance activity",
    how: "interrupting boundary event on the multi-instance activity",
    async shows() {
      const parts = { A: work(each("items")), late: boundary("A", timer("PT90M")) };
      const flows = "start>A A>B late>C";
      const { instance } = await finished({ id: "p", variables: items, parts, flows }, { answers: inTurn });
      instance.expectNever("B").expectOrder(["late", "C"]);
      expect(instance.completed.filter((name) => name.startsWith("A"))).toEqual(["A[0]"]);
    },
  },
  {
    number: 27,
    name: "Complete multiple instance activity",
    how: "an interrupting boundary event (here conditional) that leads to where the activity itself leads",
    async shows() {
      const enough = { type: "conditional", condition: cel("enough") };
      const parts = { A: work(each("items")), stop: boundary("A", enough), M: exclusive };
      const flows = "start>A A>M stop>M M>B";
      const run = await tried({ id: "p", variables: { ...items, enough: false }, parts, flows }, { answers: inTurn });
      await run.trial.advance("2h");
      const values = { values: { enough: true }, reason: "enough", actor: "me" };
      await run.trial.command("p", { type: "set-variables", scope: 0, ...values });
      run.instance.expectEnd("completed");
      expect(run.instance.completed).toEqual(expect.arrayContaining(["A[0]", "A[1]", "B"]));
      expect(run.instance.completed).not.toContain("A[2]");
    },
  },
];

export const iteration: readonly Pattern[] = [
  {
    number: 10,
    name: "Arbitrary cycles",
    how: "flows that lead back, with as many entries and exits as wanted",
    async shows() {
      const parts = { N: increment, X: exclusive, Y: exclusive };
      const flows = "start>A A>B B>N N>X X>A?n==1.0 X>C C>Y Y>B?n==2.0 Y>end";
      const { instance } = await finished({ id: "p", variables: { n: 0 }, parts, flows });
      expect(instance.path.filter((id) => /^[ABC]$/.test(id)).join("")).toBe("ABABCBC");
    },
  },
  {
    number: 21,
    name: "Structured loop",
    how: "standard loop, its condition asked before or after each round",
    async shows() {
      for (const [testBefore, condition, rounds] of [
        [true, "loopCounter < 3", 3],
        [false, "false", 1],
        [true, "false", 0],
      ] as const) {
        const loop = { mode: "standard", condition: cel(condition), testBefore };
        const run = await finished(
          { id: "p", parts: { A: work({ loop }) }, flows: "start>A A>B" },
          { hours: { A: 1 } },
        );
        expect(startsOf(run, "B")).toEqual([rounds]);
      }
    },
  },
  {
    number: 22,
    name: "Recursion",
    how: "call activity that calls its own process",
    async shows() {
      const inputs = [{ target: "n", source: cel("n - 1.0") }];
      const outputs = [{ target: "depth", source: cel("depth + 1.0") }];
      const call = { kind: "call-activity", process: "p", binding: "deployment", inputs, outputs } as const;
      const parts = { X: exclusive, again: call };
      const sketched = {
        id: "p",
        variables: { n: 3, depth: 0 },
        outputs: ["depth"],
        parts,
        flows: "start>X X>again?n>0.0 X>end again>end",
      };
      const run = await finished([sketch(sketched)]);
      expect(run.trial.instances).toHaveLength(4);
      run.instance.expectEnd("completed", { depth: 3 });
    },
  },
];

export const termination: readonly Pattern[] = [
  {
    number: 11,
    name: "Implicit termination",
    how: "a process ends when no token is left in it",
    async shows() {
      const run = await finished(
        { id: "p", parts: { S: parallel }, flows: "start>S S>A S>B A>end" },
        { hours: { A: 1, B: 2 } },
      );
      expect(run.instance.completed.slice(-2)).toEqual(["end", "B"]);
    },
  },
  {
    number: 43,
    name: "Explicit termination",
    how: "terminate end event",
    async shows() {
      const parts = { S: parallel, over: terminate };
      const { instance } = await finished(
        { id: "p", parts, flows: "start>S S>A S>B A>over" },
        { hours: { A: 1, B: 2 } },
      );
      expect(instance.completed).not.toContain("B");
    },
  },
];
