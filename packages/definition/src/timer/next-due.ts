import type { DueResult, Host, Json, TimerDefinition } from "@tutti/kernel";
import { Cron } from "croner";
import type { DefinitionErrorCode } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Duration, parseDuration } from "./duration.ts";
import { addDuration, isZone, toInstant } from "./zone.ts";

interface Arming {
  readonly value: string;
  readonly zone: string;
  /** Epoch ms. */
  readonly from: number;
  /** Undefined on arming. */
  readonly remaining: number | null | undefined;
}

/**
 * When a timer fires next. Pure: `from` is the only clock, and the same arguments give the same answer on every
 * machine with the same time-zone data; the kernel records the answer. Never throws.
 */
export const nextDue: Host["nextDue"] = (...call) => {
  const [timer, value, from, remaining] = call;
  const zone = timer.timeZone ?? "UTC";
  if (!isZone(zone))
    return refuse("timer-zone", `Expected an IANA time zone, but found ${JSON.stringify(zone.slice(0, 64))}`);
  if (!Number.isFinite(from)) return refuse("timer-value", "Expected a moment to count from, but it is not a number");
  if (remaining === 0) return refuse("timer-never", "Expected a firing that is left, but there is none");
  const arming = { value: textOf(timer.kind, value), zone, from, remaining };
  try {
    return within(from, kinds[timer.kind](arming));
  } catch (error) {
    const message = error instanceof Error ? error.message.slice(0, 300) : "it cannot be read";
    return refuse("timer-value", `Expected a ${timer.kind}, but ${message}`);
  }
};

const kinds: { readonly [K in TimerDefinition["kind"]]: (arming: Arming) => DueResult } = {
  date,
  duration,
  cycle,
  cron,
};

/** A number stands for epoch ms in a date, and for milliseconds in a duration. */
function textOf(kind: TimerDefinition["kind"], value: Json): string {
  if (typeof value === "string") return value.trim().slice(0, 1_000);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    return JSON.stringify(value).slice(0, 100);
  if (kind === "date" && Math.abs(value) <= 8.64e15) return new Date(value).toISOString();
  return kind === "duration" ? `PT${value / 1_000}S` : String(value);
}

function refuse(code: DefinitionErrorCode, message: string): DueResult {
  return { ok: false, code, message };
}

function unreadable(arming: Arming, wanted: string): DueResult {
  return refuse("timer-value", `Expected ${wanted}, but found ${JSON.stringify(arming.value.slice(0, 100))}`);
}

function within(from: number, result: DueResult): DueResult {
  if (!result.ok || (Number.isFinite(result.due) && result.due - from <= limits.timerAheadMsMax)) return result;
  return refuse("timer-never", "Expected a time within 100 years, but it comes later");
}

/** A date in the past is due at once: whoever armed it wanted what follows. */
function date(arming: Arming): DueResult {
  const due = instantOf(arming.value, arming.zone);
  if (due === undefined) return unreadable(arming, "an instant such as 2027-01-31T09:00:00Z");
  return { ok: true, due, remaining: 0 };
}

const datePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:(Z|[+-]\d\d:?\d\d)(?:\[[\w/+-]{1,40}\])?)?)?$/;

/** An instant with its offset, or a date and time on the clocks of the zone. */
function instantOf(text: string, zone: string): number | undefined {
  const match = datePattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", offset] = match;
  const ms = Math.trunc(Number(`0.${fraction}`) * 1_000);
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    ms,
  );
  const read = new Date(local);
  // Date.UTC turns 31 February into March; nobody means that.
  if (
    read.getUTCMonth() !== Number(month) - 1 ||
    read.getUTCDate() !== Number(day) ||
    Number(hour) > 23 ||
    Number(minute) > 59
  )
    return undefined;
  if (offset === undefined) return toInstant(local, zone);
  if (offset === "Z") return local;
  const sign = offset.startsWith("-") ? -1 : 1;
  const [hours, minutes] = [offset.slice(1, 3), offset.slice(-2)];
  return local - sign * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function duration(arming: Arming): DueResult {
  const parsed = parseDuration(arming.value);
  if (parsed === undefined) return unreadable(arming, "a duration such as PT15M");
  return { ok: true, due: addDuration(arming.from, parsed, arming.zone), remaining: 0 };
}

/** `R3/PT10S`, `R/PT1H`, `R3/<start>/P1D`. Counted from the due instant before, so that lateness does not add up. */
function cycle(arming: Arming): DueResult {
  const match = /^R(\d{0,9})\/(?:([^/P][^/]*)\/)?(P[^/]+|[\d.]+[^/]*)$/.exec(arming.value);
  const step = parseDuration(match?.[3] ?? "");
  if (match === null || step === undefined) return unreadable(arming, "a repetition such as R3/PT10S");
  const { years, months, days, ms } = step;
  if (years + months + days + ms <= 0) return unreadable(arming, "a repetition of more than nothing");
  const times = match[1] === "" ? null : Number(match[1]);
  if (times === 0) return refuse("timer-never", "Expected at least one repetition, but there are none");
  if (arming.remaining !== undefined) {
    const remaining = arming.remaining === null ? null : arming.remaining - 1;
    return { ok: true, due: addDuration(arming.from, step, arming.zone), remaining };
  }
  const left = times === null ? null : times - 1;
  if (match[2] === undefined) return { ok: true, due: addDuration(arming.from, step, arming.zone), remaining: left };
  const start = instantOf(match[2], arming.zone);
  if (start === undefined) return unreadable(arming, "a start such as 2027-01-31T09:00:00Z");
  return firstFrom(arming, { start, step, times });
}

/** The first repetition that is not past. Those that are past count: three from Monday are over on Thursday. */
function firstFrom(
  arming: Arming,
  series: { readonly start: number; readonly step: Duration; readonly times: number | null },
): DueResult {
  const { start, step, times } = series;
  const { from, zone } = arming;
  const at = (n: number) => addDuration(start, multiply(step, n), zone);
  // Steps differ in length by at most a few days a year, so the guess is close, and the correction short.
  const roughMs = step.ms + step.days * 86_400_000 + step.months * 2_629_746_000 + step.years * 31_556_952_000;
  let n = Math.max(0, Math.floor((from - start) / roughMs) - 2);
  for (let corrections = 0; at(n) < from; n++) {
    if (++corrections > 1_000) return refuse("timer-never", "Expected a repetition that can be counted, but it cannot");
  }
  if (times !== null && n >= times)
    return refuse("timer-never", `Expected a repetition after now, but all ${times} are past`);
  return { ok: true, due: at(n), remaining: times === null ? null : times - 1 - n };
}

function multiply(step: Duration, n: number): Duration {
  return { years: step.years * n, months: step.months * n, days: step.days * n, ms: step.ms * n };
}

/** Five fields, or six with seconds first. A time in the gap of spring fires right after it; one of autumn's two, once. */
function cron(arming: Arming): DueResult {
  const line = withoutYear(arming.value);
  const fields = line.split(/\s+/).length;
  const named = /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(line);
  if (line.length > 200 || ((fields < 5 || fields > 6) && !named)) return unreadable(arming, "five or six fields");
  // The year ends the search for dates that never come, such as 30 February. Sloppy: `0/5` is every five from 0 on.
  const options = { timezone: arming.zone, mode: "5-or-6-parts", sloppyRanges: true } as const;
  const next = new Cron(line, options).nextRun(new Date(arming.from));
  if (next === null) return refuse("timer-never", "Expected a time that comes, but no date fits");
  return { ok: true, due: next.getTime(), remaining: null };
}

/** Quartz adds a year, and counts Sunday as 1: every year goes without saying, and days must have names. */
function withoutYear(line: string): string {
  const fields = line.split(/\s+/);
  return fields.length === 7 && fields[6] === "*" && !/\d/.test(fields[5] ?? "") ? fields.slice(0, 6).join(" ") : line;
}
