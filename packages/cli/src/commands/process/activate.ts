import { AppError, type InstanceView } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command } from "../../command.ts";
import { activeKey } from "../../process/active-key.ts";
import { objectOption } from "../../process/object-option.ts";
import { instanceArgument, instanceHere, sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

export const processActivate: Command = {
  name: "process activate",
  summary: "Chooses what an ad-hoc sub-process does next, or says that nothing more is chosen.",
  about:
    "The steps that are named start, in this order where it does one after the other. With --complete it ends once they have ended.",
  options: {
    in: { value: "ELEMENT|KEY", help: "the ad-hoc sub-process (default: the only one in which people choose)" },
    vars: { value: "JSON", help: "with one step: what it starts with, or @FILE with them" },
    complete: { help: "no more will be chosen" },
  },
  arguments: [instanceArgument, { name: "STEP", help: "a step in it", repeated: true }],
  examples: ["tutti process activate case-7 inspect call-customer", "tutti process activate case-7 --complete"],
  async run(context) {
    const { input, out } = context;
    const [, ...steps] = input.arguments();
    const complete = input.flag("complete");
    if (steps.length === 0 && !complete) {
      throw new AppError("input-needed", "Expected a step to start or --complete, but there is neither");
    }
    const view = await instanceHere(context);
    const variables = input.text("vars") === undefined ? {} : { variables: await objectOption(context, "vars") };
    if (Object.keys(variables).length > 0 && steps.length !== 1) {
      throw new AppError("option-invalid", `Expected --vars with one step, but got ${steps.length}`);
    }
    const elements = steps.map((element) => ({ element, ...variables }));
    const command: InstanceCommand = {
      ...{ type: "activate-elements", key: choosing(view, input.text("in")), elements, actor: actor() },
      ...(complete ? { complete } : {}),
    };
    const position = await sendCommand(context, view.instanceId, command);
    const did = [...(steps.length > 0 ? [`started ${steps.join(", ")}`] : []), ...(complete ? ["chose the last"] : [])];
    out.text(`${view.instanceId}: ${did.join(", ")}.`);
    out.document({ instance: view.instanceId, activate: elements, complete, position });
    return 0;
  },
};

function choosing(view: InstanceView, given: string | undefined): number {
  if (given !== undefined) return activeKey(view, given);
  const open = view.waiting.flatMap(({ on, key, element }) =>
    on === "choice" && key !== null ? { key, element } : [],
  );
  const [only, ...others] = open;
  if (only !== undefined && others.length === 0) return only.key;
  const found =
    open.length === 0
      ? "there is none"
      : `there are ${open.map(({ key, element }) => `${element} (${key})`).join(", ")}: name one with --in`;
  throw new AppError(
    "option-invalid",
    `Expected one ad-hoc sub-process in ${view.instanceId} in which people choose, but ${found}`,
  );
}
