import type { RunNeed, RunView, UnitView } from "@tutti/feature";

/** A run as tests need one: everything usual, but for what is named. */
export function viewOf(changes: Partial<RunView> = {}): RunView {
  return {
    run: "oauth-k3x9aa",
    feature: "OAuth",
    repository: "/code/app",
    base: "0".repeat(40),
    agent: "scripted",
    scripted: true,
    phase: "units",
    status: "running",
    startedAt: 0,
    endedAt: null,
    elapsedMs: 20_000,
    percent: 40,
    etaMs: 30_000,
    totals: { planned: 0, done: 0, running: 0, waiting: 0, failed: 0, skipped: 0, cancelled: 0, landed: 0 },
    step: null,
    units: [],
    findings: [],
    resolutions: [],
    verifications: 0,
    repairs: 0,
    needsYou: [],
    published: null,
    error: null,
    ...changes,
  };
}

export function unitOf(id: string, changes: Partial<UnitView> = {}): UnitView {
  return {
    id,
    title: `Title of ${id}`,
    status: "waiting",
    round: 0,
    attempt: 0,
    attemptsMax: 5,
    step: null,
    note: null,
    startedAt: null,
    endedAt: null,
    elapsedMs: 0,
    dependsOn: [],
    locks: [],
    waitsFor: null,
    landed: false,
    error: null,
    ...changes,
  };
}

export function needOf(changes: Partial<RunNeed> = {}): RunNeed {
  const usual = { instanceId: "oauth-k3x9aa", key: 1, code: "x", message: "y", units: [], since: 0 };
  return { kind: "incident", ...usual, ...changes };
}
