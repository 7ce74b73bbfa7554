import { hash } from "node:crypto";
import { AppError, type Event, type EventType, type Json, lookup, must } from "@tutti/kernel";
import type { LogRow } from "../store.ts";
import { type EventFields, fieldsByNumber, fieldsByType } from "./event-fields.ts";
import type { JsonBytes } from "./json-bytes.ts";

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

const noBlobs: readonly Blob[] = [];
/** Marks an event some of whose fields were moved out. No event has a field of this name. */
const marker = "$blobs";

/**
 * JSON: a list of events, each `[number, field, …]` as `event-fields.ts` says. Its time is the row's and not written. An
 * event that does not fit, with another time or with payloads moved out, is written as the object it is. Gives the
 * payloads that were moved out.
 */
export function writeRow(json: JsonBytes, events: readonly Event[], at: number): readonly Blob[] {
  const begin = json.length;
  writeEvents(json, events, at);
  if (json.length - begin <= inlineBytesMax) return noBlobs;
  const blobs: Blob[] = [];
  const written = events.map((event) => moveOut(event, blobs));
  if (blobs.length === 0) return noBlobs;
  json.cut(begin);
  for (const [index, event] of written.entries()) {
    json.raw(index === 0 ? "[" : ",");
    if (event === events[index]) writeEvent(json, event as Event, at);
    else json.raw(JSON.stringify(event));
  }
  json.raw("]");
  return blobs;
}

/** Without moving large payloads out. */
export function writeEvents(json: JsonBytes, events: readonly Event[], at: number): void {
  json.raw("[");
  for (let index = 0; index < events.length; index++) {
    if (index > 0) json.mark(comma);
    writeEvent(json, events[index] as Event, at);
  }
  json.mark(bracket);
}

const comma = 44;
const bracket = 93;

type HotWriters = {
  readonly [K in EventType]?: (json: JsonBytes, event: Extract<Event, { readonly type: K }>) => void;
};

/** The events of every step, written as `writeFields` would, in half the time: their fields need not be looked up. */
const hotWriters: HotWriters = {
  "instance-created": (json, event) => {
    const { parent, businessKey, queue, priority, start, undoes } = event;
    const isPlain = (parent ?? businessKey ?? queue ?? priority ?? start ?? undoes) === undefined;
    if (!isPlain) return writeFields(json, event, must(fieldsByType.get(event.type), "it has a layout"));
    json.raw("[1,").string(event.instanceId).mark(comma).string(event.rootId).mark(comma).string(event.process);
    json.mark(comma).string(event.version).mark(comma).string(event.hash).mark(comma).string(event.actor).mark(bracket);
  },
  "instance-completed": (json, { result, undoable }) => {
    json.raw("[5,").value(result);
    if (undoable !== undefined) json.mark(comma).value(undoable);
    json.mark(bracket);
  },
  "element-activated": (json, { key, element, scope }) =>
    json.raw("[9,").number(key).mark(comma).string(element).mark(comma).number(scope).mark(bracket),
  "element-completed": (json, { key, element }) =>
    json.raw("[11,").number(key).mark(comma).string(element).mark(bracket),
  "element-passed": (json, { element, scope, consumed }) => {
    json.raw("[13,").string(element).mark(comma).number(scope);
    if (consumed !== undefined) json.mark(comma).value(consumed);
    json.mark(bracket);
  },
  "flow-taken": (json, { flow, scope, arrives }) =>
    json.raw("[14,").string(flow).mark(comma).number(scope).mark(comma).string(arrives).mark(bracket),
  "variables-set": (json, { scope, values, actor, reason }) => {
    json.raw("[19,").number(scope).mark(comma).value(values).mark(comma).string(actor);
    if (reason !== undefined) json.mark(comma).string(reason);
    json.mark(bracket);
  },
  "job-created": (json, event) => {
    json.raw("[20,").number(event.key).mark(comma).string(event.element).mark(comma).string(event.jobType);
    json.mark(comma).string(event.queue).mark(comma).number(event.priority);
    json.mark(comma).number(event.attemptsMax).mark(comma).value(event.input).mark(comma).value(event.headers);
    if (event.timeoutMs !== undefined) json.mark(comma).number(event.timeoutMs);
    json.mark(bracket);
  },
  "job-completed": (json, { key, actor }) => json.raw("[21,").number(key).mark(comma).string(actor).mark(bracket),
};

interface Writer {
  readonly timed: boolean;
  readonly write: (json: JsonBytes, event: Event) => void;
}

const writers: { readonly [type: string]: Writer } = lookup(
  Object.fromEntries(
    [...fieldsByType.values()].map((fields) => {
      const hot = hotWriters[fields.type] as Writer["write"] | undefined;
      const write: Writer["write"] = hot ?? ((json, event) => writeFields(json, event, fields));
      return [fields.type, { timed: fields.timed, write }];
    }),
  ),
);

function writeEvent(json: JsonBytes, event: Event, at: number): void {
  const { timed, write } = must(writers[event.type], "every type of event has a layout");
  // Asked only of those that have a time: a property that is not there is what costs most to look for.
  if (timed && (event as { readonly at?: number }).at !== at) json.raw(JSON.stringify(event));
  else write(json, event);
}

function writeFields(json: JsonBytes, event: Event, fields: EventFields): void {
  json.raw("[").number(fields.number);
  let absent = 0;
  for (const name of fields.names) {
    const value = (event as { readonly [field: string]: unknown })[name];
    if (value === undefined) {
      absent++;
      continue;
    }
    for (; absent > 0; absent--) json.raw(",null");
    json.raw(",").value(value);
  }
  json.raw("]");
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

/** What `writeEvents` wrote, parsed. */
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

/** The payloads that a row names, for a store that has to ask for them before it reads the row. */
export function digestsIn(text: string): string[] {
  if (!text.includes(`"${marker}"`)) return [];
  const events = JSON.parse(text) as { readonly [field: string]: unknown }[];
  return events.flatMap((event) => {
    const moved = Array.isArray(event) ? undefined : event[marker];
    return Array.isArray(moved) ? moved.map((field) => event[field as string] as string) : [];
  });
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

/** What the hash covers of a row before its text; a line feed comes after that. */
export function writeHead(json: JsonBytes, row: Omit<LogRow, "events">): void {
  for (const each of [row.position, row.instance, row.sequence, row.at, codecVersion]) json.number(each).raw("\n");
}

/** The hash of a turn, in its last row, covers its rows and, through the hash before it, every row before. */
export function chainHash(rows: Uint8Array): string {
  return hash("sha256", rows, "base64url");
}
