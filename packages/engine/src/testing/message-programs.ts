import type { Element, Expression, ProgramDocument, TimerDefinition } from "@tutti/kernel";
import { end, from, program, service, start } from "./programs.ts";

interface MessageShape {
  readonly version?: string;
  /** It waits for, or begins with, the signal `fire` instead of the message `paid`. */
  readonly signal?: boolean;
}

const gotOut = [from("got", { variable: "got" })];
const variables = [
  { name: "key", type: "any" },
  { name: "got", type: "any" },
] as const;

function waitingFor(id: string, signal: boolean): Element {
  const place = { kind: "intermediate-catch-event" as const, id, parent: null, outputs: gotOut };
  if (signal) return { ...place, trigger: { type: "signal", signal: { name: { literal: "fire" } } } };
  const message = { name: { literal: "paid" }, correlationKey: { variable: "key" } };
  return { ...place, trigger: { type: "message", message } };
}

/** start → wait for the message `paid` with the key in `key`, or for the signal `fire` → end, with `got` as its result. */
export function receiver(id: string, { version = "1.0.0", signal = false }: MessageShape = {}): ProgramDocument {
  return program({
    id,
    version,
    variables,
    outputs: ["got"],
    elements: [start(), waitingFor("wait", signal), end()],
    flows: ["start>wait", "wait>end"],
  });
}

/** Waits for `count` messages `paid`, one after the other. */
export function collector(id: string, count: number): ProgramDocument {
  const waits = Array.from({ length: count }, (_, index) => waitingFor(`wait${index + 1}`, false));
  const names = ["start", ...waits.map((each) => each.id), "end"];
  return program({
    id,
    variables,
    outputs: ["got"],
    elements: [start(), ...waits, end()],
    flows: names.slice(1).map((name, index) => `${names[index]}>${name}`),
  });
}

/** start → throws the message `paid` with the key in `key` → throws the signal `fire` → end, both with `got`. */
export function sender(id: string): ProgramDocument {
  const thrown = { kind: "intermediate-throw-event" as const, parent: null };
  const message = {
    name: { literal: "paid" },
    correlationKey: { variable: "key" },
    ttlMs: 60_000,
    payload: gotOut,
  };
  return program({
    id,
    variables,
    elements: [
      start(),
      { ...thrown, id: "tell", trigger: { type: "message", message } },
      { ...thrown, id: "shout", trigger: { type: "signal", signal: { name: { literal: "fire" }, payload: gotOut } } },
      end(),
    ],
    flows: ["start>tell", "tell>shout", "shout>end"],
  });
}

/** start → throws the signal `fire` → waits for the signal `fire` → end. */
export function echo(id: string): ProgramDocument {
  const trigger = { type: "signal", signal: { name: { literal: "fire" } } } as const;
  return program({
    id,
    variables,
    elements: [
      start(),
      { kind: "intermediate-throw-event", id: "shout", parent: null, trigger },
      waitingFor("wait", true),
      end(),
    ],
    flows: ["start>shout", "shout>wait", "wait>end"],
  });
}

/** start → throws the signal `fire` → one service task → end, beside an event sub-process that each `fire` begins. */
export function alarmed(id: string): ProgramDocument {
  const trigger = { type: "signal", signal: { name: { literal: "fire" } } } as const;
  const inside = { parent: "on-fire" };
  return program({
    id,
    elements: [
      start(),
      { kind: "intermediate-throw-event", id: "shout", parent: null, trigger },
      service("work"),
      end(),
      { kind: "sub-process", id: "on-fire", parent: null, triggeredByEvent: true },
      { kind: "start-event", id: "fired", ...inside, trigger, interrupting: false },
      { ...end("put-out"), ...inside },
    ],
    flows: ["start>shout", "shout>work", "work>end", "fired>put-out"],
  });
}

/** Begins with the message `paid`, or the signal `fire` → one service task with what it got → end. */
export function onMessage(id: string, { version = "1.0.0", signal = false }: MessageShape = {}): ProgramDocument {
  const trigger = signal
    ? ({ type: "signal", signal: { name: { literal: "fire" } } } as const)
    : ({ type: "message", message: { name: { literal: "paid" } } } as const);
  return beginning(id, {
    version,
    begin: { kind: "start-event", id: "begin", parent: null, trigger, outputs: gotOut },
  });
}

/** Begins when a timer says → one service task → end. */
export function onTimer(id: string, timer: TimerDefinition, version = "1.0.0"): ProgramDocument {
  const trigger = { type: "timer", timer } as const;
  return beginning(id, { version, begin: { kind: "start-event", id: "begin", parent: null, trigger } });
}

function beginning(
  id: string,
  { version, begin }: { readonly version: string; readonly begin: Element },
): ProgramDocument {
  return program({
    id,
    version,
    variables,
    outputs: ["got"],
    elements: [begin, service("act", { inputs: [{ ...from("got", { variable: "got" }), optional: true }] }), end()],
    flows: ["begin>act", "act>end"],
  });
}

export function cel(text: string): Expression {
  return { language: "cel", text };
}
