import type { Command } from "../command.ts";
import { actor } from "../run/actor.ts";
import { steer } from "../run/steer.ts";
import { runArgument } from "./arguments.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "Ends a run and its agents. Nothing is published; the repository stays as it is.",
  options: { reason: { value: "TEXT", help: "why; it is recorded" } },
  arguments: [runArgument],
  run: (context) =>
    steer(context, context.input.argument(0), {
      type: "cancel",
      reason: context.input.text("reason") ?? "A person cancelled it.",
      actor: actor(),
    }),
};
