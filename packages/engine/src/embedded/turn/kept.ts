import type { InstanceNumber, OutboxEntry } from "../store.ts";

/** What was given to paused instances: it stays in the outbox until they go on or end. Here is which of it that is. */
export class KeptParcels {
  readonly #entries: Map<InstanceNumber, OutboxEntry[]> = new Map();

  add(instance: InstanceNumber, entry: OutboxEntry): void {
    const entries = this.#entries.get(instance);
    if (entries === undefined) this.#entries.set(instance, [entry]);
    else entries.push(entry);
  }

  has(instance: InstanceNumber): boolean {
    return this.#entries.has(instance);
  }

  /** All for one instance, oldest first; they are not here any more. */
  release(instance: InstanceNumber): readonly OutboxEntry[] {
    const entries = this.#entries.get(instance) ?? [];
    this.#entries.delete(instance);
    return entries;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  clear(): void {
    this.#entries.clear();
  }
}
