import { expect, test } from "vitest";
import type { Plan, PlanUnit, RunContext, UnitResult } from "../model.ts";
import { totalUsage, writeReport } from "./report.ts";

const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, agentMs: 1_500 };

function unit(id: string): PlanUnit {
  return {
    id,
    title: `Do ${id}`,
    intent: id,
    requirements: ["R1"],
    acceptance: [],
    touches: { owns: [], may: [], creates: [] },
    provides: [],
    needs: [],
    dependsOn: [],
    size: "small",
    resource: "light",
    priority: 3,
    verify: ["true"],
    locks: [],
  };
}

const result = (id: string, summary = "done"): UnitResult => ({
  id,
  commit: "c".repeat(40),
  base: "b".repeat(40),
  attempts: 2,
  round: 1,
  summary,
  changed: ["a.js"],
  added: 3,
  deleted: 1,
  usage,
  conflicts: [],
});

const plan: Plan = {
  format: "tutti-plan/1",
  feature: "Sign in",
  requirements: [{ id: "R1", text: "People sign in." }],
  checks: ["node --test"],
  prepare: [],
  units: [unit("a"), unit("b")],
};
const context = {
  run: "r1",
  repository: { base: "b".repeat(40) },
  options: { agent: "scripted" },
} as unknown as RunContext;
const resolution = { path: "x.js", rung: "agent", between: ["a", "b"] as const, note: "kept both | really <b>" };
const verification = { commit: "t", units: ["a"], passed: true, durationMs: 5 };

test("[P10] the report tells units, requirements, checks, conflicts with their resolution, and cost", () => {
  const merged = {
    commit: "f".repeat(40),
    landed: ["a", "b"],
    resolutions: [resolution],
    verifications: [verification],
  };
  const report = writeReport({
    feature: "Sign in",
    context,
    plan,
    units: { a: result("a"), b: result("b") },
    merged,
    branch: "tutti/r1",
  });
  expect(report).toMatchObject({ title: "Sign in", partial: false });
  expect(report.body).toContain("All 2 planned units are in");
  expect(report.body).toContain("scripted");
  expect(report.body).toContain("| x.js | a × b | agent | kept both \\| really &lt;b> |");
  expect(report.body).toContain("`node --test` passed on the merged tree");
  expect(report.body).toContain("| R1 | People sign in. | a, b |");
  expect(report.body).toContain("reported no tokens");
});

test("[P11] a partial result says so in title and body, and names what is missing", () => {
  const merged = { commit: "f".repeat(40), landed: ["a"], resolutions: [], verifications: [verification] };
  const report = writeReport({
    feature: "Sign in",
    context,
    plan,
    units: { a: result("a") },
    merged,
    branch: "tutti/r1",
  });
  expect(report).toMatchObject({ title: "[partial] Sign in", partial: true });
  expect(report.body).toContain("1 of 2 planned units. Not included: b.");
  expect(report.body).toContain("b (not included)");
});

test("[P12] a cost is given only when every part of it is known", () => {
  expect(totalUsage([{ usage }, { usage: { ...usage, costUsd: null } }])).toMatchObject({
    costUsd: null,
    agentMs: 3_000,
  });
  expect(totalUsage([{ usage: { ...usage, costUsd: 0.5 } }, { usage: { ...usage, costUsd: 0.25 } }]).costUsd).toBe(
    0.75,
  );
});
