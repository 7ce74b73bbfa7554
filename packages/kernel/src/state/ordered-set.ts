/** A line with more gaps than this, and than values, is moved together. */
const gapsMax = 32;

/**
 * Values in order of insertion. The first is found at once, however many were taken from before it: a Set, asked for its
 * first, walks each time past the places of all that have left, so a long line that moves up costs the square of its
 * length. Each value knows its place; what left is a gap until there are too many.
 */
class Line<V> {
  #places: Map<V, number> = new Map();
  #values: V[] = [];
  /** Before it there are only gaps. */
  #begin: number = 0;

  get size(): number {
    return this.#places.size;
  }
  has(value: V): boolean {
    return this.#places.has(value);
  }
  add(value: V): void {
    this.#places.set(value, this.#values.length);
    this.#values.push(value);
  }
  delete(value: V): boolean {
    if (!this.#places.delete(value)) return false;
    while (this.#begin < this.#values.length && this.#isGap(this.#begin)) this.#begin += 1;
    const gaps = this.#values.length - this.size;
    if (gaps > gapsMax && gaps > this.size) this.#moveUp();
    return true;
  }
  *values(): IterableIterator<V> {
    const values = this.#values;
    const places = this.#places;
    for (let place = this.#begin; place < values.length; place += 1) {
      const value = values[place] as V;
      // One that came back stands at the end, too.
      if (places.get(value) === place) yield value;
    }
  }
  #isGap(place: number): boolean {
    return this.#places.get(this.#values[place] as V) !== place;
  }
  /** Whoever is looking through it goes on with what was there. */
  #moveUp(): void {
    this.#values = [...this.values()];
    this.#places = new Map();
    for (const [place, value] of this.#values.entries()) this.#places.set(value, place);
    this.#begin = 0;
  }
}

/** A set in order of insertion, of anything but undefined. It needs a line only from the second value on: most have one. */
export class OrderedSet<V> {
  #only: V | undefined;
  #line: Line<V> | undefined = undefined;

  constructor(value: V) {
    this.#only = value;
  }

  get size(): number {
    if (this.#line !== undefined) return this.#line.size;
    return this.#only === undefined ? 0 : 1;
  }
  has(value: V): boolean {
    return this.#line === undefined ? this.#only === value : this.#line.has(value);
  }
  /** What is not in it: nothing is added twice. */
  add(value: V): void {
    if (this.#line === undefined) {
      if (this.#only === undefined) {
        this.#only = value;
        return;
      }
      this.#line = new Line();
      this.#line.add(this.#only);
      this.#only = undefined;
    }
    this.#line.add(value);
  }
  delete(value: V): boolean {
    if (this.#line !== undefined) return this.#line.delete(value);
    if (this.#only !== value) return false;
    this.#only = undefined;
    return true;
  }
  values(): IterableIterator<V> {
    if (this.#line !== undefined) return this.#line.values();
    return (this.#only === undefined ? [] : [this.#only]).values();
  }
}
