import { type Builtin, type Evaluating, FeelFailure } from "./run.ts";
import { equal, type FeelContext, type FeelValue, isContext, propertyOf } from "./value.ts";

/** A negative position counts from the end. */
function insertBefore(args: readonly FeelValue[]): FeelValue {
  const [list, position, item = null] = args;
  if (!Array.isArray(list) || typeof position !== "number" || position === 0 || Math.abs(position) > list.length)
    return null;
  return list.toSpliced(position < 0 ? position : position - 1, 0, item);
}

/** One entry, or, with a list of keys, an entry of an entry. */
function getValue(args: readonly FeelValue[]): FeelValue {
  const [context, key] = args;
  const keys: readonly FeelValue[] = Array.isArray(key) ? key : [key];
  let value: FeelValue = context ?? null;
  for (const each of keys) {
    if (!isContext(value) || typeof each !== "string") return null;
    value = propertyOf(value, each) ?? null;
  }
  return value;
}

function duplicateValues(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [list] = args;
  if (!Array.isArray(list)) return null;
  const same = (a: FeelValue) => (b: FeelValue) => equal(a, b, run.meter) === true;
  const found: FeelValue[] = [];
  for (const [index, value] of list.entries())
    if (list.slice(index + 1).some(same(value)) && !found.some(same(value))) found.push(value);
  return found;
}

function partition(args: readonly FeelValue[]): FeelValue {
  const [list, size] = args;
  if (!Array.isArray(list) || typeof size !== "number" || !Number.isInteger(size) || size < 1) return null;
  const parts: FeelValue[] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

function isEmpty([value]: readonly FeelValue[]): FeelValue {
  if (Array.isArray(value)) return value.length === 0;
  return isContext(value) ? Object.keys(value as FeelContext).length === 0 : null;
}

function assertThat([value = null, condition, cause]: readonly FeelValue[]): FeelValue {
  if (condition === true) return value;
  const message = typeof cause === "string" ? cause : "Expected what assert asks for to hold, but it does not";
  throw new FeelFailure("expression-failed", message);
}

export const listFunctions: { readonly [name: string]: Builtin } = {
  "insert before": { parameters: ["list", "position", "newItem"], call: insertBefore },
  "get value": { parameters: ["m", "key"], call: getValue },
  // What the engines that write most of the FEEL there is have beyond the standard.
  "duplicate values": { parameters: ["list"], call: duplicateValues },
  partition: { parameters: ["list", "size"], call: partition },
  "is empty": { parameters: ["list"], call: isEmpty },
  assert: { parameters: ["value", "condition", "cause"], call: assertThat },
};
