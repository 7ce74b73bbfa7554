import type { Builtin, Evaluating } from "./run.ts";
import { compare, type FeelValue } from "./value.ts";

/** A number that is rounded to a whole one. */
type Rounding = (value: number) => number;

function halfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

function halfToZero(value: number): number {
  return Math.sign(value) * Math.ceil(Math.abs(value) - 0.5);
}

function halfToEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

const away: Rounding = (value) => Math.sign(value) * Math.ceil(Math.abs(value));

/** Scales that a decimal number of the standard may have. */
const scaleMax = 6_176;

/**
 * Rounds the number as it is written: 1.005 becomes 1.01, though the double is a little less. The point is moved in the
 * text, since multiplying would round once more.
 */
function rounded(round: Rounding, value: number, scale: number): number {
  const result = moved(round(moved(value, scale)), -scale);
  return result === 0 ? 0 : result;
}

function moved(value: number, by: number): number {
  const [digits = "", exponent = "0"] = String(value).split("e");
  return Number(`${digits}e${Number(exponent) + by}`);
}

function rounder(round: Rounding, scaleDefault?: number): Builtin {
  return {
    parameters: ["n", "scale"],
    call: ([value, given]) => {
      const scale = given ?? scaleDefault;
      if (typeof value !== "number" || typeof scale !== "number" || Math.abs(scale) > scaleMax) return null;
      const result = rounded(round, value, Math.trunc(scale));
      // Beyond the digits of a double there is nothing to round.
      return Number.isFinite(result) ? result : value;
    },
  };
}

/** The least or the greatest of values that have an order, whatever they are; the library orders numbers only. */
function extreme(sign: 1 | -1): Builtin {
  return {
    parameters: ["...list"],
    call: (args, run) => {
      const list = listOf(args);
      if (list.length === 0) return null;
      return list.reduce((best, value) => better(best, value, { sign, run }), list[0] ?? null);
    },
  };
}

function better(best: FeelValue, value: FeelValue, by: { readonly sign: 1 | -1; readonly run: Evaluating }): FeelValue {
  if (best === null) return null;
  const order = compare(value, best, by.run.meter);
  if (order === null) return null;
  return order * by.sign < 0 ? value : best;
}

/** `f(list)` and `f(a, b, c)` mean the same. */
function listOf(args: readonly FeelValue[]): readonly FeelValue[] {
  return args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
}

/** The library orders numbers as texts here: it says that 10 is the median of 1, 9 and 10. */
function median(args: readonly FeelValue[]): FeelValue {
  const list = listOf(args);
  if (list.length === 0 || !list.every((one): one is number => typeof one === "number")) return null;
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] as number;
  return sorted.length % 2 === 1 ? middle : ((sorted[sorted.length / 2 - 1] as number) + middle) / 2;
}

export const numberFunctions: { readonly [name: string]: Builtin } = {
  decimal: rounder(halfToEven),
  floor: rounder(Math.floor, 0),
  ceiling: rounder(Math.ceil, 0),
  "round up": rounder(away),
  "round down": rounder(Math.trunc),
  "round half up": rounder(halfAway),
  "round half down": rounder(halfToZero),
  min: extreme(1),
  max: extreme(-1),
  median: { parameters: ["...list"], call: median },
};
