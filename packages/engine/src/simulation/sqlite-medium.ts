import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import { verifyLog } from "../embedded/sqlite/verify.ts";
import type { Store } from "../embedded/store.ts";
import type { Life } from "./life.ts";
import type { DiskFault, Medium } from "./medium.ts";
import type { Random } from "./random.ts";

/** Room enough. */
const bytesMax = 100_000_000;

interface Image {
  readonly main: Buffer;
  readonly wal: Buffer;
}

/**
 * The real SQLite file. Its write and its sync cannot be parted from outside, so a crash inside a commit is made from
 * two images of the files, one from before it and one from after it: what the commit wrote, cut at any byte and
 * garbled before the cut, is what a power cut between write and sync may leave. Every life opens the left files in a
 * folder of its own with the real store.
 */
export class SqliteMedium implements Medium {
  readonly faults: readonly DiskFault[] = ["full", "sync-error"];
  readonly insideCommit: string = "disk:in-commit";
  readonly #root: string;
  #folders = 0;
  #folder: string;
  #store: Store | undefined;
  #fault: DiskFault | undefined;
  /** From the next opening on there is no room for another page: SQLite itself then refuses what needs one. */
  #tight = false;
  readonly #room: { readonly bytesMax: number };
  /** Taken when a life is to end in a commit: what was there before it. */
  #before: Image | undefined;
  /** With it crashes forget the newest commit even though it was answered: the bug that a missing sync would be. */
  readonly #loseSynced: boolean;

  constructor(options: { readonly loseSynced?: boolean } = {}) {
    this.#root = mkdtempSync(join(temporaryFolder(), "tutti-simulation-"));
    this.#loseSynced = options.loseSynced ?? false;
    this.#folder = this.#nextFolder();
    const bytesNow = (): number => (this.#tight ? 4_096 : bytesMax);
    this.#room = {
      get bytesMax() {
        return bytesNow();
      },
    };
  }

  async open(life: Life): Promise<Store> {
    const store = openSqliteStore(this.#path, this.#room);
    this.#store = store;
    const write = async <T>(work: () => Promise<T>): Promise<T> => {
      await life.alive();
      const fault = this.#fault;
      this.#fault = undefined;
      life.pass("disk:before-commit");
      await life.alive();
      if (life.plan !== undefined || this.#loseSynced) this.#before = this.#image();
      const result = await work();
      life.pass("disk:in-commit");
      await life.alive();
      // From here on it is synced: a crash may not take it back.
      if (!this.#loseSynced) this.#before = undefined;
      life.pass("disk:after-commit");
      await life.alive();
      if (fault === "sync-error") throw new AppError("storage-failed", "EIO: the disk did not sync");
      return result;
    };
    return {
      ...store,
      claimEpoch: () => write(() => store.claimEpoch()),
      commit: (turn) => write(() => store.commit(turn)),
      reopen: async () => {
        await life.alive();
        // Somebody has made room meanwhile.
        this.#tight = false;
        await store.reopen();
      },
    };
  }

  fail(fault: DiskFault): void {
    if (fault === "full") this.#tight = true;
    else this.#fault = fault;
  }

  heal(): void {
    this.#fault = undefined;
    this.#tight = false;
  }

  crash(random: Random): string {
    const after = this.#image();
    const before = this.#before;
    this.#before = undefined;
    this.#fault = undefined;
    const old = this.#folder;
    this.#folder = this.#nextFolder();
    const damage = before === undefined ? "killed" : this.#loseSynced ? "lost-tail" : this.#damage(random);
    const left = before === undefined ? after : tear({ before, after, damage, random });
    writeFileSync(this.#path, left.main);
    if (left.wal.length > 0) writeFileSync(`${this.#path}-wal`, left.wal);
    this.#drop(old);
    return damage;
  }

  async verify(): Promise<void> {
    verifyLog(this.#path);
  }

  dispose(): void {
    this.#drop(this.#folder);
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, "tutti.sqlite");
  }

  #damage(random: Random): string {
    return random.pick(["killed", "lost-tail", "torn-tail", "torn-tail", "garbled-tail"]);
  }

  #nextFolder(): string {
    this.#folders++;
    const folder = join(this.#root, String(this.#folders));
    mkdirSync(folder);
    return folder;
  }

  #image(): Image {
    const wal = `${this.#path}-wal`;
    return {
      main: existsSync(this.#path) ? readFileSync(this.#path) : Buffer.alloc(0),
      wal: existsSync(wal) ? readFileSync(wal) : Buffer.alloc(0),
    };
  }

  #drop(folder: string): void {
    // Closing gives the dead life's files back to the system; nobody reads them any more.
    this.#store?.close().catch(() => undefined);
    this.#store = undefined;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In memory where there is such a place: power cuts are simulated, so a real sync would only cost time. */
function temporaryFolder(): string {
  const shared = "/dev/shm";
  return existsSync(shared) ? shared : tmpdir();
}

interface Tear {
  readonly before: Image;
  readonly after: Image;
  readonly damage: string;
  readonly random: Random;
}

/** The files as they stood before, with the first part of what was written since. */
function tear({ before, after, damage, random }: Tear): Image {
  if (damage === "killed") return after;
  if (damage === "lost-tail") return before;
  const first = firstDifference(before.wal, after.wal);
  const cut = first + random.below(after.wal.length - first + 1);
  const written = Buffer.from(after.wal.subarray(0, cut));
  if (damage === "garbled-tail" && cut > first) {
    const from = first + random.below(cut - first);
    written.fill(0, from, from + random.below(cut - from + 1));
  }
  return { main: before.main, wal: Buffer.concat([written, before.wal.subarray(cut)]) };
}

function firstDifference(a: Buffer, b: Buffer): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) if (a[at] !== b[at]) return at;
  return shared;
}
