import type { RunView, UnitStatus, UnitView } from "@tutti/feature";
import type { Style } from "../terminal/style.ts";
import { clip, duration, plural } from "../terminal/text.ts";

export interface ScreenOptions {
  readonly style: Style;
  readonly columns: number;
  /** At most this many lines; quiet units are left out first. */
  readonly rows: number;
}

const marks: { readonly [S in UnitStatus]: string } = {
  waiting: "·",
  ready: "·",
  running: "▶",
  repairing: "▶",
  done: "✓",
  failed: "✗",
  skipped: "–",
  cancelled: "–",
  withdrawn: "–",
};

/** The whole run: a line per unit, then the total. */
export function runScreen(view: RunView, options: ScreenOptions): string[] {
  const { style } = options;
  const width = Math.min(28, Math.max(8, ...view.units.map(({ id }) => id.length)));
  const shown = chooseUnits(view.units, options.rows - 3);
  const lines = shown.map((unit) => unitLine(unit, { ...options, width }));
  const hidden = view.units.length - shown.length;
  if (hidden > 0) lines.push(style.dim(`  … and ${plural(hidden, "more unit")}`));
  return [...lines, totalLine(view, options)];
}

/** The ones that do something come first when there is no room for all, in the order of the plan. */
function chooseUnits(units: readonly UnitView[], room: number): readonly UnitView[] {
  if (units.length <= room) return units;
  const rank: { readonly [S in UnitStatus]?: number } = { running: 0, repairing: 0, failed: 1, ready: 2, waiting: 3 };
  const chosen = units
    .map((unit, index) => ({ index, rank: rank[unit.status] ?? 4 }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, Math.max(1, room - 1));
  return chosen.sort((a, b) => a.index - b.index).flatMap(({ index }) => units[index] ?? []);
}

function unitLine(unit: UnitView, { style, columns, width }: ScreenOptions & { readonly width: number }): string {
  const mark = marks[unit.status];
  const paint = painter(unit, style);
  const elapsed = unit.elapsedMs > 0 ? duration(unit.elapsedMs) : "";
  const head = `${unit.id.slice(0, width).padEnd(width)}  ${statusText(unit).padEnd(14)}`;
  const room = columns - head.length - elapsed.length - 8;
  const about = clip(aboutUnit(unit), room);
  return `${paint(mark)} ${head} ${style.dim(about.padEnd(Math.max(0, room)))} ${elapsed}`.trimEnd();
}

function painter({ status }: UnitView, style: Style): (text: string) => string {
  if (status === "done") return style.green;
  if (status === "failed" || status === "skipped") return style.red;
  return status === "running" || status === "repairing" ? style.blue : style.dim;
}

function statusText(unit: UnitView): string {
  const attempt = unit.attempt > 1 || unit.round > 1 ? ` ${unit.attempt}/${unit.attemptsMax}` : "";
  const round = unit.round > 1 ? ` r${unit.round}` : "";
  return `${unit.status}${attempt}${round}`;
}

function aboutUnit({ status, step, note, waitsFor, error, title }: UnitView): string {
  if (error !== null && (status === "failed" || status === "skipped")) return `${error.code}: ${error.message}`;
  if (step !== null) return note === null ? step : `${step}: ${note}`;
  if ((status === "waiting" || status === "ready") && waitsFor !== null) return waitsFor;
  return title;
}

/** `7 of 12 done, 3 landed · 45 % · 12 s · about 15 s left`. */
export function totalLine(view: RunView, { style, columns }: Pick<ScreenOptions, "style" | "columns">): string {
  const { totals, percent, elapsedMs, etaMs } = view;
  const parts = [totals.planned === 0 ? "planning" : `${totals.done} of ${plural(totals.planned, "unit")} done`];
  if (totals.landed > 0) parts[0] += `, ${totals.landed} landed`;
  if (totals.failed > 0) parts[0] += `, ${totals.failed} failed`;
  if (view.step !== null) parts.push(view.step);
  parts.push(`${percent} %`, duration(elapsedMs));
  if (etaMs !== null) parts.push(`about ${duration(etaMs)} left`);
  if (view.status !== "running") parts.push(view.status);
  const bar = progressBar(percent, Math.max(0, Math.min(20, columns - 70)));
  return `${style.bold(bar)}${bar === "" ? "" : "  "}${clip(parts.join(" · "), columns - bar.length - 3)}`;
}

function progressBar(percent: number, width: number): string {
  const full = Math.round((percent * width) / 100);
  return "█".repeat(full) + "░".repeat(width - full);
}
