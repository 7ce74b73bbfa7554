import type { InstanceRow, InstanceStatusFilter } from "@tutti/engine";
import type { Command } from "../../command.ts";
import { codeOf } from "../../problem.ts";
import { withAccess } from "../../run/access.ts";
import { featureProcess, rowsOf } from "../../run/reader.ts";
import { duration, table } from "../../terminal/text.ts";

const statuses = ["open", "running", "paused", "completed", "failed", "cancelled"] as const;

export const processList: Command = {
  name: "process list",
  summary: "Lists the instances of processes, newest first; runs are listed by `tutti list`.",
  options: {
    process: { value: "ID", help: "only of this process, also those that another one called" },
    status: { value: "STATUS", help: `only ${statuses.join(", ")}` },
  },
  arguments: [],
  examples: ["tutti process list --status open", "tutti process list --process order --json"],
  async run(context) {
    const { input, out } = context;
    const process = input.text("process");
    const status: InstanceStatusFilter | undefined = input.choice("status", statuses);
    const filter = { ...(process === undefined ? {} : { process }), ...(status === undefined ? {} : { status }) };
    const rows = await withAccess(context, ({ reader }) => rowsOf(reader, "instances", filter)).catch(
      (error: unknown): readonly InstanceRow[] => {
        // Nothing has run here yet: an empty list is the answer.
        if (codeOf(error) === "database-missing") return [];
        throw error;
      },
    );
    const shown = rows.filter((row) =>
      process === undefined ? row.parentId === null && row.process !== featureProcess : true,
    );
    out.document({ instances: shown });
    if (shown.length === 0) out.text("No instances.");
    else out.text(table([["INSTANCE", "PROCESS", "STATUS", "STARTED (UTC)", "TOOK", "KEY"], ...shown.map(cells)]));
    return 0;
  },
};

function cells(row: InstanceRow): string[] {
  const { instanceId, process, version, status, incidents, startedAt, endedAt, businessKey } = row;
  return [
    instanceId,
    `${process}@${version}`,
    incidents === 0 ? status : `${status}, ${incidents} incident${incidents === 1 ? "" : "s"}`,
    new Date(startedAt).toISOString().slice(0, 16).replace("T", " "),
    duration((endedAt ?? Date.now()) - startedAt),
    businessKey ?? "",
  ];
}
