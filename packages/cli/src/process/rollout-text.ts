import type { Rollout } from "@tutti/kernel";
import { plural } from "../terminal/text.ts";

/** One line: who gets what, what the guard allows, and whether it has taken the candidate back. */
export function rolloutText({ process, plan, figures, rolledBack }: Rollout): string {
  const { stable, candidate, percent, segments = [], guard } = plan;
  const shares = `${percent} % get ${candidate}, the others ${stable}`;
  const parts = segments.map(({ when, gets }) => `${plan[gets]} when ${when.text}`);
  const first = parts.length === 0 ? "" : ` (first: ${parts.join("; ")})`;
  const most = guard?.incidentsMax === undefined ? "" : `, at most ${plural(guard.incidentsMax, "incident")}`;
  const rate =
    guard === undefined
      ? ""
      : `at most ${Math.round(guard.failureRateMax * 10_000) / 100} % failed of ${guard.endedMin} or more`;
  const guarded = guard === undefined ? "" : ` Guard: ${rate}${most}.`;
  const back =
    rolledBack === null ? "" : ` Taken back at ${new Date(rolledBack.at).toISOString()}: ${rolledBack.reason}`;
  const { started, completed, failed } = figures;
  return `${process}: ${shares}${first}.${guarded} So far ${started} started, ${completed} completed, ${failed} failed.${back}`;
}
