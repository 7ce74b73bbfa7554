import type { Argument } from "../args/option.ts";

export const runArgument: Argument = {
  name: "RUN",
  help: "id of the run, or its first or last letters (default: the one that is open, else the newest)",
};
