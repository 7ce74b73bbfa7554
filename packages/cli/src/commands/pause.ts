import type { Command } from "../command.ts";
import { actor } from "../run/actor.ts";
import { steer } from "../run/steer.ts";
import { runArgument } from "./arguments.ts";

export const pause: Command = {
  name: "pause",
  summary: "Starts nothing new in a run until it is resumed. What runs may end, and counts.",
  options: {
    now: { help: "also stop what runs; it starts anew on resume" },
    reason: { value: "TEXT", help: "why; it is recorded" },
  },
  arguments: [runArgument],
  run: (context) =>
    steer(context, context.input.argument(0), {
      type: "pause",
      stopRunning: context.input.flag("now"),
      reason: context.input.text("reason") ?? "",
      actor: actor(),
    }),
};
