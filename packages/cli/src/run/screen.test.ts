import { expect, test } from "vitest";
import { stateFolder } from "../state.ts";
import { plain } from "../terminal/style.ts";
import { needOf, unitOf, viewOf } from "../testing/view.ts";
import { finalReport, type Words } from "./report.ts";
import { runScreen } from "./screen.ts";

const totals = { planned: 4, done: 1, running: 1, waiting: 1, failed: 1, skipped: 0, cancelled: 0, landed: 0 };
const units = [
  unitOf("settings", { status: "done", attempt: 1, elapsedMs: 2_100 }),
  unitOf("sessions", {
    status: "running",
    attempt: 2,
    round: 1,
    step: "The agent edits",
    note: "looking",
    elapsedMs: 61_000,
  }),
  unitOf("login", { waitsFor: "It depends on 'sessions'." }),
  unitOf("audit", { status: "failed", error: { code: "agent-crashed", message: "It died.", lastLines: ["boom"] } }),
];

test("[C25] one line for each unit says what it does or waits for, and the last one says how far the whole is", () => {
  expect(runScreen(viewOf({ units, totals }), { style: plain, columns: 90, rows: 40 })).toEqual([
    `✓ settings  done           ${"Title of settings".padEnd(53)} 2.1 s`,
    `▶ sessions  running 2/5    ${"The agent edits: looking".padEnd(49)} 1 min 1 s`,
    "· login     waiting        It depends on 'sessions'.",
    "✗ audit     failed         agent-crashed: It died.",
    "████████░░░░░░░░░░░░  1 of 4 units done, 1 failed · 40 % · 20 s · about 30 s left",
  ]);
});

test.each([
  [40, 40],
  [20, 5],
  [200, 8],
])("[C25] the screen fits %i columns and %i rows, and busy units are shown first", (columns, rows) => {
  const many = Array.from({ length: 60 }, (_, index) =>
    unitOf(`unit-${index}`, index === 59 ? { status: "running", step: "x".repeat(300) } : {}),
  );
  const lines = runScreen(viewOf({ units: many }), { style: plain, columns, rows });
  expect(lines.length).toBeLessThanOrEqual(rows);
  expect(lines.join("\n")).toContain("unit-59");
  expect(lines.join("\n")).toMatch(/and \d+ more units/);
  expect(lines.join("\n")).not.toContain("\u001b");
});

const words: Words = { style: plain, state: stateFolder("/state", {}, "/"), tutti: (rest) => `tutti ${rest}` };

test("[C17] a run that waits leaves one report: unit, class of failure, last lines, and what to type", () => {
  const need = needOf({ kind: "failed-units", units: ["audit"] });
  expect(finalReport(viewOf({ status: "waiting", units, totals, needsYou: [need] }), words)).toBe(
    [
      "oauth-k3x9aa waits for a person.",
      "  1 failed; 1 of 4 units kept.",
      "  ✗ audit: agent-crashed (round 0, attempt 0): It died.",
      "      boom",
      "→ tutti retry oauth-k3x9aa",
      '→ tutti accept-partial oauth-k3x9aa --reason "…"',
      "→ tutti show audit oauth-k3x9aa",
      "→ tutti cancel oauth-k3x9aa",
    ].join("\n"),
  );
});

test("a run that ended says where the result lies and how each conflict was resolved", () => {
  const report = finalReport(
    viewOf({
      status: "completed",
      units,
      resolutions: [{ path: "a.json", rung: "json", between: ["x", "y"], note: "" }],
      published: { branch: "tutti/one", commit: "a".repeat(40), partial: true, body: "" },
    }),
    words,
  );
  expect(report).toContain("partly done");
  expect(report).toContain("json: a.json (x × y)");
  expect(report).toContain("Branch tutti/one (aaaaaaaaaa) in /code/app");
  expect(report).toContain("/state/runs/oauth-k3x9aa/PULL_REQUEST.md");
});
