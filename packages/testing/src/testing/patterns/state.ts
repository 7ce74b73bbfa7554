import { expect } from "vitest";
import { finished, type Pattern, startsOf, type Tried, tried } from "./pattern.ts";
import { catching, message, signal, startIn, sub, timer, work } from "./sketch.ts";

/** Items of a graph, each an hour of work: `a<c` comes after c, `a@desk` holds the desk meanwhile. */
async function graph(...items: readonly string[]): Promise<string> {
  const list = items.map((text) => {
    const [, key = "", after, lock] = /^(\w+)(?:<(\w+))?(?:@(\w+))?$/.exec(text) ?? [];
    return { key, dependsOn: after === undefined ? [] : [after], locks: lock === undefined ? [] : [lock] };
  });
  const loop = { mode: "graph", collection: { literal: list }, item: "item" };
  return spans(await finished({ id: "p", parts: { A: work({ loop }) }, flows: "start>A A>end" }, { hours: { A: 1 } }));
}

/** `a 0-1, b 1-2`: from which hour to which each item ran. */
function spans({ instance: { steps } }: Tried): string {
  const begun = steps[0]?.at ?? 0;
  const hour = (at: number): number => (at - begun) / 3_600_000;
  const started = steps.filter(({ item, type }) => item !== null && type === "started");
  const text = started.map(({ item, at }) => {
    const end = steps.find((step) => step.item === item && step.type === "ended");
    return `${item} ${hour(at)}-${hour(end?.at ?? at)}`;
  });
  return text.join(", ");
}

export const stateBased: readonly Pattern[] = [
  {
    number: 16,
    name: "Deferred choice",
    how: "event-based gateway: the first event decides, the others are off",
    async shows() {
      const parts = {
        G: { kind: "event-based-gateway" } as const,
        M: catching(message("paid")),
        T: catching(timer("P1D")),
      };
      const sketched = { id: "p", parts, flows: "start>G G>M G>T M>A T>B" };
      const paid = await tried(sketched);
      await paid.trial.advance("23h");
      await paid.trial.publish({ message: "paid" });
      paid.instance.expectEnd("completed").expectOrder(["G", "A"]).expectNever("B");
      const late = await finished(sketched);
      expect(startsOf(late, "B")).toEqual([24]);
      late.instance.expectNever("A");
    },
  },
  {
    number: 18,
    name: "Milestone",
    how: "the state as a sub-process, what is possible in it as an event sub-process that does not interrupt",
    async shows() {
      const parts = {
        P: sub(),
        "P.start": startIn("P"),
        A: work({ in: "P" }),
        E: { ...sub({ triggeredByEvent: true }), in: "P" },
        "E.start": startIn("E", { trigger: message("change"), interrupting: false }),
        B: work({ in: "E" }),
      };
      const flows = "start>before before>P P>after after>end P.start>A E.start>B";
      const publish = ["PT30M", "PT90M", "PT210M"].map((after) => ({ message: "change", after }));
      const hours = { before: 1, A: 2, after: 1 };
      const run = await finished({ id: "p", parts, flows }, { hours, publish });
      expect(startsOf(run, "B")).toEqual([1.5]);
    },
  },
  {
    number: 17,
    name: "Interleaved parallel routing",
    how: "graph multi-instance: `dependsOn` says the partial order, a lock that all share that one runs at a time",
    async shows() {
      expect(await graph("b<c@desk", "a@desk", "c@desk")).toBe("a 0-1, c 1-2, b 2-3");
    },
  },
  {
    number: 39,
    name: "Critical section",
    how: "graph multi-instance: items with the same lock never run at once, the others are not delayed",
    async shows() {
      expect(await graph("x@printer", "y@printer", "z")).toBe("x 0-1, z 0-1, y 1-2");
    },
  },
  {
    number: 40,
    name: "Interleaved routing",
    how: "ad-hoc sub-process, one after the other; or graph multi-instance with a lock that all share",
    async shows() {
      const inside = Object.fromEntries(["A", "B", "C"].map((id) => [id, work({ in: "P" })]));
      const activate = { literal: ["C", "A", "B"] };
      const parts = {
        P: { kind: "ad-hoc-sub-process", ordering: "sequential", cancelRemaining: false, activate } as const,
        ...inside,
      };
      const run = await finished({ id: "p", parts, flows: "start>P P>end" }, { hours: { A: 1, B: 1, C: 1 } });
      expect([startsOf(run, "C"), startsOf(run, "A"), startsOf(run, "B")]).toEqual([[0], [1], [2]]);
      expect(await graph("a@desk", "b@desk", "c@desk")).toBe("a 0-1, b 1-2, c 2-3");
    },
  },
];

export const triggers: readonly Pattern[] = [
  {
    number: 23,
    name: "Transient trigger",
    how: "signal, or message without a time to live: who does not wait yet misses it",
    async shows() {
      for (const [trigger, posting] of [
        [signal("go"), { signal: "go" }],
        [message("go"), { message: "go" }],
      ] as const) {
        const publish = ["PT30M", "PT2H"].map((after) => ({ ...posting, after }));
        const sketched = { id: "p", parts: { W: catching(trigger) }, flows: "start>A A>W W>B" };
        expect(startsOf(await finished(sketched, { hours: { A: 1 }, publish }), "B")).toEqual([2]);
      }
    },
  },
  {
    number: 24,
    name: "Persistent trigger",
    how: "message with a time to live: it is kept for who waits later",
    async shows() {
      const publish = [{ message: "go", after: "PT30M", ttl: "P1D" }];
      const sketched = { id: "p", parts: { W: catching(message("go")) }, flows: "start>A A>W W>B" };
      expect(startsOf(await finished(sketched, { hours: { A: 1 }, publish }), "B")).toEqual([1]);
    },
  },
];
