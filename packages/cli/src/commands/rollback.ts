import { AppError } from "@tutti/kernel";
import type { Command } from "../command.ts";
import { instanceArgument } from "./arguments.ts";
import { askFork, positionMax } from "./fork.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "Goes on from an earlier moment of a run, or of an instance of a process, and cancels what came after it.",
  about:
    "The original is cancelled in the same step and stays to be looked at; a fork goes on in its place, under an id of its own.",
  options: {
    to: { value: "POSITION", help: "the moment to go back to, as `checkpoints` shows it" },
    reason: { value: "TEXT", help: "why; it is recorded" },
  },
  arguments: [instanceArgument],
  examples: ["tutti rollback oauth-k3x9aa --to 17 --reason 'The plan was wrong.'"],
  async run(context) {
    const position = context.input.number("to", { min: 1, max: positionMax });
    if (position !== undefined) return askFork(context, { position, cancelOriginal: true });
    throw new AppError("input-needed", "Expected --to POSITION, as `tutti checkpoints` shows it, but got none");
  },
};
