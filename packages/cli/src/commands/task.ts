import { AppError, isJsonObject, type Json, type JsonObject } from "@tutti/kernel";
import { commandTakenSchema, type TaskCommand } from "@tutti/protocol";
import type { Input } from "../args/input.ts";
import type { Command, Context } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { openAccess } from "../run/access.ts";
import { actor } from "../run/actor.ts";
import { parseTaskId, taskId } from "../task/task-name.ts";

type Maker = (input: Input, base: { readonly key: number; readonly actor: string }) => TaskCommand;

/** What each action sends, and what it did. */
const actions: { readonly [action: string]: readonly [did: string, make: Maker] } = {
  claim: ["Claimed", (_input, base) => ({ type: "claim-task", ...base })],
  release: ["Released", (_input, base) => ({ type: "release-task", ...base })],
  start: ["Began", (_input, base) => ({ type: "start-task", ...base })],
  delegate: ["Delegated", (input, base) => ({ type: "delegate-task", ...base, to: one(input, "to"), ...why(input) })],
  resolve: ["Gave back", (input, base) => ({ type: "resolve-task", ...base, ...why(input) })],
  reassign: [
    "Reassigned",
    (input, base) => ({
      ...{ type: "reassign-task", ...base, reason: one(input, "reason") },
      to: input.flag("nobody") ? null : one(input, "to"),
    }),
  ],
  update: ["Updated", updateCommand],
  escalate: ["Escalated", escalateCommand],
  complete: ["Completed", completeCommand],
};

export const task: Command = {
  name: "task",
  summary:
    "Does something to a user task: claim, start, delegate, resolve, release, reassign, update, escalate, complete.",
  about:
    "Who claims a task is the only one who may complete it. A delegated task goes back to its owner with resolve. Who may reassign, update and escalate is not checked here: every step is recorded with who did it and why.",
  options: {
    to: { value: "WHO", repeated: true, help: "delegate, reassign: to whom; escalate: the candidates from now on" },
    nobody: { help: "reassign: to nobody" },
    code: { value: "CODE", help: "escalate: as this BPMN escalation" },
    result: { value: "JSON", help: "complete: what it gives (default: {})" },
    rationale: { value: "TEXT", help: "complete: why it was decided so; it is recorded" },
    due: { value: "TIME", help: "update: when it has to be done, as 2027-01-31T12:00Z, or none" },
    "follow-up": { value: "TIME", help: "update: when to be reminded of it, or none" },
    priority: { value: "N", help: "update: from 0 to 100, the most urgent" },
    candidate: { value: "WHO", repeated: true, help: "update: who may claim it" },
    reason: { value: "TEXT", help: "why; it is recorded" },
  },
  arguments: [
    { name: "ACTION", help: `one of ${Object.keys(actions).join(", ")}`, required: true },
    { name: "TASK", help: "INSTANCE:KEY, as `tutti tasks` lists it", required: true },
  ],
  examples: [
    "tutti task claim order-1:4",
    "tutti task delegate order-1:4 --to bob --reason 'He knows the customer.'",
    `tutti task complete order-1:4 --result '{"ok": true}' --rationale 'Below the limit.'`,
  ],
  async run(context) {
    const { input, out } = context;
    const action = input.argument(0) ?? "";
    const [did, make] = Object.hasOwn(actions, action) ? (actions[action] ?? []) : [];
    if (did === undefined || make === undefined) {
      const known = Object.keys(actions).join(", ");
      throw new AppError("option-invalid", `Expected one of ${known}, but got '${action}'`);
    }
    const name = parseTaskId(input.argument(1) ?? "");
    const command = make(input, { key: name.key, actor: actor() });
    const { position } = await send(context, name.instanceId, command);
    out.text(`${did} ${taskId(name)}.`);
    out.document({ task: taskId(name), action, position });
    return 0;
  },
};

async function send(context: Context, instanceId: string, body: TaskCommand): Promise<{ readonly position: number }> {
  // A state folder without a database has no task, and must not get an owner for asking.
  await (await openAccess(context)).close();
  const { client } = await ensureOwner(context.state);
  const path = `/v1/instances/${encodeURIComponent(instanceId)}/commands`;
  return client.ask({ method: "POST", path, body }, commandTakenSchema);
}

function one(input: Input, name: string): string {
  const [value, ...more] = input.list(name);
  if (value !== undefined && more.length === 0) return value;
  throw new AppError("input-needed", `Expected --${name} once, but it was given ${input.list(name).length} times`);
}

function why(input: Input): { readonly reason?: string } {
  const reason = input.text("reason");
  return reason === undefined ? {} : { reason };
}

/** Epoch ms, or null for `none`. */
function instant(input: Input, name: string): number | null | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  if (text === "none") return null;
  const at = Date.parse(text);
  if (!Number.isNaN(at) && at >= 0) return at;
  throw new AppError("option-invalid", `Expected --${name} as a date such as 2027-01-31T12:00Z, but got '${text}'`);
}

function updateCommand(input: Input, base: Parameters<Maker>[1]): TaskCommand {
  const dueAt = instant(input, "due");
  const followUpAt = instant(input, "follow-up");
  const priority = input.number("priority", { min: 0, max: 100 });
  const candidates = input.list("candidate");
  return {
    ...{ type: "update-task", ...base, ...why(input) },
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(followUpAt === undefined ? {} : { followUpAt }),
    ...(priority === undefined ? {} : { priority }),
    ...(candidates.length === 0 ? {} : { candidates }),
  };
}

function escalateCommand(input: Input, base: Parameters<Maker>[1]): TaskCommand {
  const to = input.list("to");
  const code = input.text("code");
  return {
    ...{ type: "escalate-task", ...base, reason: one(input, "reason") },
    ...(to.length === 0 ? {} : { to }),
    ...(code === undefined ? {} : { code }),
  };
}

function completeCommand(input: Input, base: Parameters<Maker>[1]): TaskCommand {
  const rationale = input.text("rationale");
  const result = resultOf(input.text("result") ?? "{}");
  return { type: "complete-task", ...base, result, ...(rationale === undefined ? {} : { rationale }) };
}

function resultOf(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    if (isJsonObject(value)) return value;
  } catch {
    // Said below, as for JSON that is no object.
  }
  throw new AppError("option-invalid", `Expected --result to be {"name": value}, but got '${text.slice(0, 80)}'`);
}
