/**
 * Expressions of Java's unified expression language (JSR 341), and what conditions in scripts of JavaScript, Groovy, MVEL
 * and Python have in common with it, as CEL says the same. Calls that only read a value are known by name; all others
 * run code of another engine.
 */
export type Translation = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly found: string };

export function celOf(text: string): Translation {
  try {
    const parser = new Parser(tokensOf(text));
    const found = parser.whole();
    return { ok: true, text: found };
  } catch (error) {
    if (error instanceof Foreign) return { ok: false, found: error.message };
    throw error;
  }
}

/** What cannot be said in CEL. */
class Foreign extends Error {}

const words: Readonly<Record<string, string>> = {
  ...{ and: "&&", or: "||", not: "!", eq: "==", ne: "!=", lt: "<", gt: ">", le: "<=", ge: ">=", mod: "%", div: "/" },
  ...{ "===": "==", "!==": "!=", True: "true", False: "false", None: "null", undefined: "null" },
};

/** Texts, numbers, names and signs. */
const token =
  /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([\p{L}_$][\p{L}\p{N}_$]*)|(===|!==|==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()[\]]))/uy;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const reader = new RegExp(token);
  const end = text.trimEnd().length;
  while (reader.lastIndex < end) {
    const at = reader.lastIndex;
    const match = reader.exec(text);
    if (match === null) throw new Foreign(text.slice(at, at + 20).trim());
    const [, quoted, number, name, sign] = match;
    const found = quoted ?? number ?? name ?? sign ?? "";
    // Behind a dot a word is the name of a field.
    tokens.push(tokens.at(-1) !== "." && Object.hasOwn(words, found) ? (words[found] ?? "") : found);
  }
  return tokens;
}

/** Two-sided operators, those that bind most loosely first. */
const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", ">", "<=", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];

const nestingMax = 100;

/** Each method reads one construct and gives it as CEL. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  whole(): string {
    const text = this.#choice();
    if (this.#next() !== undefined) throw new Foreign(this.#next());
    return text;
  }

  #next(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(): string {
    const taken = this.#tokens[this.#at];
    if (taken === undefined) throw new Foreign("an end in the middle");
    this.#at += 1;
    return taken;
  }

  #expect(sign: string): void {
    const taken = this.#take();
    if (taken !== sign) throw new Foreign(taken);
  }

  #choice(): string {
    this.#nesting += 1;
    if (this.#nesting > nestingMax) throw new Foreign(`more than ${nestingMax} levels`);
    const condition = this.#operation(0);
    let text = condition;
    if (this.#next() === "?") {
      this.#take();
      const yes = this.#choice();
      this.#expect(":");
      text = `${condition} ? ${yes} : ${this.#choice()}`;
    }
    this.#nesting -= 1;
    return text;
  }

  #operation(level: number): string {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    let left = this.#operation(level + 1);
    while (operators.includes(this.#next() ?? "")) {
      const operator = this.#take();
      const right = this.#operation(level + 1);
      left = operation(left, operator, right);
    }
    return left;
  }

  #unary(): string {
    const sign = this.#next();
    if (sign === "!" || sign === "-") {
      this.#take();
      return `${sign}${this.#unary()}`;
    }
    if (sign === "empty") {
      this.#take();
      const value = this.#unary();
      return `(${["null", '""', "[]", "{}"].map((nothing) => `${value} == ${nothing}`).join(" || ")})`;
    }
    return this.#path();
  }

  /** A value, and what is read of it. */
  #path(): string {
    let text = this.#value();
    for (;;) {
      if (this.#next() === "[") {
        this.#take();
        text = `${text}[${this.#choice()}]`;
        this.#expect("]");
      } else if (this.#next() === ".") {
        this.#take();
        const name = this.#take();
        text = this.#next() === "(" ? call(text, name, this.#arguments()) : `${text}.${name}`;
      } else {
        return text;
      }
    }
  }

  #value(): string {
    const taken = this.#take();
    if (taken === "(") {
      const inner = this.#choice();
      this.#expect(")");
      return `(${inner})`;
    }
    if (!/^[\p{L}\p{N}_$"']/u.test(taken)) throw new Foreign(taken);
    if (this.#next() !== "(") return taken;
    const given = this.#arguments();
    const [only, ...others] = given;
    if (only !== undefined && others.length === 0 && wrappers.has(taken)) return only;
    throw new Foreign(`${taken}(${given.join(", ")})`);
  }

  #arguments(): readonly string[] {
    this.#expect("(");
    const given: string[] = [];
    while (this.#next() !== ")") {
      if (given.length > 0) this.#expect(",");
      given.push(this.#choice());
    }
    this.#take();
    return given;
  }
}

const text = /^(?:"[^"]*"|'[^']*')$/;
const numberText = /^["'](-?\d+(?:\.\d+)?)["']$/;
const comparisons: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">="]);

/**
 * Both languages coerce what CEL does not: a text of digits is a number beside one, and what is added to any other text
 * is one.
 */
function operation(left: string, operator: string, right: string): string {
  // CEL has a remainder of integers only, and numbers of variables are none.
  if (operator === "%") return `(${left} - ${right} * double(int(${left} / ${right})))`;
  const [one, other] = [numberText.exec(left)?.[1], numberText.exec(right)?.[1]];
  const isPlain = one === undefined && other === undefined;
  if (comparisons.has(operator) && !isPlain && !(text.test(left) && text.test(right))) {
    const read = one === undefined ? left : right;
    return `(type(${read}) == string ? ${left} ${operator} ${right} : ${one ?? left} ${operator} ${other ?? right})`;
  }
  if (operator === "+" && isPlain && text.test(left) !== text.test(right)) {
    return text.test(left) ? `${left} + string(${right})` : `string(${left}) + ${right}`;
  }
  return `${left} ${operator} ${right}`;
}

/** Functions that make a value readable for another engine: `S(order).prop("total").numberValue()`. */
const wrappers: ReadonlySet<string> = new Set(["S", "JSON"]);

/** What a call without arguments, or with one, is in CEL. */
type Call = (target: string) => string;
const same = (target: string): string => target;
const plainCalls: Readonly<Record<string, Call>> = {
  size: (target) => `size(${target})`,
  length: (target) => `size(${target})`,
  isEmpty: (target) => `(size(${target}) == 0)`,
  toString: (target: string) => `string(${target})`,
  ...{ intValue: same, longValue: same, doubleValue: same, booleanValue: same },
  ...{ value: same, numberValue: same, stringValue: same, boolValue: same },
};

const callsWithOne: Readonly<Record<string, (target: string, given: string) => string>> = {
  equals: (target, given) => `(${target} == ${given})`,
  contains: (target, given) => `(type(${target}) == string ? ${target}.contains(${given}) : ${given} in ${target})`,
  startsWith: (target, given) => `${target}.startsWith(${given})`,
  endsWith: (target, given) => `${target}.endsWith(${given})`,
  matches: (target, given) => `${target}.matches(${given})`,
  get: (target, given) => `${target}[${given}]`,
  prop: (target, given) => `${target}[${given}]`,
  containsKey: (target, given) => `(${given} in ${target})`,
};

const engines: ReadonlySet<string> = new Set(["execution", "delegateExecution", "kcontext"]);

function call(target: string, name: string, given: readonly string[]): string {
  const [only, ...others] = given;
  if (engines.has(target) && only !== undefined && others.length === 0) {
    const variable = /^["']([\p{L}_][\p{L}\p{N}_]*)["']$/u.exec(only)?.[1];
    if (name === "getVariable" && variable !== undefined) return variable;
    if (name === "hasVariable" && variable !== undefined) return `(${variable} != null)`;
  }
  const plain = only === undefined && Object.hasOwn(plainCalls, name) ? plainCalls[name] : undefined;
  if (plain !== undefined) return plain(target);
  const single = others.length === 0 && Object.hasOwn(callsWithOne, name) ? callsWithOne[name] : undefined;
  if (single !== undefined && only !== undefined) return single(target, only);
  throw new Foreign(`${target}.${name}(${given.join(", ")})`);
}
