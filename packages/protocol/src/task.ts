import type { Command } from "@tutti/kernel";
import { z } from "zod";
import { jsonObjectSchema } from "./json.ts";

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;

/** `POST /v1/instances/{id}/commands`: what a person does to a user task. */
export type TaskCommand = Untimed<Extract<Command, { readonly type: `${string}-task` }>>;

const name = z.string().min(1).max(200);
const reason = z.string().max(2_000);
const key = z.int().min(1);
const names = z.array(name).max(100).readonly();
/** Epoch ms. */
const instant = z.int().min(0).nullable();

export const taskCommandSchema: z.ZodType<TaskCommand> = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("claim-task"), key, actor: name }),
  z.strictObject({ type: z.literal("release-task"), key, actor: name }),
  z.strictObject({ type: z.literal("start-task"), key, actor: name }),
  z.strictObject({
    type: z.literal("delegate-task"),
    key,
    to: name,
    reason: reason.exactOptional(),
    actor: name,
  }),
  z.strictObject({ type: z.literal("resolve-task"), key, reason: reason.exactOptional(), actor: name }),
  z.strictObject({ type: z.literal("reassign-task"), key, to: name.nullable(), reason, actor: name }),
  z.strictObject({
    type: z.literal("update-task"),
    key,
    dueAt: instant.exactOptional(),
    followUpAt: instant.exactOptional(),
    priority: z.int().min(0).max(100).exactOptional(),
    candidates: names.exactOptional(),
    reason: reason.exactOptional(),
    actor: name,
  }),
  z.strictObject({
    type: z.literal("escalate-task"),
    key,
    to: names.exactOptional(),
    code: name.exactOptional(),
    reason,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("complete-task"),
    key,
    result: jsonObjectSchema,
    rationale: reason.exactOptional(),
    actor: name,
  }),
]);

/** The row of the log that it became. */
export interface CommandTaken {
  readonly position: number;
}

export const commandTakenSchema: z.ZodType<CommandTaken> = z.object({ position: z.int() });
