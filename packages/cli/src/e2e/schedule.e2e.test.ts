import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { RecordedEvent } from "@tutti/engine";
import type { RunView } from "@tutti/feature";
import type { Event } from "@tutti/kernel";
import { afterEach, expect, test } from "vitest";
import { createScene, runExample, type Scene } from "../testing/scene.ts";

// Who runs when, and who again: read from the log, which is what happened.

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

function fresh(): Scene {
  const scene = createScene();
  scenes.push(scene);
  return scene;
}

function found<T extends Event["type"]>(events: readonly RecordedEvent[], type: T) {
  return events.flatMap((record) =>
    record.event.type === type ? [{ ...record, event: record.event as Extract<Event, { readonly type: T }> }] : [],
  );
}

/** When the item began and ended, by rows of the log: rows never tie, clocks do. */
function spanOf(events: readonly RecordedEvent[], item: string): { readonly from: number; readonly to: number } {
  const began = found(events, "item-activated").find(({ event }) => event.item === item);
  const ended = found(events, "item-completed").find(({ event }) => event.item === item);
  if (began === undefined || ended === undefined) throw new Error(`${item} did not run`);
  return { from: began.cursor.position, to: ended.cursor.position };
}

test("[X4] of fifty units two fail: 48 are kept, one report tells why, retry runs exactly the two, then all land", async () => {
  const scene = fresh();
  const options = ["--attempts", "3", "--rounds", "1", "--max-parallel", "50"];
  const first = await scene.tutti(runExample(scene, "fixtures/fifty-agents", options), { timeoutMs: 240_000 });
  expect(first.exit, first.stderr).toBe(8);
  // One report: every failed unit with the class of its failure, its last lines, and what to type.
  for (const unit of ["unit-23", "unit-47"]) {
    expect(first.stdout).toMatch(
      new RegExp(`✗ ${unit}: work-loop-exhausted .*grep -qx done parts/${unit}.txt \\(exit 1\\)`),
    );
  }
  expect(first.stdout).toContain("2 failed; 48 of 50 units kept.");
  expect(first.stdout).toMatch(/→ .*retry/);
  const parked = await scene.json<RunView>(["status"]);
  expect(parked).toMatchObject({ status: "waiting", totals: { done: 48, failed: 2 }, published: null });
  expect(scene.git("branch", "--list", "tutti/*")).toBe("");

  const before = (await scene.events()).length;
  const retried = await scene.json<{ readonly units: readonly string[] }>(["retry"]);
  expect([...retried.units].sort()).toEqual(["unit-23", "unit-47"]);
  const view = await scene.json<RunView>(["wait"], { timeoutMs: 120_000 });
  expect(view).toMatchObject({ status: "completed", totals: { landed: 50 }, published: { partial: false } });
  const after = (await scene.events()).slice(before);
  expect(
    found(after, "item-activated")
      .map(({ event }) => event.item)
      .sort(),
  ).toEqual(["unit-23", "unit-47"]);
  expect(scene.git("ls-tree", "--name-only", `${view.published?.branch}:parts`).split("\n")).toHaveLength(51);
  await scene.close();
});

test("[X4] what waits for nobody starts at once, and what comes late does not delay it: diamond-late", async () => {
  const scene = fresh();
  const view = await scene.json<RunView>(runExample(scene, "fixtures/diamond-late"), { timeoutMs: 60_000 });
  expect(view.status).toBe("completed");
  const events = await scene.events();
  const starts = new Map(found(events, "item-activated").map(({ event, cursor }) => [event.item, cursor.position]));
  expect([starts.get("B"), starts.get("D")]).toEqual([starts.get("A"), starts.get("A")]);
  expect(spanOf(events, "D").to).toBeLessThan(spanOf(events, "C").from);
  expect(spanOf(events, "C").from).toBe(Math.max(spanOf(events, "A").to, spanOf(events, "B").to));
  expect(spanOf(events, "E").from).toBe(spanOf(events, "C").to);
});

test("[X4] two that own one file never overlap, and the third is not delayed by that: auth-rb-conflict", async () => {
  const scene = fresh();
  const view = await scene.json<RunView>(runExample(scene, "fixtures/auth-rb-conflict"), { timeoutMs: 60_000 });
  expect(view.status).toBe("completed");
  const events = await scene.events();
  const [a, b, c] = [spanOf(events, "A"), spanOf(events, "B"), spanOf(events, "C")];
  expect(b.from).toBeGreaterThanOrEqual(a.to);
  expect(c.from).toBe(a.from);
  expect(c.to).toBeLessThan(b.to);
  // The second starts from what the first left, so that there is nothing to merge.
  expect(view.resolutions).toEqual([]);
  const text = scene.git("show", `${view.published?.branch}:auth.rb`);
  expect(text).toContain("def sign_in");
  expect(text).toContain("def sign_out");
});

test("[X4] a planner agent's plan goes through the gates, and what they refuse goes back to it: planner", async () => {
  const scene = fresh();
  const [command = "", ...rest] = runExample(scene, "fixtures/planner").filter(
    (word, at, all) => word !== "--plan" && all[at - 1] !== "--plan",
  );
  const view = await scene.json<RunView>([command, "Two parts, planned by an agent", ...rest], { timeoutMs: 60_000 });
  expect(view).toMatchObject({ status: "completed", totals: { planned: 2, landed: 2 } });
  expect(readdirSync(join(scene.state, "transcripts", view.run, "plan")).sort()).toEqual(["1.jsonl", "2.jsonl"]);
  const shown = await scene.tutti(["log", "--json"]);
  expect(shown.exit, shown.stderr).toBe(0);
});
