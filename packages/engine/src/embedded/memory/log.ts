import { must } from "@tutti/kernel";
import { decodeList, writeEvents } from "../log/codec.ts";
import { JsonBytes } from "../log/json-bytes.ts";
import type { InstanceNumber, LogRow } from "../store.ts";
import { each } from "../turn/each.ts";
import { Column } from "./column.ts";

/** Bytes of events are put aside by so many. */
const chunkBytes = 1_048_576;

/** The events of rows that follow each other, in JSON. */
interface Chunk {
  /** How many bytes of the log are before it. */
  readonly begin: number;
  readonly bytes: Buffer;
}

/**
 * The log of the store in memory, as numbers and bytes out of the garbage collector's sight: kept as objects, a long log
 * costs more to carry through the generations of the heap than all that the engine does.
 */
export class MemoryLog {
  // By position, from 1.
  readonly #instance: Column = new Column();
  readonly #sequence: Column = new Column();
  readonly #at: Column = new Column();
  readonly #cause: Column = new Column();
  /** Position of the row before, of the same instance; 0 for the first. */
  readonly #before: Column = new Column();
  /** Where the events end, in bytes from the begin of the log. */
  readonly #end: Column = new Column();
  /** Position of its newest row, by instance. */
  readonly #newest: Column = new Column();
  readonly #chunks: Chunk[] = [];
  /** What comes after the chunks. */
  readonly #json: JsonBytes = new JsonBytes();
  #chunksEnd: number = 0;
  #length: number = 0;

  /** Position of the newest row. */
  get length(): number {
    return this.#length;
  }

  append(rows: readonly LogRow[]): void {
    each(rows, (row) => this.#add(row));
    const json = this.#json;
    if (json.length < chunkBytes) return;
    this.#chunks.push({ begin: this.#chunksEnd, bytes: Buffer.from(json.bytes) });
    this.#chunksEnd += json.length;
    json.cut();
  }

  #add({ instance, sequence, at, events, cause }: LogRow): void {
    const position = ++this.#length;
    this.#instance.set(position, instance);
    this.#sequence.set(position, sequence);
    this.#at.set(position, at);
    if (cause !== undefined) this.#cause.set(position, cause);
    this.#before.set(position, this.#newest.get(instance));
    this.#newest.set(instance, position);
    writeEvents(this.#json, events, at);
    this.#end.set(position, this.#chunksEnd + this.#json.length);
  }

  instanceOf(position: number): InstanceNumber {
    return this.#instance.get(position);
  }

  row(position: number): LogRow {
    const at = this.#at.get(position);
    const written = JSON.parse(this.#text(this.#end.get(position - 1), this.#end.get(position))) as unknown[];
    return {
      position,
      instance: this.#instance.get(position),
      sequence: this.#sequence.get(position),
      at,
      cause: this.#cause.get(position),
      events: decodeList(written, at, () => undefined),
    };
  }

  /** An instance's rows after a position. */
  rowsOf(instance: InstanceNumber, after: number): LogRow[] {
    const found: LogRow[] = [];
    for (let position = this.#newest.get(instance); position > after; position = this.#before.get(position)) {
      found.push(this.row(position));
    }
    return found.reverse();
  }

  /** An instance's rows that begin with an event of this number, or a later one. */
  rowsFrom(instance: InstanceNumber, sequence: number): LogRow[] {
    let before = this.#newest.get(instance);
    while (before > 0 && this.#sequence.get(before) >= sequence) before = this.#before.get(before);
    return this.rowsOf(instance, before);
  }

  #text(begin: number, end: number): string {
    if (begin >= this.#chunksEnd) {
      return this.#json.bytes.toString("utf8", begin - this.#chunksEnd, end - this.#chunksEnd);
    }
    const chunk = must(this.#chunks[this.#chunkAt(begin)], "what is not in the last part is in a chunk");
    return chunk.bytes.toString("utf8", begin - chunk.begin, end - chunk.begin);
  }

  #chunkAt(begin: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.begin ?? 0) <= begin) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
