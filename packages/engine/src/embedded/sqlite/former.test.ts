import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ended, eventually, historyOf } from "../../conformance/harness.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { figuresOf } from "../../testing/figures.ts";
import { testHost } from "../../testing/host.ts";
import { receiver } from "../../testing/message-programs.ts";
import { temporaryFolder } from "../../testing/stores.ts";
import { createEmbeddedEngine } from "../engine.ts";
import { openSqliteReader, openSqliteStore } from "./store.ts";
import { verifyLog } from "./verify.ts";

/** Written by the release that had the first schema: one instance that ended, one with a job, a timer and a task each. */
const first = join(import.meta.dirname, "../../../test/databases/schema-1.sqlite.gz");

test("[E64] a database of the first schema is brought up to date, goes on where it stood, and takes messages", async () => {
  const { folder, remove } = temporaryFolder();
  const path = join(folder, "tutti.sqlite");
  writeFileSync(path, gunzipSync(readFileSync(first)));
  const clock = new FakeClock({ realDefer: true });
  const engine = await createEmbeddedEngine({ store: openSqliteStore(path), host: testHost, clock });
  expect((await engine.query("instances")).rows.map((row) => `${row.instanceId} ${row.status}`)).toEqual([
    "ask-4 running",
    "wait-3 running",
    "two-2 running",
    "two-1 completed",
  ]);
  expect((await engine.query("queues")).rows.find((row) => row.queue === "heavy")?.slots).toBe(7);
  const before = await historyOf(engine, {});
  // How the versions fared is counted once, as it would have been kept all the time.
  const figures = await figuresOf(engine.history());
  const read = openSqliteReader(path);
  expect(new Map((await read.versionFigures(undefined)).map((each) => [each.hash, each.figures]))).toEqual(figures);
  await read.close();
  engine.work("work", async () => ({ type: "completed", result: {} }));
  const [task] = (await engine.query("tasks")).rows;
  await engine.command("ask-4", { type: "complete-task", key: task?.key ?? 0, result: {}, actor: "me" });
  await clock.advance(60_000);
  for (const id of ["ask-4", "wait-3", "two-2"]) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  await engine.deploy([receiver("ship")]);
  const id = await engine.start({ requestId: "new", process: "ship", variables: { key: "k" }, actor: "me" });
  await eventually(async () => (await engine.query("subscriptions", { instanceId: id })).rows[0]);
  await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } });
  expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  expect((await historyOf(engine, {})).slice(0, before.length)).toEqual(before);
  expect((await engine.query("versions", { process: "two" })).rows).toMatchObject([{ started: 2, completed: 2 }]);
  await engine.close();
  verifyLog(path);
  remove();
});
