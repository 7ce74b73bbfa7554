import type { ModelTier } from "@tutti/agents";
import { expect, test } from "vitest";
import { diagnose, keepFeedback, nextTier } from "./diagnosis.ts";
import type { Applied, Tested } from "./model.ts";
import { planUnit } from "./testing/setup.ts";

const fine: Applied = { claim: "completed", summary: "", findings: [], failure: null };
const red: Tested = {
  passed: false,
  reason: "npm test (exit 1)",
  results: [
    { command: "npm test", passed: false, exit: 1, timedOut: false, output: "line 1\n\nit broke\n", durationMs: 5 },
    { command: "npm run lint", passed: true, exit: 0, timedOut: false, output: "lint is fine", durationMs: 5 },
  ],
};
const unit = planUnit("a", { touches: { owns: ["src/**"], may: [], creates: [] } });

test("[F30] a diagnosis names the red commands with their last lines, and what is green adds nothing", () => {
  const text = diagnose({ unit, attempt: 2, applied: fine, tested: red });
  expect(text).toBe("Attempt 2 did not pass: npm test (exit 1).\n\n`npm test` ended with status 1:\nline 1\nit broke");
});

test("[F30] a finding says how it is repaired, an agent's failure what it last wrote", () => {
  const applied: Applied = {
    claim: "none",
    summary: "",
    findings: [{ code: "outside-claim", path: "README.md", message: "README.md was modified" }],
    failure: {
      code: "agent-crashed",
      message: "Its process ended by signal 9.",
      lastLines: ["out of ideas"],
      retryable: true,
    },
  };
  const text = diagnose({ unit, attempt: 1, applied, tested: { passed: false, reason: "x", results: [] } });
  expect(text).toContain("README.md was modified. Put it back as it was, and stay within: src/**.");
  expect(text).toContain("agent-crashed");
  expect(text).toContain("out of ideas");
});

test("[F31] feedback keeps the newest five and 16 KiB, and cuts the newest only when it alone is larger", () => {
  expect(keepFeedback(["1", "2", "3", "4", "5", "6"])).toEqual(["2", "3", "4", "5", "6"]);
  const large = "x".repeat(10_000);
  expect(keepFeedback([`old ${large}`, `new ${large}`])).toEqual([`new ${large}`]);
  const [cut = "", ...none] = keepFeedback(["ä".repeat(20_000)]);
  expect(none).toEqual([]);
  expect(Buffer.byteLength(cut)).toBe(16 * 1024);
});

test("[F32] the tier rises after every second failure and stays at the top", () => {
  const tiers: ModelTier[] = [];
  for (let failures = 1; failures <= 8; failures += 1) tiers.push(nextTier(tiers.at(-1) ?? "standard", failures));
  expect(tiers).toEqual(["standard", "thinking", "thinking", "pro", "pro", "max", "max", "max"]);
});
