import type { RunCommand } from "@tutti/protocol";
import type { Options } from "../args/option.ts";
import type { Context } from "../command.ts";
import { commandRun } from "./access.ts";
import { attendRun } from "./attend.ts";
import { wordsOf } from "./words.ts";

export const followOption: Options = {
  follow: { short: "f", help: "stay and watch the run, until it has ended or waits for a person" },
};

/** Sends a command and says what it did. With --follow it then watches, and the exit status is the run's. */
export async function steer(context: Context, given: string | undefined, command: RunCommand): Promise<number> {
  const { out, input } = context;
  const since = Date.now();
  const { run, done, access } = await commandRun(context, given, command);
  if (input.flag("follow")) {
    out.note(done.did);
    return attendRun(context, access, { run, since });
  }
  out.text(done.did);
  out.document({ run, ...done });
  const view = await access.view(run);
  if (view.endedAt === null && command.type !== "pause")
    out.note(`→ ${wordsOf(context).tutti(`status ${run} --follow`)}`);
  if (command.type === "pause") out.note(`→ ${wordsOf(context).tutti(`resume ${run}`)}`);
  return 0;
}
