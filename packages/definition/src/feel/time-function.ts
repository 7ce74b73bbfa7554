import { FeelDate, FeelDateTime, FeelDuration } from "feelin";
import type { Builtin, Evaluating } from "./run.ts";
import { type FeelValue, withLibrary } from "./value.ts";

/** From its parts, or from a date and a time, or a text. */
function dateAndTime(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [first, second, third, hour, minute, clockSecond, offset, ...named] = args;
  const [year = first, month = second, day = third, zone] = named;
  if (hour === undefined) {
    const given = [first, second, third].filter((arg) => arg !== undefined && arg !== null);
    const names = ["a", "b"].slice(0, given.length);
    const values = Object.fromEntries(names.map((name, index) => [name, given[index]]));
    return withLibrary(`date and time(${names.join(", ")})`, values, run.meter);
  }
  const parts = [year, month, day, hour, minute, clockSecond];
  if (!parts.every((part): part is number => typeof part === "number" && part >= 0)) return null;
  const digits = parts.map((part, index) => String(part).padStart(index === 0 ? 4 : 2, "0"));
  const where = offsetText(zone ?? offset);
  if (where === undefined) return null;
  const text = `${digits.slice(0, 3).join("-")}T${digits.slice(3).join(":")}${where}`;
  return withLibrary("date and time(t)", { t: text }, run.meter);
}

/** Hours, a duration, or a zone by its name. */
function offsetText(offset: FeelValue): string | undefined {
  if (offset === undefined || offset === null) return "";
  if (typeof offset === "string") return `@${offset}`;
  const seconds =
    offset instanceof FeelDuration ? secondsOf(offset) : typeof offset === "number" ? offset * 3_600 : NaN;
  if (!(Math.abs(seconds) <= 50_400)) return undefined;
  const minutes = Math.round(Math.abs(seconds) / 60);
  const [h, m] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return `${seconds < 0 ? "-" : "+"}${h}:${m}`;
}

function secondsOf({ days, hours, minutes, seconds }: FeelDuration): number {
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** Whole months: a month that has begun does not count. */
function yearsAndMonths(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [from, to] = args;
  if (!isDay(from) || !isDay(to)) return null;
  const between = (to.year - from.year) * 12 + (to.month - from.month);
  const begun = between > 0 ? to.day < from.day : between < 0 && to.day > from.day;
  const months = begun ? between - Math.sign(between) : between;
  return withLibrary("duration(t)", { t: `${months < 0 ? "-" : ""}P${Math.abs(months)}M` }, run.meter);
}

function isDay(value: FeelValue): value is { readonly year: number; readonly month: number; readonly day: number } {
  return value instanceof FeelDate || value instanceof FeelDateTime;
}

function lastDayOfMonth(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [date] = args;
  if (!isDay(date)) return null;
  const last = new Date(Date.UTC(2000, date.month, 0));
  last.setUTCFullYear(date.year, date.month, 0);
  return withLibrary("date(y, m, d)", { y: date.year, m: date.month, d: last.getUTCDate() }, run.meter);
}

export const timeFunctions: { readonly [name: string]: Builtin } = {
  "date and time": {
    parameters: "date,time,from,hour,minute,second,offset,year,month,day,timezone".split(","),
    call: dateAndTime,
  },
  "years and months duration": { parameters: ["from", "to"], call: yearsAndMonths },
  // What the engines that write most of the FEEL there is have beyond the standard.
  "last day of month": { parameters: ["date"], call: lastDayOfMonth },
};
