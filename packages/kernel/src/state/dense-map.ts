/** Stands where nothing is. */
const gap = Symbol("gap");

/** So many gaps do not matter. */
const gapsMin = 8;

/**
 * A Map from whole numbers that count up, as an array: what is found by its place needs no hashing, and lies beside its
 * neighbours. It takes only what comes in order and leaves few gaps; whoever holds it has a Map for the rest.
 */
export class DenseMap<V> {
  readonly #begin: number;
  readonly #values: (V | typeof gap)[] = [];
  #size: number = 0;

  private constructor(begin: number) {
    this.#begin = begin;
  }

  /** Undefined when they are not for it. */
  static of<V>(entries: readonly (readonly [key: unknown, value: V])[]): DenseMap<V> | undefined {
    const begin = entries[0]?.[0];
    if (typeof begin !== "number") return undefined;
    const map = new DenseMap<V>(begin);
    return entries.every(([key, value]) => typeof key === "number" && map.set(key, value)) ? map : undefined;
  }

  get size(): number {
    return this.#size;
  }

  /** It has many more gaps than it would with the same entries anew. */
  get isSparse(): boolean {
    return this.#values.length > gapsMin + 4 * this.#size;
  }

  get(key: number): V | undefined {
    const value = this.#at(key - this.#begin);
    return value === gap ? undefined : value;
  }

  has(key: number): boolean {
    return this.#at(key - this.#begin) !== gap;
  }

  /** False when it would be out of order, or leave many gaps: then nothing has changed. */
  set(key: number, value: V): boolean {
    const values = this.#values;
    const place = key - this.#begin;
    if (this.#at(place) !== gap) {
      values[place] = value;
      return true;
    }
    if (place < values.length || place > gapsMin + 2 * this.#size) return false;
    while (values.length < place) values.push(gap);
    values.push(value);
    this.#size += 1;
    return true;
  }

  delete(key: number): boolean {
    if (!this.has(key)) return false;
    this.#values[key - this.#begin] = gap;
    this.#size -= 1;
    return true;
  }

  *entries(): IterableIterator<[number, V]> {
    for (let place = 0; place < this.#values.length; place += 1) {
      const value = this.#at(place);
      if (value !== gap) yield [this.#begin + place, value];
    }
  }

  *values(): IterableIterator<V> {
    for (let place = 0; place < this.#values.length; place += 1) {
      const value = this.#at(place);
      if (value !== gap) yield value;
    }
  }

  #at(place: number): V | typeof gap {
    // An array that is asked for what lies beyond it answers slowly from then on.
    return place >= 0 && place < this.#values.length ? (this.#values[place] as V | typeof gap) : gap;
  }
}
