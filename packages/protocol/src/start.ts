import type { JsonObject } from "@tutti/kernel";
import { z } from "zod";
import { jsonObjectSchema } from "./json.ts";

/** Part of refs, folders and file names, so it is kept plain. */
export const runIdPattern: RegExp = /^[a-z0-9][a-z0-9-]{0,79}$/;

/**
 * `POST /v1/runs`. Starting twice with one id starts once. `repository` was inspected by whoever asks: `commit` exists
 * there. `plan` went through the gates; null lets a planner agent make it. `options` are the flagship's.
 */
export interface StartRun {
  readonly id: string;
  readonly feature: string;
  readonly actor: string;
  readonly repository: {
    readonly root: string;
    readonly commonDir: string;
    readonly branch: string | null;
    readonly commit: string;
  };
  readonly plan: JsonObject | null;
  readonly options: JsonObject;
}

const path = z.string().min(1).max(4_096);

export const startRunSchema: z.ZodType<StartRun> = z.strictObject({
  id: z.string().regex(runIdPattern, "a run id of lower-case letters, digits and - (at most 80)"),
  feature: z.string().min(1).max(20_000),
  actor: z.string().min(1).max(200),
  repository: z.strictObject({
    root: path,
    commonDir: path,
    branch: z.string().min(1).max(1_000).nullable(),
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  }),
  plan: jsonObjectSchema.nullable(),
  options: jsonObjectSchema,
});

export interface RunStarted {
  readonly id: string;
}

export const runStartedSchema: z.ZodType<RunStarted> = z.object({ id: z.string() });
