import type { RunNeed } from "@tutti/feature";
import type { Command } from "../command.ts";
import { codeOf } from "../problem.ts";
import { openAccess } from "../run/access.ts";
import { waysOut } from "../run/ways-out.ts";
import { wordsOf } from "../run/words.ts";

interface Task extends RunNeed {
  readonly run: string;
  /** What a person can type after `tutti`. */
  readonly next: readonly string[];
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
      const view = await access.view(run);
      found.push(...view.needsYou.map((need) => ({ ...need, run, next: waysOut({ ...view, needsYou: [need] }) })));
    }
    await access?.close();
    found.sort((a, b) => a.since - b.since);
    out.document({ tasks: found });
    if (found.length === 0) out.text("Nothing waits for a person.");
    const { tutti } = wordsOf(context);
    for (const task of found) {
      out.text(`${out.style.bold(task.run)}: ${task.message}`);
      for (const way of task.next) out.text(`  → ${tutti(way)}`);
    }
    return 0;
  },
};
