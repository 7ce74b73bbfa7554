import { z } from "zod";

/** `POST /v1/instances/{id}/forks`, for runs too. `position` is the last row of the log that the fork has; absent: all there are. */
export interface ForkInstance {
  readonly requestId: string;
  readonly position?: number;
  readonly cancelOriginal: boolean;
  readonly reason: string;
  readonly actor: string;
}

const name = z.string().min(1).max(200);

export const forkInstanceSchema: z.ZodType<ForkInstance> = z.strictObject({
  requestId: name,
  position: z.int().min(1).exactOptional(),
  cancelOriginal: z.boolean(),
  reason: z.string().max(2_000),
  actor: name,
});

export interface Forked {
  readonly id: string;
}

export const forkedSchema: z.ZodType<Forked> = z.object({ id: z.string() });
