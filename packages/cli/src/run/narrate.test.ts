import type { Event } from "@tutti/kernel";
import { expect, test } from "vitest";
import { Narrator } from "./narrate.ts";

let position = 0;
const told = (narrator: Narrator, instanceId: string, event: object): string | undefined => {
  position += 1;
  const record = { cursor: { position, index: 0 }, instanceId, rootId: "r", sequence: position, at: position };
  const line = narrator.tell({ ...record, event: event as Event });
  return line === undefined ? undefined : `${line.unit ?? "run"}: ${line.text}`;
};

test("[C26] each event that matters becomes a sentence about its unit", () => {
  const narrator = new Narrator();
  const at = 1;
  expect(told(narrator, "r", { type: "instance-created", process: "feature", at })).toBe("run: run started");
  expect(told(narrator, "r", { type: "item-activated", item: "a", attempt: 1, predecessors: ["b"], at })).toBe(
    "a: started, builds on b",
  );
  const unit = { type: "child-requested", childId: "r/1", process: "unit", variables: { unit: { id: "a" } }, at };
  expect(told(narrator, "r", unit)).toBeUndefined();
  const loop = {
    type: "child-requested",
    childId: "r/1/2",
    process: "work-loop",
    variables: { unit: { id: "a" } },
    at,
  };
  expect(told(narrator, "r/1", loop)).toBeUndefined();
  expect(told(narrator, "r/1/2", { type: "job-created", jobType: "unit.apply", input: { attempt: 2 }, at })).toBe(
    "a: attempt 2: the agent edits",
  );
  const tested = { tested: { passed: false, reason: "1 of 2 checks failed" } };
  expect(told(narrator, "r/1/2", { type: "variables-set", scope: 0, values: tested, at })).toBe(
    "a: not yet: 1 of 2 checks failed",
  );
  const error = { code: "agent-crashed", message: "It died." };
  expect(told(narrator, "r", { type: "item-failed", item: "a", error, retry: true, at })).toBe(
    "a: failed (agent-crashed): It died.; another round follows",
  );
});

test("[C26] declarations without a value are not told as if something had happened", () => {
  const narrator = new Narrator();
  told(narrator, "r", { type: "instance-created", process: "feature", at: 1 });
  const values = { published: null, plan: null, tested: null, verdict: null };
  expect(told(narrator, "r", { type: "variables-set", scope: 0, values, at: 1 })).toBeUndefined();
});

test("[C26] trouble in the merge is told once, and what becomes of it", () => {
  const narrator = new Narrator();
  const at = 1;
  const merge = { type: "child-requested", childId: "r/9", process: "merge", variables: {}, at };
  expect(told(narrator, "r", merge)).toBeUndefined();
  const trouble = { code: "merge-red", message: "The checks fail once a is merged: x", unit: { id: "a" } };
  expect(told(narrator, "r/9", { type: "variables-set", scope: 0, values: { trouble }, at })).toBe(
    "run: The checks fail once a is merged: x",
  );
  const item = { item: "a", attempt: 1, predecessors: [], at };
  expect(told(narrator, "r/9", { type: "item-activated", ...item })).toBeUndefined();
  const repair = { type: "child-requested", childId: "r/9/5", process: "work-loop", variables: { unit: { id: "a" } } };
  expect(told(narrator, "r/9", { ...repair, at })).toBe("run: a goes back to its work loop");
  expect(told(narrator, "r/9", { type: "item-completed", item: "a", result: {}, at })).toBe(
    "a: waits to be merged again",
  );
});
