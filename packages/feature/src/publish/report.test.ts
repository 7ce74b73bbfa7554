import { expect, test } from "vitest";
import type { Plan, PlanUnit, RunContext, UnitResult } from "../model.ts";
import { type ReportFacts, totalUsage, writeReport } from "./report.ts";

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
  title: `Do ${id}`,
  intent: id,
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
  regenerate: [],
  units: [unit("a"), unit("b")],
};
const context = {
  run: "r1",
  repository: { base: "b".repeat(40) },
  options: { agent: "scripted", threshold: 0.5 },
} as unknown as RunContext;
const resolution = { path: "x.js", rung: "agent", between: ["a", "b"] as const, note: "kept both | really <b>" };
const verification = { commit: "t", units: ["a"], passed: true, durationMs: 5 };

const merged = {
  commit: "f".repeat(40),
  landed: ["a", "b"],
  resolutions: [resolution],
  verifications: [verification],
  usage: {},
  setAside: [],
};
const facts: ReportFacts = {
  ...{ feature: "Sign in", context, plan, merged, branch: "tutti/r1" },
  ...{ units: { a: result("a"), b: result("b") }, acceptances: [], planning: null, failed: [] },
};
const bFailed = {
  ...{ unit: "b", round: 3, code: "work-loop-exhausted", message: "b did not pass: exit 1", feedback: "" },
  usage: { ...usage, inputTokens: 70, outputTokens: 7 },
};

test("[P10] the report tells units, requirements, checks, conflicts with their resolution, and cost", () => {
  const report = writeReport(facts);
  expect(report).toMatchObject({ title: "Sign in", partial: false });
  expect(report.body).toContain("All 2 planned units are in");
  expect(report.body).toContain("scripted");
  expect(report.body).toContain("| `x.js` | a × b | agent | `kept both \\| really <b>` |");
  expect(report.body).toContain("`node --test` passed on the merged tree");
  expect(report.body).toContain("| R1 | People sign in. | a, b |");
  expect(report.body).toContain("reported no tokens");
});

test("[P19] nothing that an agent or a plan wrote is read as markup, leaves its line or steers a terminal", () => {
  const hostile = "x\n# Title ![i](http://e.invalid/p) <img src=y> `tick` @team Fixes #1 \u001b[2J\u202e| y";
  const { body } = writeReport({
    ...facts,
    feature: hostile,
    plan: { ...plan, feature: hostile, checks: [hostile], units: [{ ...unit("a"), title: hostile }, unit("b")] },
    units: { a: result("a", hostile), b: result("b") },
    merged: { ...merged, resolutions: [{ ...resolution, path: hostile, note: hostile }] },
  });
  expect(body).not.toMatch(/[\u001b\u202e]/);
  expect(body.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
  const outsideCode = body.replaceAll("\\`", "").replaceAll(/`[^`]*`/g, "");
  expect(outsideCode).not.toMatch(/<img|[^\\]\[i\]/);
  // The title and one unit's; everything else of it stands in code.
  expect(outsideCode.match(/@team/g)).toHaveLength(2);
});

test("[P11] a partial result says so in title and body, names what is missing and why, and who accepted that", () => {
  const part = { ...facts, units: { a: result("a") }, merged: { ...merged, landed: ["a"] }, failed: [bFailed] };
  const report = writeReport(part);
  expect(report).toMatchObject({ title: "[partial] Sign in", partial: true });
  expect(report.body).toContain("1 of 2 planned units. Not included: b.");
  expect(report.body).toContain("b (not included)");
  expect(report.body).toContain("| b | work-loop-exhausted | `b did not pass: exit 1` |");
  expect(report.body).toContain("Accepted by the run's own rule: at least 0.5");
  const acceptances = [{ reason: "b can <wait>", by: "person:ada", at: Date.UTC(2030, 0, 2, 3, 4) }];
  expect(writeReport({ ...part, acceptances }).body).toContain(
    "Accepted by person:ada on 2030-01-02 03:04 UTC: b can &lt;wait>",
  );
  const setAside = [{ unit: "b", code: "merge-red", message: "The checks fail once b is merged" }];
  const dropped = { ...facts, merged: { ...merged, landed: ["a"], setAside } };
  expect(writeReport(dropped).body).toContain("| b | merge-red | `The checks fail once b is merged` |");
});

test("[P12] use is told per unit and in all, with repairs, resolvers, failed rounds and the planner", () => {
  const planning = { inputTokens: 1_000, outputTokens: 100, costUsd: null, agentMs: 500 };
  const spent = { a: { inputTokens: 20, outputTokens: 2, costUsd: 0, agentMs: 1_000 } };
  const { body } = writeReport({ ...facts, planning, merged: { ...merged, usage: spent }, failed: [bFailed] });
  expect(body).toContain("| 2.5 s, 20 + 2 tokens |");
  expect(body).toContain("| 3.0 s, 70 + 7 tokens |");
  expect(body).toContain("worked 6.0 s and used 1090 input and 109 output tokens (price unknown)");
  expect(body).toContain("Planning took 0.5 s, 1000 + 100 tokens of it.");
});

test("[P12] a cost is given only when every part of it is known", () => {
  const costing = (a: number | null, b: number | null) =>
    totalUsage({
      ...facts,
      units: {
        a: { ...result("a"), usage: { ...usage, costUsd: a } },
        b: { ...result("b"), usage: { ...usage, costUsd: b } },
      },
    });
  expect(costing(0, null)).toMatchObject({ costUsd: null, agentMs: 3_000 });
  expect(costing(0.5, 0.25).costUsd).toBe(0.75);
});
