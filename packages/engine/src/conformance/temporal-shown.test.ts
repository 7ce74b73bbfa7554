import { randomBytes } from "node:crypto";
import { Client, Connection } from "@temporalio/client";
import proto from "@temporalio/proto";
import type { Element } from "@tutti/kernel";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { encryption } from "../temporal/index.ts";
import { call, end, program, sequence, service, start } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { completed, ended, eventually, ManualWorker } from "./harness.ts";

// What Temporal's own tools show: read through the server's API alone.

const { History } = proto.temporal.api.history.v1;

/** Ends with an error, after a job that calls a process was done. */
const order = program({
  id: "order",
  version: "1.2.0",
  elements: [
    start(),
    call("ships", "ship"),
    service("charge", { retry: { attemptsMax: 2 } }),
    { ...end("lost"), trigger: { type: "error", code: "no-money" } } as Element,
  ],
  flows: ["start>ships", "ships>charge", "charge>lost"],
});
const ship = { ...sequence("ship", 1, { type: "pack" }), version: "3" };

describeWithTemporal("what Temporal shows", () => {
  let house: TemporalHouse;
  let connection: Connection;
  beforeAll(async () => {
    house = await openTemporalHouse("short-history-workflow.ts");
  }, 120_000);
  afterAll(async () => {
    await connection?.close();
    await house?.close();
  });

  async function found(home: TemporalHome, query: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of home.workflow.list({ query })) ids.push(workflowId);
    return ids.sort();
  }

  /** Its lists are a moment behind. */
  async function finds(home: TemporalHome, query: string, ids: readonly string[]): Promise<void> {
    const wanted = JSON.stringify([...ids].sort());
    await eventually(async () => (JSON.stringify(await found(home, query)) === wanted ? true : undefined), query);
  }

  /** Of all executions of an instance: histories are short here. */
  async function eventsOf(home: TemporalHome, instanceId: string) {
    const runs: { readonly runId: string; readonly startTime: Date }[] = [];
    for await (const run of home.workflow.list({ query: `WorkflowId = '${instanceId}'` })) runs.push(run);
    runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
    const histories = runs.map(({ runId }) => home.workflow.getHandle(instanceId, runId).fetchHistory());
    return (await Promise.all(histories)).flatMap(({ events }) => events ?? []);
  }

  async function begun(engine: Engine): Promise<string> {
    await engine.deploy([ship, order]);
    const asked = { requestId: "once", variables: {}, actor: "ann" };
    return engine.start({ ...asked, process: "order", instanceId: "order-1", businessKey: "KEY-7" });
  }

  // The first of this file: Temporal's runtime has one log for a process, that of the engine which came first.
  test("[TE36] [TE37] lists find instances, activities say what they are, and failures why; no log has those", async () => {
    const home = house.home();
    const logged: unknown[] = [];
    const tell = (...told: unknown[]): unknown => logged.push(told);
    const engine = await home.open({ log: { info: tell, warn: tell, error: tell } });
    try {
      const packing = new ManualWorker();
      const charging = new ManualWorker();
      engine.work("pack", packing.handler);
      engine.work("work", charging.handler);
      const id = await begun(engine);
      const { instanceId: child } = await packing.job(1);
      await finds(home, "WorkflowType = 'order'", [id]);
      await finds(home, "TuttiVersion = '1.2.0' AND TuttiBusinessKey = 'KEY-7'", [id]);
      await finds(home, "TuttiRoot = 'order-1'", [id, child]);
      await finds(home, "TuttiVersion = '3' AND TuttiStatus = 'running'", [child]);
      await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" });
      await finds(home, "TuttiStatus = 'paused'", [id, child]);
      await engine.command(id, { type: "resume-instance", actor: "ann" });
      await finds(home, "TuttiStatus = 'running'", [id, child]);
      await packing.finish(1);
      const broke = { type: "failed", code: "declined", message: "The bank said no.", retryable: true } as const;
      for (const n of [1, 2]) await charging.finish(n, broke);
      await finds(home, "TuttiStatus = 'incident'", [id]);
      const [incident] = (await engine.instance(id)).incidents;
      const key = incident?.key ?? 0;
      const again = { type: "resolve-incident", action: "retry", reason: "It is back.", actor: "ann" } as const;
      expect(await engine.command(id, { ...again, key })).toMatchObject({ ok: true });
      await charging.finish(3, completed());
      await ended(engine, id);
      await expect(home.workflow.getHandle(id).result()).rejects.toMatchObject({ cause: { type: "no-money" } });
      await finds(home, "ExecutionStatus = 'Failed'", [id]);

      const all = await eventsOf(home, id);
      const text = ({ data }: { data?: Uint8Array | null } = {}): unknown =>
        data == null ? undefined : JSON.parse(Buffer.from(data).toString());
      const activities = all.filter((event) => event.activityTaskScheduledEventAttributes != null);
      expect(activities.map((event) => text(event.userMetadata?.summary ?? undefined))).toEqual([
        ...["charge", "charge, attempt 2", "charge, attempt 3"],
      ]);
      expect(activities[0]?.activityTaskScheduledEventAttributes).toMatchObject({
        activityType: { name: "work" },
        activityId: expect.stringMatching(/^charge\//),
      });
      const failures = all.flatMap((event) => event.activityTaskFailedEventAttributes?.failure ?? []);
      expect(failures).toHaveLength(2);
      expect(failures[0]).toMatchObject({
        message: broke.message,
        applicationFailureInfo: { type: "declined" },
      });
    } finally {
      await engine.close({ graceMs: 0 });
      home.remove();
    }
    // Temporal's runtime says what it has to say a moment later, at the latest now.
    expect(logged).toEqual([]);
  }, 120_000);

  test("[TE37] an instance that failed names the job or the child that it failed with as the cause", async () => {
    const home = house.home();
    const engine = await home.open();
    try {
      engine.work("work", async () => ({ type: "error", code: "no-money", message: "The bank said no." }));
      const paying = program({
        id: "paying",
        elements: [start(), service("charge"), end()],
        flows: ["start>charge", "charge>end"],
        onError: "compensate",
      });
      const buying = program({
        id: "buying",
        elements: [start(), call("pays", "paying"), end()],
        flows: ["start>pays", "pays>end"],
        onError: "compensate",
      });
      await engine.deploy([paying, buying]);
      const asked = { requestId: "once", variables: {}, actor: "ann" };
      const id = await engine.start({ ...asked, process: "buying", instanceId: "buying-1" });
      expect(await ended(engine, id)).toMatchObject({ status: "failed" });
      const { childId } = (await eventsOf(home, id)).flatMap((event) => {
        const found = event.startChildWorkflowExecutionInitiatedEventAttributes;
        return found == null ? [] : [{ childId: found.workflowId ?? "" }];
      })[0] ?? { childId: "" };
      const why = { type: "no-money", message: "The bank said no." };
      await expect(home.workflow.getHandle(childId).result()).rejects.toMatchObject({
        cause: {
          ...why,
          cause: { name: "ActivityFailure", activityType: "work", message: "charge: no-money", cause: why },
        },
      });
      await expect(home.workflow.getHandle(id).result()).rejects.toMatchObject({
        cause: {
          ...{ type: "no-money" },
          cause: {
            name: "ChildWorkflowFailure",
            workflowType: "paying",
            execution: { workflowId: childId },
            cause: why,
          },
        },
      });
    } finally {
      await engine.close({ graceMs: 0 });
      home.remove();
    }
  }, 120_000);

  test("[TE36] a namespace gets the attributes that it has not; where it takes none, the way out is said and all works", async () => {
    const home = house.home();
    connection = await Connection.connect({ address: home.address });
    const client = new Client({ connection });
    const made = async (namespace: string, taken: number): Promise<void> => {
      const day = { seconds: 86_400 } as never;
      await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
      const names = Array.from({ length: taken }, (_, n) => [`Taken${n}`, 2] as const);
      const searchAttributes = Object.fromEntries(names);
      if (taken === 0) return;
      const add = (): Promise<unknown> =>
        connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      // The server needs a moment to know the namespace.
      await eventually(() =>
        add()
          .then(() => true)
          .catch(() => undefined),
      );
    };
    await made("empty", 0);
    await made("full", 10);
    const warnings: unknown[] = [];
    const log = { info: () => undefined, error: () => undefined, warn: (...told: unknown[]) => warnings.push(told) };
    for (const namespace of ["empty", "full"]) {
      const engine = await home.open({ namespace, log });
      engine.work("work", async () => completed());
      await engine.deploy([sequence("one", 1)]);
      const started = { requestId: namespace, process: "one", variables: {}, actor: "ann" };
      const id = await engine.start(started);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      const there = { ...home, workflow: new Client({ connection, namespace }).workflow };
      if (namespace === "empty") {
        await finds(there, `TuttiRoot = '${id}'`, [id]);
        expect(JSON.stringify(warnings)).not.toContain("search-attribute");
      } else expect(JSON.stringify(warnings)).toContain("temporal operator search-attribute create --namespace full");
      await engine.close({ graceMs: 0 });
    }
    home.remove();
  }, 120_000);

  test("[TE20] with a key neither what a job failed with nor the business key is in the clear", async () => {
    const home = house.home();
    const engine = await home.open({ payloadCodecs: [encryption({ secret: randomBytes(32), id: "first" })] });
    try {
      engine.work("pack", async () => completed());
      let attempts = 0;
      const no = { type: "failed", code: "declined", message: "The bank said no.", retryable: true } as const;
      engine.work("work", async () => (attempts++ === 0 ? no : completed()));
      const id = await begun(engine);
      expect(await ended(engine, id)).toMatchObject({ status: "failed", outcome: { error: { code: "no-money" } } });
      const history = Buffer.from(History.encode(await home.workflow.getHandle(id).fetchHistory()).finish());
      expect(history.includes("declined")).toBe(true);
      expect(history.includes("The bank said no")).toBe(false);
      expect(history.includes("KEY-7")).toBe(false);
      const { typedSearchAttributes } = await home.workflow.getHandle(id).describe();
      expect(typedSearchAttributes.getAll().map(({ key }) => key.name)).not.toContain("TuttiBusinessKey");
    } finally {
      await engine.close({ graceMs: 0 });
      home.remove();
    }
  }, 120_000);
});
