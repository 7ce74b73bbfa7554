import { AppError, type Json } from "@tutti/kernel";
import type { Input } from "../../args/input.ts";
import type { Command } from "../../command.ts";
import { parsedJson } from "../../process/object-option.ts";
import { pair } from "../../process/pairs.ts";
import { instanceArgument, instanceHere, reasonOf, reasonOption, sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

const form = "NAME=JSON, a text in quotes as name='\"text\"'";

export const processSet: Command = {
  name: "process set",
  summary: "Sets variables of an instance that runs; who did it and why is recorded.",
  options: {
    expect: {
      value: "NAME=VERSION",
      repeated: true,
      help: "refuse when it has changed: its version, 0 when it is not there",
    },
    scope: { value: "KEY", help: "within this element, as `tutti process show` numbers it (default: the process)" },
    ...reasonOption,
  },
  arguments: [
    instanceArgument,
    { name: "NAME=JSON", help: "a variable and its new value", required: true, repeated: true },
  ],
  examples: [
    "tutti process set order-17 amount=80 --expect amount=1 --reason 'Typed wrong.'",
    `tutti process set order-17 note='"call first"'`,
  ],
  async run(context) {
    const { input, out } = context;
    const [, ...given] = input.arguments();
    const { instanceId: instance } = await instanceHere(context);
    const values = Object.fromEntries(given.map((text) => assignment(text)));
    const expectedVersions = versionsOf(input);
    const position = await sendCommand(context, instance, {
      type: "set-variables",
      scope: input.number("scope", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0,
      values,
      ...(expectedVersions === undefined ? {} : { expectedVersions }),
      reason: reasonOf(context),
      actor: actor(),
    });
    out.text(`Set ${Object.keys(values).join(", ")} of ${instance}.`);
    out.document({ instance, values, position });
    return 0;
  },
};

function assignment(text: string): readonly [string, Json] {
  const [name, json] = pair(text, form);
  const value = parsedJson(json);
  if (value !== undefined) return [name, value];
  throw new AppError("option-invalid", `Expected ${form}, but got '${text.slice(0, 80)}'`);
}

function versionsOf(input: Input): { readonly [name: string]: number } | undefined {
  const given = input.list("expect");
  if (given.length === 0) return undefined;
  return Object.fromEntries(
    given.map((text) => {
      const [name, version] = pair(text, "--expect NAME=VERSION");
      if (/^\d{1,15}$/.test(version)) return [name, Number(version)];
      throw new AppError("option-invalid", `Expected --expect NAME=VERSION with a whole number, but got '${text}'`);
    }),
  );
}
