import type { TaskRow } from "@tutti/engine";
import type { RunNeed } from "@tutti/feature";
import type { Command } from "../command.ts";
import { codeOf } from "../problem.ts";
import { keyedId } from "../process/keyed-name.ts";
import { openAccess, type RunAccess } from "../run/access.ts";
import { waysOut } from "../run/ways-out.ts";
import { wordsOf } from "../run/words.ts";
import { duration, quote } from "../terminal/text.ts";

interface Need extends Omit<RunNeed, "kind"> {
  readonly kind: RunNeed["kind"] | "task";
  /** The run, or the instance at the top. */
  readonly run: string;
  /** What a person can type after `tutti`. */
  readonly next: readonly string[];
  /** Of a user task. */
  readonly task: TaskFacts | null;
}

interface TaskFacts
  extends Pick<
    TaskRow,
    "assignee" | "owner" | "candidates" | "priority" | "dueAt" | "followUpAt" | "startedAt" | "escalations" | "form"
  > {
  /** As `tutti task` takes it. */
  readonly id: string;
  /** Its due instant has passed. */
  readonly late: boolean;
  /** How often people were told about it by its SLA. */
  readonly notifications: number;
}

const rowsMax = 1_000;

export const tasks: Command = {
  name: "tasks",
  summary: "Lists what waits for a person in any run or process, oldest first, and what to type.",
  options: {},
  arguments: [],
  async run(context) {
    const { out } = context;
    const access = await openAccess(context).catch((error: unknown) => {
      if (codeOf(error) === "database-missing") return undefined;
      throw error;
    });
    const now = Date.now();
    const found = access === undefined ? [] : await needsOf(access, now).finally(() => access.close());
    out.document({ tasks: found });
    if (found.length === 0) out.text("Nothing waits for a person.");
    const { tutti } = wordsOf(context);
    for (const { run, message, task, next } of found) {
      out.text(`${out.style.bold(run)}: ${message}`);
      if (task !== null) out.text(`  ${described(task, now)}`);
      for (const way of next) out.text(`  → ${tutti(way)}`);
    }
    return 0;
  },
};

async function needsOf(access: RunAccess, now: number): Promise<Need[]> {
  const { rows } = await access.reader.query("tasks", {}, { limit: rowsMax });
  const byId = new Map(rows.map((row) => [keyedId(row), row]));
  const found: Need[] = [];
  for (const { run, endedAt } of await access.list()) {
    if (endedAt !== null) continue;
    const view = await access.view(run);
    for (const need of view.needsYou) {
      const row = need.kind === "approval" ? byId.get(keyedId(need)) : undefined;
      if (row !== undefined) byId.delete(keyedId(row));
      const next = waysOut({ ...view, needsYou: [need] });
      found.push({ ...need, run, next, task: row === undefined ? null : factsOf(row, now) });
    }
  }
  for (const row of byId.values()) {
    const { instanceId, rootId: run, key, title: message, createdAt: since } = row;
    const next = [`task complete ${quote(keyedId(row))} --result JSON`];
    found.push({
      kind: "task",
      run,
      instanceId,
      key,
      code: "task",
      message,
      units: [],
      since,
      next,
      task: factsOf(row, now),
    });
  }
  return found.sort((a, b) => a.since - b.since);
}

function factsOf(row: TaskRow, now: number): TaskFacts {
  const { assignee, owner, candidates, priority, dueAt, followUpAt, startedAt, escalations, notifications, form } = row;
  const late = dueAt !== null && dueAt < now;
  const hands = { assignee, owner, candidates, priority, dueAt, followUpAt, startedAt, escalations, form };
  return { id: keyedId(row), ...hands, late, notifications };
}

/** One line: who has it, how urgent it is, until when. */
function described(task: TaskFacts, now: number): string {
  const { id, assignee, owner, candidates, priority, dueAt, late, startedAt, escalations, notifications } = task;
  const lent = owner === null ? "" : `, lent by ${owner}`;
  const begun = startedAt === null ? "" : ", begun";
  const who = assignee === null ? `for ${candidates.join(", ") || "anyone"}` : `${assignee} has it${lent}${begun}`;
  const due = dueAt === null ? [] : [late ? `late by ${duration(now - dueAt)}` : `due in ${duration(dueAt - now)}`];
  const told = notifications === 0 ? [] : [`told of ${notifications}×`];
  const up = escalations === 0 ? [] : [`escalated ${escalations}×`];
  return [`task ${id}`, who, `priority ${priority}`, ...due, ...told, ...up].join(" · ");
}
