import { AppError } from "@tutti/kernel";
import type { Command } from "../command.ts";
import { checkProcess } from "../process/check.ts";
import { runProcess } from "../process/run.ts";

export const process: Command = {
  name: "process",
  summary: "Tries a process definition on an engine of its own, or prints what the checks find in it.",
  about:
    "FILE is YAML, BPMN, or a TypeScript module whose default export the builder made; a module is run. Jobs and user tasks are answered from a file (docs/guide/testing.md), or at the terminal. Nothing is kept without --state, and no owner is started.",
  options: {
    vars: { value: "JSON", help: "run: variables to start with, or @FILE with them" },
    answers: { value: "FILE", help: "run: who answers what, as YAML" },
    clock: { value: "real|virtual", help: "run: virtual jumps to what is due next (default: virtual with --answers)" },
    with: {
      value: "FILE",
      repeated: true,
      help: "a DMN file with decisions that tasks ask for (default: the .dmn files beside FILE)",
    },
    strict: { help: "check: a warning is an error, too" },
    start: { value: "ID", help: "run: the start event to begin at (default: the first that needs no trigger)" },
    process: { value: "ID", help: "run: which process of the file (default: the first that no other calls)" },
  },
  arguments: [
    { name: "run|check", help: "what to do", required: true },
    { name: "FILE", help: "the definition", required: true },
  ],
  examples: [
    "tutti process check order.yaml",
    `tutti process run order.yaml --vars '{"amount": 10}' --answers answers.yaml`,
    "tutti process run order.bpmn --with fees.dmn --json",
  ],
  run: (context) => {
    const action = context.input.argument(0);
    if (action === "run") return runProcess(context);
    if (action === "check") return checkProcess(context);
    throw new AppError("option-invalid", `Expected run or check, but got '${action}'`);
  },
};
