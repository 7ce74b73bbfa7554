import { readFileSync } from "node:fs";
import { type Command, decide, effectsOf, evolve, instanceView, type Json, loadProgram, newState } from "@tutti/kernel";
import { expect, test } from "vitest";
import { createHost } from "./host.ts";
import { programOf } from "./testing/check.ts";

const order = programOf(readFileSync(new URL("../examples/order.yaml", import.meta.url), "utf8"));

type Answer = { readonly result: Record<string, Json> } | { readonly error: string };

/** Runs the example in the kernel: jobs, children, tasks and timers are answered at once, timers when nothing else is open. */
function run(variables: Readonly<Record<string, Json>>, answer: (job: string, input: Record<string, Json>) => Answer) {
  const program = loadProgram(order, createHost());
  const state = newState();
  const seen: string[] = [];
  const open: Command[] = [{ type: "create-instance", at: 0, instanceId: "i", rootId: "i", variables, actor: "test" }];
  const timers = new Map<number, Command & { type: "fire-timer" }>();
  const perform = (effect: ReturnType<typeof effectsOf>[number], at: number) => {
    if (effect.type === "offer-job") {
      const given = answer(effect.jobType, effect.input as Record<string, Json>);
      seen.push(effect.jobType);
      const base = { at, key: effect.key };
      if ("result" in given) open.push({ ...base, type: "complete-job", result: given.result, actor: "w" });
      else open.push({ ...base, type: "throw-job-error", error: { code: given.error, message: "no funds" } });
    } else if (effect.type === "start-child") {
      seen.push(`call ${effect.process}`);
      const outcome = { type: "completed" as const, result: { tracking: "T1" } };
      open.push({ type: "end-child", at, key: effect.key, childId: effect.childId, outcome });
    } else if (effect.type === "open-task") {
      seen.push("task");
      open.push({ type: "complete-task", at, key: effect.key, result: { approved: true }, actor: "manager" });
    } else if (effect.type === "cancel-job") {
      // The worker was told to stop before it answered.
      const answered = open.findIndex((command) => "key" in command && command.key === effect.key);
      if (answered >= 0) open.splice(answered, 1);
    } else if (effect.type === "arm-timer")
      timers.set(effect.key, { type: "fire-timer", at: effect.due, key: effect.key });
    else if (effect.type === "cancel-timer") timers.delete(effect.key);
  };
  for (let steps = 0; steps < 200; steps++) {
    const next = open.shift() ?? [...timers.values()].sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    if (next.type === "fire-timer") timers.delete(next.key);
    const decision = decide(program, state, next);
    if ("rejection" in decision) throw new Error(`${next.type}: ${decision.rejection.reason}`);
    for (const event of decision.events) {
      evolve(state, event);
      if (event.type === "incident-created") throw new Error(`${event.element}: ${event.error.message}`);
      for (const effect of effectsOf(state, event)) perform(effect, next.at);
    }
  }
  const { status, variables: values, outcome } = instanceView(program, state);
  return { seen, status, values, outcome };
}

const lines = [
  { sku: "a", shelf: "1" },
  { sku: "b", shelf: "1", after: ["a"] },
];
const shop = (job: string): Answer =>
  job === "payment.charge" ? { result: { receipt: "R1" } } : { result: { weight: 2.5, sent: true } };

test("[D3] the example runs to its end in the kernel, person, timers, loops and call included", () => {
  const small = run({ order_id: "o1", lines, notes: ["n1", "n2"] }, shop);
  expect(small.status).toBe("completed");
  expect(small.seen).toEqual([
    "payment.charge",
    "warehouse.pick",
    "warehouse.pick",
    "call shipment",
    "mail.confirm",
    "mail.confirm",
  ]);
  expect(small.values).toMatchObject({
    parcels: { a: { weight: 2.5 }, b: { weight: 2.5 } },
    sent_all: [true, true],
    attempts: 1,
    total: 200,
  });
  const many = Array.from({ length: 11 }, (_, n) => ({ sku: `s${n}`, shelf: `${n}` }));
  expect(run({ order_id: "o2", lines: many }, shop).seen.slice(0, 2)).toEqual(["task", "payment.charge"]);
});

test("[D3] its error paths run: a caught code goes its way with what it said, another ends the process", () => {
  const declined = run({ order_id: "o1", lines }, (job) =>
    job === "payment.charge" ? { error: "card-declined" } : shop(job),
  );
  expect([declined.status, declined.values["reason"]]).toEqual(["completed", "order o1 was rejected"]);
  const broken = run({ order_id: "o1", lines }, (job) =>
    job === "payment.charge" ? { error: "bank-on-fire" } : shop(job),
  );
  expect(broken.status).toBe("failed");
  expect(broken.outcome).toMatchObject({ error: { code: "order-failed", message: "Order o1 could not be charged" } });
});
