import { z } from "zod";

/** An element id as a person writes it. Generated ids contain a dot, so they never collide. */
export const idPattern: RegExp = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
export const variablePattern: RegExp = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export const id: z.ZodString = z
  .string()
  .regex(idPattern)
  .meta({ description: "Letters, digits, _ and -, at most 64." });
export const value: z.ZodType<Value> = z
  .json()
  .meta({ description: 'Any value. A text that starts with "=" is a CEL expression.' });
export const expression: z.ZodString = z.string().meta({ description: 'A CEL expression; a leading "=" is allowed.' });
export const duration: z.ZodString = z
  .string()
  .meta({ description: 'ISO 8601 ("PT15M") or short ("15m", "1h30m", "7d").' });
type VariableTypeName = "any" | "integer" | "number" | "string" | "boolean" | "list" | "object";
const type: z.ZodType<VariableTypeName> = z.enum(["any", "integer", "number", "string", "boolean", "list", "object"]);
export const queue: z.ZodType<"light" | "standard" | "heavy"> = z.enum(["light", "standard", "heavy"]);
export const priority: z.ZodType<number> = z.int().min(1).max(5).meta({ description: "1 (first) to 5 (last)." });

export type NativeVariable = VariableTypeName | NativeVariableOptions;
export interface NativeVariableOptions {
  type?: VariableTypeName | undefined;
  required?: boolean | undefined;
  initial?: z.core.util.JSONType | undefined;
}
export const variables: z.ZodType<Record<string, NativeVariable>> = z
  .record(
    z.string().regex(variablePattern),
    z.union([
      type,
      z.strictObject({ type: type.optional(), required: z.boolean().optional(), initial: z.json().optional() }),
    ]),
  )
  .meta({ id: "variables", description: "Name to type, or to { type, required, initial }." });

export type Value = z.core.util.JSONType;
/** `{ target: value }`, or names that mean themselves. A name that ends in "?" may be absent. */
export type NativeMapping = Record<string, Value> | string[];
export const mapping: z.ZodType<NativeMapping> = z
  .union([z.array(z.string()), z.record(z.string(), value)])
  .meta({ id: "mapping", description: 'Target to value, or a list of names. A name that ends in "?" may be absent.' });

export interface NativeTimer {
  after?: Value | undefined;
  at?: Value | undefined;
  every?: Value | undefined;
  times?: number | undefined;
  cron?: Value | undefined;
  timeZone?: string | undefined;
}
export const timerFields: { readonly [K in keyof NativeTimer]-?: z.ZodType<NativeTimer[K]> } = {
  after: value.optional().meta({ description: "A duration." }),
  at: value.optional().meta({ description: "An instant, or a local date and time in timeZone." }),
  every: value.optional().meta({ description: "A duration, or an ISO 8601 repetition (R3/PT10S)." }),
  times: z.int().min(1).optional().meta({ description: "How often, with every; without it for ever." }),
  cron: value.optional().meta({ description: "Five or six fields." }),
  timeZone: z.string().optional().meta({ description: "IANA name; default UTC." }),
};
export const timer: z.ZodType<string | NativeTimer> = z.union([z.string(), z.strictObject(timerFields)]).meta({
  id: "timer",
  description: "A duration, instant, repetition or cron line, or exactly one of after, at, every, cron.",
});

export interface NativeRetry {
  attempts?: number | undefined;
  backoff?:
    | "exponential"
    | "linear"
    | "fixed"
    | { first?: string | undefined; factor?: number | undefined; max?: string | undefined }
    | undefined;
  exhausted?: "incident" | "error" | undefined;
}
export const retry: z.ZodType<number | NativeRetry> = z
  .union([
    z.int().min(1).max(1000),
    z.strictObject({
      attempts: z.int().min(1).max(1000).optional().meta({ description: "Tries in total." }),
      backoff: z
        .union([
          z.enum(["exponential", "linear", "fixed"]),
          z.strictObject({
            first: duration.optional(),
            factor: z.number().min(1).max(100).optional(),
            max: duration.optional(),
          }),
        ])
        .optional(),
      exhausted: z.enum(["incident", "error"]).optional(),
    }),
  ])
  .meta({
    id: "retry",
    description: "Tries in total (default 3), and what follows the last: incident (default) or error.",
  });

/** What an event throws: exactly one of `message`, `signal`, `escalation`, `error` and `compensate`. */
export interface NativeThrown {
  message?: Value | undefined;
  key?: Value | undefined;
  ttl?: string | undefined;
  job?: string | undefined;
  signal?: Value | undefined;
  escalation?: string | undefined;
  error?: string | undefined;
  compensate?: true | string | undefined;
  waits?: false | undefined;
  with?: NativeMapping | undefined;
}

export const message: z.ZodType<Value> = value.meta({ description: "Name of a message." });
export const key: z.ZodType<Value> = value.meta({
  description: "Of the message: which of those that wait for it is meant.",
});
export const sending: { readonly [K in "message" | "key" | "ttl" | "job" | "with"]: z.ZodType<NativeThrown[K]> } = {
  message: message.optional(),
  key: key.optional(),
  ttl: duration.optional().meta({ description: "How long a message waits for somebody who waits for it." }),
  job: z.string().min(1).optional().meta({ description: "A worker sends it." }),
  with: mapping.optional().meta({ description: "What is sent." }),
};
export const thrown: z.ZodType<NativeThrown> = z
  .strictObject({
    ...sending,
    signal: value.optional(),
    escalation: z.string().min(1).optional(),
    error: z.string().min(1).optional(),
    compensate: z.union([z.literal(true), id]).optional(),
    waits: z.literal(false).optional().meta({ description: "It goes on at once, while the work is undone." }),
  })
  .meta({ id: "thrown", description: "Exactly one of message, signal, escalation, error, compensate." });

/** What items throw as they complete: each of them, the first, or those whose condition holds. */
export interface NativeItemEvents {
  each?: NativeThrown | undefined;
  first?: NativeThrown | undefined;
  some?: { when: string; emit: NativeThrown }[] | undefined;
}
const itemEvents: z.ZodType<NativeItemEvents> = z
  .strictObject({
    each: thrown.optional(),
    first: thrown.optional(),
    some: z
      .array(z.strictObject({ when: expression, emit: thrown }))
      .min(1)
      .optional(),
  })
  .meta({
    description: "A message, signal or escalation that items throw as they complete: each, the first, or some.",
  });

export interface NativeForEach {
  collection: Value;
  item?: string | undefined;
  mode?: "sequential" | "parallel" | "graph" | undefined;
  key?: Value | undefined;
  dependsOn?: Value | undefined;
  locks?: Value | undefined;
  queue?: Value | undefined;
  priority?: Value | undefined;
  attempts?: Value | undefined;
  maxParallel?: Value | undefined;
  onFailure?: string | undefined;
  edgePolicy?: "all-success" | "all-done" | "any-success" | undefined;
  completion?: string | undefined;
  accept?: string | undefined;
  output?: Record<string, Value> | undefined;
  emit?: NativeItemEvents | undefined;
}
export const forEach: z.ZodType<NativeForEach> = z
  .strictObject({
    collection: value,
    item: z
      .string()
      .regex(variablePattern)
      .optional()
      .meta({ description: 'Name of the item inside; default "item".' }),
    mode: z
      .enum(["sequential", "parallel", "graph"])
      .optional()
      .meta({ description: "Default: graph when key, dependsOn or locks is given, else parallel." }),
    key: value.optional(),
    dependsOn: value.optional().meta({ description: "Keys the item waits for, or { key, policy }." }),
    locks: value.optional().meta({ description: "Names held while the item runs." }),
    queue: value.optional(),
    priority: value.optional(),
    attempts: value.optional().meta({ description: "How often an item is tried; a number or an expression." }),
    maxParallel: value.optional(),
    onFailure: z.string().optional().meta({ description: "fail, continue or skip-dependents; or an expression." }),
    edgePolicy: z.enum(["all-success", "all-done", "any-success"]).optional(),
    completion: expression
      .optional()
      .meta({ description: "Sees completed, failed, skipped, total; true ends the rest." }),
    accept: expression.optional().meta({ description: "Sees the same once all ended; true accepts a partial result." }),
    output: z
      .record(z.string(), value)
      .optional()
      .meta({ description: "One entry: the variable that collects what each item yields." }),
    emit: itemEvents.optional(),
  })
  .meta({ id: "forEach" });
