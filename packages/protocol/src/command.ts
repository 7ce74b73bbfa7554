import { z } from "zod";

/** `POST /v1/runs/{id}/commands`: what a person does to a run. `units` empty means all that failed. */
export type RunCommand =
  | { readonly type: "pause"; readonly stopRunning: boolean; readonly reason: string; readonly actor: string }
  | { readonly type: "resume"; readonly actor: string }
  | { readonly type: "cancel"; readonly reason: string; readonly actor: string }
  | {
      readonly type: "retry";
      readonly units: readonly string[];
      readonly reason: string;
      readonly actor: string;
    }
  | { readonly type: "accept-partial"; readonly reason: string; readonly actor: string }
  | { readonly type: "adjust"; readonly maxParallel: number | null; readonly actor: string }
  | { readonly type: "decide"; readonly approved: boolean; readonly note: string; readonly actor: string };

const actor = z.string().min(1).max(200);
const reason = z.string().max(2_000);

export const runCommandSchema: z.ZodType<RunCommand> = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("pause"), stopRunning: z.boolean(), reason, actor }),
  z.strictObject({ type: z.literal("resume"), actor }),
  z.strictObject({ type: z.literal("cancel"), reason, actor }),
  z.strictObject({ type: z.literal("retry"), units: z.array(z.string().min(1).max(64)).max(1_000), reason, actor }),
  z.strictObject({ type: z.literal("accept-partial"), reason: reason.min(1), actor }),
  z.strictObject({ type: z.literal("adjust"), maxParallel: z.int().min(1).max(1_000).nullable(), actor }),
  z.strictObject({ type: z.literal("decide"), approved: z.boolean(), note: reason, actor }),
]);

/** One sentence on what it did, and the units it touched. */
export interface CommandDone {
  readonly did: string;
  readonly units: readonly string[];
}

export const commandDoneSchema: z.ZodType<CommandDone> = z.object({
  did: z.string(),
  units: z.array(z.string()).readonly(),
});

/** `PUT /v1/queues/{class}`. */
export interface AdjustQueue {
  readonly slots: number;
}

export const adjustQueueSchema: z.ZodType<AdjustQueue> = z.strictObject({ slots: z.int().min(0).max(10_000) });
