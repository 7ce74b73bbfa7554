import type { JsonObject } from "@tutti/kernel";

export type Payload =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly reason: string };

/** Deeper values cannot be walked safely, here or in whatever reads them later. */
const depthMax = 100;

/**
 * A value from outside as plain JSON. What JSON cannot say (undefined, functions, NaN) is dropped as JSON.stringify
 * does, so that memory and log never differ; what it refuses (cycles, bigints) and what is too large is a reason.
 */
export function toPayload(value: unknown, charsMax: number): Payload {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, reason: "expected a JSON object, but it is not one" };
  }
  const walk = new Walk(charsMax);
  const plain = walk.isPlain(value, 0);
  if (walk.problem !== undefined) return { ok: false, reason: walk.problem };
  if (plain) return { ok: true, value: value as JsonObject };
  try {
    return { ok: true, value: JSON.parse(JSON.stringify(value)) as JsonObject };
  } catch (error) {
    return { ok: false, reason: `expected plain JSON, but ${error instanceof Error ? error.message : String(error)}` };
  }
}

class Walk {
  problem: string | undefined;
  readonly #charsMax: number;
  #chars = 0;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  isPlain(value: unknown, depth: number): boolean {
    this.#chars += typeof value === "string" ? value.length + 2 : 4;
    if (this.#chars > this.#charsMax)
      this.problem ??= `expected at most ${this.#charsMax} characters, but there are more`;
    if (depth > depthMax) this.problem ??= `expected values nested at most ${depthMax} deep, but they are deeper`;
    if (this.problem !== undefined) return false;
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(value);
      case "object":
        return value === null || this.#isPlainObject(value, depth);
      default:
        return false;
    }
  }

  #isPlainObject(value: object, depth: number): boolean {
    let plain = true;
    if (Array.isArray(value)) {
      for (const each of value) if (!this.isPlain(each, depth + 1)) plain = false;
      return plain;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) plain = false;
    for (const name in value) {
      this.#chars += name.length + 3;
      if (!this.isPlain((value as { [name: string]: unknown })[name], depth + 1)) plain = false;
    }
    return plain;
  }
}
