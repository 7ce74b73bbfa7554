const startPlaces = 1_024;

/** A number for each place, 0 where none was put, out of the garbage collector's sight. */
export class Column {
  #values: Float64Array = new Float64Array(startPlaces);

  get(place: number): number {
    return this.#values[place] ?? 0;
  }

  set(place: number, value: number): void {
    if (place >= this.#values.length) this.#grow(place);
    this.#values[place] = value;
  }

  #grow(place: number): void {
    const larger = new Float64Array(Math.max(this.#values.length * 2, place + 1));
    larger.set(this.#values);
    this.#values = larger;
  }
}
