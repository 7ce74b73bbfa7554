import type { Json, SourcePosition } from "@tutti/kernel";
import { limits } from "../limits.ts";
import type { Problems } from "../problem.ts";
import type { ArrowFlow, Field, Line, Notation, Unit } from "./model.ts";
import { Scanner, SyntaxFault } from "./scanner.ts";

/**
 * Reads arrow notation:
 *
 *     line      = flow | name [":" type] "=" value | "→" fields
 *     flow      = unit { ("→" | "->" | "|" | "|>") unit }
 *     unit      = condition "?" flow ":" flow | "[" flow { "&" flow } "]" | "[" name "]" ">>" call
 *               | "(" name { "+" name } ")" | "(" flow ")" | fields | call
 *     call      = name [ "(" [ argument { "," argument } ] ")" ] [ "@" name ] { modifier }
 *     modifier  = ( "+" | "-" | "*" ) name [ "(" … ")" ]
 *     fields    = "{" [ field { "," field } ] "}"        field = argument = [ name ":" ] expression
 *
 * Conditions and values are CEL, with `∈` for `in`. `#` begins a comment at the start of a line and after two spaces.
 * A line goes on while a bracket is open. Every line that cannot be read is reported at its place; the others are read.
 */
export function parseNotation(
  text: string,
  problems: Problems,
  start: SourcePosition = { line: 1, column: 1 },
): Notation {
  const lines: Line[] = [];
  if (text.length > limits.notationCharactersMax) {
    const message = `Expected at most ${limits.notationCharactersMax} characters, but there are ${text.length}`;
    problems.error("notation-invalid", message, start);
    return { lines };
  }
  const scanner = new Scanner(text, start);
  while (scanner.nextLine()) {
    try {
      lines.push(new LineParser(scanner).line());
      scanner.endLine();
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      problems.error("notation-invalid", error.message, error.position);
      scanner.skipLine();
    }
  }
  return { lines };
}

/** No blank between the sign and its name: a minus between two names is none. */
const modifier = /[+*-][\p{L}_][\p{L}\p{N}_-]*(?:\([^()\n]*\))?/uy;

const arrows: readonly string[] = ["→", "->", "⇒", "=>", "|>", "|"];

class LineParser {
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  line(): Line {
    const position = this.#scanner.position();
    if (this.#scanner.take("→", "->", "⇒", "=>")) return { kind: "result", fields: this.#result(), position };
    return this.#assign(position) ?? { kind: "flow", flow: this.#flow(), position };
  }

  #result(): readonly Field[] {
    if (this.#scanner.sees("{")) return this.#fields("{", "}");
    return [{ name: this.#scanner.name("the name of a variable") }];
  }

  #assign(position: SourcePosition): Line | undefined {
    const head = this.#scanner.match(/([\p{L}_][\p{L}\p{N}_-]*)(?:[ \t]*:[ \t]*([a-z]+))?[ \t]*=(?![=>])[ \t]*/uy);
    if (head === undefined) return undefined;
    const [, name = "", type] = head;
    const text = this.#scanner.expression("\n");
    const literal = literalOf(text);
    const value = literal === undefined ? { text } : { literal };
    return { kind: "assign", name, ...(type !== undefined && { type }), value, position };
  }

  #flow(): ArrowFlow {
    this.#depth += 1;
    if (this.#depth > limits.nestingMax * 2)
      throw this.#scanner.fault(`at most ${limits.nestingMax * 2} brackets and conditions within each other`);
    const units = [this.#unit()];
    while (this.#scanner.take(...arrows)) units.push(this.#unit());
    this.#depth -= 1;
    return { units };
  }

  #unit(): Unit {
    const scanner = this.#scanner;
    const position = scanner.position();
    const condition = scanner.condition();
    if (condition !== undefined) {
      const yes = this.#flow();
      scanner.expect(":", "a colon and what happens otherwise");
      return { kind: "choice", condition, yes, no: this.#flow(), position };
    }
    if (scanner.sees("{")) return { kind: "values", fields: this.#fields("{", "}"), position };
    if (scanner.sees("[")) return this.#bracket(position);
    if (scanner.sees("(")) return this.#parenthesis(position);
    return this.#call();
  }

  #bracket(position: SourcePosition): Unit {
    const scanner = this.#scanner;
    const each = scanner.match(/\[\s*([\p{L}_][\p{L}\p{N}_]*)\s*\]\s*>>\s*/uy);
    if (each !== undefined) return { kind: "each", collection: each[1] ?? "", call: this.#call(), position };
    scanner.expect("[", "a bracket");
    const flows = [this.#flow()];
    while (scanner.take("&")) flows.push(this.#flow());
    scanner.expect("]", "& or ]");
    return { kind: "group", flows, position };
  }

  #parenthesis(position: SourcePosition): Unit {
    const scanner = this.#scanner;
    const names = scanner.match(/\(\s*([\p{L}_][\p{L}\p{N}_]*(?:\s*\+\s*[\p{L}_][\p{L}\p{N}_]*)+)\s*\)/uy);
    if (names !== undefined) {
      const fields = (names[1] ?? "").split("+").map((name) => ({ name: name.trim() }));
      return { kind: "values", fields, position };
    }
    scanner.expect("(", "a parenthesis");
    const flow = this.#flow();
    scanner.expect(")", "an arrow or )");
    return { kind: "nested", flow, position };
  }

  #call(): Unit & { readonly kind: "call" } {
    const scanner = this.#scanner;
    const position = scanner.position();
    const name = scanner.name("a step");
    const args = scanner.seesDirectly("(") ? this.#fields("(", ")") : undefined;
    const agent = scanner.take("@") ? scanner.name("the name of an agent") : undefined;
    const modifiers: string[] = [];
    for (let found = scanner.match(modifier); found !== undefined; found = scanner.match(modifier))
      modifiers.push(found[0]);
    return {
      kind: "call",
      name,
      ...(args !== undefined && { args }),
      ...(agent !== undefined && { agent }),
      ...(modifiers.length > 0 && { modifiers }),
      position,
    };
  }

  /** `name`, `name: expression`, or an expression alone, which is the argument of its number. */
  #fields(open: string, close: string): readonly Field[] {
    const scanner = this.#scanner;
    scanner.expect(open, open);
    const fields: Field[] = [];
    while (!scanner.take(close)) {
      if (fields.length > 0) scanner.expect(",", `, or ${close}`);
      const named = scanner.match(/([\p{L}_][\p{L}\p{N}_]*)\s*:\s*/uy)?.[1];
      const text = scanner.expression(`,${close}`);
      if (text === "") throw scanner.fault("a value");
      if (named !== undefined) fields.push({ name: named, text });
      else if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(text) && literalOf(text) === undefined) fields.push({ name: text });
      else fields.push({ name: `arg${fields.length + 1}`, text });
    }
    return fields;
  }
}

function literalOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
