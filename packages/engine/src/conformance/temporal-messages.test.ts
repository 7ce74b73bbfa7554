import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Correlated, Engine } from "../port.ts";
import { brokerId } from "../temporal/courier.ts";
import { eachTemporalHome } from "../testing/each-temporal-home.ts";
import { collector, onMessage, receiver } from "../testing/message-programs.ts";
import type { TemporalHome } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { ended, eventually, historyOf } from "./harness.ts";
import { waitFor } from "./messages.suite.ts";

// What is Temporal's own of messages, in real time and with short histories. The rules of all engines are in temporal.test.ts.

const publisherScript = fileURLToPath(new URL("../testing/temporal-publisher.ts", import.meta.url));
const broker = brokerId({ kind: "message", name: "paid", correlationKey: "k" });
const message = { name: "paid", correlationKey: "k", ttlMs: 600_000 };

/** What the messages were that an instance got, in their order. */
async function gotBy(engine: Engine, instanceId: string): Promise<unknown[]> {
  const events = (await historyOf(engine, { instanceId })).map(({ event }) => event);
  return events.flatMap((event) => (event.type === "subscription-triggered" ? [event.payload["got"]] : []));
}

describeWithTemporal("Messages on Temporal", () => {
  let home: TemporalHome;
  let engine: Engine;
  eachTemporalHome("short-history-workflow.ts", async (fresh) => {
    home = fresh;
    engine = await home.open();
    return () => engine.close({ graceMs: 0 });
  });

  test("[TE30] who waits has no broker; the one that a message begins ends when it has nothing to do", async () => {
    await engine.deploy([receiver("ship")]);
    const id = await waitFor(engine, "ship", { key: "k" });
    const handle = home.workflow.getHandle(broker);
    await expect(handle.describe()).rejects.toThrow(/not found/);
    await engine.publish({ ...message, variables: { got: 1 } });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    await eventually(async () => ((await handle.describe()).status.name === "COMPLETED" ? true : undefined), "its end");
    await engine.publish({ ...message, variables: { got: 2 } });
    await eventually(async () => ((await handle.describe()).status.name === "COMPLETED" ? true : undefined), "its end");
    expect((await engine.query("messages")).rows.map(({ variables }) => variables["got"])).toEqual([2, 1]);
  });

  test("[TE30] an instance cannot have the id of a broker", async () => {
    await engine.deploy([receiver("ship")]);
    const request = { requestId: "r", process: "ship", instanceId: broker, variables: { key: "k" }, actor: "me" };
    await expect(engine.start(request)).rejects.toMatchObject({ code: "start-refused" });
  });

  for (const where of ["remembered", "received"]) {
    test(`[TE31] a worker that is killed when the log has that a message is ${where} loses nothing and gives nothing twice`, async () => {
      await engine.deploy([receiver("ship"), receiver("bill")]);
      const [ship, bill] = [await waitFor(engine, "ship", { key: "k" }), await waitFor(engine, "bill", { key: "k" })];
      const others = [await waitFor(engine, "ship", { key: "k" }), await waitFor(engine, "bill", { key: "k" })];
      await engine.close();
      const node = spawn(
        process.execPath,
        ["--conditions=@tutti/source", publisherScript, home.address, home.namespace, home.database, where],
        { stdio: ["ignore", "ignore", "inherit"] },
      );
      const [code, signal] = await once(node, "exit");
      expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
      engine = await home.open();
      // It is kept for nobody: what its broker does not give nobody gets.
      const again = await engine.publish({ ...message, ttlMs: 0, id: "m-1", variables: { got: 1 } });
      expect(again.duplicate).toBe(true);
      expect(again.instances.map(({ instanceId }) => instanceId).sort()).toEqual([ship, bill].sort());
      for (const id of [ship, bill]) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      for (const id of others) expect((await engine.instance(id)).status).toBe("running");
    }, 120_000);
  }

  test("[TE32] [TE33] many messages of one channel begin an instance each, in their order, over several executions", async () => {
    await engine.deploy([onMessage("order")]);
    const count = 24;
    const said = Array.from({ length: count }, (_, got) => engine.publish({ name: "paid", variables: { got } }));
    const answers: Correlated[] = await Promise.all(said);
    const ids = answers.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId));
    expect(new Set(ids).size).toBe(count);
    const { rows } = await engine.query("instances");
    expect(rows.map(({ instanceId }) => instanceId).reverse()).toEqual(ids);
    const views = await Promise.all(ids.map((id) => engine.instance(id)));
    expect(views.map(({ variables }) => variables["got"])).toEqual(said.map((_, got) => got));
    const executions: string[] = [];
    const query = `WorkflowId = '${brokerId({ kind: "message", name: "paid", correlationKey: null })}'`;
    for await (const { runId } of home.workflow.list({ query })) executions.push(runId);
    expect(executions.length).toBeGreaterThan(1);
  }, 120_000);

  test("[TE34] an instance that goes on as a new execution has each message once, and what came while it was paused", async () => {
    const count = 16;
    await engine.deploy([collector("collect", count)]);
    const id = await waitFor(engine, "collect", { key: "k" });
    const first = await home.workflow.getHandle(id).describe();
    for (let got = 1; got < count; got++) await engine.publish({ ...message, variables: { got } });
    await engine.command(id, { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" });
    const last = await engine.publish({ ...message, variables: { got: count } });
    expect(last.instances).toMatchObject([{ instanceId: id }]);
    const paused = await home.workflow.getHandle(id).describe();
    await eventually(async () => {
      await engine.command(id, { type: "claim-task", key: 999, actor: "ann" });
      return (await home.workflow.getHandle(id).describe()).runId === paused.runId ? undefined : true;
    }, "another execution");
    expect(paused.runId).not.toBe(first.runId);
    await engine.command(id, { type: "resume-instance", actor: "ann" });
    expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    expect(await gotBy(engine, id)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  }, 120_000);
});
