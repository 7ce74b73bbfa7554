import { join } from "node:path";
import { instanceView } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ended, eventually, historyOf } from "../conformance/harness.ts";
import type { RecordedEvent } from "../port.ts";
import { testHost } from "../testing/host.ts";
import { sequence } from "../testing/programs.ts";
import { temporaryFolder } from "../testing/stores.ts";
import { createEmbeddedEngine } from "./engine.ts";
import { openReader } from "./read/reader.ts";
import { openSqliteReader, openSqliteStore } from "./sqlite/store.ts";

let path: string;
let remove: () => void;
beforeEach(() => {
  const made = temporaryFolder();
  remove = made.remove;
  path = join(made.folder, "tutti.sqlite");
});
afterEach(() => remove());

test("[E59] reading works beside the owner and without one, and shows the same", async () => {
  expect(() => openReader({ store: openSqliteReader(path), host: testHost })).toThrow(
    expect.objectContaining({ code: "database-missing" }),
  );
  const engine = await createEmbeddedEngine({ store: openSqliteStore(path), host: testHost });
  await engine.deploy([sequence("one", 1)]);
  const id = await engine.start({ requestId: "r", process: "one", variables: {}, actor: "me" });
  await engine.adjustQueue("light", 3);
  const beside = openReader({ store: openSqliteReader(path), host: testHost });
  expect(await beside.instance(id)).toEqual(await engine.instance(id));
  expect((await beside.query("jobs")).rows).toMatchObject([{ instanceId: id, state: "queued" }]);
  expect((await beside.query("queues")).rows[0]).toMatchObject({ queue: "light", slots: 3 });

  const followed: RecordedEvent[] = [];
  const following = (async () => {
    for await (const event of beside.history({ follow: true })) followed.push(event);
  })();
  engine.work("work", async () => ({ type: "completed", result: {} }));
  const view = await ended(engine, id);
  const all = await historyOf(engine, {});
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return followed.length === all.length ? true : undefined;
  });
  await beside.close();
  await following;
  expect(followed).toEqual(all);
  await engine.close();

  const alone = openReader({ store: openSqliteReader(path), host: testHost });
  expect(await alone.instance(id)).toEqual(view);
  expect(await historyOf(alone as never, {})).toEqual(all);
  expect((await alone.query("instances", { status: "open" })).rows).toEqual([]);
  const { program, state } = await alone.standing(id);
  expect(instanceView(program, state)).toEqual(view);
  expect((await alone.program(view.hash)).document).toEqual(program.document);
  await expect(alone.program("0".repeat(64))).rejects.toMatchObject({ code: "program-not-found" });
  for (const asked of [alone.instance("nobody"), alone.standing("nobody")])
    await expect(asked).rejects.toMatchObject({ code: "instance-not-found" });
  await alone.close();
});
