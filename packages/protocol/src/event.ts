import type { Event } from "@tutti/kernel";
import { z } from "zod";

/**
 * One recorded event, as `GET /v1/runs/{id}/events` streams it: server-sent events whose id is the cursor
 * `<position>.<index>`; `Last-Event-ID` replays what came after it. `event` keeps the kernel's vocabulary.
 */
export interface EventRecord {
  readonly cursor: { readonly position: number; readonly index: number };
  readonly instanceId: string;
  readonly rootId: string;
  readonly sequence: number;
  readonly at: number;
  /** It happened in the instance that this one was forked from, and was told there. */
  readonly copied?: true;
  readonly event: Event;
}

export const eventRecordSchema: z.ZodType<EventRecord> = z.object({
  cursor: z.object({ position: z.int(), index: z.int() }),
  instanceId: z.string(),
  rootId: z.string(),
  sequence: z.int(),
  at: z.number(),
  copied: z.literal(true).optional(),
  event: z.looseObject({ type: z.string() }),
}) as unknown as z.ZodType<EventRecord>;

export function cursorText(cursor: EventRecord["cursor"]): string {
  return `${cursor.position}.${cursor.index}`;
}

/** Undefined when it is no cursor. */
export function parseCursor(text: string): EventRecord["cursor"] | undefined {
  const [, position, index] = /^(\d{1,15})\.(\d{1,9})$/.exec(text) ?? [];
  return position === undefined || index === undefined
    ? undefined
    : { position: Number(position), index: Number(index) };
}
