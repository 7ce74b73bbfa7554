import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../../testing/with-postgres.ts";
import type { News, SharedLog } from "../shared-log.ts";
import type { InstanceRecord, Standing, Turn } from "../store.ts";
import { connect, placeOf } from "./connect.ts";
import { lockClass } from "./migrate.ts";
import { openPostgresLog } from "./shared-log.ts";
import { openPostgresStore } from "./store.ts";
import { verifyPostgresLog } from "./verify.ts";

const nothing = { instances: [], requestIds: [], hashes: [] };

/** A turn of so many rows, of an instance of its own. */
function turnOf({ counters }: Standing, rows: number): Turn {
  const number = counters.instance + 1;
  const record: InstanceRecord = {
    ...{ number, instanceId: `i${number}`, rootId: `i${number}`, parentId: null, process: "p", version: "1" },
    ...{ hash: "h", deployment: "d", businessKey: null, requestId: null, startedBy: null, copied: 0, held: false },
    status: "running",
    ...{ incidents: 0, startedAt: 1, endedAt: null },
  };
  return {
    rows: Array.from({ length: rows }, (_, index) => ({
      ...{ position: counters.position + index + 1, instance: number, sequence: index + 1, at: 1 },
      events: [{ type: "instance-paused", reason: "r", stopRunning: false, actor: "a", at: 1 }],
    })),
    changes: [{ type: "instance-put", record }],
  };
}

describeWithPostgres("a log that several processes share", () => {
  let server: PostgresServer;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.dispose());

  async function logsAt(count: number): Promise<{ readonly url: string; readonly logs: SharedLog[] }> {
    schemas++;
    const url = server.url(`shared_${schemas}`);
    return { url, logs: await Promise.all(Array.from({ length: count }, () => openPostgresLog(url))) };
  }

  test("[TE13] turns of several writers stand one after the other, without gaps, in one chain", async () => {
    const { url, logs } = await logsAt(4);
    const write = async (log: SharedLog): Promise<void> => {
      for (let n = 1; n <= 25; n++) await log.append(nothing, (standing) => turnOf(standing, 1 + (n % 3)));
    };
    // Whoever reads a position finds all before it, at any moment.
    const reading = logs.map(async (log) => {
      for (let last = 0, looks = 0; looks < 100; looks++) {
        const rows = await log.rows({ after: last, limit: 1_000 });
        expect(rows.map(({ position }) => position)).toEqual(rows.map((_, index) => last + index + 1));
        last = rows.at(-1)?.position ?? last;
      }
    });
    await Promise.all([...logs.map(write), ...reading]);
    expect(await verifyPostgresLog(url)).toBe(4 * (9 * 2 + 8 * 3 + 8));
    for (const log of logs) await log.close();
  });

  test("[TE13] a writer that ends, or stands still, in the middle of an append leaves nothing and holds nobody up", async () => {
    const { url, logs } = await logsAt(2);
    const [ending, other] = logs as [SharedLog, SharedLog];
    await expect(
      ending.append(nothing, () => {
        throw new Error("in the middle");
      }),
    ).rejects.toThrow("in the middle");
    // As a process that was stopped, or that vanished: its transaction has the lock, and nothing comes of it.
    const client = await connect(placeOf(url));
    await client.query("SET idle_in_transaction_session_timeout = 500");
    await client.query("BEGIN");
    await client.query(`SELECT pg_advisory_xact_lock(${lockClass}, hashtext($1))`, [`append shared_${schemas}`]);
    for (const log of [other, ending]) await log.append(nothing, (standing) => turnOf(standing, 1));
    expect((await other.rows({ after: 0, limit: 10 })).map(({ position }) => position)).toEqual([1, 2]);
    await client.end();
    for (const log of logs) await log.close();
  });

  test("[TE13] a session that the server ends is replaced by the next append", async () => {
    const { logs } = await logsAt(2);
    const [log, other] = logs as [SharedLog, SharedLog];
    await log.append(nothing, (standing) => turnOf(standing, 1));
    await server.stop("kill");
    await expect(log.append(nothing, (standing) => turnOf(standing, 1))).rejects.toMatchObject({
      code: "storage-failed",
    });
    await server.start();
    for (const each of [log, other]) await each.append(nothing, (standing) => turnOf(standing, 1));
    expect((await log.news()).position).toBe(3);
    for (const each of logs) await each.close();
  });

  test("[TE15] each is told of what the others append, also when the session that listens was ended", async () => {
    const { url, logs } = await logsAt(2);
    const [log, other] = logs as [SharedLog, SharedLog];
    const told: News[] = [];
    other.watch((news) => told.push(news));
    const until = async (position: number, definitions: number): Promise<void> => {
      while (!told.some((news) => news.position === position && news.definitions === definitions)) await sleep(5);
    };
    await log.append(nothing, (standing) => turnOf(standing, 2));
    await until(2, 0);
    await log.append(nothing, () => ({
      rows: [],
      changes: [{ type: "slots-put", queue: "light", slots: 3 }],
      defines: true,
    }));
    await until(2, 1);
    const client = await connect(placeOf(url));
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
    await client.end();
    await log.append(nothing, (standing) => turnOf(standing, 1));
    await until(3, 1);
    for (const each of logs) await each.close();
  });

  test("[TE16] a schema is one engine's, and an owner that is there is left alone", async () => {
    const { url, logs } = await logsAt(1);
    await expect(openPostgresStore(url)).rejects.toMatchObject({ code: "database-foreign" });
    for (const each of logs) await each.close();
    await expect(openPostgresStore(url)).rejects.toMatchObject({ code: "database-foreign" });
    const embedded = server.url("not_shared");
    const store = await openPostgresStore(embedded);
    await expect(openPostgresLog(embedded)).rejects.toMatchObject({ code: "database-owned" });
    await store.close();
    await expect(openPostgresLog(embedded)).rejects.toMatchObject({ code: "database-foreign" });
    await (await openPostgresStore(embedded)).close();
  });
});
