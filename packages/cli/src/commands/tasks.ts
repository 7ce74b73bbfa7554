import type { RunNeed } from "@tutti/feature";
import type { Command } from "../command.ts";
import { codeOf } from "../problem.ts";
import { openAccess } from "../run/access.ts";
import { wordsOf } from "../run/words.ts";

interface Task extends RunNeed {
  readonly run: string;
}

export const tasks: Command = {
  name: "tasks",
  summary: "Lists what waits for a person in any run, oldest first, and what to type.",
  options: {},
  arguments: [],
  async run(context) {
    const { out } = context;
    const access = await openAccess(context).catch((error: unknown) => {
      if (codeOf(error) === "database-missing") return undefined;
      throw error;
    });
    const found: Task[] = [];
    for (const { run, endedAt } of (await access?.list()) ?? []) {
      if (endedAt !== null || access === undefined) continue;
      const { needsYou } = await access.view(run);
      found.push(...needsYou.map((need) => ({ ...need, run })));
    }
    await access?.close();
    found.sort((a, b) => a.since - b.since);
    out.document({ tasks: found });
    if (found.length === 0) out.text("Nothing waits for a person.");
    const { tutti } = wordsOf(context);
    for (const task of found) {
      out.text(`${out.style.bold(task.run)}: ${task.message}`);
      for (const way of waysOut(task)) out.text(`  → ${tutti(way)}`);
    }
    return 0;
  },
};

function waysOut({ kind, run }: Task): readonly string[] {
  if (kind === "approval") return [`approve ${run}`, `reject ${run}`];
  if (kind === "failed-units") return [`retry ${run}`, `accept-partial ${run} --reason "…"`];
  return [`retry ${run}`, `cancel ${run}`];
}
