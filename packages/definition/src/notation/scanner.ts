import type { SourcePosition } from "@tutti/kernel";
import { refusedIn, whyRefused } from "./refused.ts";

/** What is wrong with a line, and where. */
export class SyntaxFault extends Error {
  readonly position: SourcePosition;
  constructor(message: string, position: SourcePosition) {
    super(message);
    this.name = "SyntaxFault";
    this.position = position;
  }
}

/** Texts first, so that no sign inside one means anything. */
const commentOrText = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?:^[ \t]*|[ \t]{2,})#[^\n]*/gm;
const blankOrText = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\s*∈\s*|\s+/g;
const string = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y;

/** Walks over a text. Blanks are skipped before whatever is asked for; line ends too while a bracket is open. */
export class Scanner {
  readonly #text: string;
  /** Where the text stands in its file; every line of it is as far in as the first. */
  readonly #start: SourcePosition;
  readonly #lines: readonly number[];
  #at = 0;
  #open = 0;

  constructor(text: string, start: SourcePosition) {
    // Comments become blanks, so that places stay what they are.
    this.#text = text
      .replaceAll("\r\n", "\n")
      .replaceAll(commentOrText, (found, quoted: string | undefined) => quoted ?? " ".repeat(found.length));
    this.#lines = [0, ...[...this.#text.matchAll(/\n/g)].map((end) => end.index + 1)];
    this.#start = start;
  }

  position(): SourcePosition {
    this.#skip();
    return this.#place(this.#at);
  }

  #place(at: number): SourcePosition {
    let index = this.#lines.length - 1;
    for (let low = 0; low < index; ) {
      const middle = Math.ceil((low + index) / 2);
      if ((this.#lines[middle] ?? 0) <= at) low = middle;
      else index = middle - 1;
    }
    const column = at - (this.#lines[index] ?? 0) + 1;
    const { line, column: first, file } = this.#start;
    return {
      ...(file !== undefined && { file }),
      line: line + index,
      column: first + column - 1,
    };
  }

  fault(expected: string): SyntaxFault {
    this.#skip();
    const found = this.#text.slice(this.#at).split("\n")[0]?.slice(0, 20) ?? "";
    const what = found === "" ? "the line ends" : `found ${JSON.stringify(found)}`;
    const why = whyRefused(found);
    const message = `Expected ${expected}, but ${what}${why === undefined ? "" : ` (${why})`}`;
    return new SyntaxFault(message, this.#place(this.#at));
  }

  #skip(): void {
    const blank = this.#open > 0 ? /\s*/y : /[ \t]*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.#text);
    this.#at = blank.lastIndex;
  }

  /** Moves to the next line with something in it. */
  nextLine(): boolean {
    this.#open = 0;
    const blank = /\s*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.#text);
    this.#at = blank.lastIndex;
    return this.#at < this.#text.length;
  }

  endLine(): void {
    this.#skip();
    if (this.#at < this.#text.length && this.#text[this.#at] !== "\n")
      throw this.fault("an arrow or the end of the line");
  }

  skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  sees(sign: string): boolean {
    this.#skip();
    return this.#text.startsWith(sign, this.#at);
  }

  seesDirectly(sign: string): boolean {
    return this.#text.startsWith(sign, this.#at);
  }

  /** Takes the first of the signs that stands here. */
  take(...signs: readonly string[]): boolean {
    this.#skip();
    const found = signs.find((sign) => this.#text.startsWith(sign, this.#at));
    if (found === undefined) return false;
    this.#count(found);
    this.#at += found.length;
    return true;
  }

  #count(sign: string): void {
    if (sign === "(" || sign === "[" || sign === "{") this.#open += 1;
    else if (sign === ")" || sign === "]" || sign === "}") this.#open -= 1;
  }

  expect(sign: string, expected: string): void {
    if (!this.take(sign)) throw this.fault(expected);
  }

  name(expected: string): string {
    const found = this.match(/[\p{L}_][\p{L}\p{N}_-]*/uy);
    if (found === undefined) throw this.fault(expected);
    return found[0];
  }

  /** Takes what the sticky pattern matches here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** The condition of a choice, when a question mark follows before the unit ends; it is taken with it. */
  condition(): string | undefined {
    this.#skip();
    const end = this.#find((at) => {
      if (this.#text[at] === "?") return "found";
      return /^(?:→|->|⇒|=>|\||&(?!&)|:|\n|,)/u.test(this.#text.slice(at, at + 2)) && !this.#text.startsWith("||", at)
        ? "none"
        : "on";
    });
    if (end === undefined) return undefined;
    const text = this.#cel(end);
    this.#at = end + 1;
    return text;
  }

  /** CEL up to one of these signs, outside of brackets and texts. */
  expression(until: string): string {
    this.#skip();
    const end = this.#find((at) => (until.includes(this.#text[at] ?? "\n") ? "found" : "on")) ?? this.#text.length;
    const text = this.#cel(end);
    this.#at = end;
    return text;
  }

  /** What stands up to there, as CEL. */
  #cel(end: number): string {
    const text = this.#text.slice(this.#at, end);
    // The end may stand on the first half of `??`.
    const refused = refusedIn(this.#text.slice(this.#at, end + 2));
    if (refused !== undefined) {
      this.#at += refused;
      throw this.fault("a CEL expression");
    }
    return celOf(text.trim());
  }

  /** The place that `look` finds, outside of brackets and texts; undefined when it says there is none. */
  #find(look: (at: number) => "found" | "none" | "on"): number | undefined {
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at += 1) {
      string.lastIndex = at;
      if (string.test(this.#text)) {
        at = string.lastIndex - 1;
        continue;
      }
      const sign = this.#text[at] ?? "";
      if (depth === 0) {
        // The second half of `||` is no pipe.
        if (this.#text.startsWith("||", at) || this.#text.startsWith("&&", at)) {
          at += 1;
          continue;
        }
        const seen = look(at);
        if (seen === "found") return at;
        if (seen === "none") return undefined;
      }
      if ("([{".includes(sign)) depth += 1;
      else if (")]}".includes(sign) && --depth < 0) return undefined;
    }
    return undefined;
  }
}

/** CEL has a word for the sign of membership. */
function celOf(text: string): string {
  return text.replaceAll(blankOrText, (found, quoted: string | undefined) => {
    return quoted ?? (found.includes("∈") ? " in " : " ");
  });
}
