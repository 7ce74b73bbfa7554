import { commandTakenSchema, type InstanceCommand } from "@tutti/protocol";
import type { Options } from "../args/option.ts";
import type { Context } from "../command.ts";
import { ownerHere } from "../run/access.ts";

export const reasonOption: Options = { reason: { value: "TEXT", help: "why; it is recorded" } };

export function reasonOf({ input }: Context): string {
  return input.text("reason") ?? "A person asked for it.";
}

/** Sends a command to an instance and gives its row in the log. Rejects with `command-refused` and the reason. */
export async function sendCommand(context: Context, instanceId: string, body: InstanceCommand): Promise<number> {
  const client = await ownerHere(context);
  const path = `/v1/instances/${encodeURIComponent(instanceId)}/commands`;
  return (await client.ask({ method: "POST", path, body }, commandTakenSchema)).position;
}
