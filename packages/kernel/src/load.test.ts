import { expect, test } from "vitest";
import { kernelErrors } from "./errors.ts";
import { loadProgram } from "./index.ts";
import type { Element, ProgramDocument } from "./program.ts";
import { and, document, end, onError, script, service, start, sub } from "./testing/build.ts";
import { testHost } from "./testing/host.ts";

const handler = service("undo", { forCompensation: true });

test.each<[string, readonly (Element | Element[])[], string[], Partial<ProgramDocument>, string]>([
  ["another format", [start()], [], { format: 2 as 1 }, "has format 2, and this kernel reads format 1"],
  ["two elements of one id", [start(), script("a", {}), script("a", {})], [], {}, "has two elements 'a'"],
  ["two start events", [start("one"), start("two")], [], {}, "has two start events in one scope ('two')"],
  ["no start event", [end()], [], {}, "has no start event in 'test'"],
  ["a sub-process without one", [start(), ...sub("box", [end("e")])], [], {}, "has no start event in 'box'"],
  ["a flow to nowhere", [start()], ["start>gone"], {}, "has a flow 'start>gone' that leads nowhere"],
  ["a flow from nowhere", [start(), end()], ["gone>end"], {}, "has a flow 'gone>end' that leads nowhere"],
  [
    "a flow out of a scope",
    [start(), ...sub("box", [start("s")]), end()],
    ["s>end"],
    {},
    "that leaves its sub-process",
  ],
  ["a flow into a start", [start(), and("a")], ["a>start"], {}, "has a flow 'a>start' into the start-event 'start'"],
  [
    "a flow into a boundary",
    [start(), service("a"), onError("b", "a")],
    ["start>b"],
    {},
    "has a flow 'start>b' into the boundary-event 'b'",
  ],
  [
    "a parent that contains nothing",
    [start(), { ...end(), parent: "start" }],
    [],
    {},
    "puts 'end' into 'start', which is no sub-process",
  ],
  ["a parent that is not there", [start(), { ...end(), parent: "gone" }], [], {}, "puts 'end' into 'gone'"],
  [
    "a boundary on nothing",
    [start(), onError("b", "gone")],
    [],
    {},
    "attaches 'b' to 'gone', which does not stand beside it",
  ],
  [
    "a boundary on what is no activity",
    [start(), and("a"), onError("b", "a")],
    [],
    {},
    "attaches 'b' to 'a', which is no activity",
  ],
  ["a boundary on a handler", [start(), handler, onError("b", "undo")], [], {}, "which is a compensation handler"],
  [
    "a flow from a handler",
    [start(), handler, end()],
    ["undo>end"],
    {},
    "has a flow 'undo>end' at a compensation handler",
  ],
  ["a flow to a handler", [start(), handler], ["start>undo"], {}, "has a flow 'start>undo' at a compensation handler"],
  [
    "a handler that is none",
    [start(), service("a", { compensation: "b" }), service("b")],
    [],
    {},
    "undoes 'a' by 'b', which is no compensation handler",
  ],
  ["a handler that is not there", [start(), service("a", { compensation: "b" })], [], {}, "undoes 'a' by 'b'"],
])("[K110] %s is refused", (_what, elements, lines, options, message) => {
  const load = () => loadProgram(document(elements, lines, options), testHost);
  expect(load).toThrow(`Expected a sound program, but 'test' `);
  expect(load).toThrow(message);
});

test("[K110] a sound program is loaded as it is", () => {
  const made = document([start(), service("a", { compensation: "undo" }), handler, end()], ["start>a>end"]);
  // What it is refused with has a row in the table of errors.
  expect(kernelErrors["program-invalid"]).toMatchObject({ exit: 2, status: 422 });
  const loaded = loadProgram(made, testHost);
  expect(loaded.document).toBe(made);
  expect(loaded.outgoing.get("a")).toMatchObject([{ to: "end" }]);
});
