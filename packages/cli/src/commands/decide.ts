import type { Command } from "../command.ts";
import { actor } from "../run/actor.ts";
import { followOption, steer } from "../run/steer.ts";
import { runArgument } from "./arguments.ts";

const note = { note: { value: "TEXT", help: "why; it is recorded" } };

export const approve: Command = {
  name: "approve",
  summary: "Approves the plan of a run that was started with --approve; its units start.",
  options: { ...note, ...followOption },
  arguments: [runArgument],
  run: (context) => decide(context, true),
};

export const reject: Command = {
  name: "reject",
  summary: "Rejects the plan of a run, which ends it. Nothing was written but the plan.",
  options: note,
  arguments: [runArgument],
  run: (context) => decide(context, false),
};

function decide(context: Parameters<Command["run"]>[0], approved: boolean): Promise<number> {
  const { input } = context;
  return steer(context, input.argument(0), {
    type: "decide",
    approved,
    note: input.text("note") ?? "",
    actor: actor(),
  });
}
