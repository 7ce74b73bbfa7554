import { AppError } from "@tutti/kernel";
import { instanceMovedSchema, type MoveInstance } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { type EngineName, engineNames } from "../../engines/place.ts";
import { instanceArgument, reasonOf, reasonOption } from "../../process/send.ts";
import { askByWholeId } from "../../process/whole-id.ts";
import { ownerHere } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";

export const processMove: Command = {
  name: "process move",
  summary: "Has the other engine go on with instances, under the same ids and with all they have been through.",
  about:
    "What waits goes along: tasks with who has them, timers with their instants, messages that are awaited, jobs that nobody works on, incidents, and what can be undone; so does the version, without becoming one that new instances get. A job that runs is in the way, unless --now stops it, and so is a called process that has not ended. An instance that runs is paused meanwhile, one that was paused stays so. Whatever ends in the middle of it, the same command finishes it.",
  options: {
    to: { value: "ENGINE", help: "embedded or temporal" },
    now: { help: "stop the jobs that run; they begin again there" },
    ...reasonOption,
  },
  arguments: [{ ...instanceArgument, repeated: true }],
  examples: ["tutti process move order-17 --to temporal", "tutti process move order-17 order-18 --to embedded --now"],
  async run(context) {
    const { input, out } = context;
    const to = engineIn(input.text("to"));
    const moves: { readonly instance: string; readonly to: EngineName; readonly moved: boolean }[] = [];
    for (const given of input.arguments()) {
      const { instance, moved } = await move(context, { given, to });
      moves.push({ instance, to, moved });
      out.text(`${to} has ${instance} ${moved ? "now" : "already"}.`);
    }
    out.document({ moves });
    return 0;
  },
};

function engineIn(text: string | undefined): EngineName {
  const name = engineNames.find((each) => each === text);
  if (name !== undefined) return name;
  const got = text === undefined ? "there is none" : `got '${text}'`;
  throw new AppError("option-invalid", `Expected --to ${engineNames.join(" or ")}, but ${got}`);
}

async function move(
  context: Context,
  { given, to }: { readonly given: string; readonly to: EngineName },
): Promise<{ readonly instance: string; readonly moved: boolean }> {
  const client = await ownerHere(context);
  const body: MoveInstance = {
    ...{ to, stopRunning: context.input.flag("now") },
    ...{ reason: reasonOf(context), actor: actor() },
  };
  return askByWholeId(context, given, async (instance) => {
    const path = `/v1/instances/${encodeURIComponent(instance)}/moves`;
    return { instance, ...(await client.ask({ method: "POST", path, body }, instanceMovedSchema)) };
  });
}
