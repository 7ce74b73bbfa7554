import { must } from "@tutti/kernel";
import { decodeList, writeEvents } from "../log/codec.ts";
import { JsonBytes } from "../log/json-bytes.ts";
import type { InstanceNumber, LogRow } from "../store.ts";

/** The rows of one turn: a line of JSON for each, `[instance, sequence, at, row before of that instance, events]`. */
interface Segment {
  /** Position of the first. */
  readonly first: number;
  readonly bytes: Buffer;
}

type Line = readonly [instance: InstanceNumber, sequence: number, at: number, before: number, events: unknown[]];

/**
 * The log of the store in memory, as bytes out of the garbage collector's sight: kept as objects, a long log costs more
 * to carry through the generations of the heap than all that the engine does.
 */
export class MemoryLog {
  readonly #segments: Segment[] = [];
  readonly #json: JsonBytes = new JsonBytes();
  #length: number = 0;
  /** Whoever reads one row usually reads the next. */
  #opened: { readonly segment: Segment; readonly lines: readonly string[] } | undefined;

  /** Position of the newest row. */
  get length(): number {
    return this.#length;
  }

  /** `before` gives an instance's newest row, 0 for none, and is told the new one. */
  append(rows: readonly LogRow[], before: (instance: InstanceNumber, position: number) => number): void {
    if (rows.length === 0) return;
    const first = this.#length + 1;
    const json = this.#json;
    json.cut();
    for (const { instance, sequence, at, events } of rows) {
      const earlier = before(instance, ++this.#length);
      json.raw("[").number(instance).raw(",").number(sequence).raw(",").number(at).raw(",").number(earlier).raw(",");
      writeEvents(json, events, at);
      json.raw("]\n");
    }
    this.#segments.push({ first, bytes: Buffer.from(json.bytes) });
  }

  row(position: number): LogRow {
    return rowOf(position, this.#line(position));
  }

  /** An instance's rows after a position, from its newest one back to the first. */
  rowsOf(newest: number, after: number): LogRow[] {
    const found: LogRow[] = [];
    for (let position = newest; position > after; ) {
      const line = this.#line(position);
      found.push(rowOf(position, line));
      position = line[3];
    }
    return found.reverse();
  }

  #line(position: number): Line {
    const segment = this.#segmentOf(position);
    if (this.#opened?.segment !== segment) {
      this.#opened = { segment, lines: segment.bytes.toString().split("\n") };
    }
    return JSON.parse(must(this.#opened.lines[position - segment.first], `there is no row ${position}`)) as Line;
  }

  #segmentOf(position: number): Segment {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.first ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return must(this.#segments[low], `there is no row ${position}`);
  }
}

function rowOf(position: number, [instance, sequence, at, , events]: Line): LogRow {
  return { position, instance, sequence, at, events: decodeList(events, at, () => undefined) };
}
