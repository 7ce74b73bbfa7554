import { DenseMap } from "./dense-map.ts";

/**
 * A Map whose first two entries need none: most tables of most instances never hold more, and making a Map costs as much
 * as deciding a tenth of a step. More of them are in an array while their keys count up, as those of an instance mostly
 * do; only what is left needs a Map. Order is that of first insertion. Whoever iterates changes nothing meanwhile.
 */
export class SmallMap<K, V> {
  #size: number = 0;
  #firstKey: K | undefined = undefined;
  #first: V | undefined = undefined;
  #secondKey: K | undefined = undefined;
  #second: V | undefined = undefined;
  // One of these has all entries once there were three.
  #dense: DenseMap<V> | undefined = undefined;
  #map: Map<K, V> | undefined = undefined;

  get size(): number {
    return (this.#dense ?? this.#map)?.size ?? this.#size;
  }

  get(key: K): V | undefined {
    if (this.#dense !== undefined) return this.#dense.get(key as number);
    if (this.#map !== undefined) return this.#map.get(key);
    if (this.#size > 0 && this.#firstKey === key) return this.#first;
    return this.#size > 1 && this.#secondKey === key ? this.#second : undefined;
  }

  has(key: K): boolean {
    if (this.#dense !== undefined) return this.#dense.has(key as number);
    if (this.#map !== undefined) return this.#map.has(key);
    return (this.#size > 0 && this.#firstKey === key) || (this.#size > 1 && this.#secondKey === key);
  }

  set(key: K, value: V): void {
    if (this.#dense !== undefined) {
      if (!this.#dense.set(key as number, value)) this.#hold([...this, [key, value]]);
    } else if (this.#map !== undefined) {
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
    if (this.#dense !== undefined) return this.#leave(this.#dense, key);
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
    this.#dense = undefined;
    this.#map = undefined;
    this.#size = 0;
    this.#firstKey = undefined;
    this.#first = undefined;
    this.#secondKey = undefined;
    this.#second = undefined;
  }

  keys(): IterableIterator<K> {
    if (this.#dense !== undefined) return [...this].map(([key]) => key).values();
    return this.#map === undefined ? this.#list((key) => key).values() : this.#map.keys();
  }

  values(): IterableIterator<V> {
    if (this.#dense !== undefined) return this.#dense.values();
    return this.#map === undefined ? this.#list((_key, value) => value).values() : this.#map.values();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    if (this.#dense !== undefined) return this.#dense.entries() as IterableIterator<[K & number, V]>;
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
    const entries = [...this, [key, value] as [K, V]];
    this.clear();
    this.#hold(entries);
  }

  #hold(entries: readonly [K, V][]): void {
    this.#dense = DenseMap.of(entries);
    this.#map = this.#dense === undefined ? new Map(entries) : undefined;
  }

  /** Most leave as they came, from the front: what is left may have few gaps again once it begins later. */
  #leave(dense: DenseMap<V>, key: K): boolean {
    if (!dense.delete(key as number)) return false;
    if (dense.size === 0) this.#dense = undefined;
    else if (dense.isSparse) this.#hold([...this]);
    return true;
  }
}
