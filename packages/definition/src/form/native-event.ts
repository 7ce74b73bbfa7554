import type {
  CatchTrigger,
  EndEvent,
  ItemEvent,
  JobDefinition,
  Json,
  MessageDefinition,
  MultiInstance,
  Source,
} from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import type { Path } from "../problem.ts";
import type { NativeCatch, NativeEmit, NativeSend, NativeWait } from "../schema/native-event.ts";
import type { NativeItemEvents, NativeThrown } from "../schema/native-part.ts";
import { nameOf, toCondition, toSource } from "../value.ts";
import { compileDurationMs, compileMapping, compileTimer, defined } from "./parts.ts";

const timerKeys = ["after", "at", "every", "cron"] as const;
const catchKeys = [
  ...timerKeys,
  ...(["message", "signal", "when", "any", "all", "error", "escalation", "compensation", "cancel"] as const),
];
/** What else belongs to an event, by the key it belongs to. */
const beside: Readonly<Record<string, readonly string[]>> = {
  at: ["timeZone"],
  after: ["timeZone"],
  every: ["timeZone", "times"],
  cron: ["timeZone"],
  message: ["key"],
  when: ["variables"],
};

/** The one key that says what an event is; reports when there is none, more than one, or something that is not its own. */
function eventKey(
  draft: Draft,
  event: object,
  at: {
    readonly keys: readonly string[];
    readonly beside: Readonly<Record<string, readonly string[]>>;
    readonly path: Path;
  },
): string | undefined {
  const given = Object.entries(event).flatMap(([key, value]) => (value === undefined ? [] : key));
  const found = given.filter((key) => at.keys.includes(key));
  const [key] = found;
  if (key === undefined || found.length > 1) {
    const what = key === undefined ? "found none" : `found ${found.join(" and ")}`;
    const timers = key !== undefined && found.every((name) => (timerKeys as readonly string[]).includes(name));
    draft.problems.error(
      timers ? "timer-invalid" : "schema-invalid",
      `Expected exactly one of ${at.keys.join(", ")}, but ${what}`,
      draft.place(at.path),
    );
    return undefined;
  }
  for (const other of given) {
    if (other === key || at.beside[key]?.includes(other)) continue;
    draft.problems.error(
      "schema-invalid",
      `Expected no ${other} beside ${key}, but found one`,
      draft.place([...at.path, other], "key"),
    );
  }
  return key;
}

/** What an event waits for. The schema has seen to it that only what may stand there is given. */
export function compileCatch(draft: Draft, event: NativeCatch, path: Path): CatchTrigger | undefined {
  const key = eventKey(draft, event, { keys: catchKeys, beside, path });
  const place = (name: string) => draft.place([...path, name]);
  switch (key) {
    case undefined:
      return undefined;
    case "message":
      return { type: "message", message: compileMessage(draft, event, path) };
    case "signal":
      return { type: "signal", signal: { name: toSource(event.signal as Json, place("signal")) } };
    case "when":
      return {
        type: "conditional",
        condition: toCondition(event.when ?? "", place("when")),
        ...defined({ variables: event.variables }),
      };
    case "error":
    case "escalation": {
      const given = event[key];
      return { type: key, ...(typeof given === "string" && { code: caughtCode(draft, given, [...path, key]) }) };
    }
    case "compensation":
    case "cancel":
      return { type: key };
    case "any":
    case "all": {
      const triggers = (event[key] ?? []).map((each, index) => compileCatch(draft, each, [...path, key, index]));
      if (triggers.includes(undefined)) return undefined;
      return { type: "multiple", parallel: key === "all", triggers: triggers as CatchTrigger[] };
    }
    default: {
      const timer = compileTimer(draft, event, path);
      return timer === undefined ? undefined : { type: "timer", timer };
    }
  }
}

/** The code of what is caught: nothing is evaluated while an error is looking for whoever takes it. */
export function caughtCode(draft: Draft, text: string, path: Path): string {
  const { fixed, from } = nameOf(toSource(text, draft.place(path)));
  if (from !== undefined) {
    const message = `Expected a fixed code to catch, but ${text.slice(0, 80)} is computed; catch every code, and choose behind it by error.code or escalation.code`;
    draft.problems.error("schema-invalid", message, draft.place(path));
  }
  return fixed;
}

/** A text is a timer; everything else is an event. */
export function compileWait(draft: Draft, wait: string | NativeWait, path: Path): CatchTrigger | undefined {
  if (typeof wait === "object") return compileCatch(draft, wait, path);
  const timer = compileTimer(draft, wait, path);
  return timer === undefined ? undefined : { type: "timer", timer };
}

/** A message by its name, with the key that says which of those that wait for it is meant. */
export function compileMessage(draft: Draft, given: NativeSend, path: Path): MessageDefinition {
  const source = (name: "message" | "key"): Source | undefined => {
    const value = given[name] as Json | undefined;
    return value === undefined ? undefined : toSource(value, draft.place([...path, name]));
  };
  return {
    name: source("message") ?? { literal: given.job ?? "" },
    ...defined({
      correlationKey: source("key"),
      ttlMs: given.ttl === undefined ? undefined : compileDurationMs(draft, given.ttl, [...path, "ttl"]),
      payload: compileMapping(draft, given.with, [...path, "with"]),
    }),
  };
}

const thrownKeys = ["message", "signal", "escalation", "error", "compensate"] as const;
const thrownBeside: Readonly<Record<string, readonly string[]>> = {
  message: ["key", "ttl", "with", "job"],
  signal: ["with"],
  escalation: ["with"],
  compensate: ["waits"],
};

type Thrown = EndEvent["trigger"];

/** What an event throws; several in order. `job` makes the job of a message that a worker sends. */
export function compileEmit(
  draft: Draft,
  emit: NativeEmit,
  at: { readonly path: Path; readonly job: (type: string) => JobDefinition },
): Thrown | undefined {
  if (!Array.isArray(emit)) return compileThrown(draft, emit, at);
  const triggers = emit.map((each, index) => compileThrown(draft, each, { ...at, path: [...at.path, index] }));
  return triggers.includes(undefined) ? undefined : { type: "multiple", triggers: triggers as Thrown[] };
}

function compileThrown(
  draft: Draft,
  thrown: NativeThrown,
  at: { readonly path: Path; readonly job?: (type: string) => JobDefinition },
): Thrown | undefined {
  const { path } = at;
  // A job needs no message: its type then names what is sent.
  const key = eventKey(
    draft,
    thrown.job !== undefined && thrown.message === undefined ? { ...thrown, message: thrown.job } : thrown,
    {
      keys: thrownKeys,
      beside: thrownBeside,
      path,
    },
  );
  const payload = () => defined({ payload: compileMapping(draft, thrown.with, [...path, "with"]) });
  switch (key) {
    case "message": {
      const job = thrown.job === undefined ? undefined : at.job?.(thrown.job);
      return { type: "message", message: compileMessage(draft, thrown, path), ...defined({ job }) };
    }
    case "signal":
      return {
        type: "signal",
        signal: { name: toSource(thrown.signal as Json, draft.place([...path, "signal"])), ...payload() },
      };
    case "escalation":
      return { type: key, ...codeOf(draft, thrown.escalation ?? "", [...path, key]), ...payload() };
    case "error":
      return { type: key, ...codeOf(draft, thrown.error ?? "", [...path, key]) };
    case "compensate":
      return {
        type: "compensation",
        ...(typeof thrown.compensate === "string" && { activity: thrown.compensate }),
        ...(thrown.waits === false && { waits: false }),
      };
    default:
      return undefined;
  }
}

/** The code of what is thrown, which may be computed. */
export function codeOf(draft: Draft, text: string, path: Path): { readonly code: string; readonly codeFrom?: Source } {
  const { fixed, from } = nameOf(toSource(text, draft.place(path)));
  return { code: fixed, ...defined({ codeFrom: from }) };
}

type ItemEvents = Pick<MultiInstance, "behavior" | "event" | "events">;

/** What the items of a loop throw as they complete: a message, a signal or an escalation. */
export function compileItemEvents(draft: Draft, given: NativeItemEvents, path: Path): ItemEvents {
  const key = eventKey(draft, given, { keys: ["each", "first", "some"], beside: {}, path });
  const event = (thrown: NativeThrown | undefined, at: Path) =>
    thrown === undefined ? undefined : itemEvent(draft, thrown, at);
  if (key === "each") return { behavior: "none", ...defined({ event: event(given.each, [...path, key]) }) };
  if (key === "first") return { behavior: "one", ...defined({ event: event(given.first, [...path, key]) }) };
  const events = (given.some ?? []).flatMap((each, index) => {
    const at = [...path, "some", index];
    const compiled = event(each.emit, [...at, "emit"]);
    return compiled === undefined
      ? []
      : { condition: toCondition(each.when, draft.place([...at, "when"])), event: compiled };
  });
  return { behavior: "complex", events };
}

function itemEvent(draft: Draft, thrown: NativeThrown, path: Path): ItemEvent | undefined {
  if (thrown.job !== undefined) {
    draft.problems.error(
      "loop-invalid",
      "Expected a message that the engine sends, but found a job",
      draft.place([...path, "job"], "key"),
    );
    return undefined;
  }
  const event = compileThrown(draft, thrown, { path });
  if (event === undefined || event.type === "signal" || event.type === "escalation") return event;
  if (event.type === "message") return { type: "message", message: event.message };
  draft.problems.error(
    "loop-invalid",
    `Expected a message, signal or escalation, but items throw ${event.type}`,
    draft.place(path),
  );
  return undefined;
}
