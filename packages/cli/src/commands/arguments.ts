import type { Argument } from "../args/option.ts";

export const instanceArgument: Argument = {
  name: "RUN",
  help: "id of the run, or its first or last letters, or of an instance of a process (default: the open run, else the newest)",
};

export const runArgument: Argument = {
  name: "RUN",
  help: "id of the run, or its first or last letters (default: the one that is open, else the newest)",
};
