import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Event } from "./index.ts";
import { evolve, newState, snapshotState } from "./index.ts";
import { eventTypes } from "./testing/event-types.ts";
import { recordings } from "./testing/recordings.ts";

// What was recorded by a released kernel must mean the same to every later one. A file is never edited: a new meaning
// is a new event type and a new file. KERNEL_RECORD=1 writes files that do not exist yet.

const folder = new URL("../test/histories/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));

interface Recording {
  readonly digest: string;
  readonly events: readonly Event[];
}

function digestOf(events: readonly Event[]): string {
  const state = events.reduce((before, event) => evolve(before, event), newState());
  return createHash("sha256")
    .update(JSON.stringify(canonical(snapshotState(state))))
    .digest("hex");
}

/** Names in order, so that the order in which a version happens to write a record does not matter. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => [name, canonical(inner)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function read(name: string): Recording {
  const [head = "", ...lines] = readFileSync(new URL(name, folder), "utf8").trim().split("\n");
  const { digest } = JSON.parse(head) as { digest: string };
  return { digest, events: lines.map((line) => JSON.parse(line) as Event) };
}

if (process.env["KERNEL_RECORD"] === "1") {
  for (const [name, record] of Object.entries(recordings)) {
    if (files.includes(`${name}.jsonl`)) continue;
    const { history } = record();
    const lines = [{ digest: digestOf(history) }, ...history].map((line) => JSON.stringify(line));
    writeFileSync(new URL(`${name}.jsonl`, folder), `${lines.join("\n")}\n`);
  }
}

test.each(files)("[K112] %s evolves to what it was recorded with", (name) => {
  const { digest, events } = read(name);
  expect(events.length).toBeGreaterThan(0);
  expect(digestOf(events)).toBe(digest);
});

test("[K112] the recordings hold every type of event", () => {
  const found = new Set(files.flatMap((name) => read(name).events.map(({ type }) => type)));
  expect([...found].sort()).toEqual(eventTypes);
});

test.each(Object.keys(recordings))("[K5] the same commands lead to the history '%s' today", (name) => {
  expect(JSON.parse(JSON.stringify(recordings[name]?.().history))).toEqual(read(`${name}.jsonl`).events);
});

test("[K113] evolve never fails: an event about something that is not there changes what it can", () => {
  const events = files.flatMap((name) => read(name).events.slice(0, name === "long.jsonl" ? 1 : 1_000));
  const long = new Map(read("long.jsonl").events.map((event) => [event.type, event]));
  for (const event of [...events, ...long.values()]) {
    const alone = evolve(newState(), event);
    expect(alone.head.sequence).toBe(1);
    // In a state that has everything, but under other keys, it does no harm either.
    const other = read("graph.jsonl")
      .events.slice(0, 20)
      .reduce((state, before) => evolve(state, before), newState());
    const elsewhere = JSON.parse(JSON.stringify(event), (name, value) =>
      ["key", "body", "scope", "owner", "target"].includes(name) && typeof value === "number" ? 9_000 + value : value,
    ) as Event;
    expect(() => evolve(other, elsewhere)).not.toThrow();
  }
});
