import type { Expression, Json, Source, SourcePosition } from "@tutti/kernel";

/**
 * A value as an author writes it: a text that starts with "=" is an expression, `${…}` inserts one into a text, lists
 * and maps may contain either; everything else means itself. `\=` and `$${` write the characters themselves.
 */
export function toSource(value: Json, position: SourcePosition): Source {
  if (typeof value === "string") return textSource(value, position);
  if (!containsExpression(value)) return { literal: unescaped(value) };
  return cel(celOf(value), position);
}

/** A condition: an expression with or without the leading "=". */
export function toCondition(text: string, position: SourcePosition): Expression {
  return cel(text.startsWith("=") ? text.slice(1).trim() : text.trim(), position);
}

export function cel(text: string, position: SourcePosition): Expression {
  return { language: "cel", text, position };
}

const places = new WeakMap<object, SourcePosition>();

/** A bare variable. A program has no room for its position, so it is remembered beside it, for lint. */
export function variableAt(variable: string, position: SourcePosition): Source {
  const source = { variable };
  places.set(source, position);
  return source;
}

export function positionOf(source: Source): SourcePosition | undefined {
  return "language" in source ? source.position : places.get(source);
}

/** A name that may be computed: fixed, or where it comes from, beside what lists show of it. */
export function nameOf(source: Source): { readonly fixed: string; readonly from?: Source } {
  if ("literal" in source && source.literal !== null) return { fixed: String(source.literal) };
  const text = "language" in source ? source.text : "variable" in source ? source.variable : "null";
  return { fixed: `= ${text}`, from: source };
}

export function isExpressionText(value: unknown): value is string {
  return typeof value === "string" && (value.startsWith("=") || parseTemplate(value) !== undefined);
}

/** The CEL text of a value that contains expressions somewhere; undefined when it is plain data. */
export function celText(value: Json): string | undefined {
  return containsExpression(value) ? celOf(value) : undefined;
}

const notVariables: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

function textSource(text: string, position: SourcePosition): Source {
  if (text.startsWith("=")) {
    const expression = text.slice(1).trim();
    // A bare name needs no evaluator, and an absent one can be optional.
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(expression) && !notVariables.has(expression)) {
      return variableAt(expression, position);
    }
    return cel(expression, position);
  }
  const template = parseTemplate(text);
  return template === undefined ? { literal: unescapeText(text) } : cel(template, position);
}

function unescapeText(text: string): string {
  return (text.startsWith("\\=") ? text.slice(1) : text).replaceAll("$${", "${");
}

function unescaped(value: Json): Json {
  if (typeof value === "string") return unescapeText(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(unescaped);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unescaped(inner as Json)]));
}

function containsExpression(value: Json): boolean {
  if (typeof value === "string") return isExpressionText(value);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((inner) => containsExpression(inner as Json));
}

/** The CEL text of a value that contains expressions. */
function celOf(value: Json): string {
  if (typeof value === "string") {
    if (value.startsWith("=")) return `(${value.slice(1).trim()})`;
    return parseTemplate(value) ?? JSON.stringify(unescapeText(value));
  }
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : value.toExponential();
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(celOf).join(", ")}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${celOf(inner as Json)}`);
  return `{${entries.join(", ")}}`;
}

/** CEL text of a text with `${…}`; undefined when there is none. An unclosed one is plain text. */
export function parseTemplate(text: string): string | undefined {
  const parts: string[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("${", at);
    const close = open < 0 ? -1 : closingBrace(text, open + 2);
    if (close < 0) break;
    if (text[open - 1] === "$") {
      plain += `${text.slice(at, open - 1)}\${`;
      at = open + 2;
      continue;
    }
    plain += text.slice(at, open);
    if (plain !== "") parts.push(JSON.stringify(plain));
    plain = "";
    const inner = text.slice(open + 2, close).trim();
    if (open === 0 && close === text.length - 1) return inner;
    parts.push(`string(${inner})`);
    at = close + 1;
  }
  if (!parts.some((part) => part.startsWith("string("))) return undefined;
  plain += text.slice(at);
  if (plain !== "") parts.push(JSON.stringify(plain));
  return parts.join(" + ");
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  let quote: string | undefined;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quote !== undefined) {
      if (character === "\\") at++;
      else if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "{") depth++;
    else if (character === "}" && depth-- === 0) return at;
  }
  return -1;
}
