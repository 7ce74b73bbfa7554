import { FeelDuration, FeelRange } from "feelin";
import { type Evaluating, FeelFailure } from "./run.ts";
import { compare, equal, type FeelType, type FeelValue, isTemporal, typeOf, withLibrary } from "./value.ts";

/** `+ - * / **` as FEEL has them: null, with a warning, for operands that do not go together. */
export function calculate(sign: string, operands: readonly [FeelValue, FeelValue], run: Evaluating): FeelValue {
  const [a, b] = operands;
  const types: readonly [FeelType, FeelType] = [typeOf(a), typeOf(b)];
  if (types[0] === "number" && types[1] === "number") return numeric(sign, [a as number, b as number], run);
  if (sign === "+" && types[0] === "string" && types[1] === "string") {
    run.meter.charge(((a as string).length + (b as string).length) >> 6);
    return `${a as string}${b as string}`;
  }
  if ((sign === "+" || sign === "-") && types.every(isTemporal)) {
    const result = withLibrary(`a ${sign} b`, { a, b }, run.meter);
    if (result !== null) return result;
  }
  const scaled = scale(sign, operands, run);
  if (scaled !== undefined) return scaled;
  return run.warn(`Expected operands that go together, but ${sign} has a ${types[0]} and a ${types[1]}`);
}

/** Durations times and by numbers, and by each other; the library has neither. */
function scale(sign: string, [a, b]: readonly [FeelValue, FeelValue], run: Evaluating): FeelValue | undefined {
  if (a instanceof FeelDuration && typeof b === "number" && (sign === "*" || (sign === "/" && b !== 0))) {
    return durationOf(a, sign === "*" ? sizeOf(a) * b : sizeOf(a) / b, run);
  }
  if (typeof a === "number" && b instanceof FeelDuration && sign === "*") return durationOf(b, sizeOf(b) * a, run);
  const alike = a instanceof FeelDuration && b instanceof FeelDuration && isMonthly(a) === isMonthly(b);
  return alike && sign === "/" && sizeOf(b) !== 0 ? sizeOf(a) / sizeOf(b) : undefined;
}

/** Months, or seconds: a duration has either years and months, or days and a time. */
function sizeOf(duration: FeelDuration): number {
  const { years, months, days, hours, minutes, seconds } = duration;
  if (isMonthly(duration)) return (years ?? 0) * 12 + (months ?? 0);
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

function isMonthly(duration: FeelDuration): boolean {
  return duration.years !== null;
}

function durationOf(like: FeelDuration, size: number, run: Evaluating): FeelValue {
  const sign = size < 0 ? "-" : "";
  const text = isMonthly(like) ? `${sign}P${Math.trunc(Math.abs(size))}M` : `${sign}PT${Math.round(Math.abs(size))}S`;
  return withLibrary("duration(t)", { t: text }, run.meter);
}

function numeric(sign: string, [a, b]: readonly [number, number], run: Evaluating): FeelValue {
  switch (sign) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0 ? run.warn("Expected another divisor, but it is 0") : a / b;
    default:
      return a ** b;
  }
}

/** `= != < <= > >=`. */
export function holds(sign: string, operands: readonly [FeelValue, FeelValue], run: Evaluating): boolean | null {
  const [a, b] = operands;
  if (sign === "=" || sign === "!=") {
    const same = equal(a, b, run.meter);
    if (same === null) return unlike(sign, operands, run);
    return (sign === "=") === same;
  }
  const order = compare(a, b, run.meter);
  if (order === null) return unlike(sign, operands, run);
  switch (sign) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

function unlike(sign: string, [a, b]: readonly [FeelValue, FeelValue], run: Evaluating): null {
  return run.warn(`Expected values that can be compared, but ${sign} has a ${typeOf(a)} and a ${typeOf(b)}`);
}

export interface Bounds {
  readonly startIncluded: boolean;
  readonly endIncluded: boolean;
}

/** A range as the library's own functions read it. */
export function rangeOf(ends: readonly [FeelValue, FeelValue], bounds: Bounds, run: Evaluating): FeelRange | null {
  const [start, end] = ends;
  const types = ends.map(typeOf);
  const open = types.includes("null");
  if (!open && types[0] !== types[1]) {
    return run.warn(`Expected ends of one type, but the range goes from a ${types[0]} to a ${types[1]}`);
  }
  return new FeelRange({
    start,
    end,
    "start included": start !== null && bounds.startIncluded,
    "end included": end !== null && bounds.endIncluded,
    valueType: types[0] === "null" ? (types[1] ?? null) : (types[0] ?? null),
  });
}

function isInRange(value: FeelValue, range: FeelRange, run: Evaluating): boolean | null {
  const { start, end } = range;
  const after = start === null ? 1 : compare(value, start, run.meter);
  const before = end === null ? -1 : compare(value, end, run.meter);
  if (after === null || before === null || value === null) {
    return run.warn(`Expected a value of the range's type, but it is a ${typeOf(value)}`);
  }
  const started = range["start included"] ? after >= 0 : after > 0;
  return started && (range["end included"] ? before <= 0 : before < 0);
}

/** Whether a value fits one test: a range, a list that contains it, or a value that equals it. */
export function fits(value: FeelValue, test: FeelValue, run: Evaluating): boolean | null {
  if (test instanceof FeelRange) return isInRange(value, test, run);
  if (Array.isArray(test) && !Array.isArray(value)) return anyOf(test.map((one) => fits(value, one, run)));
  // Another type is simply not the same: a test asks for membership.
  return equal(test, value, run.meter) ?? false;
}

/** FEEL's "or": one that holds is enough, else one that is unknown leaves it unknown. */
export function anyOf(results: readonly (boolean | null)[]): boolean | null {
  if (results.includes(true)) return true;
  return results.includes(null) ? null : false;
}

/** The numbers from one to the other, downwards when the first is greater. */
export function* numbersBetween(ends: readonly [FeelValue, FeelValue], run: Evaluating): IterableIterator<number> {
  const [start, end] = ends;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
    throw new FeelFailure("expression-failed", "Expected whole numbers at both ends of what a loop goes through");
  }
  const step = (start as number) <= (end as number) ? 1 : -1;
  for (let number = start as number; ; number += step) {
    run.meter.charge(1);
    yield number;
    if (number === end) return;
  }
}
