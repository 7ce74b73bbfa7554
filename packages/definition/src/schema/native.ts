import { z } from "zod";

/** An element id as a person writes it. Generated ids contain a dot, so they never collide. */
export const idPattern: RegExp = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
export const variablePattern: RegExp = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

const id = z.string().regex(idPattern).meta({ description: "Letters, digits, _ and -, at most 64." });
const value = z.json().meta({ description: 'Any value. A text that starts with "=" is a CEL expression.' });
const expression = z.string().meta({ description: 'A CEL expression; a leading "=" is allowed.' });
const duration = z.string().meta({ description: 'ISO 8601 ("PT15M") or short ("15m", "1h30m", "7d").' });
type VariableTypeName = "any" | "integer" | "number" | "string" | "boolean" | "list" | "object";
const type: z.ZodType<VariableTypeName> = z.enum(["any", "integer", "number", "string", "boolean", "list", "object"]);
const queue = z.enum(["light", "standard", "heavy"]);
const priority = z.int().min(1).max(5).meta({ description: "1 (first) to 5 (last)." });

export type NativeVariable = VariableTypeName | NativeVariableOptions;
export interface NativeVariableOptions {
  type?: VariableTypeName | undefined;
  required?: boolean | undefined;
  initial?: z.core.util.JSONType | undefined;
}
const variables = z
  .record(
    z.string().regex(variablePattern),
    z.union([
      type,
      z.strictObject({ type: type.optional(), required: z.boolean().optional(), initial: z.json().optional() }),
    ]),
  )
  .meta({ id: "variables", description: "Name to type, or to { type, required, initial }." });

type Value = z.core.util.JSONType;
/** `{ target: value }`, or names that mean themselves. A name that ends in "?" may be absent. */
export type NativeMapping = Record<string, Value> | string[];
const mapping = z
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
const timerFields = {
  after: value.optional().meta({ description: "A duration." }),
  at: value.optional().meta({ description: "An instant, or a local date and time in timeZone." }),
  every: value.optional().meta({ description: "A duration, or an ISO 8601 repetition (R3/PT10S)." }),
  times: z.int().min(1).optional().meta({ description: "How often, with every; without it for ever." }),
  cron: value.optional().meta({ description: "Five or six fields." }),
  timeZone: z.string().optional().meta({ description: "IANA name; default UTC." }),
};
const timer = z.union([z.string(), z.strictObject(timerFields)]).meta({
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
const retry = z
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
}
const forEach = z
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
  })
  .meta({ id: "forEach" });

export type NativeCatch = string | { then: string; out?: NativeMapping | undefined };
export type NativeBoundaryTimer = NativeTimer & { then: string; interrupting?: boolean | undefined };
export interface NativeOn {
  error?: string | Record<string, NativeCatch> | undefined;
  timer?: NativeBoundaryTimer | NativeBoundaryTimer[] | undefined;
}
const boundaryTimer = z.strictObject({ ...timerFields, then: id, interrupting: z.boolean().optional() });
const on = z
  .strictObject({
    error: z
      .union([id, z.record(z.string(), z.union([id, z.strictObject({ then: id, out: mapping.optional() })]))])
      .optional()
      .meta({ description: 'A target for every error, or error code ("*" for all others) to target.' }),
    timer: z.union([boundaryTimer, z.array(boundaryTimer)]).optional(),
  })
  .meta({ id: "on", description: "Boundary events." });

export interface NativeRoute {
  when?: string | undefined;
  then?: string | undefined;
  name?: string | undefined;
  otherwise?: string | undefined;
}
export interface NativeUser {
  title?: Value | undefined;
  assignee?: Value | undefined;
  candidates?: string[] | undefined;
  due?: string | NativeTimer | undefined;
  form?: Record<string, Value> | undefined;
}
export type NativeThrow = string | { code: string; message?: Value | undefined };

/** One step. Exactly one of the keys of `stepKinds` says what it does. */
export interface NativeStep {
  name?: string | undefined;
  doc?: string | undefined;
  job?: string | undefined;
  script?: Record<string, Value> | undefined;
  user?: string | NativeUser | undefined;
  call?: string | undefined;
  steps?: Record<string, NativeStep> | undefined;
  choose?: NativeRoute[] | undefined;
  fork?: string[] | undefined;
  join?: true | undefined;
  wait?: string | NativeTimer | undefined;
  pass?: true | undefined;
  compensate?: true | string | undefined;
  end?: true | "terminate" | "compensate" | undefined;
  throw?: NativeThrow | undefined;
  // common
  then?: string | string[] | undefined;
  in?: NativeMapping | undefined;
  out?: NativeMapping | undefined;
  forEach?: NativeForEach | undefined;
  on?: NativeOn | undefined;
  undo?: string | NativeStep | undefined;
  // of a job
  queue?: "light" | "standard" | "heavy" | undefined;
  priority?: number | undefined;
  retry?: number | NativeRetry | undefined;
  timeout?: string | undefined;
  headers?: Record<string, Value> | undefined;
  // of a call
  binding?: "deployment" | "latest" | { version: string } | undefined;
  // of a sub-process
  variables?: Record<string, NativeVariable> | undefined;
  start?: string | undefined;
  /** Kept for round trips and tools; the kernel does not read it. */
  extension?: Record<string, Value> | undefined;
}

export type StepKind =
  | "job"
  | "script"
  | "user"
  | "call"
  | "steps"
  | "choose"
  | "fork"
  | "join"
  | "wait"
  | "pass"
  | "compensate"
  | "end"
  | "throw";

export const stepKinds: readonly StepKind[] = [
  "job",
  "script",
  "user",
  "call",
  "steps",
  "choose",
  "fork",
  "join",
  "wait",
  "pass",
  "compensate",
  "end",
  "throw",
];

export const stepSchema: z.ZodType<NativeStep> = z
  .strictObject({
    name: z.string().max(200).optional(),
    doc: z.string().optional(),
    job: z.string().min(1).max(200).optional().meta({ description: "Service task: the type of job a worker does." }),
    script: z
      .record(z.string(), value)
      .optional()
      .meta({ description: "Script task: variables and their new values." }),
    user: z
      .union([
        z.string(),
        z.strictObject({
          title: value.optional(),
          assignee: value.optional(),
          candidates: z.array(z.string()).optional(),
          due: timer.optional(),
          form: z.record(z.string(), z.json()).optional().meta({ description: "JSON Schema of the answer." }),
        }),
      ])
      .optional()
      .meta({ description: "User task: its title, or { title, assignee, candidates, due, form }." }),
    call: z.string().min(1).optional().meta({ description: "Call activity: id of another process." }),
    get steps(): z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodType<NativeStep>>> {
      return z
        .record(
          id,
          z.lazy(() => stepSchema),
        )
        .optional();
    },
    choose: z
      .array(
        z.strictObject({
          when: expression.optional(),
          then: id.optional(),
          name: z.string().optional(),
          otherwise: id.optional(),
        }),
      )
      .min(1)
      .optional()
      .meta({ description: "Exclusive gateway: { when, then } in order, and at most one { otherwise }." }),
    fork: z.array(id).min(2).optional().meta({ description: "Parallel gateway: all of these at once." }),
    join: z.literal(true).optional().meta({ description: "Parallel gateway: waits for everything that flows in." }),
    wait: timer.optional().meta({ description: "Intermediate timer." }),
    pass: z.literal(true).optional().meta({ description: "A milestone." }),
    compensate: z
      .union([z.literal(true), id])
      .optional()
      .meta({ description: "Undoes completed steps of this scope: all, or the one named." }),
    end: z.union([z.literal(true), z.literal("terminate"), z.literal("compensate")]).optional(),
    throw: z
      .union([z.string().min(1), z.strictObject({ code: z.string().min(1), message: value.optional() })])
      .optional()
      .meta({ description: "Ends with an error of this code." }),
    then: z
      .union([id, z.array(id).min(1)])
      .optional()
      .meta({ description: "The next step; several start at once. Absent: the step below; `end` ends." }),
    in: mapping.optional(),
    out: mapping.optional(),
    forEach: forEach.optional(),
    on: on.optional(),
    get undo(): z.ZodType<string | NativeStep | undefined> {
      return z.union([id, z.lazy(() => stepSchema)]).optional();
    },
    queue: queue.optional(),
    priority: priority.optional(),
    retry: retry.optional(),
    timeout: duration.optional().meta({ description: "Of one attempt." }),
    headers: z.record(z.string(), z.json()).optional(),
    binding: z.union([z.enum(["deployment", "latest"]), z.strictObject({ version: z.string() })]).optional(),
    variables: variables.optional(),
    start: id.optional(),
    extension: z.record(z.string(), z.json()).optional(),
  })
  .meta({ id: "step", description: `A step: exactly one of ${stepKinds.join(", ")}.` });

export interface NativeProcess {
  process: string;
  version?: string | undefined;
  name?: string | undefined;
  doc?: string | undefined;
  variables?: Record<string, NativeVariable> | undefined;
  outputs?: string[] | undefined;
  onError?: "fail" | "compensate" | undefined;
  start?: string | undefined;
  steps: Record<string, NativeStep>;
}

export const processSchema: z.ZodType<NativeProcess> = z
  .strictObject({
    process: id,
    version: z.string().min(1).max(64).optional().meta({ description: 'Default "1".' }),
    name: z.string().max(200).optional(),
    doc: z.string().optional(),
    variables: variables.optional(),
    outputs: z.array(z.string().regex(variablePattern)).optional(),
    onError: z.enum(["fail", "compensate"]).optional(),
    start: id.optional().meta({ description: "Default: the first step." }),
    steps: z.record(id, stepSchema),
  })
  .meta({ id: "process", title: "Process" });

export const nativeVariables: z.ZodType<Record<string, NativeVariable>> = variables;
export const nativeMapping: z.ZodType<NativeMapping> = mapping;
export const nativeRetry: z.ZodType<number | NativeRetry> = retry;
