import { hash } from "node:crypto";
import { AppError, type Event, type EventType, type Json } from "@tutti/kernel";
import { fieldsByNumber, fieldsByType } from "./event-fields.ts";
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

/**
 * JSON: a list of events, each `[number, field, …]` as `event-fields.ts` says. Its time is the row's and not written. An
 * event that does not fit, with another time or with payloads moved out, is written as the object it is.
 */
export function encodeEvents(events: readonly Event[], at: number): EncodedEvents {
  const text = encodeAll(events, at);
  // Characters are at least bytes / 3, so a short text cannot hold a large payload.
  if (text.length * 3 <= inlineBytesMax) return { text, blobs: noBlobs };
  const blobs: Blob[] = [];
  const written = events.map((event) => moveOut(event, blobs));
  return blobs.length === 0 ? { text, blobs: noBlobs } : { text: encodeAll(written, at), blobs };
}

/** Without moving large payloads out. */
export function encodeAll(events: readonly object[], at: number): string {
  let text = "[";
  for (let index = 0; index < events.length; index++) {
    const event = events[index] as Event;
    text += index === 0 ? encodeEvent(event, at) : `,${encodeEvent(event, at)}`;
  }
  return `${text}]`;
}

type HotWriters = { readonly [K in EventType]?: (event: Extract<Event, { readonly type: K }>) => string };

/** The events of every step, written as `encodeFields` would, in half the time: their fields need not be looked up. */
const hotWriters: HotWriters = {
  "element-activated": (e) => `[9,${e.key},${quote(e.element)},${e.scope}]`,
  "element-completed": (e) => `[11,${e.key},${quote(e.element)}]`,
  "flow-taken": (e) => `[14,${quote(e.flow)},${e.scope},${quote(e.arrives)}]`,
  "job-created": (e) => {
    const job = `[20,${e.key},${quote(e.element)},${quote(e.jobType)},${quote(e.queue)},${e.priority},${e.attemptsMax}`;
    const timeout = e.timeoutMs === undefined ? "" : `,${e.timeoutMs}`;
    return `${job},${encodeObject(e.input)},${encodeObject(e.headers)}${timeout}]`;
  },
  "job-completed": (e) => `[21,${e.key},${quote(e.actor)}]`,
};

function encodeEvent(event: Event, at: number): string {
  if (("at" in event && event.at !== at) || marker in event) return JSON.stringify(event);
  const write = hotWriters[event.type] as ((event: Event) => string) | undefined;
  return write === undefined ? encodeFields(event) : write(event);
}

/** Put together by hand: faster than JSON.stringify of a list made for it. */
function encodeFields(event: Event): string {
  const fields = fieldsByType.get(event.type);
  if (fields === undefined) return JSON.stringify(event);
  let text = `[${fields.number}`;
  let absent = 0;
  for (const name of fields.names) {
    const value = (event as { readonly [field: string]: unknown })[name];
    if (value === undefined) {
      absent++;
      continue;
    }
    for (; absent > 0; absent--) text += ",null";
    text += `,${encodeValue(value)}`;
  }
  return `${text}]`;
}

function encodeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
    case "boolean":
      return `${value}`;
    default:
      return value === null ? "null" : encodeObject(value as object);
  }
}

function encodeObject(value: object): string {
  // Most inputs and headers are empty.
  if (!Array.isArray(value) && isEmpty(value)) return "{}";
  return JSON.stringify(value);
}

function isEmpty(value: object): boolean {
  for (const _ in value) return false;
  return true;
}

const quotedMax = 4_096;
const quotedCharsMax = 64;
/** Ids of elements, flows and job types come again with every step. */
const quoted = new Map<string, string>();

function quote(value: string): string {
  if (value.length > quotedCharsMax) return JSON.stringify(value);
  let text = quoted.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    if (quoted.size === quotedMax) quoted.clear();
    quoted.set(value, text);
  }
  return text;
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

export interface EncodedRow {
  readonly text: string;
  readonly codec: number;
  readonly at: number;
}

/** `blob` gives the text of a digest. Throws `database-damaged` when the row does not read back. */
export function decodeEvents({ text, codec, at }: EncodedRow, blob: (digest: string) => string | undefined): Event[] {
  if (codec !== codecVersion) {
    throw new AppError("database-newer", `Expected log rows of codec ${codecVersion}, but found codec ${codec}.`);
  }
  try {
    return decodeList(JSON.parse(text) as unknown[], at, blob);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("database-damaged", "Expected a log row to be a list of events, but it is not.", { cause });
  }
}

/** What `encodeAll` wrote, parsed. */
export function decodeList(
  written: readonly unknown[],
  at: number,
  blob: (digest: string) => string | undefined,
): Event[] {
  return written.map((each) => (Array.isArray(each) ? decodeEvent(each, at) : moveIn(each as object, blob)) as Event);
}

function decodeEvent(written: readonly unknown[], at: number): object {
  const fields = fieldsByNumber.get(written[0] as number);
  if (fields === undefined) {
    throw new AppError("database-damaged", `Expected an event of a known type, but its number is ${written[0]}.`);
  }
  const event: { [field: string]: unknown } = { type: fields.type };
  for (const [index, name] of fields.names.entries()) {
    const value = written[index + 1];
    if (value === undefined || (value === null && fields.optional.has(name))) continue;
    event[name] = value;
  }
  if (fields.timed) event["at"] = at;
  return event;
}

function moveIn(written: object, blob: (digest: string) => string | undefined): object {
  const event = written as { [field: string]: unknown };
  const moved = event[marker];
  if (!Array.isArray(moved)) return event;
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
  return event;
}

/** What a row's hash covers of it. */
export function hashedText(row: Omit<LogRow, "events">, text: string): string {
  return `${row.position}\n${row.instance}\n${row.sequence}\n${row.at}\n${codecVersion}\n${text}\n`;
}

/** The hash of a turn, in its last row, covers its rows and, through the hash before it, every row before. */
export function chainHash(before: string, rows: string): string {
  return hash("sha256", `${before}\n${rows}`, "base64url");
}
