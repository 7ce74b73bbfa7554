import type { Json, TimerDefinition } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { nextDue } from "./next-due.ts";

const berlin = "Europe/Berlin";

function due(
  kind: TimerDefinition["kind"],
  value: Json,
  from: string,
  more: { timeZone?: string; remaining?: number | null } = {},
): unknown {
  const { remaining, ...timer } = more;
  const result = nextDue({ kind, ...timer }, value, Date.parse(from), remaining);
  return result.ok ? `${new Date(result.due).toISOString()} ${result.remaining}` : result.code;
}

test("[D60] durations: exact, or calendar units on the wall clock", () => {
  expect(due("duration", "PT1H30M", "2026-01-01T00:00:00Z")).toBe("2026-01-01T01:30:00.000Z 0");
  expect(due("duration", "500ms", "2026-01-01T00:00:00Z")).toBe("2026-01-01T00:00:00.500Z 0");
  expect(due("duration", 1500, "2026-01-01T00:00:00Z")).toBe("2026-01-01T00:00:01.500Z 0");
  expect(due("duration", "P1M", "2026-01-31T10:00:00Z")).toBe("2026-02-28T10:00:00.000Z 0");
  expect(due("duration", "P1Y", "2024-02-29T10:00:00Z")).toBe("2025-02-28T10:00:00.000Z 0");
  // The night clocks go forward has 23 hours: a day later is the same time on the clock, 24 hours later is not.
  expect(due("duration", "P1D", "2026-03-28T12:00:00+01:00", { timeZone: berlin })).toBe("2026-03-29T10:00:00.000Z 0");
  expect(due("duration", "PT24H", "2026-03-28T12:00:00+01:00", { timeZone: berlin })).toBe(
    "2026-03-29T11:00:00.000Z 0",
  );
  expect(due("duration", "P1D", "2026-10-24T12:00:00+02:00", { timeZone: berlin })).toBe("2026-10-25T11:00:00.000Z 0");
});

test("[D61] dates: with an offset, or on the clocks of a zone", () => {
  expect(due("date", "2027-01-31T09:00:00+01:00", "2026-01-01T00:00:00Z")).toBe("2027-01-31T08:00:00.000Z 0");
  expect(due("date", "2026-07-01T09:00:00", "2026-01-01T00:00:00Z", { timeZone: berlin })).toBe(
    "2026-07-01T07:00:00.000Z 0",
  );
  expect(due("date", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z")).toBe("2020-01-01T00:00:00.000Z 0");
  for (const wrong of ["2026-02-31T00:00:00Z", "2026-13-01T00:00:00Z", "soon", "", null, { a: 1 }]) {
    expect(due("date", wrong, "2026-01-01T00:00:00Z")).toBe("timer-value");
  }
});

test("[D62] a time in the gap of spring moves forward, of the two in autumn the first is taken", () => {
  expect(due("date", "2026-03-29T02:30:00", "2026-01-01T00:00:00Z", { timeZone: berlin })).toBe(
    "2026-03-29T01:30:00.000Z 0",
  );
  expect(due("date", "2026-10-25T02:30:00", "2026-01-01T00:00:00Z", { timeZone: berlin })).toBe(
    "2026-10-25T00:30:00.000Z 0",
  );
  expect(due("date", "2026-03-08T02:30:00", "2026-01-01T00:00:00Z", { timeZone: "America/New_York" })).toBe(
    "2026-03-08T07:30:00.000Z 0",
  );
});

test("[D63] repetitions count down and do not drift", () => {
  const from = "2026-01-01T00:00:00Z";
  expect(due("cycle", "R3/PT10S", from)).toBe("2026-01-01T00:00:10.000Z 2");
  expect(due("cycle", "R3/PT10S", "2026-01-01T00:00:10Z", { remaining: 2 })).toBe("2026-01-01T00:00:20.000Z 1");
  expect(due("cycle", "R3/PT10S", "2026-01-01T00:00:20Z", { remaining: 1 })).toBe("2026-01-01T00:00:30.000Z 0");
  expect(due("cycle", "R3/PT10S", "2026-01-01T00:00:30Z", { remaining: 0 })).toBe("timer-never");
  expect(due("cycle", "R/PT1H", from)).toBe("2026-01-01T01:00:00.000Z null");
  expect(due("cycle", "R/PT1H", from, { remaining: null })).toBe("2026-01-01T01:00:00.000Z null");
  expect(due("cycle", "R5/2025-12-31T12:00:00Z/PT6H", from)).toBe("2026-01-01T00:00:00.000Z 2");
  expect(due("cycle", "R2/2025-01-01T00:00:00Z/PT6H", from)).toBe("timer-never");
  expect(due("cycle", "R/2020-01-31T00:00:00Z/P1M", "2026-02-01T00:00:00Z")).toBe("2026-02-28T00:00:00.000Z null");
  for (const wrong of ["R0/PT1S", "R/PT0S", "R3", "R-1/PT1S", "PT1S"])
    expect(due("cycle", wrong, from)).toMatch(/^timer-/);
});

test("[D61] [D64] what Java's engines write: the zone's name behind an offset, steps from a number, names, years", () => {
  expect(due("date", "2022-02-24T12:00:00+01:00[Europe/Berlin]", "2022-01-01T00:00:00Z")).toBe(
    "2022-02-24T11:00:00.000Z 0",
  );
  expect(due("date", "2022-02-24T12:00:00[Europe/Berlin]", "2022-01-01T00:00:00Z")).toBe("timer-value");
  const from = "2026-06-01T10:01:03Z";
  expect(due("cron", "0 0/5 * * * ?", from)).toBe("2026-06-01T10:05:00.000Z null");
  expect(due("cron", "@daily", from)).toBe("2026-06-02T00:00:00.000Z null");
  expect(due("cron", "0 0 12 ? * MON-FRI *", from)).toBe("2026-06-01T12:00:00.000Z null");
  for (const wrong of ["0 0 12 ? * 1 *", "0 0 12 ? * MON 2027", "@never"])
    expect(due("cron", wrong, from)).toBe("timer-value");
});

test("[D64] cron in a zone, with the rule for summer time", () => {
  expect(due("cron", "0 6 * * *", "2026-06-01T10:00:00Z", { timeZone: berlin })).toBe("2026-06-02T04:00:00.000Z null");
  expect(due("cron", "*/10 * * * * *", "2026-06-01T10:00:03Z")).toBe("2026-06-01T10:00:10.000Z null");
  // 02:30 is not there on 29 March: it fires as the gap ends. On 25 October it comes twice and fires once.
  expect(due("cron", "30 2 * * *", "2026-03-28T12:00:00Z", { timeZone: berlin })).toBe("2026-03-29T01:00:00.000Z null");
  expect(due("cron", "30 2 * * *", "2026-10-24T12:00:00Z", { timeZone: berlin })).toBe("2026-10-25T00:30:00.000Z null");
  expect(due("cron", "30 2 * * *", "2026-10-25T00:30:00Z", { timeZone: berlin })).toBe("2026-10-26T01:30:00.000Z null");
  expect(due("cron", "0 0 30 2 *", "2026-01-01T00:00:00Z")).toBe("timer-never");
  for (const wrong of ["* * *", "a b c d e", "61 * * * *", "* * * * * * 2027", ""]) {
    expect(due("cron", wrong, "2026-01-01T00:00:00Z")).toBe("timer-value");
  }
});

test("[D65] unknown zones and times beyond 100 years are refused", () => {
  expect(due("cron", "0 0 * * *", "2026-01-01T00:00:00Z", { timeZone: "Mars/Olympus" })).toBe("timer-zone");
  expect(due("duration", "P101Y", "2026-01-01T00:00:00Z")).toBe("timer-never");
  expect(due("date", "2200-01-01T00:00:00Z", "2026-01-01T00:00:00Z")).toBe("timer-never");
});

test("[D66] one duration has one text, whichever way it was written", () => {
  const iso = (text: string) => formatDuration(parseDuration(text) ?? { years: 0, months: 0, days: 0, ms: -1 });
  expect(["90m", "PT1H30M", "1h30m", "PT90M", "1.5h"].map(iso)).toEqual(Array.from({ length: 5 }, () => "PT1H30M"));
  expect(["7d", "1w", "P7D", "P1W"].map(iso)).toEqual(Array.from({ length: 4 }, () => "P7D"));
  expect([iso("24h"), iso("P1Y2M3DT4S"), iso("250ms")]).toEqual(["PT24H", "P1Y2M3DT4S", "PT0.25S"]);
  for (const wrong of ["", "P", "PT", "5", "5x", "P1.5M", "PT1.5H30M", "m5", "-PT5M"])
    expect(parseDuration(wrong)).toBeUndefined();
});

test("[D67] nextDue never throws, and a timer that is not a date never fires before it was armed", () => {
  const kinds = fc.constantFrom<TimerDefinition["kind"][]>("date", "duration", "cycle", "cron");
  const values = fc.oneof(
    fc.json().map((text) => JSON.parse(text) as Json),
    fc.string(),
    fc.constantFrom("PT5M", "R/P1D", "0 * * * *", "R9/2020-01-01T00:00:00Z/P1M"),
  );
  fc.assert(
    fc.property(
      kinds,
      values,
      fc.integer({ min: 0, max: 4e12 }),
      fc.constantFrom(undefined, berlin, "Nowhere"),
      (kind, value, from, timeZone) => {
        const result = nextDue({ kind, ...(timeZone !== undefined && { timeZone }) }, value, from);
        if (result.ok && kind !== "date") expect(result.due).toBeGreaterThanOrEqual(from);
      },
    ),
  );
});
