const startBytes = 65_536;
/** A buffer that one large turn has made larger is let go. */
const keptBytesMax = 4_194_304;
/** Up to here a loop is faster than a call into the runtime. */
const loopCharsMax = 128;
const quotationMark = 34;
const backslash = 92;
const zero = 48;
const comma = 44;
const colon = 58;
const openBrace = 123;
const closeBrace = 125;
/** Numbers of nine digits and fewer are written in one go. */
const digitsUnit = 1_000_000_000;

function digitsOf(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}

/**
 * JSON put together as UTF-8 bytes. A text made by `+` is a tree of its pieces until somebody reads it, and a row is read
 * twice, by the hash and by the database: flattening it cost more than writing it.
 */
export class JsonBytes {
  #bytes: Buffer = Buffer.allocUnsafeSlow(startBytes);
  #length = 0;

  /** Bytes so far: also where the next piece will begin. */
  get length(): number {
    return this.#length;
  }

  /** Forgets all, or what comes after the first `length` bytes. */
  cut(length: number = 0): void {
    this.#length = length;
    if (length === 0 && this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafeSlow(startBytes);
  }

  /** Valid until the next change. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written since the buffer had `from` bytes. */
  textFrom(from: number): string {
    return this.#bytes.toString("utf8", from, this.#length);
  }

  /** Already JSON, or a part of it. */
  raw(text: string): this {
    const { length } = text;
    this.#reserve(length * 3);
    if (length > loopCharsMax) {
      this.#length += this.#bytes.write(text, this.#length);
      return this;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        this.#length += bytes.write(text, this.#length);
        return this;
      }
      bytes[at++] = code;
    }
    this.#length = at;
    return this;
  }

  /** One character of ASCII. */
  mark(code: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = code;
    return this;
  }

  number(value: number): this {
    // Keys, scopes and attempts: most numbers have one digit.
    if (value < 10 && value >= 0 && (value | 0) === value) return this.mark(zero + value);
    if (!Number.isSafeInteger(value) || value < 0) return this.raw(JSON.stringify(value));
    if (value < digitsUnit) return this.#digits(value, digitsOf(value));
    // An instant has more digits than the processor's fast whole numbers.
    const high = Math.floor(value / digitsUnit);
    return this.number(high).#digits(value - high * digitsUnit, digitsOf(digitsUnit - 1));
  }

  #digits(value: number, count: number): this {
    this.#reserve(count);
    const bytes = this.#bytes;
    let rest = value;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = zero + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += count;
    return this;
  }

  string(value: string): this {
    const { length } = value;
    if (length > loopCharsMax) return this.raw(JSON.stringify(value));
    this.#reserve(length + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = quotationMark;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      // What JSON escapes or UTF-8 writes in several bytes: few strings have any of it.
      if (code < 32 || code > 126 || code === quotationMark || code === backslash) {
        return this.raw(JSON.stringify(value));
      }
      bytes[at++] = code;
    }
    bytes[at++] = quotationMark;
    this.#length = at;
    return this;
  }

  /** What `JSON.stringify` gives for it. */
  value(value: unknown): this {
    if (typeof value === "string") return this.string(value);
    if (typeof value === "number") return this.number(value);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return this.#members(value);
    return this.raw(JSON.stringify(value));
  }

  /** Most objects are inputs, results and values of variables: none or a few members, and those texts and numbers. */
  #members(object: object): this {
    let count = 0;
    for (const name in object) {
      const member = (object as { readonly [name: string]: unknown })[name];
      if (member === undefined) continue;
      this.mark(count === 0 ? openBrace : comma);
      this.string(name).mark(colon);
      if (typeof member === "string") this.string(member);
      else if (typeof member === "number") this.number(member);
      else this.raw(JSON.stringify(member));
      count++;
    }
    if (count === 0) this.mark(openBrace);
    return this.mark(closeBrace);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
