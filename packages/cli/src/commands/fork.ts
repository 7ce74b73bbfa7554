import { randomUUID } from "node:crypto";
import type { RecordedEvent } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import { forkedSchema } from "@tutti/protocol";
import type { Command, Context } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { openAccess } from "../run/access.ts";
import { actor } from "../run/actor.ts";
import { wordsOf } from "../run/words.ts";
import { clockTime, quote } from "../terminal/text.ts";

const positionMax = Number.MAX_SAFE_INTEGER;

export const fork: Command = {
  name: "fork",
  summary: "Makes a new instance that goes on from an earlier point of another one, or rolls that one back.",
  about:
    "What was done before that point is not done again; what was open then is open in the new one, and processes that it had called start anew. The original stays as it is. For instances of processes: a run keeps commits and workspaces under its own id.",
  options: {
    at: { value: "POSITION", help: "the last step that it has, as --list shows it (default: all there are)" },
    list: { help: "list the steps to fork from" },
    cancel: { help: "cancel the original in the same step: roll back" },
    reason: { value: "TEXT", help: "why; it is recorded" },
  },
  arguments: [{ name: "INSTANCE", help: "id of the instance", required: true }],
  examples: ["tutti fork order-1 --list", "tutti fork order-1 --at 17", "tutti fork order-1 --at 17 --cancel"],
  async run(context) {
    const { input, out } = context;
    const instance = input.argument(0) ?? "";
    if (input.flag("list")) return list(context, instance);
    const position = input.number("at", { min: 1, max: positionMax });
    // A state folder without a database has no instance, and must not get an owner for asking.
    await (await openAccess(context)).close();
    const { client } = await ensureOwner(context.state);
    const body = {
      requestId: randomUUID(),
      ...(position === undefined ? {} : { position }),
      cancelOriginal: input.flag("cancel"),
      reason: input.text("reason") ?? "A person asked for it.",
      actor: actor(),
    };
    const path = `/v1/instances/${encodeURIComponent(instance)}/forks`;
    const { id } = await client.ask({ method: "POST", path, body }, forkedSchema);
    const cancelled = input.flag("cancel") ? `; ${instance} is cancelled` : "";
    out.text(
      `${id} goes on from ${position === undefined ? "the last step" : `step ${position}`} of ${instance}${cancelled}.`,
    );
    out.document({ instance, fork: id });
    return 0;
  },
};

interface Step {
  readonly position: number;
  readonly at: number;
  readonly events: readonly RecordedEvent["event"]["type"][];
}

async function list(context: Context, instance: string): Promise<number> {
  const { out } = context;
  const access = await openAccess(context);
  const steps: { position: number; at: number; events: Step["events"][number][] }[] = [];
  try {
    const { rootId } = await access.reader.instance(instance);
    for await (const { cursor, instanceId, at, event } of access.reader.history({ rootId })) {
      if (instanceId !== instance) continue;
      const last = steps.at(-1);
      if (last?.position === cursor.position) last.events.push(event.type);
      else steps.push({ position: cursor.position, at, events: [event.type] });
    }
  } finally {
    await access.close();
  }
  if (steps.length === 0)
    throw new AppError("instance-not-found", `Expected an instance '${instance}', but there is none`);
  out.document({ instance, steps });
  for (const { position, at, events } of steps) out.text(`${position}  ${clockTime(at)}  ${events.join(", ")}`);
  out.note(`→ ${wordsOf(context).tutti(`fork ${quote(instance)} --at POSITION`)}`);
  return 0;
}
