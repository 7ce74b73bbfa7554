import type { Json } from "../json.ts";
import type { ProcessStart, Program } from "../load.ts";
import { AppError } from "../problem.ts";
import type { Source, TimerDefinition } from "../program.ts";

interface StartPlace {
  /** One of the program's `processStarts`. */
  readonly element: string;
  /** Which of the triggers of a multiple event, from 0. */
  readonly trigger?: number;
}

/** What begins a process from outside. The rule is Q18 in SPEC-coordination.md. */
export type StartTrigger =
  | (StartPlace & { readonly kind: "message" | "signal"; readonly name: string })
  | (StartPlace & {
      readonly kind: "timer";
      readonly timer: Pick<TimerDefinition, "kind" | "timeZone">;
      /** The evaluated value. */
      readonly value: Json;
    });

/** In the order of the definition. Throws AppError `program-invalid` when a name or a timer depends on an instance. */
export function startTriggers(program: Program): StartTrigger[] {
  return program.processStarts.flatMap(({ id, trigger }) => {
    if (trigger.type !== "multiple") return triggerAt(program, { element: id }, trigger);
    return trigger.triggers.flatMap((each, index) => triggerAt(program, { element: id, trigger: index }, each));
  });
}

function triggerAt(program: Program, place: StartPlace, trigger: ProcessStart["trigger"]): StartTrigger[] {
  switch (trigger.type) {
    case "timer": {
      const { kind, timeZone, value } = trigger.timer;
      const timer = { kind, ...(timeZone === undefined ? {} : { timeZone }) };
      return [{ ...place, kind: "timer", timer, value: evaluated(program, place, value) }];
    }
    case "message":
      return [{ ...place, kind: "message", name: nameOf(program, place, trigger.message.name) }];
    case "signal":
      return [{ ...place, kind: "signal", name: nameOf(program, place, trigger.signal.name) }];
    // Nothing outside of an instance ever triggers the others.
    default:
      return [];
  }
}

function nameOf(program: Program, place: StartPlace, source: Source): string {
  const value = evaluated(program, place, source);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw unknown(program, place, "its name is no text");
}

function evaluated(program: Program, place: StartPlace, source: Source): Json {
  if ("literal" in source) return source.literal;
  if ("variable" in source) throw unknown(program, place, `there is no variable '${source.variable}' yet`);
  const result = program.host.evaluate(source, { get: () => undefined, isInteger: () => false });
  if (!result.ok) throw unknown(program, place, result.message);
  return result.value;
}

function unknown({ document }: Program, { element }: StartPlace, why: string): AppError {
  return new AppError(
    "program-invalid",
    `Expected to know on deployment what starts '${document.id}' at '${element}', but ${why}.`,
  );
}
