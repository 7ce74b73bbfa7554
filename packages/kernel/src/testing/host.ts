import type { DueResult, Host, VariableScope } from "../host.ts";
import type { Json } from "../json.ts";

/** Before an expression: null and a warning where it would fail, as FEEL has it. */
const doubtful = "maybe ";

/**
 * A host for tests: a small expression language (literals, paths, `!`, `* %`, `+ -`, comparisons, `&&`, `||`) and
 * durations in whole seconds (`PT5S`), dates as epoch ms or ISO 8601 in UTC, cycles as `R3/PT5S` or `R/PT5S`. Cron lines
 * are only those of every so many seconds, counted from 1970 on.
 */
export const testHost: Host = {
  evaluate: (expression, scope) => {
    const isDoubtful = expression.text.startsWith(doubtful);
    try {
      return { ok: true, value: parse(isDoubtful ? expression.text.slice(doubtful.length) : expression.text, scope) };
    } catch (error) {
      if (isDoubtful) return { ok: true, value: null, warnings: [(error as Error).message] };
      return { ok: false, code: "expression-failed", message: (error as Error).message };
    }
  },
  nextDue: (timer, value, from, remaining) => nextDue(timer.kind, value, { from, remaining }),
};

function nextDue(
  kind: string,
  value: Json,
  at: { readonly from: number; readonly remaining: number | null | undefined },
): DueResult {
  if (kind === "date") {
    const due = typeof value === "number" ? value : Date.parse(String(value));
    return Number.isNaN(due) ? invalid(value) : { ok: true, due, remaining: 0 };
  }
  if (kind === "cron") {
    const everyMs = Number(/^\*\/(\d+)(?: \*){5}$/.exec(String(value))?.[1] ?? 0) * 1_000;
    if (everyMs === 0) return invalid(value);
    return { ok: true, due: (Math.floor(at.from / everyMs) + 1) * everyMs, remaining: null };
  }
  const match = /^(?:R(\d*)\/)?PT(\d+)S$/.exec(String(value));
  if (match === null || (kind === "cycle") !== (match[1] !== undefined)) return invalid(value);
  const due = at.from + Number(match[2]) * 1000;
  if (kind !== "cycle") return { ok: true, due, remaining: 0 };
  const total = match[1] === "" ? null : Number(match[1]);
  const before = at.remaining === undefined ? total : at.remaining;
  return { ok: true, due, remaining: before === null ? null : before - 1 };
}

function invalid(value: Json): DueResult {
  return { ok: false, code: "timer-invalid", message: `there is no time in ${JSON.stringify(value)}` };
}

const tokenPattern = /\s*(?:(\d+(?:\.\d+)?)|'([^']*)'|([A-Za-z_][\w]*)|(&&|\|\||==|!=|<=|>=|[-+*%<>!().[\]]))/y;

type Token = { readonly kind: "number" | "string" | "name" | "sign"; readonly text: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (text.slice(tokenPattern.lastIndex).trim() !== "") {
    const match = tokenPattern.exec(text);
    if (match === null) throw new Error(`cannot read '${text}'`);
    const [, number, string, name, sign = ""] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (string !== undefined) tokens.push({ kind: "string", text: string });
    else tokens.push(name === undefined ? { kind: "sign", text: sign } : { kind: "name", text: name });
  }
  return tokens;
}

const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "%"],
];

function parse(text: string, scope: VariableScope): Json {
  const tokens = tokensOf(text);
  let next = 0;
  const takeSign = (signs: readonly string[]): string | undefined => {
    const token = tokens[next];
    if (token?.kind !== "sign" || !signs.includes(token.text)) return undefined;
    next += 1;
    return token.text;
  };
  const binary = (level: number): Json => {
    const signs = levels[level];
    if (signs === undefined) return unary();
    let left = binary(level + 1);
    for (let sign = takeSign(signs); sign !== undefined; sign = takeSign(signs)) {
      left = combine(sign, left, binary(level + 1));
    }
    return left;
  };
  const unary = (): Json => {
    if (takeSign(["!"]) !== undefined) return !unary();
    if (takeSign(["-"]) !== undefined) return -number(unary());
    let value = primary();
    for (let sign = takeSign(["."]); sign !== undefined; sign = takeSign(["."])) {
      const name = tokens[next]?.text ?? "";
      next += 1;
      const inner = (value as { readonly [name: string]: Json } | null)?.[name];
      if (inner === undefined) throw new Error(`there is no '${name}'`);
      value = inner;
    }
    return value;
  };
  const primary = (): Json => {
    if (takeSign(["("]) !== undefined) {
      const value = binary(0);
      takeSign([")"]);
      return value;
    }
    const token = tokens[next];
    next += 1;
    if (token?.kind === "number") return Number(token.text);
    if (token?.kind === "string") return token.text;
    if (token?.kind !== "name") throw new Error(`cannot read '${text}'`);
    if (token.text === "true" || token.text === "false") return token.text === "true";
    if (token.text === "null") return null;
    const value = scope.get(token.text);
    if (value === undefined) throw new Error(`there is no '${token.text}'`);
    return value;
  };
  const value = binary(0);
  if (next < tokens.length) throw new Error(`cannot read '${text}'`);
  return value;
}

function number(value: Json): number {
  if (typeof value !== "number") throw new Error(`${JSON.stringify(value)} is no number`);
  return value;
}

function combine(sign: string, left: Json, right: Json): Json {
  switch (sign) {
    case "||":
      return left === true || right === true;
    case "&&":
      return left === true && right === true;
    case "==":
      return JSON.stringify(left) === JSON.stringify(right);
    case "!=":
      return JSON.stringify(left) !== JSON.stringify(right);
    case "<":
      return number(left) < number(right);
    case "<=":
      return number(left) <= number(right);
    case ">":
      return number(left) > number(right);
    case ">=":
      return number(left) >= number(right);
    case "+":
      return typeof left === "string" ? left + String(right) : number(left) + number(right);
    case "-":
      return number(left) - number(right);
    case "*":
      return number(left) * number(right);
    default:
      return number(left) % number(right);
  }
}
