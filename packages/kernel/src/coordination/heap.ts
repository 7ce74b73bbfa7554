/** A binary min-heap. `compare(a, b) < 0` puts `a` first. Not stable by itself. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  #forgotten = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent] as T;
      if (this.#compare(above, item) <= 0) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) this.#sink(0, last);
    return first;
  }

  /**
   * Counts one item as dead, and sweeps all that `dead` names once they are more than half: removing from the middle
   * would cost a search each time.
   */
  forget(dead: (item: T) => boolean): void {
    this.#forgotten++;
    if (this.#forgotten < 64 || this.#forgotten * 2 < this.#items.length) return;
    this.replace(this.#items.filter((item) => !dead(item)));
  }

  /** Puts other items in place of all there are. */
  replace(items: T[]): void {
    this.#items = items;
    this.#forgotten = 0;
    for (let index = (items.length >> 1) - 1; index >= 0; index--) this.#sink(index, items[index] as T);
  }

  /** All items in order; the heap is empty afterwards. */
  drain(): T[] {
    const items = this.#items;
    this.#items = [];
    this.#forgotten = 0;
    return items.sort(this.#compare);
  }

  #sink(start: number, item: T): void {
    const items = this.#items;
    const half = items.length >> 1;
    let index = start;
    while (index < half) {
      let child = 2 * index + 1;
      const right = child + 1;
      if (right < items.length && this.#compare(items[right] as T, items[child] as T) < 0) child = right;
      if (this.#compare(items[child] as T, item) >= 0) break;
      items[index] = items[child] as T;
      index = child;
    }
    items[index] = item;
  }
}
