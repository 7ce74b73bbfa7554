const placesMin = 16;
/** 2^32 divided by the golden ratio: spreads numbers that follow each other, or leave each other by any step. */
const spread = 0x9e3779b1;

/**
 * A Map from whole numbers above 0, in two arrays: what comes and goes leaves nothing behind. A Map is made anew each time
 * so many have gone, and whichever of those outlives the young generation keeps all later ones with all that was in them,
 * since it points to the next.
 *
 * Open addressing with linear probing; what is deleted is filled from behind (Knuth, TAOCP 3, 6.4, algorithm R).
 */
export class NumberMap<V> {
  #keys: Float64Array = new Float64Array(placesMin);
  #values: (V | undefined)[] = new Array(placesMin).fill(undefined);
  #mask: number = placesMin - 1;
  /** So many low bits of a spread number are not used. */
  #shift: number = 32 - Math.log2(placesMin);
  #size: number = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): V | undefined {
    return this.#values[this.#placeOf(key)];
  }

  set(key: number, value: V): void {
    const place = this.#placeOf(key);
    this.#values[place] = value;
    if (this.#keys[place] === key) return;
    this.#keys[place] = key;
    this.#size++;
    if (this.#size * 2 > this.#keys.length) this.#resize(this.#keys.length * 2);
  }

  delete(key: number): boolean {
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    let gap = this.#placeOf(key);
    if (keys[gap] !== key) return false;
    for (let place = (gap + 1) & mask; keys[place] !== 0; place = (place + 1) & mask) {
      // It may stand in the gap if that is not before the place where the search for it begins.
      const home = this.#homeOf(keys[place] as number);
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      keys[gap] = keys[place] as number;
      values[gap] = values[place];
      gap = place;
    }
    keys[gap] = 0;
    values[gap] = undefined;
    this.#size--;
    if (keys.length > placesMin && this.#size * 8 < keys.length) this.#resize(keys.length / 2);
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#make(placesMin);
  }

  /** As they are now, in no order. */
  entries(): [number, V][] {
    const entries: [number, V][] = [];
    for (const [place, key] of this.#keys.entries()) if (key !== 0) entries.push([key, this.#values[place] as V]);
    return entries;
  }

  /** As they are now, in no order. */
  values(): V[] {
    return this.entries().map(([, value]) => value);
  }

  #homeOf(key: number): number {
    return Math.imul(key, spread) >>> this.#shift;
  }

  /** Where a number is, or would be put. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    const mask = this.#mask;
    let place = Math.imul(key, spread) >>> this.#shift;
    while (keys[place] !== key && keys[place] !== 0) place = (place + 1) & mask;
    return place;
  }

  #make(places: number): void {
    this.#keys = new Float64Array(places);
    this.#values = new Array(places).fill(undefined);
    this.#mask = places - 1;
    this.#shift = 32 - Math.log2(places);
  }

  #resize(places: number): void {
    const entries = this.entries();
    this.#make(places);
    for (const [key, value] of entries) {
      const place = this.#placeOf(key);
      this.#keys[place] = key;
      this.#values[place] = value;
    }
  }
}
