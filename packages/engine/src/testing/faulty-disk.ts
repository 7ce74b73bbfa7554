import type { Disk } from "../embedded/memory/journal.ts";

export type DiskFault = "append" | "sync" | "short-append";

/**
 * A disk in memory that can fail as disks do: refuse to write, write a part and then refuse, refuse to sync, and on a
 * crash lose any part of what was not synced. With `lyingSync` it says it synced and did not, which is a bug of the
 * disk that no log survives; tests plant it to see that they would notice.
 */
export class FaultyDisk implements Disk {
  #synced: Uint8Array = new Uint8Array(0);
  #pending: Uint8Array = new Uint8Array(0);
  /** Faults to come, first next; each is used once. `undefined` lets one operation pass. */
  readonly faults: (DiskFault | undefined)[] = [];
  lyingSync = false;
  syncs = 0;

  get unsyncedBytes(): number {
    return this.#pending.length;
  }

  async read(): Promise<Uint8Array> {
    return concat(this.#synced, this.#pending);
  }

  async append(bytes: Uint8Array): Promise<void> {
    const fault = this.#fault("append", "short-append");
    if (fault === "append") throw new Error("ENOSPC: no space left on device");
    if (fault === "short-append") {
      this.#pending = concat(this.#pending, bytes.subarray(0, bytes.length >> 1));
      throw new Error("ENOSPC: no space left on device, after a part");
    }
    this.#pending = concat(this.#pending, bytes);
  }

  async sync(): Promise<void> {
    this.syncs++;
    if (this.#fault("sync") !== undefined) throw new Error("EIO: the disk did not sync");
    if (this.lyingSync) return;
    this.#synced = concat(this.#synced, this.#pending);
    this.#pending = new Uint8Array(0);
  }

  async truncate(length: number): Promise<void> {
    const all = concat(this.#synced, this.#pending).slice(0, length);
    const kept = Math.min(this.#synced.length, length);
    this.#synced = all.slice(0, kept);
    this.#pending = all.slice(kept);
  }

  /** The power fails: of what was not synced only the first `keptBytes` are left, torn wherever that falls. */
  crash(keptBytes: number): void {
    this.#synced = concat(this.#synced, this.#pending.subarray(0, keptBytes));
    this.#pending = new Uint8Array(0);
    this.faults.length = 0;
  }

  #fault(...kinds: DiskFault[]): DiskFault | undefined {
    const next = this.faults[0];
    if (this.faults.length === 0) return undefined;
    if (next === undefined || kinds.includes(next)) return this.faults.shift();
    return undefined;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
