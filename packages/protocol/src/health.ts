import { z } from "zod";

/** `GET /v1/health`: who owns the state folder. Times are epoch ms. */
export interface Health {
  readonly pid: number;
  readonly version: string;
  readonly state: string;
  readonly since: number;
  /** Jobs of other types wait for somebody to do them. */
  readonly jobTypes: readonly string[];
  /** Runs and what they called that have not ended; while the store fails, as they were last seen. */
  readonly open: number;
  /** `failed`: it refuses to write (a full disk), and no command is taken until it does again. */
  readonly storage: "writes" | "failed";
  /** It ends itself once nothing has been open for a while. */
  readonly background: boolean;
  readonly stopping: boolean;
}

export const healthSchema: z.ZodType<Health> = z.object({
  pid: z.int(),
  version: z.string(),
  state: z.string(),
  since: z.number(),
  jobTypes: z.array(z.string()).readonly(),
  open: z.int(),
  storage: z.enum(["writes", "failed"]),
  background: z.boolean(),
  stopping: z.boolean(),
});
