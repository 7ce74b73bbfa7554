import { AppError, type JsonObject } from "@tutti/kernel";
import type { TaskCommand } from "@tutti/protocol";
import type { Input } from "../args/input.ts";
import type { Command } from "../command.ts";
import { keyedId, resolveKeyedId } from "../process/keyed-name.ts";
import { objectOption } from "../process/object-option.ts";
import { sendCommand } from "../process/send.ts";
import { actor } from "../run/actor.ts";

interface Base {
  readonly key: number;
  readonly actor: string;
}
type Maker = (input: Input, base: Base, result: JsonObject) => TaskCommand;

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
      ...{ type: "reassign-task", ...base, reason: one(input, "reason"), ...right(input) },
      to: input.flag("nobody") ? null : one(input, "to"),
    }),
  ],
  update: ["Updated", updateCommand],
  escalate: ["Escalated", escalateCommand],
  complete: ["Completed", completeCommand],
  throw: ["Ended with an error", throwCommand],
};

export const task: Command = {
  name: "task",
  summary:
    "Does something to a user task: claim, start, delegate, resolve, release, reassign, update, escalate, complete, throw.",
  about:
    "Who claims a task is the only one who may complete it, or end it with a BPMN error. A delegated task goes back to its owner with resolve. Who has a task, or lent it, may reassign, update and escalate it; others with --authority. Every step is recorded with who did it and why.",
  options: {
    to: { value: "WHO", repeated: true, help: "delegate, reassign: to whom; escalate: the candidates from now on" },
    authority: { help: "reassign, update, escalate: though somebody else has it, as you have the right to" },
    nobody: { help: "reassign: to nobody" },
    code: { value: "CODE", help: "escalate: as this BPMN escalation; throw: the BPMN error" },
    result: { value: "JSON", help: "complete: what it gives, or @FILE with it (default: {})" },
    message: { value: "TEXT", help: "throw: what the error says (default: its code)" },
    rationale: { value: "TEXT", help: "complete, throw: why it was decided so; it is recorded" },
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
    "tutti task throw order-1:4 --code refused --message 'The customer is unknown.'",
  ],
  async run(context) {
    const { input, out } = context;
    const action = input.argument(0) ?? "";
    const [did, make] = Object.hasOwn(actions, action) ? (actions[action] ?? []) : [];
    if (did === undefined || make === undefined) {
      const known = Object.keys(actions).join(", ");
      throw new AppError("option-invalid", `Expected one of ${known}, but got '${action}'`);
    }
    const name = await resolveKeyedId(context, input.argument(1) ?? "", "task");
    const command = make(input, { key: name.key, actor: actor() }, await objectOption(context, "result"));
    const position = await sendCommand(context, name.instanceId, command);
    out.text(`${did} ${keyedId(name)}.`);
    out.document({ task: keyedId(name), action, position });
    return 0;
  },
};

function one(input: Input, name: string): string {
  const [value, ...more] = input.list(name);
  if (value !== undefined && more.length === 0) return value;
  throw new AppError("input-needed", `Expected --${name} once, but it was given ${input.list(name).length} times`);
}

function right(input: Input): { readonly authority?: true } {
  return input.flag("authority") ? { authority: true } : {};
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

function updateCommand(input: Input, base: Base): TaskCommand {
  const dueAt = instant(input, "due");
  const followUpAt = instant(input, "follow-up");
  const priority = input.number("priority", { min: 0, max: 100 });
  const candidates = input.list("candidate");
  return {
    ...{ type: "update-task", ...base, ...why(input), ...right(input) },
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(followUpAt === undefined ? {} : { followUpAt }),
    ...(priority === undefined ? {} : { priority }),
    ...(candidates.length === 0 ? {} : { candidates }),
  };
}

function escalateCommand(input: Input, base: Base): TaskCommand {
  const to = input.list("to");
  const code = input.text("code");
  return {
    ...{ type: "escalate-task", ...base, reason: one(input, "reason"), ...right(input) },
    ...(to.length === 0 ? {} : { to }),
    ...(code === undefined ? {} : { code }),
  };
}

function completeCommand(input: Input, base: Base, result: JsonObject): TaskCommand {
  return { type: "complete-task", ...base, result, ...rationaleOf(input) };
}

function throwCommand(input: Input, base: Base): TaskCommand {
  const code = one(input, "code");
  const error = { code, message: input.text("message") ?? code };
  return { type: "throw-task-error", ...base, error, ...rationaleOf(input) };
}

function rationaleOf(input: Input): { readonly rationale?: string } {
  const rationale = input.text("rationale");
  return rationale === undefined ? {} : { rationale };
}
