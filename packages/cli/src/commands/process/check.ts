import type { Command } from "../../command.ts";
import { checkProcess } from "../../process/check.ts";
import { withOption } from "../../process/load.ts";

export const processCheck: Command = {
  name: "process check",
  summary: "Prints what compiling and the checks find in a process definition, with places and advice.",
  options: { strict: { help: "a warning is an error, too" }, ...withOption },
  arguments: [{ name: "FILE", help: "YAML, BPMN, or a TypeScript module, which is run", required: true }],
  examples: ["tutti process check order.yaml", "tutti process check order.bpmn --strict --json"],
  run: checkProcess,
};
