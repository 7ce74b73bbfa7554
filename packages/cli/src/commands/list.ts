import type { Command } from "../command.ts";
import { codeOf } from "../problem.ts";
import { openAccess } from "../run/access.ts";
import { clip, duration, table } from "../terminal/text.ts";

export const list: Command = {
  name: "list",
  summary: "Lists the runs of the state folder, newest first.",
  options: {},
  arguments: [],
  async run(context) {
    const { out } = context;
    const access = await openAccess(context).catch((error: unknown) => {
      // Nothing has run here yet: an empty list is the answer.
      if (codeOf(error) === "database-missing") return undefined;
      throw error;
    });
    const runs = (await access?.list()) ?? [];
    await access?.close();
    out.document({ runs });
    if (runs.length === 0) {
      out.text("No runs yet.");
      return 0;
    }
    const rows = runs.map(({ run, status, startedAt, endedAt, feature, repository }) => [
      run,
      status,
      new Date(startedAt).toISOString().slice(0, 16).replace("T", " "),
      duration((endedAt ?? Date.now()) - startedAt),
      clip(feature, 40),
      repository,
    ]);
    out.text(table([["RUN", "STATUS", "STARTED (UTC)", "TOOK", "FEATURE", "REPOSITORY"], ...rows]));
    return 0;
  },
};
