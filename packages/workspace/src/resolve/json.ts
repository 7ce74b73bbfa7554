import {
  applyEdits,
  type JSONPath,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { bounded, type Rule, type RuleResult, type TextConflict } from "./rule.ts";
import { inOrder, mergeSequences } from "./sequence.ts";

type Value = null | boolean | number | string | readonly Value[] | Fields;
type Fields = ReadonlyMap<string, Value>;

/** Why two values do not merge; carries the place. */
class Clash {
  readonly place: string;
  constructor(place: string) {
    this.place = place === "" ? "the whole document" : place;
  }
}

/**
 * Merges JSON by keys: what one side added, changed or removed is taken over; lists merge as sequences. Declines where
 * both changed one value differently. Keeps the order of keys, the indentation and, where there are any, comments.
 */
export const mergeJson: Rule = bounded(merge);

function merge(conflict: TextConflict): RuleResult {
  if (
    !/\.(?:json|jsonc|webmanifest|code-workspace|ipynb)$|(?:^|\/)\.(?:prettierrc|eslintrc|babelrc)$/.test(conflict.path)
  ) {
    return { declined: "it is not a JSON file" };
  }
  const texts = { base: conflict.base === "" ? "{}" : conflict.base, ours: conflict.ours, theirs: conflict.theirs };
  const values = { base: read(texts.base), ours: read(texts.ours), theirs: read(texts.theirs) };
  const broken = Object.entries(values).find(([, value]) => value.error !== undefined);
  if (broken !== undefined) return { declined: `${broken[0]} is not valid JSON (${broken[1].error})` };
  try {
    const merged = mergeValue({ base: values.base.value, ours: values.ours.value, theirs: values.theirs.value }, "");
    const resolved = write(merged ?? null, texts, values);
    return { resolved, rule: "json", note: "merged key by key" };
  } catch (clash) {
    if (!(clash instanceof Clash)) throw clash;
    return { declined: `both sides changed ${clash.place} differently` };
  }
}

interface Sides<T> {
  readonly base: T;
  readonly ours: T;
  readonly theirs: T;
}

/** Undefined means: not there. */
function mergeValue(sides: Sides<Value | undefined>, place: string): Value | undefined {
  const { base, ours, theirs } = sides;
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (isFields(ours) && isFields(theirs)) {
    // Both made it: everything in it was added by both. One replaced it altogether: then they disagree.
    if (base !== undefined && !isFields(base)) throw new Clash(place);
    return mergeFields({ base: base ?? new Map(), ours, theirs }, place);
  }
  if (Array.isArray(ours) && Array.isArray(theirs) && (base === undefined || Array.isArray(base))) {
    return mergeList({ base: base ?? [], ours, theirs } as Sides<readonly Value[]>, place);
  }
  throw new Clash(place);
}

function mergeFields(sides: Sides<Fields>, place: string): Fields {
  const merged = new Map<string, Value>();
  for (const key of mergeKeys(sides)) {
    const at = place === "" ? key : `${place}.${key}`;
    const value = mergeValue(
      { base: sides.base.get(key), ours: sides.ours.get(key), theirs: sides.theirs.get(key) },
      at,
    );
    if (value !== undefined) merged.set(key, value);
  }
  return merged;
}

/** Every key of either side once: where both are sorted sorted, else each where its side has it. */
function mergeKeys(sides: Sides<Fields>): string[] {
  const keys = { base: [...sides.base.keys()], ours: [...sides.ours.keys()], theirs: [...sides.theirs.keys()] };
  const all = new Set<string>();
  if (isSorted(keys.ours) && isSorted(keys.theirs)) {
    return [...new Set([...keys.ours, ...keys.theirs])].sort(byCode);
  }
  for (const region of mergeSequences(keys, (key) => key)) {
    if (region.type === "agreed") for (const key of region.items) all.add(key);
    else {
      const [first, second] = inOrder(region.ours, region.theirs, (items) => items.join("\0"));
      for (const key of [...first, ...second]) all.add(key);
    }
  }
  for (const key of [...keys.ours, ...keys.theirs].sort(byCode)) all.add(key);
  return [...all];
}

function mergeList(sides: Sides<readonly Value[]>, place: string): readonly Value[] {
  const merged: Value[] = [];
  for (const region of mergeSequences(sides, canonical)) {
    if (region.type === "agreed") merged.push(...region.items);
    else if (region.base.length > 0) throw new Clash(`the list ${place}`);
    else {
      const [first, second] = inOrder(region.ours, region.theirs, (items) => items.map(canonical).join());
      const seen = new Set(first.map(canonical));
      merged.push(...first, ...second.filter((item) => !seen.has(canonical(item))));
    }
  }
  return merged;
}

function isFields(value: Value | undefined): value is Fields {
  return value instanceof Map;
}

function same(x: Value | undefined, y: Value | undefined): boolean {
  if (x === undefined || y === undefined) return x === y;
  return canonical(x) === canonical(y);
}

/** Equal for equal values, whatever the order of keys. */
function canonical(value: Value): string {
  if (value instanceof Map) {
    const fields = [...value].sort(([x], [y]) => byCode(x, y));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join()}}`;
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  return JSON.stringify(value);
}

interface Read {
  readonly value: Value;
  readonly error?: string;
}

function read(text: string): Read {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const error = errors[0];
  if (error !== undefined)
    return { value: null, error: `${printParseErrorCode(error.error)} at offset ${error.offset}` };
  if (root === undefined) return { value: null, error: "it is empty" };
  try {
    return { value: fromNode(root, text) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return { value: null, error: cause.message };
  }
}

/**
 * Maps instead of objects: they keep the order of number-like keys, and "__proto__" is a key like any other. Throws
 * RangeError for what could not be written back as it was.
 */
function fromNode(node: Node, text: string): Value {
  if (node.type === "array") return (node.children ?? []).map((child) => fromNode(child, text));
  if (node.type === "object") {
    const fields = new Map<string, Value>();
    for (const property of node.children ?? []) {
      const [key, value] = property.children ?? [];
      if (key === undefined || value === undefined) continue;
      if (fields.has(String(key.value))) throw new RangeError(`the key ${JSON.stringify(key.value)} is there twice`);
      fields.set(String(key.value), fromNode(value, text));
    }
    return fields;
  }
  const written = text.slice(node.offset, node.offset + node.length);
  if (node.type === "number" && JSON.stringify(node.value) !== written) {
    throw new RangeError(`the number ${written} would not survive`);
  }
  return node.value as Value;
}

function write(merged: Value, texts: Sides<string>, values: Sides<Read>): string {
  const sides = [
    { text: texts.ours, value: values.ours.value },
    { text: texts.theirs, value: values.theirs.value },
  ].sort((x, y) => byCode(x.text, y.text));
  const indent = indentOf(texts.base) ?? indentOf(texts.ours) ?? indentOf(texts.theirs) ?? "  ";
  if (sides.every(({ text, value }) => text.trimEnd() === print(value, indent, ""))) {
    const ending = sides.every(({ text }) => text.endsWith("\n")) || texts.base.endsWith("\n") ? "\n" : "";
    return print(merged, indent, "") + ending;
  }
  // Not the way JSON.stringify writes it: one side's text stays and gets only what the other brings.
  const start = sides[0] as { text: string; value: Value };
  return applyDifferences(start.text, { from: start.value, to: merged, path: [] }, indent);
}

function applyDifferences(
  text: string,
  change: { readonly from: Value | undefined; readonly to: Value | undefined; readonly path: JSONPath },
  indent: string,
): string {
  const { from, to, path } = change;
  if (same(from, to)) return text;
  if (isFields(from) && isFields(to)) {
    let result = text;
    for (const key of new Set([...from.keys(), ...to.keys()])) {
      result = applyDifferences(result, { from: from.get(key), to: to.get(key), path: [...path, key] }, indent);
    }
    return result;
  }
  const formattingOptions = {
    insertSpaces: !indent.includes("\t"),
    tabSize: indent.replace("\t", "    ").length,
    eol: "\n",
  };
  return applyEdits(text, modify(text, path, to === undefined ? undefined : toPlain(to), { formattingOptions }));
}

function toPlain(value: Value): unknown {
  if (value instanceof Map) {
    const plain: { [key: string]: unknown } = Object.create(null);
    for (const [key, field] of value) plain[key] = toPlain(field);
    return plain;
  }
  return Array.isArray(value) ? value.map(toPlain) : value;
}

/** JSON.stringify's layout, for maps. */
function print(value: Value, indent: string, outer: string): string {
  const inner = outer + indent;
  if (value instanceof Map) {
    if (value.size === 0) return "{}";
    const fields = [...value].map(([key, field]) => `${inner}${JSON.stringify(key)}: ${print(field, indent, inner)}`);
    return `{\n${fields.join(",\n")}\n${outer}}`;
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => inner + print(item, indent, inner)).join(",\n")}\n${outer}]`;
  }
  return JSON.stringify(value);
}

function indentOf(text: string): string | undefined {
  return /\n([ \t]+)\S/.exec(text)?.[1];
}

function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, i) => i === 0 || byCode(keys[i - 1] ?? "", key) <= 0);
}

const byCode = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
