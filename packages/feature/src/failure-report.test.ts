import { expect, test } from "vitest";
import { failureReport } from "./failure-report.ts";
import type { RunNeed, RunView, UnitView } from "./run-view.ts";

const error = { code: "work-loop-exhausted", message: "b did not pass in 2 attempts", lastLines: ["1 failing"] };

function unit(id: string, rest: Partial<UnitView>): UnitView {
  const numbers = { round: 3, attempt: 2, attemptsMax: 2, startedAt: 1, endedAt: 2, elapsedMs: 1 };
  const nothing = { step: null, note: null, dependsOn: [], locks: [], waitsFor: null, landed: false, error: null };
  return { id, title: `Do ${id}`, status: "done", ...numbers, ...nothing, ...rest };
}

function viewOf(units: readonly UnitView[], rest: Partial<RunView>): RunView {
  const done = units.filter(({ status }) => status === "done").length;
  const totals = { planned: units.length, done };
  return { run: "r1", endedAt: null, units, needsYou: [], totals, ...rest } as unknown as RunView;
}

const need = (rest: Partial<RunNeed>): RunNeed => ({
  ...{ kind: "failed-units", instanceId: "r1", key: 1, code: "items-failed", message: "", units: ["b"], since: 1 },
  ...rest,
});

test("[F70] one report names what failed, what stands behind it, and what can be typed", () => {
  const units = [
    unit("a", {}),
    unit("b", { status: "failed", error }),
    unit("d", { status: "skipped", dependsOn: ["c"] }),
    unit("c", { status: "skipped", dependsOn: ["b"] }),
    unit("e", { status: "skipped", dependsOn: ["x"] }),
  ];
  expect(failureReport(viewOf(units, { needsYou: [need({})] }))).toEqual({
    failures: [{ unit: "b", title: "Do b", ...error, round: 3, attempt: 2, behind: ["c", "d"] }],
    kept: 1,
    planned: 5,
    next: ["retry r1", 'accept-partial r1 --reason "…"', "show b r1", "cancel r1"],
  });
});

test("[F70] a conflict can be resolved, an incident only retried, and an ended run offers nothing", () => {
  const failed = [unit("b", { status: "failed", error: { ...error, code: "base-conflict" } })];
  expect(failureReport(viewOf(failed, { needsYou: [need({})] }))?.next).toEqual([
    "conflict list --run r1",
    "retry r1",
    "show b r1",
    "cancel r1",
  ]);
  const incident = need({ kind: "incident", code: "branch-exists", units: [] });
  expect(failureReport(viewOf([unit("a", {})], { needsYou: [incident] }))).toMatchObject({
    failures: [],
    next: ["retry r1", "cancel r1"],
  });
  expect(failureReport(viewOf(failed, { endedAt: 5 }))).toMatchObject({ failures: [{ unit: "b" }], next: [] });
  expect(failureReport(viewOf([unit("a", {})], {}))).toBeNull();
  expect(failureReport(viewOf([unit("a", {})], { needsYou: [need({ kind: "approval" })] }))).toBeNull();
});
