import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../port.ts";
import { sequence } from "../testing/programs.ts";
import { openTemporalHouse, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../testing/with-postgres.ts";
import { ended, ManualWorker } from "./harness.ts";

// Releases of workers side by side, on one Temporal and one log.

describeWithTemporal("releases on Temporal", () => {
  describeWithPostgres("with a PostgreSQL", () => {
    let server: PostgresServer;
    let house: TemporalHouse;
    beforeAll(async () => {
      server = await startPostgres();
      house = await openTemporalHouse("told-clock-workflow.ts", { postgres: server, versioning: true });
    }, 120_000);
    afterAll(async () => {
      await house?.close();
      await server?.dispose();
    });

    test("[TE38] an instance stays with the workers of the release it began under, and new ones begin under the current one", async () => {
      const home = house.home();
      const worker = new ManualWorker();
      const start = (engine: Engine, requestId: string): Promise<string> =>
        engine.start({ requestId, process: "steps", variables: {}, actor: "tester" });
      const releaseOf = async (id: string): Promise<string | undefined> => {
        const { raw } = await home.workflow.getHandle(id).describe();
        return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
      };
      const first = await home.open({ release: { name: "one", current: true } });
      await first.deploy([sequence("steps", 2)]);
      first.work("work", worker.handler);
      const old = await start(first, "old");
      await worker.job(1);
      const second = await home.open({ release: { name: "two", current: false } });
      const before = await start(second, "before");
      await worker.job(2);
      await second.close();
      const third = await home.open({ release: { name: "two", current: true } });
      try {
        const young = await start(third, "young");
        await worker.job(3);
        expect([await releaseOf(old), await releaseOf(before), await releaseOf(young)]).toEqual(["one", "one", "two"]);
        for (const n of [1, 2, 3]) await worker.finish(n);
        for (const n of [4, 5, 6]) await worker.finish(n);
        for (const id of [old, before, young]) expect(await ended(third, id)).toMatchObject({ status: "completed" });
        expect([await releaseOf(old), await releaseOf(young)]).toEqual(["one", "two"]);
      } finally {
        await third.close({ graceMs: 0 });
        await first.close({ graceMs: 0 });
        home.remove();
      }
    }, 240_000);

    test("[TE38] also where its history begins anew an instance stays with its release", async () => {
      const short = await openTemporalHouse("short-history-workflow.ts", { postgres: server, versioning: true });
      const home = short.home();
      const engines: Engine[] = [];
      const open = async (name: string): Promise<Engine> => {
        const engine = await home.open({ release: { name, current: true } });
        engines.push(engine);
        return engine;
      };
      try {
        const first = await open("one");
        const worker = new ManualWorker();
        first.work("work", worker.handler);
        await first.deploy([sequence("steps", 12)]);
        const id = await first.start({ requestId: "r", process: "steps", variables: {}, actor: "tester" });
        await worker.job(1);
        const { runId } = await home.workflow.getHandle(id).describe();
        await open("two");
        for (let n = 1; n <= 12; n++) await worker.finish(n);
        expect(await ended(first, id)).toMatchObject({ status: "completed" });
        const { raw, runId: last } = await home.workflow.getHandle(id).describe();
        expect(last).not.toBe(runId);
        expect(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId).toBe("one");
      } finally {
        for (const engine of engines) await engine.close({ graceMs: 0 });
        home.remove();
        await short.close();
      }
    }, 240_000);
  });
});
