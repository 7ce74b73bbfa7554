import type { Command } from "../command.ts";
import { openAccess } from "../run/access.ts";
import { actor } from "../run/actor.ts";
import { followOption, steer } from "../run/steer.ts";

export const retry: Command = {
  name: "retry",
  summary: "Tries again what failed and only that: the named units, or all that failed, or the step that waits.",
  options: {
    run: { value: "RUN", help: "the run, when it is not the first argument" },
    reason: { value: "TEXT", help: "why; it is recorded" },
    ...followOption,
  },
  arguments: [{ name: "[RUN] UNIT", help: "a run and units, or units only", repeated: true }],
  examples: ["tutti retry", "tutti retry sessions login", "tutti retry oauth-k3x9aa sessions"],
  async run(context) {
    const { input } = context;
    const { run, units } = await runAndUnits(context);
    return steer(context, run, {
      type: "retry",
      units,
      reason: input.text("reason") ?? "A person asked for another try.",
      actor: actor(),
    });
  },
};

/** The first word is a run when it is the whole id of one, or its six last letters; everything else is a unit. */
async function runAndUnits(
  context: Parameters<Command["run"]>[0],
): Promise<{ readonly run: string | undefined; readonly units: readonly string[] }> {
  const words = context.input.arguments();
  const named = context.input.text("run");
  const [first, ...rest] = words;
  if (named !== undefined || first === undefined) return { run: named, units: words };
  const access = await openAccess(context);
  try {
    const known = await access.runs.ids();
    const run = known.find(({ run: id }) => id === first || (first.length >= 6 && id.endsWith(`-${first}`)));
    return run === undefined ? { run: undefined, units: words } : { run: run.run, units: rest };
  } finally {
    await access.close();
  }
}
