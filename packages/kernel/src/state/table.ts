import { assert } from "../problem.ts";
import { OrderedSet } from "./ordered-set.ts";
import { SmallMap } from "./small-map.ts";

/**
 * Keyed records of a state, which holds them in a SmallMap. Records are replaced, never edited, so an overlay can stand
 * in front of an untouched table. Iteration is in order of first insertion; an overlay gives the untouched records first.
 */
export interface Table<K, V> {
  get(key: K): V | undefined;
  delete(key: K): void;
  values(): IterableIterator<V>;
}

/** What `writable` gives for a table of a state. */
export interface WritableTable<K, V> extends Table<K, V> {
  set(key: K, value: V): void;
}

/** Ordered sets of keys under a key: which children a scope has, which items are ready. */
export interface Index<K, V> {
  remove(key: K, value: V): void;
  drop(key: K): void;
  has(key: K, value: V): boolean;
  of(key: K): IterableIterator<V>;
  count(key: K): number;
}

export interface WritableIndex<K, V> extends Index<K, V> {
  add(key: K, value: V): void;
}

/** `changes` holds undefined for a record deleted here; it is made on the first write, since most stay empty. */
export class OverlayTable<K, V> implements WritableTable<K, V> {
  readonly #base: SmallMap<K, V>;
  #changes: SmallMap<K, V | undefined> | undefined;

  constructor(base: SmallMap<K, V>) {
    this.#base = base;
  }
  get(key: K): V | undefined {
    const changes = this.#changes;
    if (changes !== undefined) {
      const changed = changes.get(key);
      if (changed !== undefined || changes.has(key)) return changed;
    }
    return this.#base.get(key);
  }
  set(key: K, value: V): void {
    this.#changes ??= new SmallMap();
    this.#changes.set(key, value);
  }
  delete(key: K): void {
    if (this.get(key) === undefined) return;
    this.#changes ??= new SmallMap();
    this.#changes.set(key, undefined);
  }
  values(): IterableIterator<V> {
    const changes = this.#changes;
    return changes === undefined ? this.#base.values() : this.#changed(changes);
  }
  *#changed(changes: SmallMap<K, V | undefined>): IterableIterator<V> {
    const base = this.#base;
    for (const [key, value] of base) {
      const changed = changes.has(key) ? changes.get(key) : value;
      if (changed !== undefined) yield changed;
    }
    for (const [key, value] of changes) {
      if (value !== undefined && base.get(key) === undefined) yield value;
    }
  }
}

/** An iterator that has come to its end stays there: one does for all that look through nothing, as most do. */
const nobody: IterableIterator<never> = [].values();

export class MapIndex<K, V> implements WritableIndex<K, V> {
  readonly sets: SmallMap<K, OrderedSet<V>> = new SmallMap();

  add(key: K, value: V): void {
    const set = this.sets.get(key);
    if (set !== undefined) {
      set.add(value);
      return;
    }
    this.sets.set(key, new OrderedSet(value));
  }
  remove(key: K, value: V): void {
    const set = this.sets.get(key);
    if (set?.delete(value) && set.size === 0) this.sets.delete(key);
  }
  drop(key: K): void {
    this.sets.delete(key);
  }
  has(key: K, value: V): boolean {
    return this.sets.get(key)?.has(value) ?? false;
  }
  of(key: K): IterableIterator<V> {
    return this.sets.get(key)?.values() ?? nobody;
  }
  count(key: K): number {
    return this.sets.get(key)?.size ?? 0;
  }
}

interface IndexChange<V> {
  added: OrderedSet<V> | undefined;
  removed: OrderedSet<V> | undefined;
}

export class OverlayIndex<K, V> implements WritableIndex<K, V> {
  readonly #base: MapIndex<K, V>;
  #changes: SmallMap<K, IndexChange<V>> | undefined;

  constructor(base: MapIndex<K, V>) {
    this.#base = base;
  }
  #change(key: K): IndexChange<V> {
    this.#changes ??= new SmallMap();
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = { added: undefined, removed: undefined };
      this.#changes.set(key, change);
    }
    return change;
  }
  add(key: K, value: V): void {
    assert(!this.has(key, value), "a decision adds a value once");
    // A value that comes back goes to the end of the line, as it would in the table itself.
    const change = this.#change(key);
    if (change.added === undefined) change.added = new OrderedSet(value);
    else change.added.add(value);
  }
  remove(key: K, value: V): void {
    if (!this.has(key, value)) return;
    const change = this.#change(key);
    if (change.added?.delete(value)) return;
    if (change.removed === undefined) change.removed = new OrderedSet(value);
    else change.removed.add(value);
  }
  drop(key: K): void {
    if (this.count(key) === 0) return;
    for (const value of [...this.of(key)]) this.remove(key, value);
  }
  has(key: K, value: V): boolean {
    const change = this.#changes?.get(key);
    if (change === undefined) return this.#base.has(key, value);
    if (change.added?.has(value)) return true;
    return this.#base.has(key, value) && !change.removed?.has(value);
  }
  of(key: K): IterableIterator<V> {
    const change = this.#changes?.get(key);
    return change === undefined ? this.#base.of(key) : this.#changed(key, change);
  }
  *#changed(key: K, change: IndexChange<V>): IterableIterator<V> {
    for (const value of this.#base.of(key)) if (!change.removed?.has(value)) yield value;
    if (change.added !== undefined) yield* change.added.values();
  }
  count(key: K): number {
    const change = this.#changes?.get(key);
    const count = this.#base.count(key);
    return change === undefined ? count : count + (change.added?.size ?? 0) - (change.removed?.size ?? 0);
  }
}
