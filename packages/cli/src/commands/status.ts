import type { RunView } from "@tutti/feature";
import type { Command, Context } from "../command.ts";
import { type RunAccess, withRun } from "../run/access.ts";
import { attendRun } from "../run/attend.ts";
import { exitStatus } from "../run/exit-status.ts";
import { followRun, isOver } from "../run/follow.ts";
import { finalReport } from "../run/report.ts";
import { runScreen } from "../run/screen.ts";
import { wordsOf } from "../run/words.ts";
import { runArgument } from "./arguments.ts";

export const status: Command = {
  name: "status",
  summary: "Shows a run: its units, what each does, and the whole.",
  options: { follow: { short: "f", help: "stay and show what changes, until it has ended or waits for a person" } },
  arguments: [runArgument],
  examples: ["tutti status", "tutti status --follow", "tutti status oauth --json"],
  run: (context) =>
    withRun(context, context.input.argument(0), async (access, run) => {
      if (!context.input.flag("follow")) return show(context, access, run);
      if (!access.live) noOwner(context, run);
      if (context.out.json) return stream(context, access, run);
      return attendRun(context, access, { run, since: Date.now() });
    }),
};

async function show(context: Context, access: RunAccess, run: string): Promise<number> {
  const { out } = context;
  const view = await access.view(run);
  const words = wordsOf(context);
  out.document(view);
  out.text(`${out.style.bold(view.run)}: ${view.feature}`);
  out.text(runScreen(view, { style: out.style, columns: out.columns, rows: 1_000 }).join("\n"));
  if (view.status !== "running") out.text(finalReport(view, words));
  else if (!access.live) noOwner(context, run);
  if (access.halted === true) out.note(halted);
  return 0;
}

const halted = "Its owner cannot write to the disk: nothing goes on until it can. It tries again by itself.";

/** Nothing lies: a run that was interrupted says so instead of looking busy. */
function noOwner(context: Context, run: string): void {
  const { tutti } = wordsOf(context);
  context.out.note(`No process owns ${context.state.path}: nothing goes on by itself.\n→ ${tutti(`resume ${run}`)}`);
}

/** One line of JSON for each change. */
async function stream({ out, interrupt }: Context, access: RunAccess, run: string): Promise<number> {
  let last = "";
  const onView = (view: RunView): void => {
    // Times grow by themselves; only what happened is a change.
    const changed = JSON.stringify({ ...view, elapsedMs: 0, etaMs: null, units: view.units.map(withoutTime) });
    if (changed !== last) out.line(view);
    last = changed;
  };
  const { view } = await followRun(access, { run, since: Date.now(), signal: interrupt, isRest: isOver, onView });
  return exitStatus(view);
}

function withoutTime(unit: RunView["units"][number]): RunView["units"][number] {
  return { ...unit, elapsedMs: 0 };
}
