import type { InstanceView, ItemView, Json } from "@tutti/kernel";
import { expect, test } from "vitest";
import { type RunFacts, runView } from "./run-view.ts";

const plan = {
  units: ["a", "b", "c"].map((id) => ({ id, title: `Unit ${id}`, dependsOn: id === "c" ? ["a"] : [], locks: [] })),
};
const context = {
  run: "r",
  repository: { path: "/repo", gitDir: "/git", base: "0".repeat(40), branch: null },
  options: { agent: "scripted", attempts: 5 },
};

function instance(changes: Partial<InstanceView>): InstanceView {
  return {
    instanceId: "r",
    rootId: "r",
    parent: null,
    process: "feature",
    version: "1",
    hash: "h",
    businessKey: null,
    status: "running",
    startedAt: 1_000,
    endedAt: null,
    outcome: null,
    sequence: 1,
    variables: { feature: "Dark mode", context: context as unknown as Json, plan: plan as unknown as Json },
    variableVersions: {},
    elements: [],
    incidents: [],
    collections: [],
    subscriptions: [],
    waiting: [],
    ...changes,
  };
}

function item(key: string, changes: Partial<ItemView> = {}): ItemView {
  return {
    key,
    status: "waiting",
    attempt: 0,
    attemptsMax: 3,
    dependsOn: [],
    locks: [],
    queue: null,
    priority: 3,
    startedAt: null,
    endedAt: null,
    instanceKey: null,
    error: null,
    value: null,
    result: null,
    ...changes,
  };
}

const counts = {
  waiting: 0,
  ready: 0,
  running: 0,
  completed: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
  withdrawn: 0,
  total: 3,
};

function element(changes: Partial<InstanceView["elements"][number]>): InstanceView["elements"][number] {
  const usual = { key: 2, element: "units", name: "Do the units", kind: "call-activity" as const, scope: 0 };
  return { ...usual, item: null, state: "active", since: 1_000, childId: null, ...changes };
}

function facts(root: InstanceView, more: Partial<RunFacts> = {}): RunFacts {
  return { root, open: [], jobs: [], tasks: [], failures: new Map(), now: 11_000, ...more };
}

const done = { id: "a", commit: "c", attempts: 2, round: 1 };

function working(): RunFacts {
  const root = instance({
    elements: [element({}), element({ key: 5, item: "b", childId: "r/5" })],
    collections: [
      {
        body: 2,
        element: "units",
        maxParallel: 5,
        counts,
        items: [
          item("a", { status: "completed", attempt: 1, startedAt: 2_000, endedAt: 4_000, result: done }),
          item("b", { status: "running", attempt: 1, startedAt: 3_000, instanceKey: 5 }),
          item("c"),
        ],
      },
    ],
    waiting: [
      {
        key: null,
        element: "units",
        item: "c",
        on: "dependency",
        reason: "It depends on 'a'.",
        until: "",
        dueAt: null,
      },
    ],
  });
  const unit = instance({
    instanceId: "r/5",
    process: "unit",
    variables: { unit: { id: "b" } },
    elements: [element({ key: 2, element: "work", childId: "r/5/2" })],
  });
  const loop = instance({
    instanceId: "r/5/2",
    parent: { instanceId: "r/5", key: 2 },
    process: "work-loop",
    variables: { unit: { id: "b" }, attempt: 3 },
    elements: [element({ element: "apply", name: "The agent edits", kind: "service-task" })],
    waiting: [{ key: 1, element: "apply", item: null, on: "job", reason: "", until: "", dueAt: null }],
  });
  return facts(root, { open: [unit, loop], jobs: [{ instanceId: "r/5/2", progress: { note: "reading" } }] });
}

test("totals, attempts, steps and notes are derived from the instances", () => {
  const view = runView(working());
  expect(view).toMatchObject({ run: "r", phase: "units", status: "running", elapsedMs: 10_000, scripted: true });
  expect(view.totals).toMatchObject({ planned: 3, done: 1, running: 1, waiting: 1, failed: 0, landed: 0 });
  expect(view.percent).toBe(14);
  expect(view.etaMs).toBeGreaterThan(10_000);
  expect(view.units).toMatchObject([
    { id: "a", status: "done", attempt: 2, elapsedMs: 2_000 },
    { id: "b", status: "running", attempt: 3, step: "The agent edits", note: "reading", elapsedMs: 8_000 },
    { id: "c", status: "waiting", waitsFor: "It depends on 'a'.", elapsedMs: 0 },
  ]);
});

const incident = {
  key: 9,
  owner: 2,
  element: "units",
  kind: "items-failed" as const,
  error: { code: "items-failed", message: "1 of 3 failed" },
  at: 10_000,
  advice: "Retry or accept.",
};

function failed(): RunFacts {
  const error = { code: "work-loop-exhausted", message: "b did not pass" };
  const root = instance({
    elements: [element({})],
    incidents: [incident],
    collections: [
      {
        body: 2,
        element: "units",
        maxParallel: 5,
        counts: { ...counts, failed: 1 },
        items: [item("a", { status: "completed", result: done }), item("b", { status: "failed", attempt: 3, error })],
      },
    ],
  });
  const output = Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n");
  const loop = instance({
    status: "failed",
    variables: { unit: { id: "b" }, attempt: 5, tested: { results: [{ passed: false, output }] } },
  });
  return facts(root, { failures: new Map([["b", loop]]) });
}

test("a run waits for a person only when nothing in it can go on by itself", () => {
  const stuck = failed();
  const view = runView(stuck);
  expect(view.status).toBe("waiting");
  expect(view.needsYou).toMatchObject([{ kind: "failed-units", key: 9, units: ["b"] }]);
  expect(view.units[1]?.error).toMatchObject({
    code: "work-loop-exhausted",
    lastLines: expect.arrayContaining(["line 29"]),
  });
  expect(view.units[1]?.error?.lastLines).toHaveLength(12);
  // Something else still works, or a child was called that nobody has seen yet.
  const busy = working();
  expect(runView({ ...busy, root: { ...busy.root, incidents: [incident] } }).status).toBe("running");
  const calling = { ...stuck.root, elements: [element({ key: 7, item: "c", childId: "r/7" })] };
  expect(runView({ ...stuck, root: calling }).status).toBe("running");
});

test("a paused run is paused, whatever waits in it, and a task to approve the plan is a need", () => {
  const root = instance({ status: "paused", elements: [element({ element: "approve", name: "Approve" })] });
  expect(runView(facts(root)).status).toBe("paused");
  const tasks = [{ instanceId: "r", key: 4, title: "Approve the plan?", createdAt: 5 }];
  const view = runView(facts({ ...root, status: "running" }, { tasks }));
  expect(view).toMatchObject({ status: "waiting", phase: "approval", needsYou: [{ kind: "approval", key: 4 }] });
});

test("a run that ended keeps its units, and counts what brought nothing as failed", () => {
  const merged = { commit: "c", landed: ["a", "b"], resolutions: [], verifications: [{}, {}] };
  const published = { branch: "tutti/r", commit: "c", where: "branch", partial: true, body: "" };
  const variables = { ...instance({}).variables, units: { a: done, b: { ...done, id: "b" } }, merged, published };
  const root = instance({
    status: "completed",
    endedAt: 9_000,
    variables: variables as unknown as InstanceView["variables"],
  });
  const view = runView(facts(root));
  expect(view).toMatchObject({ status: "completed", phase: "ended", percent: 100, etaMs: null, elapsedMs: 8_000 });
  expect(view.units.map(({ status, landed }) => [status, landed])).toEqual([
    ["done", true],
    ["done", true],
    ["failed", false],
  ]);
  expect(view.verifications).toBe(2);
  expect(view.published).toMatchObject({ branch: "tutti/r", partial: true });
});

test("before there is a plan there are no units, and the run says what it does", () => {
  const variables = { feature: "x", context: context as unknown as Json };
  const root = instance({
    variables,
    elements: [element({ element: "plan", name: "Plan the units", kind: "service-task" })],
  });
  expect(runView(facts(root))).toMatchObject({ phase: "planning", step: "Plan the units", percent: 0, units: [] });
});
