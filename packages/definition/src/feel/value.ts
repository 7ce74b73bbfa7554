import type { Json } from "@tutti/kernel";
import { evaluate, FeelDate, FeelDateTime, FeelDuration, FeelFunction, FeelRange, FeelTime } from "feelin";
import type { Meter } from "../expression/meter.ts";

/**
 * A FEEL value: plain JSON, or one of the library's dates, times, durations, ranges and functions, or lists and contexts
 * of those. Numbers are doubles.
 */
export type FeelValue = unknown;
export type FeelContext = { readonly [name: string]: FeelValue };
export type FeelType =
  | "null"
  | "boolean"
  | "number"
  | "string"
  | "list"
  | "context"
  | "date"
  | "time"
  | "date and time"
  | "duration"
  | "range"
  | "function";

export function typeOf(value: FeelValue): FeelType {
  switch (typeof value) {
    case "boolean":
    case "number":
    case "string":
      return typeof value as "boolean";
    case "object":
      return value === null ? "null" : objectType(value);
    default:
      return value === undefined ? "null" : "function";
  }
}

function objectType(value: object): FeelType {
  if (Array.isArray(value)) return "list";
  if (value instanceof FeelDate) return "date";
  if (value instanceof FeelTime) return "time";
  if (value instanceof FeelDateTime) return "date and time";
  if (value instanceof FeelDuration) return "duration";
  if (value instanceof FeelRange) return "range";
  return value instanceof FeelFunction ? "function" : "context";
}

const temporal: ReadonlySet<FeelType> = new Set(["date", "time", "date and time", "duration"]);

export function isTemporal(type: FeelType): boolean {
  return temporal.has(type);
}

export function isContext(value: FeelValue): value is FeelContext {
  return typeOf(value) === "context";
}

/** Names may be written with several spaces. */
export function normalName(name: string): string {
  return name.replaceAll(/\s+/g, " ").replaceAll("`", "").trim();
}

const properties: { readonly [type in FeelType]?: ReadonlySet<string> } = {
  date: new Set(["year", "month", "day", "weekday"]),
  time: new Set(["hour", "minute", "second", "time offset", "timezone"]),
  "date and time": new Set("year,month,day,weekday,hour,minute,second,time offset,timezone".split(",")),
  duration: new Set(["years", "months", "days", "hours", "minutes", "seconds"]),
  range: new Set(["start", "end", "start included", "end included"]),
};

/** Keys of contexts by their normal form: looking through all of them for each name would be free of charge. */
const keys = new WeakMap<FeelContext, ReadonlyMap<string, string>>();

function keysOf(context: FeelContext): ReadonlyMap<string, string> {
  const known = keys.get(context);
  if (known !== undefined) return known;
  // The first of several counts.
  const found = new Map(
    Object.keys(context)
      .toReversed()
      .map((key) => [normalName(key), key]),
  );
  keys.set(context, found);
  return found;
}

/** An entry of a context or a part of a date; undefined when there is none. Nothing else of an object can be reached. */
export function propertyOf(value: FeelValue, name: string): FeelValue | undefined {
  if (isContext(value)) {
    if (Object.hasOwn(value, name)) return value[name];
    const key = keysOf(value).get(name);
    return key === undefined ? undefined : value[key];
  }
  if (properties[typeOf(value)]?.has(name) !== true) return undefined;
  return (value as FeelContext)[name] ?? null;
}

export function contextOf(entries: Iterable<readonly [string, FeelValue]>): FeelContext {
  return Object.fromEntries(entries);
}

/** What the library does with dates, times and durations, each in its own small expression, of which there are few. */
export function withLibrary(expression: string, values: FeelContext, meter: Meter): FeelValue {
  meter.charge(costOfLibraryCall);
  const text = `function(${Object.keys(values).join(", ")}) ${expression}`;
  let known = libraryCalls.get(text);
  if (known === undefined) {
    // Parsing takes twenty times as long as the call.
    known = evaluate(text).value as FeelFunction;
    libraryCalls.set(text, known);
  }
  return (known.invoke(Object.values(values)) as FeelValue | undefined) ?? null;
}

const libraryCalls = new Map<string, FeelFunction>();
const costOfLibraryCall = 200;

/** A value that is written out, such as a date; it is parsed each time. */
export function writtenValue(text: string): FeelValue {
  return evaluate(text).value ?? null;
}

export function equal(a: FeelValue, b: FeelValue, meter: Meter): boolean | null {
  meter.charge(1);
  if (a === null || b === null) return a === b;
  // A list of one equals what is in it, as the standard converts it where the other is no list.
  const left = Array.isArray(a) && a.length === 1 && !Array.isArray(b) ? (a[0] ?? null) : a;
  const right = Array.isArray(b) && b.length === 1 && !Array.isArray(a) ? (b[0] ?? null) : b;
  const type = typeOf(left);
  if (type !== typeOf(right)) return null;
  switch (type) {
    case "null":
      return true;
    case "string":
      meter.charge((left as string).length >> 6);
      return left === right;
    case "boolean":
    case "number":
      return left === right;
    case "list":
      return equalLists(left as FeelValue[], right as FeelValue[], meter);
    case "context":
      return equalContexts(left as FeelContext, right as FeelContext, meter);
    case "function":
      return null;
    default:
      return withLibrary("a = b", { a: left, b: right }, meter) as boolean | null;
  }
}

function equalLists(a: readonly FeelValue[], b: readonly FeelValue[], meter: Meter): boolean {
  return a.length === b.length && a.every((element, index) => equal(element, b[index], meter) === true);
}

function equalContexts(a: FeelContext, b: FeelContext, meter: Meter): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], meter) === true);
}

/** Negative, zero or positive; null when the two have no order. */
export function compare(a: FeelValue, b: FeelValue, meter: Meter): number | null {
  const type = typeOf(a);
  if (type !== typeOf(b)) return null;
  if (type === "number") return (a as number) - (b as number);
  if (type === "string") return (a as string) < (b as string) ? -1 : a === b ? 0 : 1;
  if (!isTemporal(type)) return null;
  if (withLibrary("a < b", { a, b }, meter) === true) return -1;
  if (withLibrary("a > b", { a, b }, meter) === true) return 1;
  return withLibrary("a = b", { a, b }, meter) === true ? 0 : null;
}

/** Dates, times and durations as ISO 8601 texts; undefined for what is no data. */
export function foreignToJson(value: object): Json | undefined {
  return isTemporal(typeOf(value)) ? String(value) : undefined;
}
