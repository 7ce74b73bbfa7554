import type { Command } from "@tutti/kernel";
import { z } from "zod";
import { jsonObjectSchema, jsonSchema } from "./json.ts";

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;

/** What a person does to a user task. */
export type TaskCommand = Untimed<Extract<Command, { readonly type: `${string}-task` | "throw-task-error" }>>;

/** `POST /v1/instances/{id}/commands`: what a person does to an instance of a process, and in place of its workers. */
export type InstanceCommand =
  | TaskCommand
  | Untimed<
      Extract<
        Command,
        {
          readonly type:
            | "pause-instance"
            | "resume-instance"
            | "cancel-instance"
            | "resolve-incident"
            | "set-variables"
            | "modify-instance"
            | "add-items"
            | "withdraw-items"
            | "activate-elements"
            | "complete-job"
            | "fail-job"
            | "throw-job-error";
        }
      >
    >;

const name = z.string().min(1).max(200);
const reason = z.string().max(2_000);
const key = z.int().min(1);
/** Whoever has the task; whoever can reach the owner of the state may say so. */
const authority = z.literal(true).exactOptional();
/** What the instance did is undone before it ends. */
const undo = z.literal(true).exactOptional();
const names = z.array(name).max(100).readonly();
/** Epoch ms. */
const instant = z.int().min(0).nullable();

const failure = z.strictObject({
  code: name,
  message: z.string().max(10_000),
  details: jsonObjectSchema.exactOptional(),
});
const elements = z.array(name).max(1_000).readonly();
const items = z.array(name).min(1).max(1_000).readonly();
const activation = z.strictObject({
  element: name,
  from: name.exactOptional(),
  scope: z.int().min(0).exactOptional(),
  variables: jsonObjectSchema.exactOptional(),
});

const withdrawal = z.strictObject({
  element: name,
  from: name.exactOptional(),
  scope: z.int().min(0).exactOptional(),
});

export const instanceCommandSchema: z.ZodType<InstanceCommand> = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("pause-instance"), stopRunning: z.boolean(), reason, actor: name }),
  z.strictObject({ type: z.literal("resume-instance"), actor: name }),
  z.strictObject({ type: z.literal("cancel-instance"), reason, actor: name, undo }),
  z.strictObject({
    type: z.literal("resolve-incident"),
    key,
    action: z.enum(["retry", "accept"]),
    items: elements.exactOptional(),
    reason,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("set-variables"),
    scope: z.int().min(0),
    values: jsonObjectSchema,
    expectedVersions: z.record(name, z.int().min(0)).exactOptional(),
    reason,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("modify-instance"),
    withdraw: z.array(withdrawal).max(1_000).readonly().exactOptional(),
    activate: z.array(activation).max(1_000).readonly(),
    terminate: z.array(key).max(1_000).readonly(),
    reason,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("add-items"),
    element: name,
    items: z.array(jsonSchema).min(1).max(1_000).readonly(),
    actor: name,
  }),
  z.strictObject({ type: z.literal("withdraw-items"), element: name, items, actor: name }),
  z.strictObject({
    type: z.literal("activate-elements"),
    key,
    elements: z
      .array(z.strictObject({ element: name, variables: jsonObjectSchema.exactOptional() }))
      .max(1_000)
      .readonly(),
    complete: z.boolean().exactOptional(),
    actor: name,
  }),
  z.strictObject({ type: z.literal("complete-job"), key, result: jsonObjectSchema, actor: name }),
  z.strictObject({ type: z.literal("fail-job"), key, error: failure, retryable: z.boolean() }),
  z.strictObject({ type: z.literal("throw-job-error"), key, error: failure }),
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
  z.strictObject({ type: z.literal("reassign-task"), key, to: name.nullable(), reason, actor: name, authority }),
  z.strictObject({
    type: z.literal("update-task"),
    key,
    dueAt: instant.exactOptional(),
    followUpAt: instant.exactOptional(),
    priority: z.int().min(0).max(100).exactOptional(),
    candidates: names.exactOptional(),
    reason: reason.exactOptional(),
    authority,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("escalate-task"),
    key,
    to: names.exactOptional(),
    code: name.exactOptional(),
    reason,
    authority,
    actor: name,
  }),
  z.strictObject({
    type: z.literal("complete-task"),
    key,
    result: jsonObjectSchema,
    rationale: reason.exactOptional(),
    actor: name,
  }),
  z.strictObject({
    type: z.literal("throw-task-error"),
    key,
    error: failure,
    rationale: reason.exactOptional(),
    actor: name,
  }),
]);

/** The row of the log that it became. */
export interface CommandTaken {
  readonly position: number;
}

export const commandTakenSchema: z.ZodType<CommandTaken> = z.object({ position: z.int() });
