import { AsyncCompletionClient, Connection } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import type { Element } from "@tutti/kernel";
import { expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { end, from, program, sequence, service, start } from "../testing/programs.ts";
import type { TemporalHome } from "../testing/temporal-house.ts";
import { describeWithTemporal, historyMax } from "../testing/temporal-server.ts";
import { begin, completed, ended, incidentOf, ManualWorker } from "./harness.ts";

// With the limits that a server has by default, and nothing that takes large payloads away from it.

/** A job for each of its `items`, each with the same `text`. */
function parallel(maxParallel?: number) {
  const loop = { mode: "parallel", collection: { variable: "items" }, item: "item" } as const;
  const atOnce = maxParallel === undefined ? {} : { maxParallel: { literal: maxParallel } };
  return program({
    id: "many",
    variables: [
      { name: "items", type: "list", required: true },
      { name: "text", type: "string", required: true },
    ],
    elements: [
      start(),
      {
        ...service("branch", { inputs: [from("text", { variable: "text" })] }),
        loop: { ...loop, ...atOnce },
      } as Element,
      end(),
    ],
    flows: ["start>branch", "branch>end"],
  });
}

function numbers(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}

describeWithTemporal("the limits of Temporal's server", () => {
  let home: TemporalHome;
  let engine: Engine;
  eachTemporalHome("../endurance/real-workflow.ts", async (made) => {
    home = made;
    engine = await home.open();
    return () => engine.close({ graceMs: 0 });
  });

  /** Sizes of the histories of an instance's executions. */
  async function executions(id: string): Promise<readonly { readonly events: number; readonly bytes: number }[]> {
    const sizes: { readonly events: number; readonly bytes: number }[] = [];
    for await (const { runId } of home.workflow.list({ query: `WorkflowId = '${id}'` })) {
      const { historyLength: events, historySize: bytes = 0 } = await home.workflow.getHandle(id, runId).describe();
      sizes.push({ events, bytes });
    }
    return sizes;
  }

  test.each([
    [500, 9_000],
    [24, 200_000],
  ])(
    "[TE68] %i jobs of %i characters that begin at once are asked for by several tasks",
    async (count, chars) => {
      engine.work("work", async () => completed());
      engine.adjustQueue("standard", 50);
      const id = await begin(engine, [parallel()], { items: numbers(count), text: "x".repeat(chars) });
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      expect(await home.replay()).toEqual([]);
    },
    120_000,
  );

  test("[TE69] jobs that overlap make way for a new history before it is too large", async () => {
    // Not large enough to stand elsewhere.
    const text = "x".repeat(200_000);
    let done = 0;
    engine.work("work", async () => {
      // One that ends while another one runs, always.
      await new Promise((resolve) => setTimeout(resolve, 20 + (done++ % 4) * 15));
      return completed({ text });
    });
    const id = await begin(engine, [parallel(4)], { items: numbers(140), text });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    const sizes = await executions(id);
    expect(sizes.length).toBeGreaterThan(1);
    for (const { bytes } of sizes) expect(bytes).toBeLessThan(historyMax.bytes * 0.7);
  }, 120_000);

  test("[TE69] so many commands as a server takes for one execution do not end it, nor the work of a long job", async () => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)], {});
    await worker.job(1);
    let asked = 0;
    const ask = async (): Promise<void> => {
      while (asked < 2_100) {
        const values = { seen: ++asked };
        const set = { type: "set-variables", scope: 0, values, reason: "so", actor: "ann" } as const;
        expect(await engine.command(id, set)).toMatchObject({ ok: true });
      }
    };
    await Promise.all(numbers(8).map(ask));
    // It was called off for the next execution, and offered again.
    const again = worker.jobs.length;
    expect(again).toBe(2);
    await worker.finish(2);
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  }, 180_000);

  test("[TE72] an activity that Temporal's tools fail is an attempt that failed", async () => {
    const worker = new ManualWorker();
    engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)], {});
    await worker.job(1);
    const connection = await Connection.connect({ address: home.address });
    const { namespace } = home;
    const { raw } = await home.workflow.getHandle(id).describe();
    const activityId = raw.pendingActivities?.[0]?.activityId ?? "";
    const hand = new AsyncCompletionClient({ connection, namespace });
    await hand.fail({ workflowId: id, activityId }, ApplicationFailure.nonRetryable("by hand"));
    await connection.close();
    expect(await incidentOf(engine, id)).toMatchObject({ error: { message: "by hand" } });
  });

  test("[TE72] where no store of artifacts takes it, nothing is given to the server that is too large for it", async () => {
    const text = "x".repeat(700_000);
    engine.work("work", async () => completed({ text }));
    const id = await begin(engine, [sequence("one", 1)], {});
    expect((await incidentOf(engine, id)).error).toMatchObject({ code: "result-invalid" });
    const set = { type: "set-variables", scope: 0, values: { text }, reason: "so", actor: "ann" } as const;
    await expect(engine.command(id, set)).rejects.toMatchObject({ code: "payload-invalid" });
    const started = engine.start({ requestId: "two", process: "one", variables: { text }, actor: "ann" });
    await expect(started).rejects.toMatchObject({ code: "payload-invalid" });
  });

  test("[TE72] a job whose inputs are together too large waits for a person, and the instance lives", async () => {
    const names = ["a", "b", "c", "d"];
    const inputs = names.map((name) => from(name, { variable: name }));
    const all = program({
      id: "all",
      variables: names.map((name) => ({ name, type: "string", initial: "" })),
      elements: [
        start(),
        { kind: "user-task", id: "wait", parent: null } as Element,
        service("work", { inputs }),
        end(),
      ],
      flows: ["start>wait", "wait>work", "work>end"],
    });
    engine.work("work", async () => completed());
    const id = await begin(engine, [all], {});
    for (const name of names) {
      const values = { [name]: "\u00e9".repeat(250_000) };
      await engine.command(id, { type: "set-variables", scope: 0, values, reason: "so", actor: "ann" });
    }
    const { key = 0 } = (await engine.query("tasks", { instanceId: id })).rows[0] ?? {};
    await engine.command(id, { type: "complete-task", key, result: {}, actor: "ann" });
    const { error } = await incidentOf(engine, id);
    expect(error).toMatchObject({ code: "input-too-large", message: expect.stringContaining("2000000") });
    await engine.command(id, { type: "cancel-instance", reason: "so", actor: "ann" });
    expect(await ended(engine, id)).toMatchObject({ status: "cancelled" });
  });
});
