import type { Event, ProgramDocument } from "@tutti/kernel";
import { z } from "zod";

/** `POST /v1/instances/{id}/moves`: another engine goes on with it. */
export interface MoveInstance {
  readonly to: "embedded" | "temporal";
  /** Jobs that run are stopped, and begin again there. */
  readonly stopRunning: boolean;
  readonly reason: string;
  readonly actor: string;
}

export const moveInstanceSchema: z.ZodType<MoveInstance> = z.strictObject({
  to: z.enum(["embedded", "temporal"]),
  stopRunning: z.boolean(),
  reason: z.string().max(2_000),
  actor: z.string().min(1).max(200),
});

/** `moved` is false where that engine had it already. */
export interface InstanceMoved {
  readonly moved: boolean;
}

export const instanceMovedSchema: z.ZodType<InstanceMoved> = z.object({ moved: z.boolean() });

/** `POST /v1/instances/{id}/releases`: it is given up, and the answer is all that is needed to go on with it. */
export interface ReleaseInstance {
  readonly stopRunning: boolean;
  readonly actor: string;
}

export const releaseInstanceSchema: z.ZodType<ReleaseInstance> = z.strictObject({
  stopRunning: z.boolean(),
  actor: z.string().min(1).max(200),
});

interface ReleasedDeployment {
  readonly id: string;
  readonly programs: readonly { readonly process: string; readonly version: string; readonly hash: string }[];
}

/** An instance that was given up. What its programs and events mean is the engine's to judge. */
export interface ReleasedInstance {
  readonly instanceId: string;
  readonly businessKey: string | null;
  readonly requestId: string | null;
  readonly startedBy: string | null;
  readonly hash: string;
  readonly deployment: ReleasedDeployment;
  readonly undoing: readonly ReleasedDeployment[];
  readonly programs: readonly ProgramDocument[];
  readonly rows: readonly { readonly sequence: number; readonly at: number; readonly events: readonly Event[] }[];
}

const name = z.string().min(1).max(200);
const text = z.string().min(1).max(1_000);
const deployment = z.strictObject({
  id: text,
  programs: z.array(z.strictObject({ process: name, version: text, hash: text })).max(1_000),
});

export const releasedInstanceSchema: z.ZodType<ReleasedInstance> = z.strictObject({
  instanceId: name,
  businessKey: z.string().nullable(),
  requestId: name.nullable(),
  startedBy: z.string().nullable(),
  hash: text,
  deployment,
  undoing: z.array(deployment).max(1_000),
  programs: z
    .array(z.looseObject({ format: z.literal(1), id: name, hash: text }))
    .min(1)
    .max(1_000),
  rows: z.array(
    z.strictObject({
      sequence: z.int().min(1),
      at: z.int().min(0),
      events: z.array(z.looseObject({ type: name })).min(1),
    }),
  ),
}) as unknown as z.ZodType<ReleasedInstance>;

/** `POST /v1/instances/adoptions`: an engine goes on with what was given up. */
export interface AdoptInstance {
  readonly instance: ReleasedInstance;
  readonly reason: string;
  readonly actor: string;
}

export const adoptInstanceSchema: z.ZodType<AdoptInstance> = z.strictObject({
  instance: releasedInstanceSchema,
  reason: z.string().max(2_000),
  actor: name,
});
