import { expect, test } from "vitest";
import { kernelErrors } from "./errors.ts";
import { loadProgram } from "./index.ts";
import type { CatchTrigger, Element, ProgramDocument } from "./program.ts";
import {
  and,
  anyOf,
  boundary,
  catching,
  document,
  end,
  eventGateway,
  handling,
  message,
  onError,
  onMessage,
  raise,
  retry,
  script,
  service,
  start,
  sub,
} from "./testing/build.ts";
import { testHost } from "./testing/host.ts";

const link = { type: "link" as const, name: "x" };
const job = { type: "mail", retry: retry() };
const late = handling("late", { trigger: onMessage("m") }, []);
const handler = service("undo", { forCompensation: true });

test.each<[string, readonly (Element | Element[])[], string[], Partial<ProgramDocument>, string]>([
  ["another format", [start()], [], { format: 2 as 1 }, "has format 2, and this kernel reads format 1"],
  ["two elements of one id", [start(), script("a", {}), script("a", {})], [], {}, "has two elements 'a'"],
  [
    "two start events in a sub-process",
    [start(), ...sub("box", [start("one"), start("two")])],
    ["start>box"],
    {},
    "has two start events in one scope ('two')",
  ],
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
  ["a flow to an event sub-process", [start(), ...late], ["start>late"], {}, "at an event sub-process"],
  ["a flow from an event sub-process", [start(), ...late, end()], ["late>end"], {}, "at an event sub-process"],
  ["a boundary on one", [start(), ...late, onError("b", "late")], [], {}, "which is an event sub-process"],
  [
    "inputs at one",
    [start(), ...late.map((each) => (each.id === "late" ? { ...each, inputs: [] } : each))],
    [],
    {},
    "has 'inputs' at the event sub-process 'late'",
  ],
  [
    "an event sub-process that nothing starts",
    [start(), ...sub("late", [service("a")], { triggeredByEvent: true })],
    [],
    {},
    "has no start event in the event sub-process 'late'",
  ],
  [
    "an event sub-process with a none start",
    [start(), ...sub("late", [start("s")], { triggeredByEvent: true })],
    [],
    {},
    "has the trigger 'none' at 's'",
  ],
  ["a triggered start inside", [start(), ...sub("box", [start("s", onMessage("m"))])], [], {}, "in a sub-process"],
  [
    "an error that does not interrupt",
    [start(), ...handling("late", { trigger: anyOf<CatchTrigger>({ type: "error" }), interrupting: false }, [])],
    [],
    {},
    "has an error start 'late-start' that does not interrupt what failed",
  ],
  ["an error start of a process", [start("s", { type: "error" })], [], {}, "has the trigger 'error' at 's'"],
  [
    "a cancel event in no transaction",
    [start(), ...sub("box", [start("s"), end("e", { type: "cancel" })])],
    [],
    {},
    "has a cancel event 'e', but no transaction there",
  ],
  [
    "a cancel event on no transaction",
    [start(), service("a"), boundary("b", "a", { trigger: { type: "cancel" } })],
    [],
    {},
    "has a cancel event 'b', but no transaction there",
  ],
  ["a cancel event at process level", [start(), end("e", { type: "cancel" })], [], {}, "no transaction there"],
  ["a link to nowhere", [start(), raise("go", { type: "link", name: "x" })], [], {}, "has 0 places"],
  [
    "a link to two places",
    [start(), raise("go", link), catching("a", link), catching("b", link)],
    [],
    {},
    "has 2 places that the link event 'go' leads to",
  ],
  [
    "a gateway that waits for a task",
    [start(), eventGateway("g"), service("a")],
    ["start>g>a"],
    {},
    "leads from the event-based gateway 'g' to 'a', which waits for no event",
  ],
  ["a gateway that waits for nothing", [start(), eventGateway("g")], ["start>g"], {}, "leads nowhere from the event"],
  [
    "a gateway that waits for a link",
    [start(), eventGateway("g"), catching("a", link)],
    ["start>g>a"],
    {},
    "leads from the event-based gateway 'g' to 'a'",
  ],
  ["a multiple event of nothing", [start(), catching("c", anyOf())], [], {}, "that cannot stand together"],
  ["one of another", [start(), catching("c", anyOf(anyOf()))], [], {}, "has the trigger 'multiple' at 'c'"],
  ["one with a link", [start(), catching("c", anyOf(link))], [], {}, "has the trigger 'link' at 'c'"],
  [
    "all of what nobody waits for",
    [start(), service("a"), boundary("b", "a", { trigger: { ...anyOf({ type: "error" }), parallel: true } })],
    [],
    {},
    "has triggers at 'b' that cannot stand together",
  ],
  [
    "two ends in one event",
    [start(), end("e", { type: "multiple", triggers: [{ type: "terminate" }, { type: "error", code: "E" }] })],
    [],
    {},
    "has triggers at 'e' that cannot stand together",
  ],
  [
    "a job in a multiple event",
    [start(), raise("r", { type: "multiple", triggers: [{ type: "message", message: message("m"), job }] })],
    [],
    {},
    "has triggers at 'r' that cannot stand together",
  ],
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
