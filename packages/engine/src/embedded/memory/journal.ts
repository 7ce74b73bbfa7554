import { hash } from "node:crypto";
import type { Turn } from "../store.ts";

/**
 * Bytes on a disk, as little as a log needs. What was appended survives a crash once `sync` has resolved; before,
 * any prefix of it may. Both reject when the disk refuses.
 */
export interface Disk {
  read(): Promise<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  /** Cuts off everything from `length` on. */
  truncate(length: number): Promise<void>;
}

export type JournalEntry = { readonly type: "turn"; readonly turn: Turn } | { readonly type: "epoch" };

const digestChars = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One line per entry: the start of its digest, a blank, its JSON. A torn line does not match its digest. */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  const text = JSON.stringify(entry);
  return encoder.encode(`${digestOf(text)} ${text}\n`);
}

/**
 * Entries up to the first line that does not read back. What follows such a line was never acknowledged, since turns
 * are written one after the other, each synced before the next.
 */
export function decodeEntries(bytes: Uint8Array): {
  readonly entries: readonly JournalEntry[];
  readonly length: number;
} {
  const entries: JournalEntry[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10, start); end !== -1; end = bytes.indexOf(10, start)) {
    const line = decoder.decode(bytes.subarray(start, end));
    const text = line.slice(digestChars + 1);
    if (line.slice(0, digestChars) !== digestOf(text)) break;
    entries.push(JSON.parse(text) as JournalEntry);
    start = end + 1;
  }
  return { entries, length: start };
}

function digestOf(text: string): string {
  return hash("sha256", text, "hex").slice(0, digestChars);
}
