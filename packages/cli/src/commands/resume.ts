import type { RunView } from "@tutti/feature";
import type { Command, Context } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { commandRun, openAccess, remoteAccess } from "../run/access.ts";
import { actor } from "../run/actor.ts";
import { attendRun } from "../run/attend.ts";
import { resolveRun } from "../run/run-id.ts";
import { plural } from "../terminal/text.ts";
import { runArgument } from "./arguments.ts";

export const resume: Command = {
  name: "resume",
  summary:
    "Goes on with a run after a pause, a crash or a restart, and watches it. Nothing that was done is done again.",
  options: { detach: { help: "return as soon as it goes on" } },
  arguments: [runArgument],
  async run(context) {
    const { out, input } = context;
    const before = await openAccess(context);
    const run = await resolveRun(before.runs, input.argument(0)).catch(async (error: unknown) => {
      await before.close();
      throw error;
    });
    const view = await before.view(run);
    await before.close();
    out.note(pickedUp(view, before.live));
    const since = Date.now();
    const access = await goOn(context, view);
    if (!input.flag("detach")) return attendRun(context, access, { run, since });
    out.text(run);
    out.document(await access.view(run));
    return 0;
  },
};

async function goOn(context: Context, { run, status }: RunView): Promise<ReturnType<typeof remoteAccess>> {
  if (status === "paused") {
    const { access } = await commandRun(context, run, { type: "resume", actor: actor() });
    return access;
  }
  const { client } = await ensureOwner(context.state);
  return remoteAccess(client);
}

/** What is there already, and what is left. */
function pickedUp({ run, status, totals, endedAt }: RunView, live: boolean): string {
  if (endedAt !== null) return `${run} has ended (${status}); there is nothing to go on with.`;
  const { done, planned, landed } = totals;
  const state =
    planned === 0 ? "its plan is not made yet" : `${done} of ${plural(planned, "unit")} done, ${landed} landed`;
  const how = status === "paused" ? "was paused" : live ? "goes on already" : "was interrupted";
  return `${run} ${how}: ${state}. What was done stays done.`;
}
