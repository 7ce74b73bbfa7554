import { expect, test } from "vitest";
import { needOf, viewOf } from "../testing/view.ts";
import { exitStatus } from "./exit-status.ts";

const some = { planned: 3, done: 2, running: 0, waiting: 0, failed: 1, skipped: 0, cancelled: 0, landed: 0 };
const none = { ...some, done: 0, failed: 3 };

test.each([
  [0, "it landed", viewOf({ status: "completed" })],
  [0, "it goes on", viewOf()],
  [1, "it failed", viewOf({ status: "failed", error: { code: "whatever", message: "" } })],
  [1, "its plan was rejected", viewOf({ status: "failed", error: { code: "plan-rejected", message: "" } })],
  [2, "its plan is no plan", viewOf({ status: "failed", error: { code: "plan-invalid", message: "" } })],
  [3, "the merged tree stays red", viewOf({ status: "failed", error: { code: "merge-red", message: "" } })],
  [4, "a conflict is parked", viewOf({ status: "waiting", needsYou: [needOf({ code: "conflict-parked" })] })],
  [5, "no unit succeeded", viewOf({ status: "waiting", totals: none, needsYou: [needOf({ kind: "failed-units" })] })],
  [6, "publishing failed", viewOf({ status: "waiting", phase: "publishing", needsYou: [needOf()] })],
  [7, "it was cancelled", viewOf({ status: "cancelled" })],
  [8, "it is paused", viewOf({ status: "paused" })],
  [8, "a plan waits for approval", viewOf({ status: "waiting", needsYou: [needOf({ kind: "approval" })] })],
  [8, "some units failed", viewOf({ status: "waiting", totals: some, needsYou: [needOf({ kind: "failed-units" })] })],
])("[C9] exit status %i: %s", async (expected, _what, view) => {
  await expect(exitStatus(view)).resolves.toBe(expected);
});
