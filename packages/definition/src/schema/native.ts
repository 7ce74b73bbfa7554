import { z } from "zod";
import {
  boundary,
  emit,
  type NativeBoundary,
  type NativeCatch,
  type NativeEmit,
  type NativeReceive,
  type NativeSend,
  type NativeStart,
  type NativeWait,
  receive,
  send,
  start,
  upon,
  wait,
} from "./native-event.ts";
import {
  duration,
  expression,
  forEach,
  id,
  mapping,
  type NativeForEach,
  type NativeMapping,
  type NativeRetry,
  type NativeTimer,
  type NativeVariable,
  priority,
  queue,
  retry,
  timer,
  timerFields,
  type Value,
  value,
  variablePattern,
  variables,
} from "./native-part.ts";

export type NativeErrorTarget = string | { then: string; out?: NativeMapping | undefined };
export type NativeBoundaryTimer = NativeTimer & { then: string; interrupting?: boolean | undefined };
export interface NativeOn {
  error?: string | Record<string, NativeErrorTarget> | undefined;
  timer?: NativeBoundaryTimer | NativeBoundaryTimer[] | undefined;
  event?: NativeBoundary | NativeBoundary[] | undefined;
}
const boundaryTimer = z.strictObject({ ...timerFields, then: id, interrupting: z.boolean().optional() });
const on = z
  .strictObject({
    error: z
      .union([id, z.record(z.string(), z.union([id, z.strictObject({ then: id, out: mapping.optional() })]))])
      .optional()
      .meta({ description: 'A target for every error, or error code ("*" for all others) to target.' }),
    timer: z.union([boundaryTimer, z.array(boundaryTimer)]).optional(),
    event: z
      .union([boundary, z.array(boundary)])
      .optional()
      .meta({ description: "Any other event, or several: { message, then }, { escalation, then, interrupting }, …" }),
  })
  .meta({ id: "on", description: "Boundary events." });

export interface NativeRoute {
  when?: string | undefined;
  then?: string | undefined;
  name?: string | undefined;
  otherwise?: string | undefined;
}
export interface NativeSla {
  on: "not-started" | "not-completed";
  after: string | NativeTimer;
  notify?: string[] | undefined;
  message?: Value | undefined;
  reassign?: string[] | undefined;
  escalate?: string | undefined;
  repeat?: boolean | undefined;
}
const sla = z.strictObject({
  on: z.enum(["not-started", "not-completed"]),
  after: timer,
  notify: z.array(z.string()).optional(),
  message: value.optional(),
  reassign: z.array(z.string()).optional(),
  escalate: z.string().optional().meta({ description: "Code of the escalation." }),
  repeat: z.boolean().optional(),
});
export interface NativeUser {
  title?: Value | undefined;
  assignee?: Value | undefined;
  candidates?: string | string[] | undefined;
  due?: string | NativeTimer | undefined;
  followUp?: string | NativeTimer | undefined;
  priority?: Value | undefined;
  sla?: NativeSla[] | undefined;
  late?: "accept" | "refuse" | "flag" | undefined;
  form?: Record<string, Value> | undefined;
}
export type NativeThrow = string | { code: string; message?: Value | undefined };

/** Another round as long as `while` holds, asked before each round, or after each. */
export interface NativeRepeat {
  while: string;
  check?: "before" | "after" | undefined;
  max?: number | undefined;
}

/** A decision that a worker makes, or a value that is computed here and written as `result`. */
export interface NativeDecide {
  job?: string | undefined;
  result?: string | undefined;
  value?: Value | undefined;
}

/** Steps that are chosen one by one instead of following each other. */
export interface NativeAdHoc {
  job?: string | undefined;
  activate?: Value | undefined;
  ordering?: "parallel" | "sequential" | undefined;
  completion?: string | undefined;
  cancelRemaining?: boolean | undefined;
  output?: Record<string, Value> | undefined;
}

/** One step. Exactly one of the keys of `stepKinds` says what it does. */
export interface NativeStep {
  name?: string | undefined;
  doc?: string | undefined;
  job?: string | undefined;
  script?: Record<string, Value> | undefined;
  user?: string | NativeUser | undefined;
  call?: string | undefined;
  steps?: Record<string, NativeStep> | undefined;
  manual?: true | undefined;
  decide?: NativeDecide | undefined;
  receive?: string | NativeReceive | undefined;
  send?: string | NativeSend | undefined;
  choose?: NativeRoute[] | undefined;
  some?: NativeRoute[] | undefined;
  fork?: string[] | undefined;
  race?: string[] | undefined;
  instantiate?: true | "exclusive" | "parallel" | undefined;
  join?: true | "some" | { when: string } | undefined;
  wait?: string | NativeWait | undefined;
  emit?: NativeEmit | undefined;
  goto?: string | undefined;
  label?: string | undefined;
  pass?: true | undefined;
  compensate?: true | string | undefined;
  end?: true | "terminate" | "compensate" | "cancel" | NativeEmit | undefined;
  throw?: NativeThrow | undefined;
  // common
  then?: string | string[] | undefined;
  routes?: NativeRoute[] | undefined;
  in?: NativeMapping | undefined;
  out?: NativeMapping | undefined;
  forEach?: NativeForEach | undefined;
  repeat?: NativeRepeat | undefined;
  startQuantity?: number | undefined;
  completionQuantity?: number | undefined;
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
  transaction?: true | undefined;
  adhoc?: NativeAdHoc | undefined;
  upon?: NativeCatch | undefined;
  interrupting?: boolean | undefined;
  /** Kept for round trips and tools; the kernel does not read it. */
  extension?: Record<string, Value> | undefined;
}

export type StepKind =
  | "job"
  | "script"
  | "user"
  | "call"
  | "steps"
  | "manual"
  | "decide"
  | "receive"
  | "send"
  | "choose"
  | "some"
  | "fork"
  | "race"
  | "join"
  | "wait"
  | "emit"
  | "goto"
  | "label"
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
  "manual",
  "decide",
  "receive",
  "send",
  "choose",
  "some",
  "fork",
  "race",
  "join",
  "wait",
  "emit",
  "goto",
  "label",
  "pass",
  "compensate",
  "end",
  "throw",
];

const quantity = z.int().min(1).max(1_000);
const routes = z
  .array(
    z.strictObject({
      when: expression.optional(),
      then: id.optional(),
      name: z.string().optional(),
      otherwise: id.optional(),
    }),
  )
  .min(1);

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
          candidates: z.union([z.string(), z.array(z.string())]).optional(),
          due: timer.optional(),
          followUp: timer.optional(),
          priority: value.optional().meta({ description: "0 to 100, the most urgent last." }),
          sla: z
            .array(sla)
            .optional()
            .meta({ description: "What happens when it is not begun or not completed in time." }),
          late: z.enum(["accept", "refuse", "flag"]).optional().meta({ description: "Completing it after due." }),
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
    manual: z.literal(true).optional().meta({ description: "Manual task: somebody does it outside; nothing waits." }),
    decide: z
      .strictObject({
        job: z.string().min(1).max(200).optional(),
        result: z.string().regex(variablePattern).optional(),
        value: value.optional(),
      })
      .optional()
      .meta({ description: "Business-rule task: { job }, or { result, value } with what is decided." }),
    receive: receive.optional().meta({ description: "Receive task: a message, or { message, key }." }),
    send: send
      .optional()
      .meta({ description: "Send task: a message, or { message, key, ttl, with }; with job a worker sends it." }),
    choose: routes
      .optional()
      .meta({ description: "Exclusive gateway: { when, then } in order, and at most one { otherwise }." }),
    some: routes
      .optional()
      .meta({ description: "Inclusive gateway: every route whose condition holds, else otherwise." }),
    fork: z.array(id).min(2).optional().meta({ description: "Parallel gateway: all of these at once." }),
    race: z
      .array(id)
      .min(2)
      .optional()
      .meta({ description: "Event-based gateway: whichever of these waits happens first." }),
    instantiate: z
      .union([z.literal(true), z.enum(["exclusive", "parallel"])])
      .optional()
      .meta({
        description: "With nothing flowing in: what race waits for, or what receive does (true), starts the process.",
      }),
    join: z
      .union([z.literal(true), z.literal("some"), z.strictObject({ when: expression })])
      .optional()
      .meta({
        description: "Gateway that waits: for all that flows in, for what can still come, or until a condition.",
      }),
    wait: wait.optional().meta({ description: "Intermediate event: a timer, message, signal or condition." }),
    emit: emit.optional().meta({ description: "Throws a message, signal or escalation, and goes on." }),
    goto: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "Goes on at the label of that name in this scope." }),
    label: z.string().min(1).max(200).optional().meta({ description: "Where a goto of that name goes on." }),
    pass: z.literal(true).optional().meta({ description: "A milestone." }),
    compensate: z
      .union([z.literal(true), id])
      .optional()
      .meta({ description: "Undoes completed steps of this scope: all, or the one named." }),
    end: z
      .union([z.literal(true), z.enum(["terminate", "compensate", "cancel"]), emit])
      .optional()
      .meta({ description: "Ends the path; terminate ends the scope, cancel a transaction; or throws as it ends." }),
    throw: z
      .union([z.string().min(1), z.strictObject({ code: z.string().min(1), message: value.optional() })])
      .optional()
      .meta({ description: "Ends with an error of this code." }),
    then: z
      .union([id, z.array(id).min(1)])
      .optional()
      .meta({ description: "The next step; several start at once. Absent: the step below; `end` ends." }),
    routes: routes
      .optional()
      .meta({ description: "Instead of then: every route whose condition holds, else otherwise." }),
    in: mapping.optional(),
    out: mapping.optional(),
    forEach: forEach.optional(),
    repeat: z
      .strictObject({
        while: expression,
        check: z.enum(["before", "after"]).optional().meta({ description: "Default: before each round." }),
        max: z.int().min(1).optional().meta({ description: "Rounds at most." }),
      })
      .optional()
      .meta({ description: "Another round as long as the condition holds; loopCounter is the number of the round." }),
    startQuantity: quantity.optional().meta({ description: "Tokens it needs to start." }),
    completionQuantity: quantity.optional().meta({ description: "Tokens it gives to each flow it leaves by." }),
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
    transaction: z
      .literal(true)
      .optional()
      .meta({ description: "Beside steps: `end: cancel` undoes what completed in it." }),
    adhoc: z
      .strictObject({
        job: z.string().min(1).max(200).optional().meta({ description: "A worker chooses, again and again." }),
        activate: value.optional().meta({ description: "The list of what starts at once." }),
        ordering: z.enum(["parallel", "sequential"]).optional(),
        completion: expression.optional().meta({ description: "Asked after each step, with completed and active." }),
        cancelRemaining: z
          .boolean()
          .optional()
          .meta({ description: "Whether that ends what still runs; default true." }),
        output: z.record(z.string(), value).optional().meta({ description: "One entry: what collects the results." }),
      })
      .optional()
      .meta({ description: "Beside steps: they run as they are chosen; only `then` connects them." }),
    upon: upon.optional().meta({ description: "Beside steps: an event sub-process, started by this event." }),
    interrupting: z
      .boolean()
      .optional()
      .meta({ description: "Beside upon: ends all else in the scope. Default true." }),
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
  start?: string | false | undefined;
  starts?: Record<string, NativeStart> | undefined;
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
    start: z
      .union([id, z.literal(false)])
      .optional()
      .meta({ description: "Default: the first step; false: only the events of `starts` start it." }),
    starts: z
      .record(id, start)
      .optional()
      .meta({ description: "Start events: a message, signal, timer or condition." }),
    steps: z.record(id, stepSchema),
  })
  .meta({ id: "process", title: "Process" });
