import fc from "fast-check";
import { expect, test } from "vitest";
import type { Host } from "../host.ts";
import {
  bucketOf,
  counted,
  noFigures,
  planProblem,
  type Rollout,
  type RolloutFigures,
  type RolloutGuard,
  type RolloutPlan,
  versionFor,
} from "./rollout.ts";

/** An expression is the name of a variable. */
const host: Pick<Host, "evaluate"> = {
  evaluate: ({ text }, scope) => {
    const value = scope.get(text);
    if (value === undefined) return { ok: false, code: "unknown", message: `there is no '${text}'` };
    return { ok: true, value: scope.isInteger(text) ? null : value };
  },
};

function rollout(plan: Partial<RolloutPlan> = {}): Rollout {
  return {
    process: "order",
    plan: { stable: "1.0.0", candidate: "2.0.0", percent: 10, ...plan },
    since: 0,
    figures: noFigures,
    rolledBack: null,
  };
}

function versionOf(
  plan: Partial<RolloutPlan>,
  routingKey: string,
  variables: { [name: string]: boolean } = {},
): string {
  return versionFor(rollout(plan), { routingKey, variables }, host);
}

test("[Q21] buckets are what they have always been", () => {
  expect(["", "a", "customer-1", "customer-2", "Grüße"].map((key) => bucketOf(key, "order"))).toMatchInlineSnapshot(`
    [
      9343,
      2003,
      2410,
      2090,
      8639,
    ]
  `);
});

test("[Q21] keys spread evenly, short ones and numbered ones alike", () => {
  for (const make of [(n: number) => `${n}`, (n: number) => `customer-${n}`, (n: number) => `p-${n % 7}-${n}`]) {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 20_000; n++) {
      const tenth = Math.floor(bucketOf(make(n), "order") / 1_000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(1_800);
    expect(Math.max(...tenths)).toBeLessThan(2_200);
  }
});

test("[Q21] nobody gets the candidate at 0, everybody at 100, and processes are dealt separately", () => {
  const keys = Array.from({ length: 300 }, (_, n) => `key-${n}`);
  expect(keys.filter((key) => versionOf({ percent: 0 }, key) === "2.0.0")).toEqual([]);
  expect(keys.filter((key) => versionOf({ percent: 100 }, key) === "1.0.0")).toEqual([]);
  expect(keys.some((key) => bucketOf(key, "order") !== bucketOf(key, "invoice"))).toBe(true);
});

test("[Q22] raising the percentage takes no key away, and the same key gets the same answer", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }), (key, a, b) => {
      const [low, high] = [Math.min(a, b) / 100, Math.max(a, b) / 100];
      const before = versionOf({ percent: low }, key);
      expect(versionOf({ percent: low }, key)).toBe(before);
      if (before === "2.0.0") expect(versionOf({ percent: high }, key)).toBe("2.0.0");
    }),
  );
});

test("[Q23] the first segment that holds decides, before the percentage; what fails or is not true does not hold", () => {
  const when = (text: string) => ({ language: "cel" as const, text });
  const segments = [
    { when: when("internal"), gets: "candidate" as const },
    { when: when("bank"), gets: "stable" as const },
  ];
  expect(versionOf({ percent: 0, segments }, "k", { internal: true, bank: true })).toBe("2.0.0");
  expect(versionOf({ percent: 100, segments }, "k", { internal: false, bank: true })).toBe("1.0.0");
  expect(versionOf({ percent: 100, segments }, "k", {})).toBe("2.0.0");
});

const guard: RolloutGuard = { endedMin: 10, failureRateMax: 0.2 };

function after(plan: Partial<RolloutPlan>, events: readonly (keyof RolloutFigures)[]): Rollout {
  return events.reduce((each, what, index) => counted(each, what, index + 1), rollout(plan));
}

function times<T>(count: number, value: T): T[] {
  return new Array<T>(count).fill(value);
}

test("[Q24] too many failures take the candidate back, for everybody and for good", () => {
  const bad = after({ percent: 100, guard }, [...times(7, "completed" as const), ...times(3, "failed" as const)]);
  expect(bad.rolledBack).toMatchObject({ at: 10, reason: expect.stringContaining("at most 2 failures in 10") });
  const segments = [{ when: { language: "cel" as const, text: "internal" }, gets: "candidate" as const }];
  const routing = { routingKey: "k", variables: { internal: true } };
  expect(versionFor({ ...bad, plan: { ...bad.plan, segments } }, routing, host)).toBe("1.0.0");
  const later = counted(counted(bad, "failed", 99), "completed", 100);
  expect(later).toMatchObject({ rolledBack: bad.rolledBack, figures: { failed: 4, completed: 8 } });
});

test("[Q24] it is judged only once enough have ended, and what is allowed is allowed", () => {
  expect(after({ guard }, times(9, "failed")).rolledBack).toBeNull();
  expect(after({ guard }, [...times(2, "failed" as const), ...times(8, "completed" as const)]).rolledBack).toBeNull();
  expect(after({}, times(50, "failed")).rolledBack).toBeNull();
});

test("[Q24] more incidents than allowed take it back at once", () => {
  const watched = { guard: { ...guard, incidentsMax: 1 } };
  expect(after(watched, ["incidents"]).rolledBack).toBeNull();
  expect(after(watched, ["incidents", "incidents"]).rolledBack).toMatchObject({
    at: 2,
    reason: expect.stringContaining("at most 1 incidents"),
  });
});

test("[Q25] cancelled and started instances are counted, and say nothing", () => {
  const seen = after({ guard }, [...times(40, "cancelled" as const), ...times(40, "started" as const)]);
  expect(seen).toMatchObject({ rolledBack: null, figures: { cancelled: 40, started: 40 } });
});

test.each<[string, Partial<RolloutPlan>]>([
  ["two versions", { candidate: "1.0.0" }],
  ["from 0 to 100", { percent: 100.01 }],
  ["from 0 to 100", { percent: -1 }],
  ["from 0 to 100", { percent: Number.NaN }],
  ["steps of 0.01", { percent: 0.001 }],
  ["at most 100 segments", { segments: times(101, { when: { language: "cel", text: "x" }, gets: "stable" }) }],
  ["endedMin", { guard: { ...guard, endedMin: 0 } }],
  ["endedMin", { guard: { ...guard, endedMin: 1.5 } }],
  ["failureRateMax", { guard: { ...guard, failureRateMax: 1.1 } }],
  ["incidentsMax", { guard: { ...guard, incidentsMax: -1 } }],
  ["incidentsMax", { guard: { ...guard, incidentsMax: 0.5 } }],
])("[Q26] a plan that cannot be followed is refused: %s", (expected, plan) => {
  expect(planProblem(rollout(plan).plan)).toContain(expected);
});

test("[Q26] every step of a hundredth percent can be followed, with and without a guard", () => {
  for (let steps = 0; steps <= 10_000; steps++)
    expect(planProblem(rollout({ percent: steps / 100 }).plan)).toBeUndefined();
  expect(planProblem(rollout({ guard }).plan)).toBeUndefined();
  expect(planProblem(rollout({ guard: { ...guard, incidentsMax: 3 } }).plan)).toBeUndefined();
});
