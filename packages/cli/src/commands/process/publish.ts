import type { Correlated } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import type { PublishMessage } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { objectOption } from "../../process/object-option.ts";
import { ownerHere } from "../../run/access.ts";

export const processPublish: Command = {
  name: "process publish",
  summary: "Publishes a message: to whoever waits for it by its name and key, or begins with it.",
  about:
    "At most one instance of each process gets it. Exit status 1: nobody waited for it, and it is not kept. What is signalled to everybody is `tutti process signal`.",
  options: {
    key: { value: "KEY", help: "correlation key; without one it meets only those who wait without one" },
    vars: { value: "JSON", help: "what it brings, or @FILE with it" },
    ttl: {
      value: "DURATION",
      help: "how long it is kept for those who do not wait yet, as 90s, 2h, 7d (default: not)",
    },
    id: { value: "ID", help: "publishing twice with one id publishes once, for an hour at least" },
  },
  arguments: [{ name: "MESSAGE", help: "its name", required: true }],
  examples: [`tutti process publish paid --key A-17 --vars '{"sum": 80}' --ttl 1d`],
  async run(context) {
    const { input, out } = context;
    const name = input.argument(0) ?? "";
    const [correlationKey, id, ttl] = [input.text("key"), input.text("id"), input.text("ttl")];
    const body: PublishMessage = {
      name,
      ...(correlationKey === undefined ? {} : { correlationKey }),
      ...(id === undefined ? {} : { id }),
      ...(ttl === undefined ? {} : { ttlMs: await milliseconds(ttl) }),
      variables: await objectOption(context, "vars"),
    };
    const client = await ownerHere(context);
    const became = (await client.json({ method: "POST", path: "/v1/messages", body })) as Correlated;
    out.document(became);
    tell(context, name, became);
    return became.instances.length === 0 && became.keptUntil === null ? 1 : 0;
  },
};

async function milliseconds(text: string): Promise<number> {
  // A message without a time to live does not wait for the engines of all expressions to load.
  const { createHost } = await import("@tutti/definition");
  const due = createHost().nextDue({ kind: "duration" }, text, 0);
  if (due.ok) return due.due;
  throw new AppError("option-invalid", `Expected --ttl as a duration such as 90s, 2h or P7D, but got '${text}'`);
}

function tell({ out }: Context, name: string, { duplicate, instances, keptUntil, refused }: Correlated): void {
  if (duplicate) out.text("It was published before; this is what became of it.");
  for (const { process, instanceId, started } of instances) {
    out.text(started ? `'${name}' started ${instanceId} (${process}).` : `${instanceId} (${process}) got '${name}'.`);
  }
  for (const { process, reason } of refused) out.text(`'${name}' could not start ${process}: ${reason}`);
  if (keptUntil !== null) out.text(`It is kept for others until ${new Date(keptUntil).toISOString()}.`);
  else if (instances.length === 0) out.text(`Nobody waits for '${name}', and it is not kept: see --ttl.`);
}
