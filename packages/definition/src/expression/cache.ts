import { limits } from "../limits.ts";

/** What was compiled, by its text. Past the limit the oldest goes: a Map keeps the order of insertion. */
export class CompilationCache<T> {
  readonly #entries = new Map<string, T>();

  get(key: string, compile: () => T): T {
    const cached = this.#entries.get(key);
    if (cached !== undefined) return cached;
    const compiled = compile();
    if (this.#entries.size >= limits.expressionsCachedMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, compiled);
    return compiled;
  }
}
