import { z } from "zod";

/** What elements, flows and heads of a program are made of: for those that did not come from a compiler of ours. */
const text = z.string();
const position = z.unknown().optional();
const expression = z.strictObject({ language: z.enum(["cel", "feel", "dmn"]), text, position });
const source = z.union([z.strictObject({ literal: z.json() }), z.strictObject({ variable: text }), expression]);
const mappings = z.array(z.strictObject({ target: text, source, optional: z.boolean().optional() }));
const timer = z.strictObject({
  kind: z.enum(["date", "duration", "cycle", "cron"]),
  value: source,
  timeZone: text.optional(),
});
const message = z.strictObject({
  name: source,
  correlationKey: source.optional(),
  ttlMs: z.number().optional(),
  payload: mappings.optional(),
});
const count = z.int().min(0);
const job = z.strictObject({
  type: text,
  typeFrom: source.optional(),
  queue: z.enum(["light", "standard", "heavy"]).optional(),
  priority: z.number().optional(),
  retry: z.strictObject({
    attemptsMax: count,
    backoff: z.strictObject({ firstMs: z.number(), factor: z.number(), maxMs: z.number() }),
    exhausted: z.enum(["incident", "error"]),
  }),
  timeoutMs: z.number().optional(),
  headers: z.record(text, z.json()).optional(),
});
const variables = z.array(
  z.strictObject({
    name: text,
    type: z.enum(["any", "integer", "number", "string", "boolean", "list", "object"]),
    required: z.boolean().optional(),
    initial: z.json().optional(),
  }),
);
const output = z.strictObject({ target: text, source });

const trigger: z.ZodType = z.union([
  z.strictObject({ type: z.enum(["none", "terminate", "cancel"]) }),
  z.strictObject({ type: z.literal("timer"), timer }),
  z.strictObject({ type: z.literal("message"), message, job: job.optional() }),
  z.strictObject({ type: z.literal("signal"), signal: z.strictObject({ name: source, payload: mappings.optional() }) }),
  z.strictObject({ type: z.literal("conditional"), condition: expression, variables: z.array(text).optional() }),
  z.strictObject({
    type: z.literal("error"),
    code: text.optional(),
    codeFrom: source.optional(),
    message: source.optional(),
  }),
  z.strictObject({
    type: z.literal("escalation"),
    code: text.optional(),
    codeFrom: source.optional(),
    payload: mappings.optional(),
  }),
  z.strictObject({ type: z.literal("compensation"), activity: text.optional(), waits: z.literal(false).optional() }),
  z.strictObject({ type: z.literal("link"), name: text }),
  z.strictObject({
    type: z.literal("multiple"),
    parallel: z.boolean().optional(),
    triggers: z.array(z.lazy(() => trigger)),
  }),
]);

const loop = z.union([
  z.strictObject({
    mode: z.literal("standard"),
    condition: expression,
    testBefore: z.boolean(),
    maximum: count.optional(),
  }),
  z.strictObject({
    mode: z.enum(["sequential", "parallel", "graph"]),
    collection: source,
    item: text,
    fields: z
      .strictObject({
        key: source.optional(),
        dependsOn: source.optional(),
        locks: source.optional(),
        queue: source.optional(),
        priority: source.optional(),
        onFailure: source.optional(),
        attempts: source.optional(),
      })
      .optional(),
    maxParallel: source.optional(),
    onFailure: z.enum(["fail", "continue", "skip-dependents"]).optional(),
    edgePolicy: z.enum(["all-success", "all-done", "any-success"]).optional(),
    attempts: count.optional(),
    completion: expression.optional(),
    accept: expression.optional(),
    output: output.optional(),
    behavior: z.enum(["none", "one", "all", "complex"]).optional(),
    event: trigger.optional(),
    events: z.array(z.strictObject({ condition: expression, event: trigger })).optional(),
  }),
]);

const sla = z.strictObject({
  on: z.enum(["not-started", "not-completed"]),
  after: timer,
  action: z.union([
    z.strictObject({ type: z.literal("notify"), to: z.array(text), message: source.optional() }),
    z.strictObject({ type: z.literal("reassign"), to: z.array(text) }),
    z.strictObject({ type: z.literal("escalate"), code: text }),
  ]),
  repeat: z.boolean().optional(),
});

const base = {
  id: text,
  parent: text.nullable(),
  name: text.optional(),
  documentation: text.optional(),
  position,
  extension: z.record(text, z.json()).optional(),
};
const activity = {
  ...base,
  inputs: mappings.optional(),
  outputs: mappings.optional(),
  loop: loop.optional(),
  startQuantity: count.optional(),
  completionQuantity: count.optional(),
  compensation: text.optional(),
  forCompensation: z.boolean().optional(),
  defaultFlow: text.optional(),
};
const caught = { ...base, trigger, outputs: mappings.optional() };
const gateway = { ...base, defaultFlow: text.optional() };
const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });

export const elementSchema: z.ZodType = z.discriminatedUnion("kind", [
  z.strictObject({ ...kind("start-event"), ...caught, interrupting: z.boolean().optional() }),
  z.strictObject({ ...kind("intermediate-catch-event"), ...caught }),
  z.strictObject({ ...kind("boundary-event"), ...caught, attachedTo: text, interrupting: z.boolean() }),
  z.strictObject({ ...kind("intermediate-throw-event"), ...base, trigger }),
  z.strictObject({ ...kind("end-event"), ...base, trigger }),
  z.strictObject({ ...kind("service-task"), ...activity, job }),
  z.strictObject({ ...kind("send-task"), ...activity, message: message.optional(), job: job.optional() }),
  z.strictObject({ ...kind("receive-task"), ...activity, message, instantiate: z.literal(true).optional() }),
  z.strictObject({ ...kind("script-task"), ...activity, assignments: mappings }),
  z.strictObject({ ...kind("manual-task"), ...activity }),
  z.strictObject({
    ...kind("business-rule-task"),
    ...activity,
    decision: z.strictObject({ result: text, expression }).optional(),
    job: job.optional(),
  }),
  z.strictObject({
    ...kind("user-task"),
    ...activity,
    title: source.optional(),
    assignee: source.optional(),
    candidates: z.array(text).optional(),
    candidatesFrom: z.array(source).optional(),
    due: timer.optional(),
    followUp: timer.optional(),
    priority: source.optional(),
    sla: z.array(sla).optional(),
    late: z.enum(["accept", "refuse", "flag"]).optional(),
    form: z.record(text, z.json()).optional(),
  }),
  z.strictObject({ ...kind("exclusive-gateway"), ...gateway }),
  z.strictObject({ ...kind("inclusive-gateway"), ...gateway }),
  z.strictObject({ ...kind("complex-gateway"), ...gateway, activation: expression }),
  z.strictObject({ ...kind("parallel-gateway"), ...base }),
  z.strictObject({
    ...kind("event-based-gateway"),
    ...base,
    instantiate: z.enum(["exclusive", "parallel"]).optional(),
  }),
  z.strictObject({
    ...kind("sub-process"),
    ...activity,
    variables: variables.optional(),
    triggeredByEvent: z.literal(true).optional(),
    transaction: z.literal(true).optional(),
  }),
  z.strictObject({
    ...kind("ad-hoc-sub-process"),
    ...activity,
    ordering: z.enum(["parallel", "sequential"]),
    activate: source.optional(),
    job: job.optional(),
    completion: expression.optional(),
    cancelRemaining: z.boolean(),
    output: output.optional(),
    variables: variables.optional(),
  }),
  z.strictObject({
    ...kind("call-activity"),
    ...activity,
    process: text,
    processFrom: source.optional(),
    binding: z.union([z.enum(["deployment", "latest"]), z.strictObject({ version: text })]),
  }),
]);

export const flowSchema: z.ZodType = z.strictObject({
  id: text,
  from: text,
  to: text,
  condition: expression.optional(),
  name: text.optional(),
});

export const headSchema: z.ZodType = z.strictObject({
  id: text,
  version: text,
  name: text,
  variables,
  outputs: z.array(text),
  onError: z.enum(["fail", "compensate"]),
  elementOrder: z.array(text).optional(),
  flowOrder: z.array(text).optional(),
});
