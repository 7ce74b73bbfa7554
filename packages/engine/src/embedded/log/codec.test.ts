import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "@tutti/kernel";
import { expect, test } from "vitest";
import { codecVersion, decodeEvents, writeRow } from "./codec.ts";
import { fieldsByNumber, fieldsByType } from "./event-fields.ts";
import { JsonBytes } from "./json-bytes.ts";

const histories = join(import.meta.dirname, "../../../../kernel/test/histories");

function readBack(events: readonly Event[], at: number): Event[] {
  const json = new JsonBytes();
  const blobs = writeRow(json, events, at);
  return decodeEvents(
    { text: json.textFrom(0), codec: codecVersion, at },
    (digest) => blobs.find((blob) => blob.digest === digest)?.text,
  );
}

test("[E48] every recorded event reads back as it was, at its row's time or another", () => {
  const seen = new Set<string>();
  for (const name of readdirSync(histories)) {
    for (const line of readFileSync(join(histories, name), "utf8").trim().split("\n")) {
      const event = JSON.parse(line) as Event;
      if (event.type === undefined) continue;
      seen.add(event.type);
      expect(readBack([event], "at" in event ? event.at : 1)).toEqual([event]);
      expect(readBack([event, event], 77)).toEqual([event, event]);
    }
  }
  expect([...seen].sort()).toEqual([...fieldsByType.keys()].sort());
});

test("[E48] numbers stand for one type each, and what is absent stays absent", () => {
  expect(fieldsByNumber.size).toBe(fieldsByType.size);
  const passed: Event = { type: "element-passed", element: 'a "b" \u2028', scope: 0, at: 5 };
  expect(readBack([passed], 5)).toEqual([passed]);
  expect(Object.keys(readBack([passed], 5)[0] as Event)).not.toContain("consumed");
  const created: Event = {
    ...{ type: "instance-created", instanceId: "i", rootId: "r", process: "p", version: "1", hash: "h", actor: "a" },
    ...{ priority: 3, at: 5 },
  };
  expect(readBack([created], 5)).toEqual([created]);
  const written: Event = {
    ...{ type: "variables-set", scope: 0, values: { count: 1, label: "a", list: [1] }, actor: "a", at: 5 },
  };
  expect(readBack([written, { ...written, reason: "so" }], 5)).toEqual([written, { ...written, reason: "so" }]);
  const armed: Event = {
    ...{ type: "timer-armed", key: 1, owner: 1, element: "t", due: 9, remaining: null, value: null, at: 5 },
  };
  expect(readBack([armed], 5)).toEqual([armed]);
});

test("[E48] what is no list of known events is refused", () => {
  const decode = (text: string) => () => decodeEvents({ text, codec: codecVersion, at: 1 }, () => undefined);
  for (const text of ["{", "7", "[[9999]]", "[null]"]) {
    expect(decode(text)).toThrow(expect.objectContaining({ code: "database-damaged" }));
  }
  expect(() => decodeEvents({ text: "[]", codec: codecVersion + 1, at: 1 }, () => undefined)).toThrow(
    expect.objectContaining({ code: "database-newer" }),
  );
});

test("[E48] what is put together as bytes is what JSON.stringify gives", () => {
  const json = new JsonBytes();
  const numbers = [0, 9, 10, 99, 100, 101, 999_999_999, 1_000_000_000, 2 ** 53, -1, 0.5, 1e300, -0];
  const strings = ["", "a", "ü", 'a "b" \u2028', "\ud800", "😀", "x".repeat(200), "é".repeat(200), "\u0000"];
  const named = JSON.parse('{"b":1,"ü \\"":"ü","2":-1.5,"__proto__":{"c":{}},"d":null,"e":[{}],"":false}') as object;
  const objects = [{}, { a: [1, "ü"] }, named, { a: undefined }, { a: undefined, b: 2, c: undefined }];
  for (const value of [...numbers, ...strings, ...objects, ...[true, null, [], [{ a: "b" }], "y".repeat(100_000)]]) {
    const begin = json.length;
    json.value(value);
    expect(json.textFrom(begin)).toBe(JSON.stringify(value));
  }
  json.cut(3);
  expect(json.raw("z").bytes.toString()).toBe("091z");
});
