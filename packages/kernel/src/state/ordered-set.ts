/** A line with more gaps than this, and than values, is moved together. */
const gapsMax = 32;

/**
 * Values in order of insertion. The first is found at once, however many were taken from before it: a Set, asked for its
 * first, walks each time past the places of all that have left, so a long line that moves up costs the square of its
 * length. What left is a gap until there are too many. Most leave as they came, from the front: where each of the others
 * stands is written down when the first of them leaves.
 */
class Line<V> {
  #values: (V | undefined)[] = [];
  /** Before it there are only gaps. */
  #begin: number = 0;
  #size: number = 0;
  #places: Map<V, number> | undefined = undefined;

  get size(): number {
    return this.#size;
  }
  has(value: V): boolean {
    return this.#placeOf(value) !== undefined;
  }
  add(value: V): void {
    this.#places?.set(value, this.#values.length);
    this.#values.push(value);
    this.#size += 1;
  }
  delete(value: V): boolean {
    const place = this.#placeOf(value);
    if (place === undefined) return false;
    this.#places?.delete(value);
    this.#values[place] = undefined;
    this.#size -= 1;
    while (this.#begin < this.#values.length && this.#values[this.#begin] === undefined) this.#begin += 1;
    const gaps = this.#values.length - this.#size;
    if (gaps > gapsMax && gaps > this.#size) this.#moveUp();
    return true;
  }
  *values(): IterableIterator<V> {
    const values = this.#values;
    for (let place = this.#begin; place < values.length; place += 1) {
      const value = values[place];
      if (value !== undefined) yield value;
    }
  }
  #placeOf(value: V): number | undefined {
    if (this.#values[this.#begin] === value) return this.#begin;
    this.#places ??= this.#listPlaces();
    return this.#places.get(value);
  }
  /** So far all have left from the front: there are no other gaps. */
  #listPlaces(): Map<V, number> {
    const places = new Map<V, number>();
    for (let place = this.#begin; place < this.#values.length; place += 1) places.set(this.#values[place] as V, place);
    return places;
  }
  /** Whoever is looking through it goes on with what was there. */
  #moveUp(): void {
    this.#values = this.#values.filter((value) => value !== undefined);
    this.#places = undefined;
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
