import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Event, Json } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../testing/stores.ts";
import { resumed, turn } from "../../testing/turns.ts";
import type { Turn } from "../store.ts";
import { openForWriting } from "./open.ts";
import { openSqliteStore } from "./store.ts";
import { verifyLog } from "./verify.ts";

let folder: string;
let path: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  path = join(folder, "tutti.sqlite");
});
afterEach(() => remove());

async function fill(count: number): Promise<void> {
  const store = openSqliteStore(path);
  for (let n = 1; n <= count; n++) await store.commit(turn(n));
  await store.close();
}

test("[E40] durability is set and read back: write-ahead log, synchronous FULL, no checkpoint inside a commit", () => {
  const db = openForWriting(path);
  expect(db.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "wal" });
  expect(db.prepare("PRAGMA synchronous").get()).toMatchObject({ synchronous: 2 });
  expect(db.prepare("PRAGMA wal_autocheckpoint").get()).toMatchObject({ wal_autocheckpoint: 0 });
  db.close();
});

test("[E41] a newer database is refused and stays as it is", async () => {
  await fill(1);
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const before = readFileSync(path);
  expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "database-newer" }));
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("[E41] a database of somebody else, and a file that is none, are refused and stay as they are", () => {
  const foreign = new DatabaseSync(path);
  foreign.exec("CREATE TABLE theirs (a)");
  foreign.close();
  const before = readFileSync(path);
  expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "database-foreign" }));
  expect(readFileSync(path).equals(before)).toBe(true);
  const text = join(folder, "text.sqlite");
  writeFileSync(text, "not a database at all, but long enough to look at. ".repeat(100));
  expect(() => openSqliteStore(text)).toThrow(expect.objectContaining({ code: "database-damaged" }));
  expect(readFileSync(text, "utf8")).toContain("not a database");
});

test("[E41] a truncated database is refused", async () => {
  await fill(500);
  truncateSync(path, Math.floor(statSync(path).size / 2));
  expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "database-damaged" }));
});

test("[E41] a folder that is not there cannot be written, and says so", () => {
  expect(() => openSqliteStore(join(folder, "none", "tutti.sqlite"))).toThrow(
    expect.objectContaining({ code: "database-unwritable" }),
  );
});

test.each([
  ["changed", "UPDATE log SET events = replace(events, 'actor 3', 'actor X') WHERE position = 3"],
  ["removed", "DELETE FROM log WHERE position = 3"],
  ["moved", "UPDATE log SET at = at + 1 WHERE position = 3"],
])("[E42] a row that was %s is found, on opening and by a check of the whole log", async (_what, sql) => {
  await fill(5);
  expect(verifyLog(path)).toBe(5);
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  expect(() => verifyLog(path)).toThrow(
    expect.objectContaining({ code: "database-damaged", details: { position: 3 } }),
  );
  expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "database-damaged" }));
});

test.each([
  ["changed in its middle", "UPDATE log SET events = replace(events, 'actor 3', 'actor X') WHERE position = 3", 2],
  ["cut off in its middle", "DELETE FROM log WHERE position > 3", 4],
  ["joined to the next", "UPDATE log SET hash = NULL WHERE position = 4", 2],
])("[E42] a turn of several rows that was %s is found", async (_what, sql, position) => {
  const store = openSqliteStore(path);
  await store.commit(turn(1));
  await store.commit({ rows: [2, 3, 4].flatMap((n) => turn(n).rows), changes: [] });
  await store.commit(turn(5));
  await store.close();
  expect(verifyLog(path)).toBe(5);
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  expect(() => verifyLog(path)).toThrow(expect.objectContaining({ code: "database-damaged", details: { position } }));
  expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "database-damaged" }));
});

test("[E43] payloads over 64 KiB are stored once and read back whole", async () => {
  const large: Json = { text: "x".repeat(200_000), list: [1, { deep: true }] };
  const values = (n: number): Event => ({ type: "variables-set", scope: 0, values: { large }, actor: "a", at: n });
  const store = openSqliteStore(path);
  await store.commit(turn(1, values(1)));
  await store.commit(turn(2, values(2)));
  await store.commit(turn(3, { type: "variables-set", scope: 0, values: { $blobs: ["values"] }, actor: "a", at: 3 }));
  const rows = await store.rows({ after: 0, limit: 10 });
  expect(rows.map((row) => row.events[0])).toEqual([
    values(1),
    values(2),
    { type: "variables-set", scope: 0, values: { $blobs: ["values"] }, actor: "a", at: 3 },
  ]);
  await store.close();
  const db = new DatabaseSync(path);
  expect(db.prepare("SELECT count(*) AS n FROM blobs").get()).toMatchObject({ n: 1 });
  expect(Number(db.prepare("SELECT max(length(events)) AS n FROM log").get()?.["n"])).toBeLessThan(1_000);
  db.exec("UPDATE blobs SET content = replace(content, 'true', 'null')");
  db.close();
  const damaged = openSqliteStore(path);
  await expect(damaged.rows({ after: 0, limit: 10 })).rejects.toMatchObject({ code: "database-damaged" });
  await damaged.close();
});

test("[E44] a full disk refuses the whole turn with its code, and the store goes on when there is room", async () => {
  await fill(1);
  let bytesMax = statSync(path).size + 40_960;
  const store = openSqliteStore(path, {
    get bytesMax() {
      return bytesMax;
    },
  });
  const large = (n: number): Event => ({ type: "instance-resumed", actor: "x".repeat(10_000), at: n });
  let written = 1;
  const filling = async (): Promise<void> => {
    for (let n = 2; n < 100; n++) {
      await store.commit(turn(n, large(n)));
      written = n;
    }
  };
  await expect(filling()).rejects.toMatchObject({ code: "storage-failed", details: { sqlite: 13 } });
  await store.reopen();
  expect(await store.counters()).toMatchObject({ position: written });
  await expect(store.commit(turn(written + 1, large(1)))).rejects.toMatchObject({ code: "storage-failed" });
  bytesMax = 10_000_000;
  await store.reopen();
  await store.commit(turn(written + 1, large(1)));
  await store.close();
  expect(verifyLog(path)).toBe(written + 1);
});

test("[E45] a turn is written as a whole or not at all", async () => {
  await fill(1);
  const store = openSqliteStore(path);
  const broken: Turn = {
    rows: [...turn(2).rows, ...turn(3).rows, { ...(turn(2).rows[0] as Turn["rows"][number]) }],
    changes: [{ type: "timer-put", timer: { instance: 1, key: 1, due: 5 } }],
  };
  await expect(store.commit(broken)).rejects.toMatchObject({ code: "storage-failed" });
  expect(await store.counters()).toMatchObject({ position: 1 });
  expect(await store.timers(undefined, 10)).toEqual([]);
  await store.reopen();
  await store.commit(turn(2));
  await store.close();
  expect(verifyLog(path)).toBe(2);
});

test("[E46] whatever tail of the write-ahead log is lost, what is left is a prefix of the turns, unbroken", async () => {
  const store = openSqliteStore(path);
  const sizes: number[] = [];
  for (let n = 1; n <= 12; n++) {
    await store.commit(turn(n));
    sizes.push(statSync(`${path}-wal`).size);
  }
  const cut = join(folder, "cut.sqlite");
  const total = sizes.at(-1) ?? 0;
  for (let length = 0; length <= total; length += 1_111) {
    copyFileSync(path, cut);
    copyFileSync(`${path}-wal`, `${cut}-wal`);
    truncateSync(`${cut}-wal`, length);
    const synced = sizes.filter((size) => size <= length).length;
    // Before the schema itself is there the file is like new.
    const left = openSqliteStore(cut);
    const { position } = await left.counters();
    expect(position).toBeGreaterThanOrEqual(synced);
    const rows = await left.rows({ after: 0, limit: 100 });
    expect(rows.map((row) => row.events[0])).toEqual(Array.from({ length: position }, (_, n) => resumed(n + 1)));
    await left.close();
    if (existsSync(`${cut}-wal`)) truncateSync(`${cut}-wal`, 0);
  }
  await store.close();
});
