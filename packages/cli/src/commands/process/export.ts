import { resolve } from "node:path";
import { type ReleasedInstance, type ReleaseInstance, releasedInstanceSchema } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { createInstanceFile } from "../../process/instance-file.ts";
import { instanceArgument } from "../../process/send.ts";
import { askByWholeId } from "../../process/whole-id.ts";
import { ownerHere } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";

export const processExport: Command = {
  name: "process export",
  summary: "Gives an instance up into a file, for another installation to go on with it.",
  about:
    "From then on it is not here any more: it goes on where the file is imported, there or here again, with its id, its history and all that waits. Exported again, it is the same file. What is in the way is as for `tutti process move`.",
  options: { now: { help: "stop the jobs that run; they begin again where it goes on" } },
  arguments: [instanceArgument, { name: "FILE", help: "a file that is not there yet", required: true }],
  examples: ["tutti process export order-17 order-17.json"],
  async run(context) {
    const { input, cwd, out } = context;
    const path = resolve(cwd, input.argument(1) ?? "");
    const file = createInstanceFile(path);
    let instance: ReleasedInstance;
    try {
      instance = await release(context, input.argument(0) ?? "");
    } catch (error) {
      file.discard();
      throw error;
    }
    file.write(instance);
    const { instanceId, rows } = instance;
    out.text(`${instanceId} is in ${path}, and not here any more.`);
    out.document({ instance: instanceId, file: path, rows: rows.length });
    return 0;
  },
};

async function release(context: Context, given: string): Promise<ReleasedInstance> {
  const client = await ownerHere(context);
  const body: ReleaseInstance = { stopRunning: context.input.flag("now"), actor: actor() };
  return askByWholeId(context, given, (instanceId) => {
    const path = `/v1/instances/${encodeURIComponent(instanceId)}/releases`;
    return client.ask({ method: "POST", path, body }, releasedInstanceSchema);
  });
}
