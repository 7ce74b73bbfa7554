import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";
import type { Json } from "@tutti/kernel";
import type { Meter } from "./meter.ts";

export type JsonResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly overflow: boolean; readonly message: string };

/** What a value of a class becomes; undefined for one that is no data. */
export type Foreign = (value: object) => Json | undefined;

interface Conversion {
  readonly meter: Meter;
  readonly foreign: Foreign;
}

/** Turns what an expression gave into plain JSON: integers that a number can hold, the rest as `foreign` says. */
export function toJson(value: unknown, meter: Meter, foreign: Foreign = celToJson): JsonResult {
  try {
    return { ok: true, value: convert(value, { meter, foreign }, 0) };
  } catch (error) {
    if (error instanceof NotJson) return { ok: false, overflow: error.overflow, message: error.message };
    throw error;
  }
}

class NotJson extends Error {
  readonly overflow: boolean;
  constructor(message: string, overflow = false) {
    super(message);
    this.overflow = overflow;
  }
}

function convert(value: unknown, conversion: Conversion, depth: number): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return integer(value);
    case "number":
      if (!Number.isFinite(value)) throw new NotJson(`Expected a finite number, but the result is ${value}`, true);
      return value;
    case "object":
      return value === null ? null : convertObject(value, conversion, depth);
    default:
      throw new NotJson(`Expected plain JSON, but the result is a ${typeof value}`);
  }
}

function convertObject(value: object, conversion: Conversion, depth: number): Json {
  if (depth > 100) throw new NotJson("Expected at most 100 levels, but the result is deeper");
  conversion.meter.charge(1);
  if (Array.isArray(value)) return value.map((inner) => convert(inner, conversion, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const data = conversion.foreign(value);
    if (data === undefined) throw new NotJson("Expected plain JSON, but the result is no data");
    return data;
  }
  const result: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const inner = convert((value as Record<string, unknown>)[key], conversion, depth + 1);
    if (key === "__proto__")
      Object.defineProperty(result, key, { value: inner, enumerable: true, configurable: true, writable: true });
    else result[key] = inner;
  }
  return result;
}

/** Instants and durations of CEL in ISO 8601. */
function celToJson(value: object): Json | undefined {
  if (value instanceof UnsignedInt) return integer(value.valueOf());
  if (value instanceof Date) return value.toISOString();
  return value instanceof Duration ? isoDuration(value) : undefined;
}

function integer(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new NotJson(`Expected an integer within ±(2^53 − 1), but the result is ${value}`, true);
  }
  return number;
}

function isoDuration(value: Duration): string {
  const ms = Number(value.getMilliseconds());
  if (!Number.isSafeInteger(ms)) throw new NotJson("Expected a duration of at most 285 000 years", true);
  return `${ms < 0 ? "-" : ""}PT${Math.abs(ms) / 1000}S`;
}
