import { isJsonObject, type JsonObject } from "../json.ts";
import type { ElementId, Mapping, Source, ThrowTrigger } from "../program.ts";
import { failure, type Names, type Result, resolve, resolveMappings, resolveName } from "../scope.ts";
import type { Turn } from "../turn.ts";

/** How long a message is kept whose definition does not say: an hour. */
const ttlMsDefault = 3_600_000;

/** By what a message or signal finds who waits for it. */
export interface Address {
  readonly name: string;
  readonly correlationKey: string | null;
}

function textOf(turn: Turn, wanted: { readonly source: Source; readonly what: string }, names: Names): Result<string> {
  const result = resolve(turn, wanted.source, names);
  if (!result.ok) return result;
  const { value } = result;
  // These have one spelling each, so that both sides come to the same text; nothing else does.
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { ok: true, value: String(value) };
  }
  const found = value === null ? "null" : isJsonObject(value) ? "an object" : "a list";
  return failure(
    "message-invalid",
    `Expected the ${wanted.what} to be a text, number or truth value, but it is ${found}`,
  );
}

export function addressOf(
  turn: Turn,
  definition: { readonly name: Source; readonly correlationKey?: Source },
  names: Names,
): Result<Address> {
  const name = textOf(turn, { source: definition.name, what: "name" }, names);
  if (!name.ok) return name;
  if (definition.correlationKey === undefined) return { ok: true, value: { name: name.value, correlationKey: null } };
  const key = textOf(turn, { source: definition.correlationKey, what: "correlation key" }, names);
  return key.ok ? { ok: true, value: { name: name.value, correlationKey: key.value } } : key;
}

/** Works out what is sent, so that sending it (the function it gives) cannot fail any more. */
export function prepareSending(
  turn: Turn,
  from: {
    readonly element: ElementId;
    readonly trigger: Extract<ThrowTrigger, { readonly type: "message" | "signal" }>;
  },
  names: Names,
): Result<() => void> {
  const { element, trigger } = from;
  const definition: { readonly name: Source; readonly payload?: readonly Mapping[] } =
    trigger.type === "message" ? trigger.message : trigger.signal;
  const address = addressOf(turn, definition, names);
  if (!address.ok) return address;
  const mapped = resolveMappings(turn, definition.payload, names);
  if (!mapped.ok) return mapped;
  const payload = mapped.value;
  const { name, correlationKey } = address.value;
  return {
    ok: true,
    value: () => {
      const sent = { key: turn.nextKey(), element, name, payload, at: turn.at };
      if (trigger.type === "signal") {
        turn.emit({ type: "signal-broadcast", ...sent });
        turn.signals.push(sent);
        return;
      }
      const { ttlMs = ttlMsDefault } = trigger.message;
      turn.emit({ type: "message-published", ...sent, correlationKey, ttlMs });
    },
  };
}

/** What is escalated, under which code. */
export function prepareEscalation(
  turn: Turn,
  trigger: Extract<ThrowTrigger, { readonly type: "escalation" }>,
  names: Names,
): Result<{ readonly code: string; readonly payload: JsonObject }> {
  const code = resolveName(turn, { what: "the escalation code", fixed: trigger.code, from: trigger.codeFrom }, names);
  if (!code.ok) return code;
  const payload = resolveMappings(turn, trigger.payload, names);
  return payload.ok ? { ok: true, value: { code: code.value, payload: payload.value } } : payload;
}
