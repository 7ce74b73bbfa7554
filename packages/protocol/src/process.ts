import type { JsonObject, ProgramDocument, RolloutPlan } from "@tutti/kernel";
import { z } from "zod";
import { jsonObjectSchema } from "./json.ts";

const name = z.string().min(1).max(200);
const reason = z.string().max(2_000);

const segment = z.strictObject({
  when: z.strictObject({ language: z.enum(["cel", "feel"]), text: z.string().max(65_536) }),
  gets: z.enum(["stable", "candidate"]),
});

const plan = z.strictObject({
  stable: name,
  candidate: name,
  percent: z.number(),
  segments: z.array(segment).max(100).readonly().exactOptional(),
  guard: z
    .strictObject({
      endedMin: z.int(),
      failureRateMax: z.number(),
      incidentsMax: z.int().exactOptional(),
    })
    .exactOptional(),
});

/** `POST /v1/deployments`: programs that are bound to each other. What is in them is the engine's to judge. */
export interface Deploy {
  readonly programs: readonly ProgramDocument[];
  /** Made right after the deployment, whatever becomes of the caller. */
  readonly rollout?: { readonly process: string; readonly plan: RolloutPlan };
}

export const deploySchema: z.ZodType<Deploy> = z.strictObject({
  programs: z
    .array(z.looseObject({ format: z.literal(1), id: name }))
    .min(1)
    .max(1_000),
  rollout: z.strictObject({ process: name, plan }).exactOptional(),
}) as unknown as z.ZodType<Deploy>;

/** `POST /v1/instances`. Starting twice with one request id starts once. */
export interface StartInstance {
  readonly requestId: string;
  readonly process: string;
  readonly version?: string;
  readonly routingKey?: string;
  readonly instanceId?: string;
  readonly businessKey?: string;
  readonly variables: JsonObject;
  readonly actor: string;
}

export const startInstanceSchema: z.ZodType<StartInstance> = z.strictObject({
  requestId: name,
  process: name,
  version: name.exactOptional(),
  routingKey: name.exactOptional(),
  instanceId: name.exactOptional(),
  businessKey: name.exactOptional(),
  variables: jsonObjectSchema,
  actor: name,
});

export interface InstanceStarted {
  readonly id: string;
}

export const instanceStartedSchema: z.ZodType<InstanceStarted> = z.object({ id: z.string() });

/** `POST /v1/messages`. */
export interface PublishMessage {
  readonly name: string;
  readonly correlationKey?: string;
  readonly id?: string;
  readonly ttlMs?: number;
  readonly variables: JsonObject;
}

export const publishMessageSchema: z.ZodType<PublishMessage> = z.strictObject({
  name,
  correlationKey: name.exactOptional(),
  id: name.exactOptional(),
  ttlMs: z.int().min(0).exactOptional(),
  variables: jsonObjectSchema,
});

/** `POST /v1/signals`. */
export interface BroadcastSignal {
  readonly name: string;
  readonly id?: string;
  readonly variables: JsonObject;
}

export const broadcastSignalSchema: z.ZodType<BroadcastSignal> = z.strictObject({
  name,
  id: name.exactOptional(),
  variables: jsonObjectSchema,
});

/** `PUT /v1/processes/{id}/rollout`; null ends it. */
export interface PlanRollout {
  readonly plan: RolloutPlan | null;
}

export const planRolloutSchema: z.ZodType<PlanRollout> = z.strictObject({ plan: plan.nullable() });

/** `POST /v1/instances/{id}/migrations`. */
export interface MigrateInstance {
  readonly process: string;
  readonly version?: string;
  readonly mapping: { readonly [element: string]: string };
  readonly dryRun: boolean;
  readonly reason: string;
  readonly actor: string;
}

export const migrateInstanceSchema: z.ZodType<MigrateInstance> = z.strictObject({
  process: name,
  version: name.exactOptional(),
  mapping: z.record(name, name),
  dryRun: z.boolean(),
  reason,
  actor: name,
});
