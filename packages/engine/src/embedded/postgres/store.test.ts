import type { Event, Json } from "@tutti/kernel";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { record, resumed, turn } from "../../testing/turns.ts";
import { describeWithPostgres, type PostgresServer, startPostgres } from "../../testing/with-postgres.ts";
import type { Store, Turn } from "../store.ts";
import { connect, placeOf } from "./connect.ts";
import { currentPostgresOwner } from "./ownership.ts";
import { openPostgresReader } from "./reader.ts";
import { openPostgresStore } from "./store.ts";
import { verifyPostgresLog } from "./verify.ts";

describeWithPostgres("the store in PostgreSQL", () => {
  let server: PostgresServer;
  let url: string;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.dispose());
  beforeEach(() => {
    schemas++;
    url = server.url(`store_${schemas}`);
  });

  async function fill(count: number): Promise<void> {
    const store = await openPostgresStore(url);
    for (let n = 1; n <= count; n++) await store.commit(turn(n));
    await store.close();
  }

  /** As somebody who has the password and no idea of Tutti. */
  async function outside<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await connect(placeOf(url));
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  test("[E91] a server that may lose what it has acknowledged is refused; a session that might is set right", async () => {
    const careless = await startPostgres(["fsync=off"]);
    try {
      await expect(openPostgresStore(careless.url("tutti"))).rejects.toMatchObject({
        code: "database-unwritable",
        message: expect.stringContaining("fsync=on"),
      });
    } finally {
      await careless.dispose();
    }
    const store = await openPostgresStore(`${url}&options=${encodeURIComponent("-c synchronous_commit=off")}`);
    await store.commit(turn(1));
    await store.close();
  });

  test("[E92] a newer schema, one of somebody else and an empty one are refused and stay as they are", async () => {
    await fill(1);
    await outside((client) => client.query("UPDATE tutti_schema SET version = 99"));
    await expect(openPostgresStore(url)).rejects.toMatchObject({ code: "database-newer", details: { found: 99 } });
    await expect(openPostgresReader(url)).rejects.toMatchObject({ code: "database-newer" });
    url = server.url("theirs");
    await outside((client) => client.query("CREATE SCHEMA theirs; CREATE TABLE theirs.a (b int)"));
    await expect(openPostgresStore(url)).rejects.toMatchObject({ code: "database-foreign" });
    const tables = "SELECT relname FROM pg_class WHERE relnamespace = 'theirs'::regnamespace";
    expect((await outside((client) => client.query(tables))).rows).toEqual([{ relname: "a" }]);
    url = server.url("nothing_yet");
    await expect(openPostgresReader(url)).rejects.toMatchObject({ code: "database-missing" });
    expect((await outside((client) => client.query("SELECT to_regnamespace('nothing_yet') AS there"))).rows).toEqual([
      { there: null },
    ]);
  });

  test("[E92] a server that is away, a wrong password and a database that is not there have a code each", async () => {
    await expect(openPostgresStore("postgres://tester@127.0.0.1:1/postgres")).rejects.toMatchObject({
      code: "database-away",
    });
    await expect(openPostgresStore(server.urlFor({ database: "none" }))).rejects.toMatchObject({
      code: "database-unknown",
    });
    const wrong = await openPostgresStore(server.urlFor({ user: "locked", password: "hunter2" })).catch(
      (error: unknown) => error,
    );
    expect(wrong).toMatchObject({ code: "database-refused" });
    expect(`${String(wrong)} ${JSON.stringify(wrong)}`).not.toContain("hunter2");
    // The right one gets in, and may not make a schema of its own there.
    await expect(openPostgresStore(server.urlFor({ user: "locked", password: "secret" }))).rejects.toMatchObject({
      code: "database-refused",
    });
    for (const bad of ["mysql://host/database", "here", `${url}_%22`]) {
      await expect(openPostgresStore(bad)).rejects.toMatchObject({ code: "store-invalid" });
    }
  });

  test.each([
    ["changed", "UPDATE log SET events = replace(events, 'actor 3', 'actor X') WHERE position = 3"],
    ["removed", "DELETE FROM log WHERE position = 3"],
    ["moved", "UPDATE log SET at = at + 1 WHERE position = 3"],
  ])("[E42] a row that was %s is found, on opening and by a check of the whole log", async (_what, sql) => {
    await fill(5);
    expect(await verifyPostgresLog(url)).toBe(5);
    await outside((client) => client.query(sql));
    const damaged = { code: "database-damaged", details: { position: 3 } };
    await expect(verifyPostgresLog(url)).rejects.toMatchObject(damaged);
    await expect(openPostgresStore(url)).rejects.toMatchObject(damaged);
  });

  test("[E43] payloads over 64 KiB are stored once and read back whole", async () => {
    const large: Json = { text: "x".repeat(200_000), list: [1, { deep: true }] };
    const values = (n: number): Event => ({ type: "variables-set", scope: 0, values: { large }, actor: "a", at: n });
    const store = await openPostgresStore(url);
    await store.commit(turn(1, values(1)));
    await store.commit(turn(2, values(2)));
    const rows = await store.rows({ after: 0, limit: 10 });
    expect(rows.map((row) => row.events[0])).toEqual([values(1), values(2)]);
    expect((await store.find({ instanceIds: ["one"], numbers: [], requestIds: [] })).instances[0]?.rows).toHaveLength(
      2,
    );
    const sizes = "SELECT (SELECT count(*) FROM blobs) AS blobs, max(length(events)) AS longest FROM log";
    const { blobs, longest } = (await outside((client) => client.query(sizes))).rows[0];
    expect(blobs).toBe(1);
    expect(longest).toBeLessThan(1_000);
    await outside((client) => client.query("UPDATE blobs SET content = replace(content, 'true', 'null')"));
    await expect(store.rows({ after: 0, limit: 10 })).rejects.toMatchObject({ code: "database-damaged" });
    await store.close();
  });

  test("[E93] a turn that is too large for one statement is written by several, as a whole", async () => {
    const store = await openPostgresStore(url);
    const megabytes = (n: number): Event => ({
      ...{ type: "variables-set", scope: 0, actor: "a", at: n },
      values: { large: String(n).repeat(5_000_000) },
    });
    const rows = [1, 2, 3].flatMap((n) => turn(n, megabytes(n)).rows);
    const broken = { rows: [...rows, ...turn(3).rows], changes: turn(1).changes };
    await expect(store.commit(broken)).rejects.toMatchObject({ code: "storage-failed" });
    await store.reopen();
    const blobs = "SELECT count(*) AS blobs FROM blobs";
    expect((await outside((client) => client.query(blobs))).rows).toEqual([{ blobs: 0 }]);
    await store.commit({ rows, changes: turn(1).changes });
    expect((await outside((client) => client.query(blobs))).rows).toEqual([{ blobs: 3 }]);
    const read = await store.rows({ after: 2, limit: 10 });
    expect(read.map((row) => row.events[0])).toEqual([megabytes(3)]);
    await store.close();
  });

  test("[E90] every character and every number of a name comes back as it was", async () => {
    const strange = 'a\0b\u0001c\u0001\u0001\u0002 "q" \\ {x,NULL} é 🎻 \n';
    const store = await openPostgresStore(url);
    const odd = { ...record, instanceId: strange, rootId: strange, requestId: `r${strange}`, businessKey: "NULL" };
    const message = {
      ...{ number: 7, kind: "message" as const, name: strange.repeat(100), correlationKey: strange, id: strange },
      ...{ payload: { [strange]: strange }, publishedAt: 1, ttlMs: Number.MAX_SAFE_INTEGER - 10 },
      receivers: [{ process: strange, instanceId: strange, started: false }],
    };
    await store.commit({
      rows: turn(1).rows,
      changes: [
        { type: "instance-put", record: odd },
        { type: "timer-put", timer: { instance: 1, key: 1, due: -5 } },
        { type: "message-put", message },
      ],
    });
    const found = await store.find({ instanceIds: [strange], numbers: [1], requestIds: [`r${strange}`, "other"] });
    expect(found.instances.map((each) => each.record)).toEqual([odd]);
    expect(found.requests).toEqual(new Map([[`r${strange}`, strange]]));
    expect(await store.timers(undefined, 10)).toEqual([{ instance: 1, key: 1, due: -5 }]);
    const channel = { name: message.name, correlationKey: strange };
    const wanted = { ...channel, kind: "message" as const, ids: [strange], numbers: [7], limit: 1 };
    expect(await store.channels([wanted])).toEqual([
      { ...channel, kind: "message", waiting: [], held: [], remembered: [message, message] },
    ]);
    const queue = { ...channel, now: 0, after: 0, limit: 10, toStart: true };
    expect(await store.queued({ ...queue, process: "p" })).toEqual([message]);
    expect(await store.queued({ ...queue, process: strange })).toEqual([]);
    expect(await store.beginning({ process: "p", name: message.name, now: 0 })).toEqual([channel]);
    await store.close();
  });

  test("[E45] a turn is written as a whole or not at all, and the store goes on", async () => {
    await fill(1);
    const store = await openPostgresStore(url);
    const broken: Turn = {
      rows: [...turn(2).rows, ...turn(2).rows],
      changes: [{ type: "timer-put", timer: { instance: 1, key: 1, due: 5 } }],
    };
    await expect(store.commit(broken)).rejects.toMatchObject({
      code: "storage-failed",
      details: { postgres: "23505" },
    });
    expect(await store.counters()).toMatchObject({ position: 1 });
    expect(await store.timers(undefined, 10)).toEqual([]);
    await store.reopen();
    await store.commit(turn(2));
    await store.close();
    expect(await verifyPostgresLog(url)).toBe(2);
  });

  test("[E93] what a turn did last to a row is what counts", async () => {
    const store = await openPostgresStore(url);
    const job = (key: number, attempt: number) => ({
      ...{ instance: 1, key, element: "e", jobType: "t", queue: "light" as const, priority: 3, attempt },
      ...{ notBefore: 0, since: 1, limitKey: null },
    });
    await store.commit({ rows: [], changes: [1, 2, 3].map((key) => ({ type: "job-put", job: job(key, 1) })) });
    await store.commit({
      rows: [],
      changes: [
        { type: "job-delete", instance: 1, key: 1 },
        { type: "job-put", job: job(1, 2) },
        { type: "job-put", job: job(2, 2) },
        { type: "job-delete", instance: 1, key: 2 },
        { type: "job-put", job: job(4, 1) },
        { type: "job-move", instance: 1, key: 4, element: "moved" },
        { type: "job-move", instance: 1, key: 3, element: "moved" },
      ],
    });
    expect(await store.openJobs(undefined, 10)).toEqual([
      job(1, 2),
      { ...job(3, 1), element: "moved" },
      { ...job(4, 1), element: "moved" },
    ]);
    await store.close();
  });

  test("[E94] a second owner is refused and told who the first is; after its end the database is free", async () => {
    const first = await openPostgresStore(url, { note: { socket: "s" } });
    await first.claimEpoch();
    expect(await currentPostgresOwner(url)).toMatchObject({ pid: process.pid, note: { socket: "s" } });
    await expect(openPostgresStore(url)).rejects.toMatchObject({
      code: "database-owned",
      details: { owner: { pid: process.pid, note: { socket: "s" } } },
    });
    await first.close();
    expect(await currentPostgresOwner(url)).toBeUndefined();
    await fill(1);
  });

  test("[E93] a turn of an earlier epoch writes nothing, and its store does not open again", async () => {
    const store = await openPostgresStore(url);
    await store.claimEpoch();
    await store.commit(turn(1));
    // As if the session were not the one that it takes itself for: behind a pool that shares them, for instance.
    await outside((client) => client.query("UPDATE owner SET epoch = epoch + 1"));
    await expect(store.commit(turn(2))).rejects.toMatchObject({ code: "ownership-lost" });
    await expect(store.reopen()).rejects.toMatchObject({ code: "ownership-lost" });
    expect(await store.counters()).toMatchObject({ position: 1 });
    await store.close();
  });

  test("[E95] a session that is ended says so at once, and is taken up again when nobody came in between", async () => {
    const store: Store = await openPostgresStore(url);
    await store.claimEpoch();
    await store.commit(turn(1));
    const lost = new Promise<Error>((resolve) => store.watch?.(resolve));
    await endSessions();
    expect(await lost).toMatchObject({ code: "storage-failed" });
    await expect(store.commit(turn(2))).rejects.toMatchObject({ code: "storage-failed" });
    await store.reopen();
    await store.commit(turn(2));
    await endSessions();
    await expect(store.commit(turn(3))).rejects.toMatchObject({ code: "storage-failed" });
    const other = await openPostgresStore(url);
    await expect(store.reopen()).rejects.toMatchObject({ code: "storage-failed" });
    await other.claimEpoch();
    await expect(store.reopen()).rejects.toMatchObject({ code: "ownership-lost" });
    await store.close();
    await other.commit(turn(3));
    const rows = await other.rows({ after: 0, limit: 10 });
    expect(rows.map((row) => row.events[0])).toEqual([resumed(1), resumed(2), resumed(3)]);
    await other.close();
  });

  function endSessions(): Promise<unknown> {
    const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    return outside((client) => client.query(`${others} AND application_name = 'tutti'`));
  }
});
