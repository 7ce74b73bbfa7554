import { resolve } from "node:path";
import { AppError, type Json } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { parsedJson } from "../../process/object-option.ts";
import { instanceArgument, instanceHere, sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";
import { readTextFile } from "../../run/prepare.ts";

export const processItems: Command = {
  name: "process items",
  summary: "Adds items to a collection that is under way, or withdraws those that have not started.",
  about:
    "What is added is checked like the first items and refused as a whole: a key that is there twice, a dependency on nothing, a circle. An item that others wait for is not withdrawn.",
  options: {},
  arguments: [
    { name: "add|withdraw", help: "what to do", required: true },
    instanceArgument,
    { name: "ELEMENT", help: "the step that runs once per item", required: true },
    {
      name: "ITEM",
      help: "add: an item as JSON (other words are texts), or @FILE with a list; withdraw: its key",
      required: true,
      repeated: true,
    },
  ],
  examples: [
    `tutti process items add release-1 build '{"key": "docs", "dependsOn": ["api"]}'`,
    "tutti process items withdraw release-1 build docs",
  ],
  async run(context) {
    const { input, out } = context;
    const [action = "", , element = "", ...given] = input.arguments();
    if (action !== "add" && action !== "withdraw") {
      throw new AppError("option-invalid", `Expected add or withdraw, but got '${action}'`);
    }
    const { instanceId: instance } = await instanceHere(context, 1);
    const items = action === "add" ? await itemsOf(context, given) : given;
    const command: InstanceCommand =
      action === "add"
        ? { type: "add-items", element, items, actor: actor() }
        : { type: "withdraw-items", element, items: given, actor: actor() };
    const position = await sendCommand(context, instance, command);
    const count = `${items.length} item${items.length === 1 ? "" : "s"}`;
    out.text(`${action === "add" ? `Added ${count} to` : `Withdrew ${count} of`} ${element} in ${instance}.`);
    out.document({ instance, element, action, items, position });
    return 0;
  },
};

async function itemsOf({ cwd }: Context, given: readonly string[]): Promise<readonly Json[]> {
  const lists = given.map(async (text): Promise<readonly Json[]> => {
    if (!text.startsWith("@")) return [parsedJson(text) ?? text];
    const list = parsedJson(await readTextFile(resolve(cwd, text.slice(1))));
    if (Array.isArray(list)) return list as readonly Json[];
    throw new AppError("option-invalid", `Expected a list of items in JSON in ${text.slice(1)}, but it has none`);
  });
  return (await Promise.all(lists)).flat();
}
