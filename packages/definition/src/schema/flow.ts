import { z } from "zod";
import type { NativeVariable } from "./native-part.ts";
import { idPattern, variables } from "./native-part.ts";

export const flowTaskTypes: readonly [
  "service_task",
  "user_task",
  "script_task",
  "exclusive_gateway",
  "parallel_gateway",
  "timer_event",
  "boundary_event",
  "call_activity",
  "end_event",
] = [
  "service_task",
  "user_task",
  "script_task",
  "exclusive_gateway",
  "parallel_gateway",
  "timer_event",
  "boundary_event",
  "call_activity",
  "end_event",
];
export type FlowTaskType = (typeof flowTaskTypes)[number];

export interface FlowTask {
  id: string;
  type: FlowTaskType;
  name?: string | undefined;
  agent?: string | undefined;
  method?: string | undefined;
  input?: string[] | undefined;
  output?: string[] | undefined;
  timeout?: string | undefined;
  retry_policy?:
    | { max_attempts?: number | undefined; backoff?: "exponential" | "linear" | "fixed" | undefined }
    | undefined;
  compensation?: string | undefined;
  precondition?: string | undefined;
  conditions?: Record<string, string | { expression: string }> | undefined;
  default_path?: string | undefined;
  script?: string | undefined;
  output_variable?: string | undefined;
  title?: string | undefined;
  assignee?: string | undefined;
  labels?: string[] | undefined;
  sla_hours?: number | undefined;
  decision_variable?: string | undefined;
  duration?: string | undefined;
  cycle?: string | undefined;
  date?: string | undefined;
  attached_to?: string | undefined;
  event?: { timer?: string | undefined; error?: string | undefined } | undefined;
  interrupt?: boolean | undefined;
  then?: string | undefined;
  workflow?: string | undefined;
  error?: string | undefined;
  [other: string]: unknown;
}
export interface FlowWorkflow {
  workflow: {
    id: string;
    name?: string | undefined;
    version?: string | undefined;
    variables?: Record<string, NativeVariable> | undefined;
    outputs?: string[] | undefined;
    on_error?: "fail" | "compensate" | undefined;
    tasks: FlowTask[];
    flow: string[];
    [other: string]: unknown;
  };
}

const id = z.string().regex(idPattern);
const names = z.array(z.string().min(1));

const task: z.ZodType<FlowTask> = z
  .looseObject({
    id,
    type: z.enum(flowTaskTypes),
    name: z.string().optional(),
    agent: z.string().min(1).optional().meta({ description: "Type of the job of a service task." }),
    method: z.string().optional(),
    input: names.optional(),
    output: names.optional(),
    timeout: z.string().optional(),
    retry_policy: z
      .looseObject({
        max_attempts: z.int().min(1).max(1000).optional(),
        backoff: z.enum(["exponential", "linear", "fixed"]).optional(),
      })
      .optional(),
    compensation: id
      .optional()
      .meta({ description: "Id of a task that undoes this one, or the type of the job that does." }),
    precondition: z.string().optional().meta({ description: "gateway.route that leads here." }),
    conditions: z
      .record(z.string(), z.union([z.string(), z.looseObject({ expression: z.string() })]))
      .optional()
      .meta({ description: "Routes of an exclusive gateway, tried in order." }),
    default_path: z.string().optional(),
    script: z.string().optional(),
    output_variable: z.string().optional(),
    title: z.string().optional(),
    assignee: z.string().optional(),
    labels: names.optional(),
    sla_hours: z.number().positive().optional(),
    decision_variable: z.string().optional(),
    duration: z.string().optional(),
    cycle: z.string().optional(),
    date: z.string().optional(),
    attached_to: id.optional(),
    event: z.looseObject({ timer: z.string().optional(), error: z.string().optional() }).optional(),
    interrupt: z.boolean().optional(),
    then: id.optional(),
    workflow: z.string().optional(),
    error: z.string().optional(),
  })
  .meta({ id: "flowTask" });

export const flowSchema: z.ZodType<FlowWorkflow> = z
  .strictObject({
    workflow: z.looseObject({
      id,
      name: z.string().max(200).optional(),
      version: z.string().optional(),
      variables: variables.optional(),
      outputs: names.optional(),
      on_error: z.enum(["fail", "compensate"]).optional(),
      tasks: z.array(task).min(1),
      flow: z
        .array(z.string())
        .min(1)
        .meta({ description: 'Arrows: "a → b", "gateway[route] -> c", "a → [b & c] → d".' }),
    }),
  })
  .meta({ id: "flow", title: "Tasks and flow" });
