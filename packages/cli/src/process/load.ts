import { basename } from "node:path";
import { type DecidedDefinition, loadDefinition, withDecisions } from "@tutti/testing";
import type { Options } from "../args/option.ts";
import type { Context } from "../command.ts";

export const withOption: Options = {
  with: {
    value: "FILE",
    repeated: true,
    help: "a DMN file with decisions that tasks ask for (default: the .dmn files beside FILE)",
  },
};

/** The definition that a command is about, with the decisions it asks for; which came from where is said. */
export async function loadProcess({ input, out }: Context, file: string): Promise<DecidedDefinition> {
  const loaded = await withDecisions(await loadDefinition(file), { file, named: input.list("with") });
  for (const { id, file: from } of loaded.decisions) out.note(`Decision ${id}: of ${basename(from)}.`);
  return loaded;
}
