import { type Disk, decodeEntries, encodeEntry } from "../embedded/memory/journal.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import type { Store } from "../embedded/store.ts";
import type { Life } from "./life.ts";
import type { DiskFault, Medium } from "./medium.ts";
import type { Random } from "./random.ts";

/** The file as the process sees it, and what of it would survive the power. */
interface Piece {
  bytes: Uint8Array;
  /** `lost`: its sync failed, so the system forgot to write it, though reading still shows it. */
  state: "cached" | "lost" | "synced";
}

/** The bytes of one file behind a cache that a crash can lose. */
export class SimulatedDisk {
  pieces: Piece[] = [];
  readonly faults: DiskFault[] = [];
  /** A planted bug: of a torn turn the rows are kept, as a reader would that does not look at digests. */
  acceptsTorn = false;

  append(bytes: Uint8Array): void {
    const fault = this.#take("full", "short-write");
    if (fault === "short-write") this.pieces.push({ bytes: bytes.slice(0, bytes.length >> 1), state: "cached" });
    if (fault !== undefined) throw new Error("ENOSPC: no space left on device");
    this.pieces.push({ bytes, state: "cached" });
  }

  sync(): void {
    const fault = this.#take("sync-error", "sync-error-lost");
    for (const piece of this.pieces) {
      if (piece.state !== "cached") continue;
      if (fault === undefined) piece.state = "synced";
      else if (fault === "sync-error-lost") piece.state = "lost";
    }
    if (fault !== undefined) throw new Error("EIO: the disk did not sync");
  }

  truncate(length: number): void {
    let left = length;
    this.pieces = this.pieces.filter((piece) => {
      if (piece.bytes.length > left) piece.bytes = piece.bytes.slice(0, left);
      left -= piece.bytes.length;
      return piece.bytes.length > 0;
    });
  }

  read(): Uint8Array {
    return Buffer.concat(this.pieces.map((piece) => piece.bytes));
  }

  /** A killed process leaves all it wrote; a power cut what was synced, and any part of the rest, perhaps garbled. */
  crash(random: Random): string {
    this.faults.length = 0;
    const firstLoose = this.pieces.findIndex((piece) => piece.state !== "synced");
    if (firstLoose === -1) return "nothing-unsynced";
    const synced = this.pieces.slice(0, firstLoose);
    const loose = this.pieces.slice(firstLoose);
    const lost = loose.some((piece) => piece.state === "lost");
    const damage = random.pick([lost ? "lost-tail" : "killed", "lost-tail", "torn-tail", "torn-tail", "garbled-tail"]);
    if (damage === "killed") return damage;
    const tail = Buffer.concat(
      loose.map(({ bytes, state }) => (state === "lost" ? Buffer.alloc(bytes.length) : Buffer.from(bytes))),
    );
    const kept = damage === "lost-tail" ? 0 : random.below(tail.length + 1);
    // A sector that never arrived, with one after it that did.
    if (damage === "garbled-tail") tail.fill(0, random.below(kept + 1), random.below(kept + 1));
    this.pieces = [...synced, { bytes: tail.subarray(0, kept), state: "synced" }];
    if (this.acceptsTorn && kept > 0) this.#acceptTorn(synced, loose);
    return damage;
  }

  #acceptTorn(synced: readonly Piece[], loose: readonly Piece[]): void {
    const entries = loose.flatMap(({ bytes }) => decodeEntries(bytes).entries);
    const kept = entries.map((entry) => {
      if (entry.type === "epoch") return encodeEntry(entry);
      return encodeEntry({ type: "turn", turn: { rows: entry.turn.rows, changes: [] } });
    });
    this.pieces = [...synced, { bytes: Buffer.concat(kept), state: "synced" }];
  }

  #take(...kinds: DiskFault[]): DiskFault | undefined {
    const next = this.faults[0];
    return next !== undefined && kinds.includes(next) ? this.faults.shift() : undefined;
  }
}

/** The disk as one process reaches it; every touch is a place to die. */
function reach(disk: SimulatedDisk, life: Life): Disk {
  const touch = async (name: string, work: () => void): Promise<void> => {
    await life.alive();
    life.pass(`disk:before-${name}`);
    await life.alive();
    work();
    life.pass(`disk:after-${name}`);
    await life.alive();
  };
  return {
    read: async () => {
      await life.alive();
      return disk.read();
    },
    append: (bytes) => touch("append", () => disk.append(bytes)),
    sync: () => touch("sync", () => disk.sync()),
    truncate: (length) => touch("truncate", () => disk.truncate(length)),
  };
}

/** The log in memory, journalled to a simulated disk. */
export class JournalMedium implements Medium {
  readonly faults: readonly DiskFault[] = ["full", "short-write", "sync-error", "sync-error-lost"];
  readonly insideCommit: string = "disk:after-append";
  readonly disk: SimulatedDisk = new SimulatedDisk();

  open(life: Life): Promise<Store> {
    return openMemoryStore({ disk: reach(this.disk, life) });
  }

  fail(fault: DiskFault): void {
    this.disk.faults.push(fault);
  }

  heal(): void {
    this.disk.faults.length = 0;
  }

  crash(random: Random): string {
    return this.disk.crash(random);
  }

  async verify(): Promise<void> {
    const bytes = this.disk.read();
    // Reading everything once more would cost as much as an opening; every eighth schedule does.
    if (bytes.length % 8 !== 0) return;
    const { length } = decodeEntries(bytes);
    if (length !== bytes.length)
      throw new Error(`the journal does not read back after ${length} of ${bytes.length} bytes`);
  }

  dispose(): void {
    this.disk.pieces = [];
  }
}
