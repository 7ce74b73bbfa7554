import type { InstanceView } from "@tutti/kernel";
import { commandTakenSchema, type InstanceCommand } from "@tutti/protocol";
import type { Argument, Options } from "../args/option.ts";
import type { Context } from "../command.ts";
import { ownerHere, withAccess } from "../run/access.ts";
import { instanceNamed } from "../run/instance-id.ts";

export const reasonOption: Options = { reason: { value: "TEXT", help: "why; it is recorded" } };

export function reasonOf({ input }: Context): string {
  return input.text("reason") ?? "A person asked for it.";
}

export const instanceArgument: Argument = {
  name: "INSTANCE",
  help: "id of the instance, or letters that only one begins or ends with",
  required: true,
};

/** The instance that an argument of a command means, the first unless said. */
export function instanceHere(context: Context, index = 0): Promise<InstanceView> {
  return withAccess(context, ({ reader }) => instanceNamed(reader, context.input.argument(index) ?? ""));
}

/** Sends a command to an instance and gives its row in the log. Rejects with `command-refused` and the reason. */
export async function sendCommand(context: Context, instanceId: string, body: InstanceCommand): Promise<number> {
  const client = await ownerHere(context);
  const path = `/v1/instances/${encodeURIComponent(instanceId)}/commands`;
  return (await client.ask({ method: "POST", path, body }, commandTakenSchema)).position;
}
