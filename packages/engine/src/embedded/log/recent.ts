import type { NamedLogRow } from "../store.ts";

/** The newest rows of the log, for readers that follow it, and their wake-up call. */
export class RecentRows {
  readonly #countMax: number;
  #rows: NamedLogRow[] = [];
  #last: number;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(countMax: number) {
    this.#countMax = countMax;
    this.#last = 0;
  }

  /** Position of the newest durable row. */
  get last(): number {
    return this.#last;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** After opening, or after the store was opened again: what is known from before may have holes. */
  reset(last: number): void {
    this.#rows = [];
    this.#last = last;
    this.#wake();
  }

  /** Others have written up to here: what is known from before may have holes. */
  reached(position: number): void {
    if (position > this.#last) this.reset(position);
  }

  /** To be called once the rows are durable. */
  add(rows: readonly NamedLogRow[]): void {
    const [first] = rows;
    const last = rows.at(-1);
    // Of rows that others have written after these, somebody may have told before.
    if (first === undefined || last === undefined || last.position <= this.#last) return;
    if (first.position !== this.#last + 1) this.#rows = [];
    this.#last = last.position;
    // A turn larger than the bound pushes out all before it: kept beside them it would leave a hole.
    if (rows.length > this.#countMax) this.#rows = rows.slice(-this.#countMax);
    else for (const row of rows) this.#rows.push(row);
    // Cut by half of its bound at a time, so that adding stays cheap.
    if (this.#rows.length > 2 * this.#countMax) this.#rows = this.#rows.slice(-this.#countMax);
    this.#wake();
  }

  /** Rows after a position, or undefined when the store has to be asked. */
  after(position: number): readonly NamedLogRow[] | undefined {
    if (position >= this.#last) return [];
    const first = this.#rows[0]?.position;
    if (first === undefined || position < first - 1) return undefined;
    return this.#rows.slice(position - first + 1);
  }

  /** Resolves once there is a row after `position`, or nothing more will come. */
  async grown(position: number, signal: AbortSignal | undefined): Promise<void> {
    while (this.#last <= position && !this.#closed && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal?.removeEventListener("abort", done);
          resolve();
        };
        signal?.addEventListener("abort", done, { once: true });
        this.#waiting.push(done);
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
