import type { Command } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { withRun } from "../run/access.ts";
import { exitStatus } from "../run/exit-status.ts";
import { followRun, isAtRest } from "../run/follow.ts";
import { finalReport } from "../run/report.ts";
import { wordsOf } from "../run/words.ts";
import { runArgument } from "./arguments.ts";

export const wait: Command = {
  name: "wait",
  summary: "Waits until a run has ended, is paused or waits for a person; its exit status says which.",
  about: "Starts an owner when the run is open and none works on it.",
  options: { timeout: { value: "SECONDS", help: "give up after this long, with exit status 7" } },
  arguments: [runArgument],
  examples: ["tutti run … --detach && tutti wait"],
  async run(context) {
    const { input, out, interrupt } = context;
    const seconds = input.number("timeout", { min: 0, max: 31_536_000, fraction: true });
    const signals = seconds === undefined ? [interrupt] : [interrupt, AbortSignal.timeout(Math.ceil(seconds * 1_000))];
    const resting = await withRun(context, input.argument(0), async (access, run) => {
      const view = await access.view(run);
      return { run, rests: access.live || isAtRest(view) };
    });
    if (!resting.rests) await ensureOwner(context.state);
    return withRun(context, resting.run, async (access, run) => {
      const signal = AbortSignal.any(signals);
      const { view, detached } = await followRun(access, { run, since: Date.now(), signal, isRest: isAtRest });
      out.document(view);
      if (detached) return 7;
      out.text(finalReport(view, wordsOf(context)));
      return exitStatus(view);
    });
  },
};
