import type { Command } from "../../command.ts";
import { withOption } from "../../process/load.ts";
import { runProcess } from "../../process/run.ts";

export const processRun: Command = {
  name: "process run",
  summary: "Tries a process definition on an engine of its own, and tells every element as it starts and ends.",
  about:
    "FILE is YAML, BPMN, or a TypeScript module whose default export the builder made; a module is run. Jobs and user tasks are answered from a file (docs/guide/testing.md), or at the terminal. Nothing is kept without --state, and no owner is started. To keep it going, deploy and start it.",
  options: {
    vars: { value: "JSON", help: "variables to start with, or @FILE with them" },
    answers: { value: "FILE", help: "who answers what, as YAML" },
    clock: { value: "real|virtual", help: "virtual jumps to what is due next (default: virtual with --answers)" },
    ...withOption,
    start: { value: "ID", help: "the start event to begin at (default: the first that needs no trigger)" },
    process: { value: "ID", help: "which process of the file (default: the first that no other calls)" },
  },
  arguments: [{ name: "FILE", help: "the definition", required: true }],
  examples: [
    `tutti process run order.yaml --vars '{"amount": 10}' --answers answers.yaml`,
    "tutti process run order.bpmn --with fees.dmn --json",
  ],
  run: runProcess,
};
