import { AppError } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { activeKey } from "../../process/active-key.ts";
import { objectOption } from "../../process/object-option.ts";
import { instanceArgument, instanceHere, reasonOf, reasonOption, sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

type Modify = Extract<InstanceCommand, { readonly type: "modify-instance" }>;

export const processModify: Command = {
  name: "process modify",
  summary:
    "Moves an instance by hand: takes away tokens that wait, puts one on an element, ends what is active; all or nothing.",
  about:
    "First tokens are withdrawn, then everything is activated, then everything named is ended, so that a token is moved by both together. As FROM>ELEMENT it comes by the flow from there: a join waits for the others then, and otherwise does not. Containers around an element are opened as needed. What ended is not undone; `tutti rollback` goes back.",
  options: {
    withdraw: { value: "[FROM>]ELEMENT", repeated: true, help: "take away the tokens that wait at this join" },
    activate: { value: "[FROM>]ELEMENT", repeated: true, help: "start this element" },
    terminate: {
      value: "ELEMENT|KEY",
      repeated: true,
      help: "end this active element; by its number where there are several",
    },
    vars: { value: "JSON", help: "with one --activate: written as its outputs would be, or @FILE with them" },
    scope: { value: "KEY", help: "with one --activate or --withdraw: in this container, where there are several" },
    ...reasonOption,
  },
  arguments: [instanceArgument],
  examples: [
    "tutti process modify order-17 --terminate approve --activate ship --reason 'Approved by phone.'",
    "tutti process modify order-17 --terminate pack --activate 'pack>join' --reason 'Packed by hand.'",
  ],
  async run(context) {
    const { input, out } = context;
    const scope = input.number("scope", { min: 0, max: Number.MAX_SAFE_INTEGER });
    const places = input.list("activate").length + input.list("withdraw").length;
    if (scope !== undefined && places !== 1) {
      throw new AppError("option-invalid", `Expected --scope with one --activate or --withdraw, but got ${places}`);
    }
    const activate = await activations(context, scope);
    const withdraw = input.list("withdraw").map((text) => placeOf(text, scope));
    const view = await instanceHere(context);
    const instance = view.instanceId;
    const terminate = input.list("terminate").map((text) => activeKey(view, text));
    if (activate.length + terminate.length + withdraw.length === 0) {
      throw new AppError("input-needed", "Expected --activate, --withdraw or --terminate, but there is none");
    }
    const tokens = withdraw.length === 0 ? {} : { withdraw };
    const said = { reason: reasonOf(context), actor: actor() };
    const command: Modify = { type: "modify-instance", ...tokens, activate, terminate, ...said };
    const position = await sendCommand(context, instance, command);
    const done = [
      ["withdrew", input.list("withdraw")],
      ["started", input.list("activate")],
      ["ended", input.list("terminate")],
    ] as const;
    const told = done.flatMap(([what, which]) => (which.length === 0 ? [] : [`${what} ${which.join(", ")}`]));
    out.text(`${instance}: ${told.join(", ")}.`);
    out.document({ instance, ...tokens, activate, terminate, position });
    return 0;
  },
};

async function activations(context: Context, scope: number | undefined): Promise<Modify["activate"]> {
  const { input } = context;
  const elements = input.list("activate");
  const more = input.text("vars") === undefined ? {} : { variables: await objectOption(context, "vars") };
  if (Object.keys(more).length > 0 && elements.length !== 1) {
    throw new AppError("option-invalid", `Expected --vars with one --activate, but got ${elements.length}`);
  }
  return elements.map((text) => ({ ...placeOf(text, scope), ...more }));
}

/** `ELEMENT`, or `FROM>ELEMENT`. */
function placeOf(text: string, scope: number | undefined): { element: string; from?: string; scope?: number } {
  const [element = "", from] = text.split(">").reverse();
  return { element, ...(from === undefined ? {} : { from }), ...(scope === undefined ? {} : { scope }) };
}
