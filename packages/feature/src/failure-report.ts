import type { RunNeed, RunView, UnitView } from "./run-view.ts";

/** What a person needs to know about one unit that failed, and what they can do about it. */
export interface UnitFailure {
  readonly unit: string;
  readonly title: string;
  /** Class of the failure: a code of docs/reference/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly round: number;
  readonly attempt: number;
  /** Of the failing check, or of the agent. */
  readonly lastLines: readonly string[];
  /** Units that were skipped because of it. */
  readonly behind: readonly string[];
}

export interface FailureReport {
  readonly failures: readonly UnitFailure[];
  /** Planned units whose work is kept. */
  readonly kept: number;
  readonly planned: number;
  /** What can be typed after `tutti`, the likeliest first. */
  readonly next: readonly string[];
}

/** One report of everything that failed; null when nothing did and nobody is needed. */
export function failureReport(view: RunView): FailureReport | null {
  const failed = view.units.filter(({ status }) => status === "failed");
  const needs = view.needsYou.filter(({ kind }) => kind !== "approval");
  if (failed.length === 0 && needs.length === 0) return null;
  return {
    failures: failed.map((unit) => failureOf(view, unit)),
    kept: view.totals.done,
    planned: view.totals.planned,
    next: view.endedAt === null ? nextOf(view, needs, failed) : [],
  };
}

function failureOf({ units }: RunView, unit: UnitView): UnitFailure {
  const { id, title, error, round, attempt } = unit;
  const { code, message, lastLines } = error ?? { code: "failed", message: "", lastLines: [] };
  const behind = new Set([id]);
  for (let before = 0; before < behind.size; ) {
    before = behind.size;
    for (const other of units) {
      if (other.status === "skipped" && other.dependsOn.some((each) => behind.has(each))) behind.add(other.id);
    }
  }
  behind.delete(id);
  return { unit: id, title, code, message, round, attempt, lastLines, behind: [...behind] };
}

const conflictCodes: ReadonlySet<string> = new Set(["conflict-parked", "base-conflict"]);

function nextOf({ run, totals }: RunView, needs: readonly RunNeed[], failed: readonly UnitView[]): string[] {
  const codes = [...needs.map(({ code }) => code), ...failed.map(({ error }) => error?.code ?? "")];
  const [first] = failed;
  return [
    ...(codes.some((code) => conflictCodes.has(code)) ? [`conflict list --run ${run}`] : []),
    ...(needs.length > 0 ? [`retry ${run}`] : []),
    // Without a unit that is done there is nothing to publish.
    ...(totals.done > 0 && needs.some(({ kind }) => kind === "failed-units")
      ? [`accept-partial ${run} --reason "…"`]
      : []),
    ...(first === undefined ? [] : [`show ${first.id} ${run}`]),
    ...(needs.length > 0 ? [`cancel ${run}`] : []),
  ];
}
