import { expect, test } from "vitest";
import type { Host } from "../host.ts";
import { loadProgram } from "../load.ts";
import type { CatchTrigger, Source } from "../program.ts";
import { startTriggers } from "./start.ts";

/** An expression is a JSON literal; what is none fails, as one that looks at a variable does. */
const host: Host = {
  evaluate: ({ text }, scope) => {
    try {
      return { ok: true, value: scope.get("x") ?? (scope.isInteger("x") ? null : JSON.parse(text)) };
    } catch {
      return { ok: false, code: "unknown", message: `there is no '${text}'` };
    }
  },
  nextDue: () => ({ ok: true, due: 1, remaining: 0 }),
};

function triggersOf(...triggers: readonly CatchTrigger[]): ReturnType<typeof startTriggers> {
  const elements = triggers.map((trigger, index) => ({
    kind: "start-event" as const,
    id: `start${index + 1}`,
    parent: null,
    trigger,
  }));
  const document = { format: 1 as const, id: "p", version: "1", name: "p", hash: "h", variables: [], outputs: [] };
  return startTriggers(loadProgram({ ...document, elements, flows: [], onError: "fail" }, host));
}

const named = (name: Source): CatchTrigger => ({ type: "message", message: { name } });
const cel = (text: string): Source => ({ language: "cel", text });

test("[Q18] the start events of a process tell what begins it, each trigger of a multiple one by its place", () => {
  const timer = { kind: "cron" as const, value: cel('"0 8 * * *"'), timeZone: "Europe/Zurich" };
  const found = triggersOf(
    named({ literal: "paid" }),
    { type: "signal", signal: { name: cel('"fire"') } },
    { type: "timer", timer },
    {
      type: "multiple",
      parallel: false,
      triggers: [named({ literal: 7 }), { type: "timer", timer: { kind: "duration", value: { literal: "PT1S" } } }],
    },
    { type: "conditional", condition: { language: "cel", text: "true" } },
  );
  expect(found).toEqual([
    { element: "start1", kind: "message", name: "paid" },
    { element: "start2", kind: "signal", name: "fire" },
    { element: "start3", kind: "timer", timer: { kind: "cron", timeZone: "Europe/Zurich" }, value: "0 8 * * *" },
    { element: "start4", trigger: 0, kind: "message", name: "7" },
    { element: "start4", trigger: 1, kind: "timer", timer: { kind: "duration" }, value: "PT1S" },
  ]);
  expect(triggersOf(named(cel("true")))).toEqual([{ element: "start1", kind: "message", name: "true" }]);
});

test.each<[string, Source]>([
  ["there is no variable 'order' yet", { variable: "order" }],
  ["there is no 'order'", cel("order")],
  ["its name is no text", { literal: null }],
  ["its name is no text", cel("[1]")],
])("[Q18] a name that only an instance could know is refused with its program: %s", (why, source) => {
  expect(() => triggersOf(named(source))).toThrow(
    expect.objectContaining({ code: "program-invalid", message: expect.stringContaining(why) }),
  );
});
