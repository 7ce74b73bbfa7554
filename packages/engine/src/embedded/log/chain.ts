import { AppError } from "@tutti/kernel";
import type { LogRow } from "../store.ts";
import { chainHash, chainStart, writeHead } from "./codec.ts";
import { JsonBytes } from "./json-bytes.ts";

/** A row as it is written; `hash` is there in the last row of a turn. */
export interface ChainedRow extends Omit<LogRow, "events"> {
  readonly text: string;
  readonly hash: string | null;
}

/**
 * Checks positions and hashes of rows, given in their order from the one after `anchor`, the end of a turn. Throws
 * `database-damaged` where a row was changed, removed or put in.
 */
export class ChainCheck {
  readonly #hashed: JsonBytes = new JsonBytes();
  #chain: string;
  #position: number;
  #first: number;

  constructor(anchor: Pick<ChainedRow, "position" | "hash"> | undefined) {
    this.#chain = anchor?.hash ?? chainStart;
    this.#position = anchor?.position ?? 0;
    this.#first = this.#position + 1;
  }

  add(row: ChainedRow): void {
    const position = ++this.#position;
    if (row.position !== position) throw damaged(position, "is missing");
    const hashed = this.#hashed;
    if (hashed.length === 0) hashed.raw(this.#chain).raw("\n");
    writeHead(hashed, row);
    hashed.raw(row.text).raw("\n");
    if (row.hash === null) return;
    this.#chain = chainHash(hashed.bytes);
    if (this.#chain !== row.hash) throw damaged(this.#first, whatChanged(this.#first, position));
    hashed.cut();
    this.#first = position + 1;
  }

  /** The hash of the last row; undefined for an empty log. */
  end(): string | undefined {
    if (this.#hashed.length > 0) throw damaged(this.#position + 1, "is missing");
    return this.#position === 0 ? undefined : this.#chain;
  }
}

function whatChanged(first: number, last: number): string {
  const what = "was changed after it was written";
  return first === last ? what : `or one of those after it up to ${last} ${what}`;
}

function damaged(position: number, what: string): AppError {
  return new AppError("database-damaged", `Expected an unbroken log, but row ${position} ${what}.`, {
    details: { position },
  });
}
