import type { RunView, UnitView } from "@tutti/feature";
import { failureReport } from "@tutti/feature/failure-report";
import type { StateFolder } from "../state.ts";
import type { Style } from "../terminal/style.ts";
import { clip, duration, plural, quote } from "../terminal/text.ts";
import { reportPath } from "./report-path.ts";
import { waysOut } from "./ways-out.ts";

/** What to type, as it works where the person stands. */
export interface Words {
  readonly style: Style;
  readonly state: StateFolder;
  /** `tutti`, or how npm is asked to call it, with the state folder when it is not the usual one. */
  tutti(rest: string): string;
}

const lastLinesShown = 6;

/**
 * What a run that ended, or waits, leaves a person with: what happened, where the result lies, what to type next
 * (`next: false` leaves that out for a run that completed).
 */
export function finalReport(view: RunView, words: Words, { next = true }: { readonly next?: boolean } = {}): string {
  switch (view.status) {
    case "completed":
      return [...completedLines(view, words), ...(next ? completedNext(view, words) : [])].join("\n");
    case "waiting":
      return waitingReport(view, words);
    case "paused":
      return `${view.run} is paused: nothing new starts.\n→ ${words.tutti(`resume ${view.run}`)}`;
    case "failed":
      return failedReport(view, words);
    case "cancelled":
      return `${view.run} was cancelled: ${view.error?.message ?? ""}. ${remainsLine(view)}`;
    default:
      return `${view.run} goes on.\n→ ${words.tutti(`status ${view.run} --follow`)}`;
  }
}

function completedLines(view: RunView, { style, state }: Words): string[] {
  const { published, totals } = view;
  const lines = [
    style.green(`${view.run}: ${published?.partial === true ? "partly done" : "done"} in ${duration(view.elapsedMs)}.`),
    `  ${totals.done} of ${plural(totals.planned, "unit")} done${attemptsText(view.units)}; ${plural(view.verifications, "merged tree")} checked, the last one green.`,
    ...resolutionLines(view),
  ];
  if (published !== null) {
    const short = published.commit.slice(0, 10);
    lines.push(
      `  Branch ${style.bold(published.branch)} (${short}) in ${view.repository}`,
      `  Report ${reportPath(state, view.run)}`,
    );
  }
  return lines;
}

function completedNext({ run, repository, published }: RunView, { tutti }: Words): string[] {
  const branch = published === null ? [] : [`→ git -C ${quote(repository)} log --stat ${quote(published.branch)}`];
  return [...branch, `→ ${tutti(`log ${run}`)}`];
}

function attemptsText(units: readonly UnitView[]): string {
  const again = units.filter(({ attempt, round }) => attempt > 1 || round > 1);
  if (again.length === 0) return "";
  return ` (${again.map(({ id, attempt }) => `${id} after ${plural(attempt, "attempt")}`).join(", ")})`;
}

/** Conflicts by how they were resolved, each rung with its files. */
export function resolutionLines({ resolutions }: Pick<RunView, "resolutions">): string[] {
  if (resolutions.length === 0) return ["  No conflicts."];
  const byRung = new Map<string, string[]>();
  for (const { rung, path, between } of resolutions) {
    byRung.set(rung, [...(byRung.get(rung) ?? []), `${path} (${between.join(" × ")})`]);
  }
  const rungs = [...byRung].map(([rung, places]) => `    ${rung}: ${[...new Set(places)].join(", ")}`);
  return [`  ${plural(resolutions.length, "conflict")} resolved:`, ...rungs];
}

function failedReport(view: RunView, { style, tutti }: Words): string {
  const { error } = view;
  return [
    style.red(`${view.run} failed: ${error?.code}: ${error?.message}`),
    `  ${remainsLine(view)}`,
    ...failedUnits(view),
    `→ ${tutti(`log ${view.run}`)}`,
  ].join("\n");
}

/** What a run that did not complete left in the person's repository. */
function remainsLine({ published, repository }: RunView): string {
  if (published === null) return "Nothing was published; the repository is unchanged.";
  return `Before that it published branch ${published.branch} in ${repository}.`;
}

function waitingReport(view: RunView, words: Words): string {
  const { style, tutti } = words;
  const lines = [style.yellow(`${view.run} waits for a person.`)];
  for (const need of view.needsYou) {
    if (need.kind === "approval") {
      lines.push(`  ${need.message}`);
    } else if (need.kind === "failed-units") {
      const { done, planned, skipped } = view.totals;
      const behind = skipped === 0 ? "" : `, ${skipped} behind them skipped`;
      lines.push(`  ${need.units.length} failed${behind}; ${done} of ${plural(planned, "unit")} kept.`);
    } else {
      const unit = need.units.length === 0 ? "" : `${need.units.join(", ")}: `;
      lines.push(`  ${unit}${need.code}: ${need.message}`);
    }
  }
  const next = new Set([...waysOut(view), `cancel ${view.run}`]);
  return [...lines, ...failedUnits(view), ...[...next].map((each) => `→ ${tutti(each)}`)].join("\n");
}

/** Each failed unit with the class of its failure and its last lines. */
function failedUnits(view: RunView): string[] {
  return (failureReport(view)?.failures ?? []).flatMap(({ unit, code, message, round, attempt, lastLines, behind }) => [
    `  ✗ ${unit}: ${code} (round ${round}, attempt ${attempt}): ${clip(message, 160)}`,
    ...lastLines.slice(-lastLinesShown).map((line) => `      ${line.slice(0, 160)}`),
    ...(behind.length === 0 ? [] : [`      behind it: ${clip(behind.join(", "), 160)}`]),
  ]);
}
