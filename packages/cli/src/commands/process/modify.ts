import { AppError, type InstanceView } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { objectOption } from "../../process/object-option.ts";
import { reasonOf, reasonOption, sendCommand } from "../../process/send.ts";
import { withAccess } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";

type Modify = Extract<InstanceCommand, { readonly type: "modify-instance" }>;

export const processModify: Command = {
  name: "process modify",
  summary: "Moves an instance by hand: puts a token on an element, and ends what is active; all or nothing.",
  about:
    "First everything is activated, then everything named is ended, so that a token is moved by both together. Containers around an element are opened as needed. What ended is not undone; `tutti rollback` goes back.",
  options: {
    activate: { value: "ELEMENT", repeated: true, help: "start this element" },
    terminate: {
      value: "ELEMENT|KEY",
      repeated: true,
      help: "end this active element; by its number where there are several",
    },
    vars: { value: "JSON", help: "with one --activate: written as its outputs would be, or @FILE with them" },
    scope: { value: "KEY", help: "with one --activate: in this container, where there are several" },
    ...reasonOption,
  },
  arguments: [{ name: "INSTANCE", help: "id of the instance", required: true }],
  examples: ["tutti process modify order-17 --terminate approve --activate ship --reason 'Approved by phone.'"],
  async run(context) {
    const { input, out } = context;
    const instance = input.argument(0) ?? "";
    const activate = await activations(context);
    const view = await withAccess(context, ({ reader }) => reader.instance(instance));
    const terminate = input.list("terminate").map((text) => keyOf(view, text));
    if (activate.length + terminate.length === 0) {
      throw new AppError("input-needed", "Expected --activate or --terminate, but there is neither");
    }
    const command: Modify = { type: "modify-instance", activate, terminate, reason: reasonOf(context), actor: actor() };
    const position = await sendCommand(context, instance, command);
    const began = activate.map(({ element }) => element).join(", ");
    const ended = input.list("terminate").join(", ");
    out.text(
      `${instance}: ${[...(began === "" ? [] : [`started ${began}`]), ...(ended === "" ? [] : [`ended ${ended}`])].join(", ")}.`,
    );
    out.document({ instance, activate, terminate, position });
    return 0;
  },
};

async function activations(context: Context): Promise<Modify["activate"]> {
  const { input } = context;
  const elements = input.list("activate");
  const scope = input.number("scope", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const more = {
    ...(scope === undefined ? {} : { scope }),
    ...(input.text("vars") === undefined ? {} : { variables: await objectOption(context, "vars") }),
  };
  if (Object.keys(more).length > 0 && elements.length !== 1) {
    throw new AppError("option-invalid", `Expected --vars and --scope with one --activate, but got ${elements.length}`);
  }
  return elements.map((element) => ({ element, ...more }));
}

function keyOf({ instanceId, elements }: InstanceView, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const keys = elements.filter(({ element }) => element === text).map(({ key }) => key);
  const [key, ...others] = keys;
  if (key !== undefined && others.length === 0) return key;
  const found = key === undefined ? "it is not active" : `there are ${keys.join(", ")}: name one by its number`;
  throw new AppError("option-invalid", `Expected one active '${text}' in ${instanceId}, but ${found}`);
}
