import { hash } from "node:crypto";
import { AppError, type Event, type Json } from "@tutti/kernel";
import type { LogRow } from "./store.ts";

/** How the events of a row are written. A new way gets a new number; old rows keep theirs. */
export const codecVersion = 1;

/** What is larger is stored once, by its digest, and named in the row. */
export const inlineBytesMax = 65_536;

/** What stands before the first row in the chain of hashes. */
export const chainStart = "tutti-log-1";

export interface Blob {
  /** `sha256-<64 hex>` */
  readonly digest: string;
  /** JSON text. */
  readonly text: string;
}

export interface EncodedEvents {
  readonly text: string;
  readonly blobs: readonly Blob[];
}

const noBlobs: readonly Blob[] = [];
/** Marks an event some of whose fields were moved out. No event has a field of this name. */
const marker = "$blobs";

export function encodeEvents(events: readonly Event[]): EncodedEvents {
  const text = JSON.stringify(events);
  // Characters are at least bytes / 3, so a short text cannot hold a large payload.
  if (text.length * 3 <= inlineBytesMax) return { text, blobs: noBlobs };
  const blobs: Blob[] = [];
  const written = events.map((event) => moveOut(event, blobs));
  return blobs.length === 0 ? { text, blobs: noBlobs } : { text: JSON.stringify(written), blobs };
}

function moveOut(event: Event, blobs: Blob[]): object {
  let slim: { [field: string]: unknown } | undefined;
  const moved: string[] = [];
  for (const [field, value] of Object.entries(event)) {
    if (typeof value !== "object" && typeof value !== "string") continue;
    const text = JSON.stringify(value);
    if (text === undefined || text.length * 3 <= inlineBytesMax) continue;
    if (Buffer.byteLength(text) <= inlineBytesMax) continue;
    const digest = `sha256-${hash("sha256", text, "hex")}`;
    blobs.push({ digest, text });
    slim ??= { ...event };
    slim[field] = digest;
    moved.push(field);
  }
  if (slim === undefined) return event;
  slim[marker] = moved;
  return slim;
}

/** `blob` gives the text of a digest. Throws `database-damaged` when the row does not read back. */
export function decodeEvents(text: string, codec: number, blob: (digest: string) => string | undefined): Event[] {
  if (codec !== codecVersion) {
    throw new AppError("database-newer", `Expected log rows of codec ${codecVersion}, but found codec ${codec}.`);
  }
  let events: Event[];
  try {
    events = JSON.parse(text) as Event[];
  } catch (cause) {
    throw new AppError("database-damaged", "Expected a log row to be JSON, but it is not.", { cause });
  }
  // Rows without large payloads, nearly all, are not searched for them.
  if (text.includes(`"${marker}"`)) for (const event of events) moveIn(event as { [field: string]: unknown }, blob);
  return events;
}

function moveIn(event: { [field: string]: unknown }, blob: (digest: string) => string | undefined): void {
  const moved = event[marker];
  if (!Array.isArray(moved)) return;
  delete event[marker];
  for (const field of moved as string[]) {
    const digest = event[field] as string;
    const text = blob(digest);
    if (text === undefined || `sha256-${hash("sha256", text, "hex")}` !== digest) {
      throw new AppError(
        "database-damaged",
        `Expected the payload ${digest} of a log row, but it is missing or changed.`,
      );
    }
    event[field] = JSON.parse(text) as Json;
  }
}

/** The hash of a row covers the row and, through the hash before it, every row before. */
export function chainHash(before: string, row: Omit<LogRow, "events">, text: string): string {
  return hash(
    "sha256",
    `${before}\n${row.position}\n${row.instance}\n${row.sequence}\n${row.at}\n${codecVersion}\n${text}`,
    "base64url",
  );
}
