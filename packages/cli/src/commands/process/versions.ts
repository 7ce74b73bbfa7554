import type { RefusalRow, ScheduleRow, VersionRow } from "@tutti/engine";
import type { Rollout } from "@tutti/kernel";
import type { Command } from "../../command.ts";
import { rolloutText } from "../../process/rollout-text.ts";
import { withAccess } from "../../run/access.ts";
import { rowsOf } from "../../run/reader.ts";
import { duration, table } from "../../terminal/text.ts";

export const processVersions: Command = {
  name: "process versions",
  summary: "Lists what is deployed, and how the instances of each version have fared.",
  about:
    "SHARE is of new instances that name no version. What a rollout shares, what begins by itself, and what could not begin and why, is said below.",
  options: {},
  arguments: [{ name: "PROCESS", help: "only this one" }],
  examples: ["tutti process versions order", "tutti process versions --json"],
  run: (context) =>
    withAccess(context, async ({ reader }) => {
      const { input, out } = context;
      const process = input.argument(0);
      const filter = process === undefined ? {} : { process };
      const versions = await rowsOf(reader, "versions", filter);
      const rollouts: readonly Rollout[] = await rowsOf(reader, "rollouts", filter);
      const schedules = await rowsOf(reader, "schedules", filter);
      const refusals = await rowsOf(reader, "refusals", filter);
      out.document({ versions, rollouts, schedules, refusals });
      if (versions.length === 0) out.text("Nothing is deployed.");
      else out.text(table([head, ...versions.map(cells)]));
      for (const rollout of rollouts) out.text(rolloutText(rollout));
      for (const schedule of schedules) out.text(scheduleText(schedule));
      for (const refusal of refusals.slice(0, refusalsShown)) out.text(refusalText(refusal));
      return 0;
    }),
};

const head = ["PROCESS", "SHARE", "STARTED", "OPEN", "COMPLETED", "FAILED", "CANCELLED", "INCIDENTS", "MEDIAN", "95 %"];

function cells({ process, version, percent, ...row }: VersionRow): string[] {
  const { started, running, completed, failed, cancelled, incidents } = row;
  const times = [row.medianDurationMs, row.p95DurationMs].map((ms) => (ms === null ? "" : duration(ms)));
  const counts = [started, running, completed, failed, cancelled, incidents].map(String);
  return [`${process}@${version}`, `${percent} %`, ...counts, ...times];
}

function scheduleText({ process, element, dueAt, remaining }: ScheduleRow): string {
  const more = remaining === null ? "" : `, ${remaining} more after that`;
  return `${process} begins at ${new Date(dueAt).toISOString()} (${element}${more}).`;
}

/** All of them are in --json. */
const refusalsShown = 10;

function refusalText({ process, version, cause, name, reason, at }: RefusalRow): string {
  return `${process}@${version} could not begin with the ${cause} '${name}' at ${new Date(at).toISOString()}: ${reason}`;
}
