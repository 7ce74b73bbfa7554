import { AppError } from "@tutti/kernel";
import type { Command } from "../command.ts";
import { actor } from "../run/actor.ts";
import { followOption, steer } from "../run/steer.ts";
import { runArgument } from "./arguments.ts";

export const acceptPartial: Command = {
  name: "accept-partial",
  summary: "Goes on without the units that failed. The result is labelled partial, and the reason is recorded.",
  options: { reason: { value: "TEXT", help: "why a part is good enough (needed)" }, ...followOption },
  arguments: [runArgument],
  examples: ['tutti accept-partial --reason "the audit page can wait"'],
  async run(context) {
    const reason = context.input.text("reason")?.trim() ?? "";
    if (reason === "")
      throw new AppError("input-needed", "Expected --reason TEXT, which is recorded, but there is none");
    return steer(context, context.input.argument(0), { type: "accept-partial", reason, actor: actor() });
  },
};
