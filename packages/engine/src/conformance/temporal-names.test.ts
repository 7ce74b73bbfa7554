import { randomBytes } from "node:crypto";
import { Client, Connection, type WorkflowHandle } from "@temporalio/client";
import proto from "@temporalio/proto";
import type { Element, JobOutcome } from "@tutti/kernel";
import { expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { encryption } from "../temporal/index.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { branches, end, program, sequence, start } from "../testing/programs.ts";
import type { TemporalHome } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { begin, completed, ended, eventually, failed, historyOf } from "./harness.ts";

// What people ask and say by name, with Temporal's own client alone.

const { History } = proto.temporal.api.history.v1;

const graph = { loop: { mode: "graph" } } as const;
const items = [{ id: "a" }, { id: "b" }, { id: "c" }];

const form = { type: "object", properties: { approved: { type: "boolean" } }, required: ["approved"] };
const outputs = ["approved", "note"].map((name) => ({ target: name, source: { variable: name } }));
const userTask = (id: string, more: object = {}): Element => ({ kind: "user-task", id, parent: null, ...more });
const desk = program({
  id: "desk",
  elements: [start(), userTask("check", { form, candidates: ["bob"], outputs }), userTask("sign"), end()],
  flows: ["start>check", "check>sign", "sign>end"],
});

describeWithTemporal("names on Temporal", () => {
  let home: TemporalHome;
  let engine: Engine;
  const logged: unknown[] = [];
  const tell = (...told: unknown[]): unknown => logged.push(told);
  eachTemporalHome("short-history-workflow.ts", async (fresh) => {
    home = fresh;
    engine = await home.open({ log: { info: tell, warn: tell, error: tell } });
    return () => engine.close({ graceMs: 0 });
  });

  const handleOf = (id: string): WorkflowHandle => home.workflow.getHandle(id);
  const say = (id: string, name: string, ...args: readonly unknown[]): Promise<unknown> =>
    handleOf(id).executeUpdate<unknown, [unknown]>(name, { args: args as readonly unknown[] as [unknown] });
  /** The refusal of an update, by its code. */
  const refused = (code: string, message: string) => ({
    cause: { type: code, message: expect.stringContaining(message) },
  });
  const tasksOf = async (instanceId: string) => (await engine.query("tasks", { instanceId })).rows;

  /** Of three items one is done, one has failed and one waits for an incident to be resolved. */
  async function fleetBegun(exhausted: "incident" | "error" = "error"): Promise<string> {
    engine.work("work", async ({ input }) =>
      (input["item"] as { readonly id: string }).id === "b" ? failed("broken", false) : completed(),
    );
    const inputs = [{ target: "item", source: { variable: "item" } }] as const;
    const variables = { items, attempt: 2, tested: { passed: false }, feedback: ["again"], commit: "c0ffee" };
    const id = await begin(engine, [branches("fleet", { ...graph, inputs, retry: { exhausted } })], variables);
    await eventually(async () => {
      const { incidents, collections } = await engine.instance(id);
      return incidents.length === 1 && collections[0]?.counts.completed === 2 ? true : undefined;
    });
    return id;
  }

  test("[TE70] every question of an orchestration and of a unit has an answer", async () => {
    const id = await fleetBegun();
    const view = await engine.instance(id);
    const counts = { total: 3, completed: 2, failed: 1 };
    const at = expect.any(Number);
    const details = { items: [{ key: "b", status: "failed" }], waiting: [] };
    const version = { name: "attempt", value: 2, version: 1, author: "tester", at };
    const answers: readonly (readonly [string, readonly unknown[], unknown])[] = [
      ["current_state", [], { instanceId: id, status: "running" }],
      ["get_status", [], { status: "running", incidents: 1, waiting: view.waiting }],
      ["progress", [], [{ element: "branch", ...counts }]],
      ["failure_summary", [], view.incidents],
      [
        "orchestration_status",
        [],
        {
          ...{ feature: id, total_units: 3, completed: 2, failed: 1, in_progress: 0, progress_percent: 100 },
          unit_details: items.map(({ id: item }) => ({ id: item, status: item === "b" ? "failed" : "completed" })),
        },
      ],
      ["estimated_completion", [], null],
      ["agent_details", ["b"], { id: "b", ...details }],
      ["agent_details", [{ id: "branch" }], { id: "branch", elements: [{ element: "branch" }] }],
      ["unit_status", [], { unit_id: id, name: "fleet", current_step: [{ element: "branch" }], iteration: 2 }],
      ["iteration_count", [], 2],
      ["test_results", [], { passed: false }],
      ["pending_instructions", [], ["again"]],
      ["checkpoint", [], "c0ffee"],
      ["variable_history", ["attempt"], version],
      ["variable_history", [{ name: "attempt" }], version],
    ];
    for (const [name, args, expected] of answers) {
      const answer = await handleOf(id).query<unknown, unknown[]>(name, ...args);
      if (expected === null || typeof expected !== "object") expect(answer).toBe(expected);
      else expect(answer).toMatchObject(expected);
    }
    for (const [name, args, message] of [
      ["agent_details", ["z"], "there is no 'z'"],
      ["agent_details", [], "but got nothing"],
      ["variable_history", ["none"], "there is no 'none'"],
    ] as const) {
      await expect(handleOf(id).query<unknown, unknown[]>(name, ...args)).rejects.toThrow(message);
    }
  });

  test("[TE70] the end of a collection is estimated by the items that completed", async () => {
    let isFirst = true;
    const never = new Promise<JobOutcome>(() => undefined);
    engine.work("work", async () => {
      if (!isFirst) return never;
      isFirst = false;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return completed();
    });
    const loop = { mode: "sequential" } as const;
    const id = await begin(engine, [branches("slow", { loop })], { items });
    const estimate = () => handleOf(id).query<number | null, []>("estimated_completion");
    await eventually(async () =>
      (await engine.instance(id)).collections[0]?.counts.completed === 1 ? true : undefined,
    );
    const at = (await estimate()) ?? 0;
    // Two more, one after the other.
    expect(at - Date.now()).toBeGreaterThan(300);
    expect(at - Date.now()).toBeLessThan(60_000);
  });

  test("[TE71] a run is paused, resumed, adjusted, retried and cancelled by name, as an update and as a signal", async () => {
    const id = await fleetBegun();
    expect(await say(id, "pause", { reason: "lunch", actor: "ann" })).toEqual({ position: expect.any(Number) });
    expect((await engine.instance(id)).status).toBe("paused");
    await handleOf(id).signal("resume");
    await eventually(async () => ((await engine.instance(id)).status === "running" ? true : undefined));
    await say(id, "pause_orchestration");
    await say(id, "resume_orchestration");
    await say(id, "adjust_concurrency", 2);
    await say(id, "adjust_concurrency", { limit: null, element: "branch" });
    await say(id, "set_variable", { name: "attempt", value: 3, expectedVersion: 1 });
    const stale = say(id, "set_variable", { name: "attempt", value: 4, expectedVersion: 1 });
    await expect(stale).rejects.toMatchObject(refused("variable-version", "attempt"));
    await expect(say(id, "retry_failed_agents", ["a"])).rejects.toMatchObject(refused("item-unknown", "a"));
    const first = (await engine.instance(id)).incidents[0]?.key;
    const nextIncident = (before: number | undefined) =>
      eventually(async () => (await engine.instance(id)).incidents.find(({ key }) => key !== before)?.key);
    await say(id, "retry_failed_agents", ["b"]);
    const second = await nextIncident(first);
    await say(id, "retry_failed_agents", { reason: "Once more.", actor: "ann" });
    await nextIncident(second);
    await handleOf(id).signal("cancel_orchestration", { reason: "Enough.", actor: "ann" });
    expect(await ended(engine, id)).toMatchObject({ outcome: { type: "cancelled", reason: "Enough." } });
    const events = (await historyOf(engine, { instanceId: id })).map(({ event }) => event);
    const paused = events.filter(({ type }) => type === "instance-paused");
    expect(paused).toMatchObject([{ actor: "ann", reason: "lunch" }, { actor: "temporal" }]);
    expect(events.filter(({ type }) => type === "concurrency-adjusted")).toMatchObject([
      { maxParallel: 2 },
      { maxParallel: null },
    ]);
    await handleOf(id)
      .result()
      .catch(() => undefined);
    expect(await home.replay()).toEqual([]);
  });

  test("[TE71] tasks are claimed, delegated, escalated and completed by name, under their forms", async () => {
    const id = await begin(engine, [desk]);
    await say(id, "escalate_task", { task: "check", to: ["eve"], reason: "Bob is away." });
    expect(await tasksOf(id)).toMatchObject([{ element: "check", candidates: ["eve"] }]);
    await say(id, "claim_task", { actor: "eve" });
    await say(id, "delegate_task", { to: "ann", actor: "eve" });
    expect(await tasksOf(id)).toMatchObject([{ assignee: "ann", owner: "eve" }]);
    await expect(say(id, "claim_task", { actor: "bob" })).rejects.toMatchObject(refused("task-claimed", "ann"));
    await engine.command(id, { type: "resolve-task", key: (await tasksOf(id))[0]?.key ?? 0, actor: "ann" });
    const misfit = say(id, "complete_task", { task: "check", result: { approved: 1 }, actor: "eve" });
    await expect(misfit).rejects.toMatchObject(refused("form-misfit", "result.approved"));
    await say(id, "approve", { note: "Fine.", actor: "eve" });
    await eventually(async () => ((await tasksOf(id))[0]?.element === "sign" ? true : undefined));
    await handleOf(id).signal("complete_task", "sign");
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    const variables = (await engine.instance(id)).variables;
    expect(variables).toMatchObject({ approved: true, note: "Fine." });
    const other = await engine.start({ requestId: "denied", process: "desk", variables: {}, actor: "ann" });
    await say(other, "deny", { note: "No." });
    expect((await engine.instance(other)).variables).toMatchObject({ approved: false });
  });

  test("[TE71] an instance is migrated by name", async () => {
    await engine.deploy([{ ...sequence("steps", 2, { type: "idle" }), version: "2" }]);
    const id = await begin(engine, [{ ...sequence("steps", 1, { type: "idle" }), version: "1" }]);
    const unknown = say(id, "migrate_instance", { version: "3" });
    await expect(unknown).rejects.toMatchObject(refused("process-not-found", "'steps@3'"));
    await say(id, "migrate_instance", { version: "2", reason: "New steps.", actor: "ann" });
    expect((await engine.instance(id)).version).toBe("2");
    const wrong = say(id, "migrate_instance", { version: "1", mapping: { step1: 1 } });
    await expect(wrong).rejects.toMatchObject(refused("argument-invalid", "'step1'"));
  });

  test("[TE71] what is wrong is refused with what was expected: of an update before it is in the history, of a signal in the log", async () => {
    const id = await begin(engine, [desk]);
    const length = async (): Promise<number> => (await handleOf(id).fetchHistory()).events?.length ?? 0;
    const before = await length();
    const wrong: readonly (readonly [string, unknown, string])[] = [
      ["pause", { stopRunning: "yes" }, "Expected 'stopRunning' as true or false, but it is a string"],
      ["pause", { because: "lunch" }, "Expected stopRunning, reason, actor, but got 'because'"],
      ["cancel", "now", "Expected an object with reason, undo, actor"],
      ["adjust_concurrency", 0, "Expected 'limit' as a whole number from 1, or null for none, but it is a number"],
      ["adjust_concurrency", undefined, "Expected 'limit', but it is missing"],
      ["claim_task", {}, "Expected 'actor', but it is missing"],
      ["complete_task", { result: [] }, "Expected 'result' as an object, but it is a list"],
      ["retry_failed_agents", [1], "Expected 'ids' as a list of texts"],
      ["set_variable", { name: "x", value: 1, expectedVersion: null }, "but it is null"],
      ["migrate_instance", {}, "Expected 'version', but it is missing"],
    ];
    for (const [name, asked, message] of wrong) {
      await expect(say(id, name, asked)).rejects.toMatchObject(refused("argument-invalid", message));
    }
    // Only the start of the workflow is there.
    expect(await length()).toBeLessThanOrEqual(before + 3);
    await expect(say(id, "approve", { task: "sign" })).rejects.toMatchObject(refused("task-not-found", "(check)"));
    await expect(say(id, "adjust_concurrency", 1)).rejects.toMatchObject(refused("collection-not-found", "element"));
    await expect(say(id, "retry_failed_agents")).rejects.toMatchObject(refused("incident-not-found", "nothing"));
    await expect(say(id, "resume")).rejects.toMatchObject(refused("instance-not-paused", "paused"));
    for (const [name, asked, said] of [
      ["pause", { because: "lunch" }, "got 'because'"],
      ["resume", {}, "instance-not-paused"],
      ["escalate_model", {}, "nobody takes this signal"],
    ] as const) {
      await handleOf(id).signal(name, asked);
      await eventually(() => (JSON.stringify(logged).includes(said) ? true : undefined), said);
    }
    expect((await engine.instance(id)).status).toBe("running");
    const { events } = await handleOf(id).fetchHistory();
    expect(events?.filter((event) => event.workflowTaskFailedEventAttributes != null)).toEqual([]);
  });

  test("[TE71] [TE20] with a key the refusal of an update is not in the clear", async () => {
    await engine.close({ graceMs: 0 });
    const payloadCodecs = [encryption({ secret: randomBytes(32), id: "first" })];
    engine = await home.open({ payloadCodecs });
    const id = await begin(engine, [desk]);
    const connection = await Connection.connect({ address: home.address });
    const { namespace } = home;
    const handle = new Client({ connection, namespace, dataConverter: { payloadCodecs } }).workflow.getHandle(id);
    const approved = handle.executeUpdate("approve", { args: [{ task: "sign" }] });
    const details = [{ message: expect.stringContaining("(check)") }];
    await expect(approved).rejects.toMatchObject({ cause: { type: "task-not-found", details } });
    const history = Buffer.from(History.encode(await handle.fetchHistory()).finish());
    await connection.close();
    expect(history.includes("task-not-found")).toBe(true);
    expect(history.includes("(check)")).toBe(false);
  });

  test("[TE71] an item in which something waits for a person is retried by its key", async () => {
    const id = await fleetBegun("incident");
    const [before] = (await engine.instance(id)).incidents;
    await expect(say(id, "retry_failed_agents", ["b", "c"])).rejects.toMatchObject(refused("item-unknown", "but c do"));
    await say(id, "retry_failed_agents", ["b"]);
    const again = await eventually(async () =>
      (await engine.instance(id)).incidents.find(({ key }) => key !== before?.key),
    );
    expect(again).toMatchObject({ kind: "job", error: { code: "broken" } });
  });
});
