import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore, type Store } from "@tutti/engine";

/**
 * SQLite files in a temporary folder, for an engine that dies. Every opening after the first is that of another process
 * on what the dead one left: a copy of its files as they are at that moment, the write-ahead log not moved into the
 * database. A copy, because the dead one shares this process and keeps its own open.
 */
export class FileJournal {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tutti-trial-"));
  readonly #stores: Store[] = [];

  open(): Store {
    const number = this.#stores.length;
    if (number === 0) mkdirSync(this.#life(0));
    else cpSync(this.#life(number - 1), this.#life(number), { recursive: true });
    const store = openSqliteStore(join(this.#life(number), "tutti.sqlite"));
    this.#stores.push(store);
    return store;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #life(number: number): string {
    return join(this.#folder, String(number));
  }
}
