import type { Json } from "@tutti/kernel";
import type { Command, Context } from "../../command.ts";
import { instanceArgument } from "../../process/send.ts";
import { valueText } from "../../process/waits.ts";
import { type RunAccess, withAccess } from "../../run/access.ts";
import { instanceNamed } from "../../run/instance-id.ts";
import { historyOf } from "../../run/reader.ts";
import { table } from "../../terminal/text.ts";

export const processVars: Command = {
  name: "process vars",
  summary: "Shows the variables of an instance with their versions, or every value that one of them had.",
  options: {},
  arguments: [instanceArgument, { name: "NAME", help: "of a variable: its history" }],
  examples: ["tutti process vars order-17", "tutti process vars order-17 amount --json"],
  run: (context) =>
    withAccess(context, (access) => {
      const name = context.input.argument(1);
      return name === undefined ? all(context, access) : history(context, access, name);
    }),
};

async function all({ input, out }: Context, { reader }: RunAccess): Promise<number> {
  const { instanceId, variables, variableVersions } = await instanceNamed(reader, input.argument(0) ?? "");
  const rows = Object.entries(variableVersions).map(([name, { version, author, at }]) => ({
    ...{ name, value: variables[name] ?? null, version, author, at },
  }));
  out.document({ instance: instanceId, variables: rows });
  if (rows.length === 0) out.text("No variables.");
  else
    out.text(table([["NAME", "VERSION", "AT (UTC)", "BY", "VALUE"], ...rows.map((row) => [row.name, ...cells(row)])]));
  return 0;
}

interface Write {
  readonly version: number;
  readonly value: Json;
  readonly author: string;
  readonly reason: string | null;
  readonly at: number;
}

async function history({ input, out }: Context, { reader }: RunAccess, name: string): Promise<number> {
  const { instanceId: instance } = await instanceNamed(reader, input.argument(0) ?? "");
  const writes: Write[] = [];
  const add = (write: Omit<Write, "version">): void => void writes.push({ version: writes.length + 1, ...write });
  for await (const { event } of historyOf(reader, instance)) {
    if (event.type !== "variables-set" || event.scope !== 0) continue;
    const { actor: author, reason = null, at } = event;
    const value = event.values[name];
    if (value !== undefined) add({ value, author, reason, at });
  }
  out.document({ instance, name, writes });
  if (writes.length === 0) out.text(`'${name}' was never written.`);
  else
    out.text(
      table([
        ["VERSION", "AT (UTC)", "BY", "VALUE", "WHY"],
        ...writes.map((write) => [...cells(write), write.reason ?? ""]),
      ]),
    );
  return 0;
}

function cells({ version, at, author, value }: Omit<Write, "reason">): string[] {
  return [String(version), new Date(at).toISOString().slice(0, 19).replace("T", " "), author, valueText(value, 60)];
}
