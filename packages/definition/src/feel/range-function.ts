import { FeelRange } from "feelin";
import { rangeOf } from "./operator.ts";
import type { Builtin, Evaluating } from "./run.ts";
import { compare, type FeelValue, writtenValue } from "./value.ts";

/** A point, or a range with both ends; a point is a range from itself to itself. */
interface Span {
  readonly isPoint: boolean;
  readonly start: FeelValue;
  readonly end: FeelValue;
  readonly startIncluded: boolean;
  readonly endIncluded: boolean;
}

/** Negative, zero or positive for two ends; ends that have no order end the question. */
type Order = (a: FeelValue, b: FeelValue) => number;

class NoOrder extends Error {}

/** How two spans lie, as chapter 10.3.4.7 of DMN 1.5 writes it down; null where it has no such question. */
type Relation = (a: Span, b: Span, order: Order) => boolean | null;

function startsEarlier(a: Span, b: Span, order: Order): boolean {
  const by = order(a.start, b.start);
  return by < 0 || (by === 0 && a.startIncluded && !b.startIncluded);
}

function endsEarlier(a: Span, b: Span, order: Order): boolean {
  const by = order(a.end, b.end);
  return by < 0 || (by === 0 && !a.endIncluded && b.endIncluded);
}

function startTogether(a: Span, b: Span, order: Order): boolean {
  return order(a.start, b.start) === 0 && a.startIncluded === b.startIncluded;
}

function endTogether(a: Span, b: Span, order: Order): boolean {
  return order(a.end, b.end) === 0 && a.endIncluded === b.endIncluded;
}

function reachesInto(a: Span, b: Span, order: Order): boolean {
  const by = order(a.end, b.start);
  return by > 0 || (by === 0 && a.endIncluded && b.startIncluded);
}

const coincides: Relation = (a, b, order) =>
  a.isPoint === b.isPoint ? startTogether(a, b, order) && endTogether(a, b, order) : null;

const starts: Relation = (a, b, order) =>
  b.isPoint ? null : startTogether(a, b, order) && (a.isPoint || !endsEarlier(b, a, order));

const finishes: Relation = (a, b, order) =>
  b.isPoint ? null : endTogether(a, b, order) && (a.isPoint || !startsEarlier(a, b, order));

const during: Relation = (a, b, order) => (b.isPoint ? null : !startsEarlier(a, b, order) && !endsEarlier(b, a, order));

const overlapsBefore: Relation = (a, b, order) =>
  a.isPoint || b.isPoint ? null : startsEarlier(a, b, order) && reachesInto(a, b, order) && !endsEarlier(b, a, order);

function turned(relation: Relation): Relation {
  return (a, b, order) => relation(b, a, order);
}

function builtin(relation: Relation, parameters: readonly string[]): Builtin {
  return { parameters, call: ([a = null, b = null], run) => related(relation, [a, b], run) };
}

function related(relation: Relation, [a, b]: readonly [FeelValue, FeelValue], run: Evaluating): boolean | null {
  const order: Order = (one, other) => {
    const by = compare(one, other, run.meter);
    if (by === null) throw new NoOrder();
    return by;
  };
  try {
    return relation(spanOf(a), spanOf(b), order);
  } catch (error) {
    if (error instanceof NoOrder) return null;
    throw error;
  }
}

function spanOf(value: FeelValue): Span {
  if (!(value instanceof FeelRange))
    return { isPoint: true, start: value, end: value, startIncluded: true, endIncluded: true };
  const { start, end } = value;
  return {
    isPoint: false,
    start,
    end,
    startIncluded: value["start included"] === true,
    endIncluded: value["end included"] === true,
  };
}

/** A value written out: nothing else may stand at the end of a range in a text. */
const end = String.raw`-?\d*\.?\d+|@?"[^"\\]*"|(?:date|time|duration|date and time)\(\s*"[^"\\]*"\s*\)|`;
const rangeText = new RegExp(String.raw`^\s*([\[\](])\s*(${end})\s*\.\.\s*(${end})\s*([\[\])])\s*$`);

/** Both ends are parsed. */
const costOfRange = 1_000;

/** `range("[18..21)")`. */
function range(args: readonly FeelValue[], run: Evaluating): FeelValue {
  const [text] = args;
  const match = typeof text === "string" ? rangeText.exec(text) : null;
  if (match === null) return null;
  const [, opened, from = "", to = "", closed] = match;
  if (from === "" && to === "") return null;
  run.meter.charge(costOfRange);
  const [first, last] = [from, to].map((each) => (each === "" ? null : writtenValue(each)));
  if ((from !== "" && first === null) || (to !== "" && last === null)) return null;
  return rangeOf([first, last], { startIncluded: opened === "[", endIncluded: closed === "]" }, run);
}

/** What the library lacks of the functions on ranges. */
export const rangeFunctions: { readonly [name: string]: Builtin } = {
  coincides: builtin(coincides, ["point1", "point2"]),
  starts: builtin(starts, ["point", "range"]),
  "started by": builtin(turned(starts), ["range", "point"]),
  finishes: builtin(finishes, ["point", "range"]),
  "finished by": builtin(turned(finishes), ["range", "point"]),
  during: builtin(during, ["point", "range"]),
  "overlaps before": builtin(overlapsBefore, ["range1", "range2"]),
  "overlaps after": builtin(turned(overlapsBefore), ["range1", "range2"]),
  range: { parameters: ["from"], call: range },
};
