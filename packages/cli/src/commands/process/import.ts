import { resolve } from "node:path";
import { type AdoptInstance, instanceStartedSchema } from "@tutti/protocol";
import type { Command } from "../../command.ts";
import { ensureOwner } from "../../owner/find.ts";
import { readInstanceFile } from "../../process/instance-file.ts";
import { reasonOf, reasonOption } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

export const processImport: Command = {
  name: "process import",
  summary: "Goes on with an instance that `tutti process export` gave up.",
  about:
    "On the engine that --engine names, or the configuration. Its version comes along for itself alone. Importing again changes nothing; import a file in one place only.",
  options: reasonOption,
  arguments: [{ name: "FILE", help: "as `tutti process export` wrote it", required: true }],
  examples: ["tutti process import order-17.json --engine temporal"],
  async run(context) {
    const { input, cwd, out } = context;
    const instance = readInstanceFile(resolve(cwd, input.argument(0) ?? ""));
    const { client } = await ensureOwner(context.state);
    const body: AdoptInstance = { instance, reason: reasonOf(context), actor: actor() };
    const { id } = await client.ask({ method: "POST", path: "/v1/instances/adoptions", body }, instanceStartedSchema);
    const { engine = "embedded" } = context.state;
    out.text(`${engine} has ${id} now.`);
    out.document({ instance: id, engine });
    return 0;
  },
};
