import { type Command, decide, evolve, loadProgram, newState, type State, snapshotState } from "@tutti/kernel";
import { expect, test } from "vitest";
import { createHost } from "../host.ts";
import { programOf } from "../testing/check.ts";
import { checkMigration } from "./migration.ts";
import { checkSoundness } from "./soundness.ts";

const programFrom = (steps: string) => loadProgram(programOf(`process: p\nsteps:\n${steps}`), createHost());

const oldSteps = `  both: { fork: [a, b] }
  a: { job: x, then: t }
  b: { job: y, then: t }
  t: { join: true }
  c: { job: z }
`;
const old = programFrom(oldSteps);

/** An instance of the old program: begun, with `a` completed, so that a token waits at the join. */
function waiting(): State {
  const state = newState();
  const does = (command: Command) => {
    const decision = decide(old, state, command);
    if ("rejection" in decision) throw new Error(decision.rejection.reason);
    for (const event of decision.events) evolve(state, event);
  };
  does({ type: "create-instance", instanceId: "i", rootId: "i", variables: {}, actor: "me", at: 5 });
  const job = [...state.jobs.values()].find(({ element }) => element === "a");
  does({ type: "complete-job", key: job?.key ?? 0, result: {}, actor: "me", at: 6 });
  return state;
}

test("[D168] an instance is looked at as it is after it was migrated, and is left as it was", () => {
  const state = waiting();
  const before = snapshotState(state);
  expect(checkMigration(state, { from: old, to: programFrom(oldSteps) })).toMatchObject({ verdict: "sound" });
  const renamed = programFrom(oldSteps.replaceAll(/\bb\b/g, "second"));
  expect(checkMigration(state, { from: old, to: renamed, mapping: { b: "second" } })).toMatchObject({
    verdict: "sound",
    findings: [],
  });
  expect(snapshotState(state)).toEqual(before);
});

test("[D168] what a new version would leave stuck is found, though it is sound from its start", () => {
  // The join waits for one token more, which only its own fork gives.
  const more = programFrom(oldSteps.replace("[a, b]", "[a, b, d]").replace("  t:", "  d: { job: w, then: t }\n  t:"));
  expect(checkSoundness(more.document)).toMatchObject({ verdict: "sound" });
  const check = { from: old, to: more };
  expect(checkMigration(waiting(), check)).toMatchObject({
    verdict: "unsound",
    findings: [
      {
        code: "process-stuck",
        element: "t",
        path: ["b"],
        message: "Expected a token on every flow into 't', but none can arrive any more, after b",
      },
    ],
  });
});

test("[D168] a pause is no end, and a task is done by whoever has it", () => {
  const asking = programFrom("  a: { user: look at it }\n  b: { wait: 5m }\n");
  const state = newState();
  const does = (command: Command) => {
    const decision = decide(asking, state, command);
    if ("rejection" in decision) throw new Error(decision.rejection.reason);
    for (const event of decision.events) evolve(state, event);
  };
  does({ type: "create-instance", instanceId: "i", rootId: "i", variables: {}, actor: "me", at: 5 });
  const key = [...state.tasks.values()][0]?.key ?? 0;
  does({ type: "claim-task", key, actor: "ann", at: 6 });
  const check = { from: asking, to: asking };
  expect(checkMigration(state, check)).toMatchObject({ verdict: "sound" });
  does({ type: "delegate-task", key, to: "bob", actor: "ann", at: 7 });
  expect(checkMigration(state, check)).toMatchObject({ verdict: "sound" });
  does({ type: "resolve-task", key, actor: "bob", at: 8 });
  does({ type: "complete-task", key, result: {}, actor: "ann", at: 9 });
  does({ type: "pause-instance", stopRunning: false, reason: "rest", actor: "me", at: 10 });
  expect(checkMigration(state, check)).toMatchObject({ verdict: "sound" });
});

test("[D161] where nothing can happen any more, what is waited for is said", () => {
  const state = waiting();
  const job = [...state.jobs.values()][0]?.key ?? 0;
  const error = { code: "E", message: "it broke" };
  const decision = decide(old, state, { type: "fail-job", key: job, error, retryable: false, at: 9 });
  for (const event of "events" in decision ? decision.events : []) evolve(state, event);
  const verdict = checkMigration(state, { from: old, to: old });
  expect("findings" in verdict && verdict.findings.map(({ message }) => message)).toEqual([
    "Expected a way on, but nothing can happen any more: b: It failed (E): it broke; t: A token from 'a' waits for the others.",
  ]);
});

test("[D168] what the kernel would refuse to migrate says why", () => {
  const gone = programFrom("  a: { job: x }\n");
  const verdict = checkMigration(waiting(), { from: old, to: gone });
  expect(verdict).toMatchObject({ verdict: "refused" });
  expect("problems" in verdict ? verdict.problems.map(({ code, element }) => `${code} ${element}`) : []).toContain(
    "element-gone b",
  );
});
