import type { Option } from "../args/option.ts";

/** Of a command that works on jobs by a program. */
export const shortOption: { readonly short: Option } = {
  short: { help: "each job takes but a moment: on Temporal it is done beside the decisions of its instance" },
};
