import { expect } from "vitest";
import { finished, type Pattern, type Tried } from "./pattern.ts";
import { work } from "./sketch.ts";

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
    how: "graph multi-instance: a lock that all share, and no order",
    async shows() {
      expect(await graph("a@desk", "b@desk", "c@desk")).toBe("a 0-1, b 1-2, c 2-3");
    },
  },
];
