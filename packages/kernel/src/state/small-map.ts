/**
 * A Map whose first two entries need none: most tables of most instances never hold more, and making a Map costs as much
 * as deciding a tenth of a step. Order is that of first insertion. While there are two entries or fewer, an iteration
 * shows them as they were when it began.
 */
export class SmallMap<K, V> {
  #size: number = 0;
  #firstKey: K | undefined = undefined;
  #first: V | undefined = undefined;
  #secondKey: K | undefined = undefined;
  #second: V | undefined = undefined;
  #map: Map<K, V> | undefined = undefined;

  get size(): number {
    return this.#map === undefined ? this.#size : this.#map.size;
  }

  get(key: K): V | undefined {
    if (this.#map !== undefined) return this.#map.get(key);
    if (this.#size > 0 && this.#firstKey === key) return this.#first;
    return this.#size > 1 && this.#secondKey === key ? this.#second : undefined;
  }

  has(key: K): boolean {
    if (this.#map !== undefined) return this.#map.has(key);
    return (this.#size > 0 && this.#firstKey === key) || (this.#size > 1 && this.#secondKey === key);
  }

  set(key: K, value: V): void {
    if (this.#map !== undefined) {
      this.#map.set(key, value);
    } else if (this.#size > 0 && this.#firstKey === key) {
      this.#first = value;
    } else if (this.#size > 1) {
      if (this.#secondKey === key) this.#second = value;
      else this.#grow(key, value);
    } else if (this.#size === 1) {
      this.#secondKey = key;
      this.#second = value;
      this.#size = 2;
    } else {
      this.#firstKey = key;
      this.#first = value;
      this.#size = 1;
    }
  }

  delete(key: K): boolean {
    if (this.#map !== undefined) return this.#map.delete(key);
    if (this.#size > 1 && this.#secondKey === key) {
      this.#forgetSecond();
      return true;
    }
    if (this.#size === 0 || this.#firstKey !== key) return false;
    this.#firstKey = this.#secondKey;
    this.#first = this.#second;
    if (this.#size > 1) this.#forgetSecond();
    else this.#size = 0;
    return true;
  }

  clear(): void {
    this.#map = undefined;
    this.#size = 0;
    this.#firstKey = undefined;
    this.#first = undefined;
    this.#secondKey = undefined;
    this.#second = undefined;
  }

  keys(): IterableIterator<K> {
    return this.#map === undefined ? this.#list((key) => key).values() : this.#map.keys();
  }

  values(): IterableIterator<V> {
    return this.#map === undefined ? this.#list((_key, value) => value).values() : this.#map.values();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#map === undefined ? this.#list((key, value): [K, V] => [key, value]).values() : this.#map.entries();
  }

  #list<T>(pick: (key: K, value: V) => T): T[] {
    if (this.#size === 0) return [];
    const first = pick(this.#firstKey as K, this.#first as V);
    return this.#size === 1 ? [first] : [first, pick(this.#secondKey as K, this.#second as V)];
  }

  #forgetSecond(): void {
    this.#secondKey = undefined;
    this.#second = undefined;
    this.#size -= 1;
  }

  #grow(key: K, value: V): void {
    const map = new Map<K, V>();
    map.set(this.#firstKey as K, this.#first as V);
    map.set(this.#secondKey as K, this.#second as V);
    this.#map = map.set(key, value);
    this.#firstKey = undefined;
    this.#first = undefined;
    this.#forgetSecond();
  }
}
