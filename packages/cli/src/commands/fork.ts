import { randomUUID } from "node:crypto";
import { forkedSchema } from "@tutti/protocol";
import type { Command, Context } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { openAccess, remoteAccess } from "../run/access.ts";
import { actor } from "../run/actor.ts";
import { resolveInstance } from "../run/instance-id.ts";
import { wordsOf } from "../run/words.ts";
import { quote } from "../terminal/text.ts";
import { instanceArgument } from "./arguments.ts";

export const positionMax: number = Number.MAX_SAFE_INTEGER;

export const fork: Command = {
  name: "fork",
  summary: "Makes another run, or another instance of a process, that goes on from an earlier moment of one.",
  about:
    "What was done by that moment is not done again; what was open then is open in the fork, and what was being worked on begins anew. A run's commits go with it, and its result gets a branch of its own. The original stays as it is.",
  options: {
    at: { value: "POSITION", help: "the last moment that it has, as `checkpoints` shows it (default: all there are)" },
    reason: { value: "TEXT", help: "why; it is recorded" },
  },
  arguments: [instanceArgument],
  examples: ["tutti fork oauth-k3x9aa --at 17", "tutti fork order-1"],
  run: (context) => askFork(context, { position: context.input.number("at", { min: 1, max: positionMax }) }),
};

/** With `cancelOriginal` it is a rollback. */
export async function askFork(
  context: Context,
  { position, cancelOriginal = false }: { readonly position: number | undefined; readonly cancelOriginal?: boolean },
): Promise<number> {
  const { input, out } = context;
  // A state folder without a database has no instance, and must not get an owner for asking.
  const before = await openAccess(context);
  const instance = await resolveInstance(before, input.argument(0)).finally(() => before.close());
  const { client } = await ensureOwner(context.state);
  const body = {
    requestId: randomUUID(),
    ...(position === undefined ? {} : { position }),
    cancelOriginal,
    reason: input.text("reason") ?? "A person asked for it.",
    actor: actor(),
  };
  const path = `/v1/instances/${encodeURIComponent(instance)}/forks`;
  const { id } = await client.ask({ method: "POST", path, body }, forkedSchema);
  const moment = position === undefined ? "the last moment" : `moment ${position}`;
  const { reader } = remoteAccess(client);
  const [original, { process, status }] = await Promise.all([reader.instance(instance), reader.instance(id)]);
  const became = original.status === "cancelled" ? "is cancelled" : "had ended already";
  out.text(`${id} goes on from ${moment} of ${instance}${cancelOriginal ? `; ${instance} ${became}` : ""}.`);
  out.document({ instance, fork: id });
  if (status === "paused") out.note(`→ ${wordsOf(context).tutti(`resume ${quote(id)}`)}`);
  else if (process === "feature") out.note(`→ ${wordsOf(context).tutti(`status ${quote(id)} --follow`)}`);
  return 0;
}
