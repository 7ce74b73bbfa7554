import { expect } from "vitest";
import { finished, type Pattern, startsOf, tried } from "./pattern.ts";
import { cel, discriminator, exclusive, inclusive, parallel, startIn, sub, terminate, work } from "./sketch.ts";

const three = "start>S S>A S>B S>C";
const counting = { kind: "script-task", assignments: [{ target: "n", source: cel("n + 1") }] } as const;

/** A, B and C start at once; D follows the gateway G that they lead to, twice. */
function twice(count: number) {
  return {
    id: "twice",
    variables: { n: 0 },
    parts: { M: exclusive, S: parallel, G: discriminator(count), D: counting, X: exclusive },
    flows: "start>M M>S S>A S>B S>C A>G B>G C>G G>D?waitingForStart D>X X>M?n<2.0 X>end",
  };
}

/** A, B and C in a sub-process, which the first of them ends, or the gateway G that they lead to. */
function cancelling(count: number) {
  const joined = "A>G B>G C>G G>over?waitingForStart";
  const parts = Object.fromEntries(["A", "B", "C"].map((id) => [id, work({ in: "P" })]));
  return {
    id: "cancelling",
    parts: {
      ...parts,
      P: sub(),
      "P.start": startIn("P"),
      S: { ...parallel, in: "P" },
      ...(count === 1 ? {} : { G: { ...discriminator(count), in: "P" } }),
      over: { ...terminate, in: "P" },
    },
    flows: `start>P P.start>S S>A S>B S>C ${count === 1 ? "A>over B>over C>over" : joined} P>D D>end`,
  };
}

export const basic: readonly Pattern[] = [
  {
    number: 1,
    name: "Sequence",
    how: "a flow from one activity to the next",
    async shows() {
      const { instance } = await finished({ id: "p", flows: "start>A A>B B>end" }, { hours: { A: 1 } });
      instance.expectPath(["start", "A", "B", "end"]);
    },
  },
  {
    number: 2,
    name: "Parallel split",
    how: "parallel gateway with several flows out (or several flows out of an activity)",
    async shows() {
      const { instance } = await tried(
        { id: "p", parts: { S: parallel }, flows: "start>S S>A S>B" },
        { hours: { A: 1, B: 1 } },
      );
      instance.expectWaiting("A", "B");
    },
  },
  {
    number: 3,
    name: "Synchronization",
    how: "parallel gateway with several flows in",
    async shows() {
      const parts = { S: parallel, J: parallel };
      const run = await finished(
        { id: "p", parts, flows: "start>S S>A S>B A>J B>J J>C C>end" },
        { hours: { A: 1, B: 2 } },
      );
      expect(startsOf(run, "C")).toEqual([2]);
    },
  },
  {
    number: 4,
    name: "Exclusive choice",
    how: "exclusive gateway: the first flow whose condition holds, else the default flow",
    async shows() {
      for (const [x, taken] of [
        [1, "A"],
        [2, "B"],
        [3, "C"],
      ] as const) {
        const parts = { X: { ...exclusive, defaultFlow: "X.C" } };
        const flows = "start>X X>A?x==1.0 X>B?x<3.0 X>C";
        const { instance } = await finished({ id: "p", variables: { x }, parts, flows });
        instance.expectPath(["start", "X", taken]);
      }
    },
  },
  {
    number: 5,
    name: "Simple merge",
    how: "exclusive gateway, or the activity itself, with several flows in",
    async shows() {
      const flows = "start>X X>A?false X>B A>M B>M M>C";
      const { instance } = await finished({ id: "p", parts: { X: exclusive, M: exclusive }, flows });
      instance.expectPath(["start", "X", "B", "M", "C"]);
    },
  },
];

export const advanced: readonly Pattern[] = [
  {
    number: 6,
    name: "Multi-choice",
    how: "inclusive gateway, or conditions on the flows out of an activity",
    async shows() {
      const flows = "start>O O>A?x>1.0 O>B?x>2.0 O>C?x>3.0";
      const { instance } = await finished({ id: "p", variables: { x: 3 }, parts: { O: inclusive }, flows });
      instance.expectPath(["start", "O", "A", "B"]);
      const { instance: same } = await finished({ id: "p", variables: { x: 3 }, flows: flows.replaceAll("O", "T") });
      same.expectPath(["start", "T", "A", "B"]);
    },
  },
  {
    number: 7,
    name: "Structured synchronizing merge",
    how: "inclusive gateway that joins what an inclusive gateway split",
    async shows() {
      const parts = { O: inclusive, J: inclusive };
      const flows = "start>O O>A?x>1.0 O>B?x>2.0 O>C?x>3.0 A>J B>J C>J J>D D>end";
      const run = await finished({ id: "p", variables: { x: 3 }, parts, flows }, { hours: { A: 1, B: 2, C: 3 } });
      expect(startsOf(run, "D")).toEqual([2]);
    },
  },
  {
    number: 8,
    name: "Multi-merge",
    how: "several flows into an exclusive gateway or an activity: each token goes on",
    async shows() {
      const flows = "start>S S>A S>B A>M B>M M>C C>end";
      const run = await finished({ id: "p", parts: { S: parallel, M: exclusive }, flows }, { hours: { A: 1, B: 2 } });
      expect(startsOf(run, "C")).toEqual([1, 2]);
    },
  },
  {
    number: 9,
    name: "Structured discriminator",
    how: "complex gateway with activation `arrived >= 1`; it starts again once the others have come",
    async shows() {
      const slow = { ...twice(1), parts: { ...twice(1).parts, E: work() } };
      const flows = slow.flows.replace("G>D?waitingForStart D>X", "G>E?waitingForStart E>D D>X");
      const run = await finished({ ...slow, flows }, { hours: { A: 1, B: 2, C: 3, E: 5 } });
      expect(startsOf(run, "E")).toEqual([1, 7]);
    },
  },
  {
    number: 28,
    name: "Blocking discriminator",
    how: "the same complex gateway in a loop: what comes too early for the next round waits",
    async shows() {
      const run = await finished(twice(1), { hours: { A: 1, B: 2, C: 3 } });
      // A has come again after two hours, but C of the first round is missing till the third.
      expect(startsOf(run, "A")).toEqual([0, 1]);
      expect(startsOf(run, "D")).toEqual([1, 3]);
    },
  },
  {
    number: 29,
    name: "Cancelling discriminator",
    how: "the branches in a sub-process that the first to come ends by a terminate end event",
    async shows() {
      const run = await finished(cancelling(1), { hours: { A: 1, B: 2, C: 3 } });
      expect(startsOf(run, "D")).toEqual([1]);
      expect(stopped(run.instance)).toEqual(["B", "C"]);
    },
  },
  {
    number: 30,
    name: "Structured partial join",
    how: "complex gateway with activation `arrived >= n`",
    async shows() {
      const parts = { S: parallel, G: discriminator(2) };
      const flows = `${three} A>G B>G C>G G>D?waitingForStart D>end`;
      const run = await finished({ id: "p", parts, flows }, { hours: { A: 1, B: 2, C: 3 } });
      expect(startsOf(run, "D")).toEqual([2]);
      expect(run.instance.completed).toContain("C");
    },
  },
  {
    number: 31,
    name: "Blocking partial join",
    how: "the same complex gateway in a loop: what comes too early for the next round waits",
    async shows() {
      const run = await finished(twice(2), { hours: { A: 1, B: 2, C: 9 } });
      // A and B have come again after four hours, C of the first round only after nine.
      expect(startsOf(run, "D")).toEqual([2, 9]);
    },
  },
  {
    number: 32,
    name: "Cancelling partial join",
    how: "the branches in a sub-process that a complex gateway ends by a terminate end event",
    async shows() {
      const run = await finished(cancelling(2), { hours: { A: 1, B: 2, C: 3 } });
      expect(startsOf(run, "D")).toEqual([2]);
      expect(stopped(run.instance)).toEqual(["C", "G"]);
    },
  },
  {
    number: 33,
    name: "Generalized AND-join",
    how: "parallel gateway: one token of each flow, the others are kept for the next time",
    async shows() {
      const parts = { S: parallel, M: exclusive, N: exclusive, J: parallel };
      const flows = "start>S S>A S>B S>C S>D A>M B>M C>N D>N M>J N>J J>E E>end";
      const run = await finished({ id: "p", parts, flows }, { hours: { A: 1, B: 1, C: 2, D: 3 } });
      expect(startsOf(run, "E")).toEqual([2, 3]);
    },
  },
  {
    number: 37,
    name: "Local synchronizing merge",
    how: "inclusive gateway anywhere in an acyclic graph: it waits for what can still come, and for nothing else",
    async shows() {
      const parts = { S: parallel, X: exclusive, J: inclusive };
      const flows = "start>S S>A S>B A>J B>X X>J?joins X>other J>D D>end other>end";
      for (const [joins, at] of [
        [true, 2],
        [false, 2],
      ] as const) {
        const run = await finished(
          { id: "p", variables: { joins }, parts, flows },
          { hours: { A: 1, B: 2, other: 5 } },
        );
        expect(startsOf(run, "D")).toEqual([at]);
      }
    },
  },
  {
    number: 38,
    name: "General synchronizing merge",
    how: "inclusive gateway in a graph with cycles: a token that goes round again is waited for",
    async shows() {
      const parts = { S: parallel, M: exclusive, N: counting, X: exclusive, J: inclusive };
      const flows = "start>S S>A S>M M>B B>N N>X X>M?n<3.0 X>J A>J J>D D>end";
      const run = await finished({ id: "p", variables: { n: 0 }, parts, flows }, { hours: { A: 1, B: 1 } });
      expect(startsOf(run, "B")).toEqual([0, 1, 2]);
      expect(startsOf(run, "D")).toEqual([3]);
    },
  },
  {
    number: 41,
    name: "Thread merge",
    how: "start quantity of the activity that the threads lead to",
    async shows() {
      const parts = { A: work({ completionQuantity: 3 }), B: work({ startQuantity: 3 }) };
      const run = await finished({ id: "p", parts, flows: "start>A A>B B>end" });
      expect(startsOf(run, "B")).toEqual([0]);
    },
  },
  {
    number: 42,
    name: "Thread split",
    how: "completion quantity of the activity",
    async shows() {
      const parts = { A: work({ completionQuantity: 3 }) };
      const run = await finished({ id: "p", parts, flows: "start>A A>B B>end" });
      expect(startsOf(run, "B")).toEqual([0, 0, 0]);
    },
  },
];

function stopped({ steps }: { readonly steps: readonly { readonly type: string; readonly element: string }[] }) {
  return steps.filter(({ type }) => type === "stopped").map(({ element }) => element);
}
