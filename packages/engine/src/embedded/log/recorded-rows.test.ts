import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event, EventType } from "@tutti/kernel";
import { expect, test } from "vitest";
import { codecVersion, decodeEvents, writeRow } from "./codec.ts";
import { fieldsByType } from "./event-fields.ts";
import { JsonBytes } from "./json-bytes.ts";

// Rows as a database holds them: what was written once has to be read for ever. A line is never edited nor recorded
// again. ENGINE_RECORD=1 adds lines for those events that have none.

const path = join(import.meta.dirname, "../../../test/event-rows.jsonl");
const histories = join(import.meta.dirname, "../../../../kernel/test/histories");

interface RecordedRow {
  readonly codec: number;
  readonly at: number;
  /** What stands in the database. */
  readonly text: string;
  readonly event: Event;
}

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").trim().split("\n");
}

function recordedRows(): RecordedRow[] {
  return existsSync(path) ? linesOf(path).map((line) => JSON.parse(line) as RecordedRow) : [];
}

/** Fields that no golden history has. */
const rare: { readonly [K in EventType]?: Partial<Extract<Event, { readonly type: K }>> } = {
  "job-created": { timeoutMs: 5_000 },
  "timer-armed": { trigger: 1 },
  "task-created": { assignee: "ann", form: { type: "object" } },
  "task-completed": { late: true },
  "child-requested": { queue: "heavy", priority: 3 },
  "task-resolved": { reason: "so" },
  "task-updated": { reason: "so" },
  "escalation-thrown": { source: 2 },
  "expression-doubted": { subscription: 3 },
};

/** An event's type and which of its fields are there: what a row says by numbers and places. */
function shapeOf(event: Event): string {
  return `${event.type}: ${Object.keys(event).sort().join(", ")}`;
}

/** One of each shape that the kernel's golden histories have, and of each type one with its rare fields. */
function events(): Map<string, Event> {
  const found = goldenEvents();
  for (const event of [...found.values()]) {
    const whole = { ...event, ...rare[event.type] } as Event;
    if (event.type in rare && ![...found.values()].some((each) => each.type === event.type && isRare(each))) {
      found.set(shapeOf(whole), whole);
    }
  }
  return found;
}

function isRare(event: Event): boolean {
  return Object.keys(rare[event.type] ?? {}).every((field) => field in event);
}

function goldenEvents(): Map<string, Event> {
  const events = new Map<string, Event>();
  for (const name of readdirSync(histories).sort()) {
    for (const line of linesOf(join(histories, name))) {
      const event = JSON.parse(line) as Event;
      if (event.type !== undefined && !events.has(shapeOf(event))) events.set(shapeOf(event), event);
    }
  }
  return events;
}

if (process.env["ENGINE_RECORD"] === "1") {
  const recorded = recordedRows();
  const known = new Set(recorded.map(({ event }) => shapeOf(event)));
  const missing = [...events()].filter(([shape]) => !known.has(shape));
  const added = missing.map(([, event]): RecordedRow => {
    const json = new JsonBytes();
    const at = "at" in event ? event.at : 1;
    writeRow(json, [event], at);
    return { codec: codecVersion, at, text: json.textFrom(0), event };
  });
  writeFileSync(path, [...recorded, ...added].map((row) => `${JSON.stringify(row)}\n`).join(""));
}

test("[E48] every row that was ever written reads back as the events it was written for", () => {
  for (const { codec, at, text, event } of recordedRows()) {
    expect(
      decodeEvents({ text, codec, at }, () => undefined),
      text,
    ).toEqual([event]);
  }
});

test("[E48] there is a recorded row of every type of event, with all the fields that it is seen with", () => {
  const recorded = recordedRows().map(({ event }) => event);
  expect([...new Set(recorded.map(({ type }) => type))].sort()).toEqual([...fieldsByType.keys()].sort());
  const seen = new Set(recorded.flatMap((event) => Object.keys(event).map((field) => `${event.type} ${field}`)));
  const fields = [...fieldsByType.values()].flatMap(({ type, names }) => names.map((name) => `${type} ${name}`));
  expect(fields.filter((field) => !seen.has(field))).toEqual([]);
  const shapes = new Set(recorded.map(shapeOf));
  expect([...events().keys()].filter((shape) => !shapes.has(shape))).toEqual([]);
});
