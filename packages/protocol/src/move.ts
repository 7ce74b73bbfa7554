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
