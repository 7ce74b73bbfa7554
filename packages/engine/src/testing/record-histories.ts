import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import type { Engine } from "../port.ts";
import { brokerId } from "../temporal/courier.ts";
import { loop } from "./loop-program.ts";
import { receiver, sender } from "./message-programs.ts";
import { branches, call, callingEach, end, program, sequence, service, start, wait } from "./programs.ts";
import { openTemporalHouse, type TemporalHome } from "./temporal-house.ts";

/*
 * Records what Temporal remembers of some instances on a real server, for the replays that need none. Run for a
 * release, under its number: `node --conditions=@tutti/source packages/engine/src/testing/record-histories.ts 0.1`.
 * What was recorded once is never recorded again.
 */

const [release = "0.0"] = process.argv.slice(2);
const folder = fileURLToPath(new URL(`../../test/temporal-histories/${release}/`, import.meta.url));

async function ended(engine: Engine, instanceId: string): Promise<void> {
  for await (const { event } of engine.history({ instanceId, follow: true })) {
    if (/^instance-(completed|failed|cancelled)$/.test(event.type)) return;
  }
}

/** Instance ids by the name of the recording. */
async function play(engine: Engine, home: TemporalHome): Promise<Map<string, string>> {
  let failures = 0;
  engine.work("work", async ({ input }) => {
    const n = Number(input["n"] ?? 0) + 1;
    return { type: "completed", result: { n, more: n < 20 } };
  });
  engine.work("fragile", async () =>
    failures++ === 0
      ? { type: "failed", code: "broken", message: "it broke", retryable: true }
      : { type: "completed", result: {} },
  );
  const retry = { attemptsMax: 2, backoff: { firstMs: 10, factor: 1, maxMs: 10 } };
  const asking = program({
    id: "asking",
    elements: [start(), { kind: "user-task", id: "approve", parent: null }, wait("pause", "PT0.1S"), end()],
    flows: ["start>approve", "approve>pause", "pause>end"],
  });
  const calling = program({
    id: "calling",
    elements: [start(), call("calls", "steps"), service("after", { type: "fragile", retry }), end()],
    flows: ["start>calls", "calls>after", "after>end"],
  });
  await engine.deploy([
    sequence("steps", 3),
    calling,
    loop("loop"),
    branches("many"),
    asking,
    callingEach("calling-many", "steps"),
  ]);
  const ids = new Map<string, string>();
  for (const process of ["steps", "calling", "loop", "many", "asking", "calling-many"]) {
    const variables = process.endsWith("many") ? { items: [1, 2, 3, 4, 5] } : {};
    ids.set(process, await engine.start({ requestId: process, process, variables, actor: "ann" }));
  }
  const asked = ids.get("asking") ?? "";
  await engine.command(asked, { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" });
  await engine.command(asked, { type: "resume-instance", actor: "ann" });
  const key = (await engine.query("tasks", { instanceId: asked })).rows[0]?.key ?? 0;
  await engine.command(asked, { type: "complete-task", key, result: {}, actor: "ann" });
  for (const id of ids.values()) await ended(engine, id);
  const others = [
    await playMessages(engine),
    await playMoves(engine),
    await playShort(engine),
    await playNamed(engine, home),
  ];
  return new Map([...ids, ...others.flatMap((names) => [...names])]);
}

/** Short jobs: in a row with a failure among them, beside each other, and one that is none after all. */
async function playShort(engine: Engine): Promise<Map<string, string>> {
  let failures = 0;
  engine.work("moody", async () =>
    failures++ === 1
      ? { type: "failed", code: "broken", message: "it broke", retryable: true }
      : { type: "completed", result: {} },
  );
  let isFirst = true;
  engine.work("slow", async () => {
    // Longer than a short job may take.
    if (isFirst) await sleep(2_500);
    isFirst = false;
    return { type: "completed", result: {} };
  });
  const headers = { short: true };
  const retry = { attemptsMax: 2, backoff: { firstMs: 10, factor: 1, maxMs: 10 } };
  await engine.deploy([
    sequence("short", 3, { type: "moody", headers, retry }),
    branches("short-many", { headers }),
    sequence("not-short", 2, { type: "slow", headers }),
  ]);
  const ids = new Map<string, string>();
  for (const process of ["short", "short-many", "not-short"]) {
    const variables = process === "short-many" ? { items: Array.from({ length: 40 }, (_, n) => n) } : {};
    const id = await engine.start({ requestId: process, process, variables, actor: "ann" });
    ids.set(process, id);
    await ended(engine, id);
  }
  return ids;
}

/** What people say by name with Temporal's own tools, one of it refused; and a short job that failed as its activity. */
async function playNamed(engine: Engine, home: TemporalHome): Promise<Map<string, string>> {
  const named = await engine.start({ requestId: "named", process: "asking", variables: {}, actor: "ann" });
  const handle = home.workflow.getHandle(named);
  await handle.executeUpdate("pause");
  await handle.signal("resume");
  await handle.signal("resume");
  await handle.executeUpdate("approve").catch(() => handle.executeUpdate("approve"));
  let failures = 0;
  engine.work("once", async () =>
    failures++ === 0
      ? { type: "failed", code: "broken", message: "it broke", retryable: true }
      : { type: "completed", result: {} },
  );
  const retry = { attemptsMax: 2, backoff: { firstMs: 10, factor: 1, maxMs: 10 } };
  await engine.deploy([sequence("short-failed", 2, { type: "once", headers: { short: true }, retry })]);
  const failed = await engine.start({ requestId: "failed", process: "short-failed", variables: {}, actor: "ann" });
  for (const id of [named, failed]) await ended(engine, id);
  return new Map([
    ["named", named],
    ["short-failed", failed],
  ]);
}

/** One instance that is given up, and one that comes back after that. */
async function playMoves(engine: Engine): Promise<Map<string, string>> {
  const by = { reason: "moving", actor: "ann" };
  const ids = new Map<string, string>();
  for (const name of ["leaving", "arriving"]) {
    const id = await engine.start({ requestId: name, process: "asking", variables: {}, actor: "ann" });
    await engine.command(id, { type: "pause-instance", stopRunning: false, ...by });
    const moved = await engine.release(id);
    ids.set(name, id);
    if (name === "leaving") continue;
    await engine.adopt(moved, by);
    await engine.command(id, { type: "resume-instance", actor: "ann" });
    const key = (await engine.query("tasks", { instanceId: id })).rows[0]?.key ?? 0;
    await engine.command(id, { type: "complete-task", key, result: {}, actor: "ann" });
    await ended(engine, id);
  }
  return ids;
}

/** One message that came before anybody waited for it, and a signal; one of two who wait for it is paused. */
async function playMessages(engine: Engine): Promise<Map<string, string>> {
  const alarms = ["alarm", "alarm-paused"] as const;
  await engine.deploy([receiver("receiving"), sender("sending"), receiver("alarm", { signal: true })]);
  const begin = (process: string, requestId: string): Promise<string> =>
    engine.start({ requestId, process, variables: { key: "k", got: 1 }, actor: "ann" });
  const [alarm, paused] = [await begin("alarm", alarms[0]), await begin("alarm", alarms[1])];
  await engine.command(paused, { type: "pause-instance", stopRunning: false, reason: "lunch", actor: "ann" });
  const sending = await begin("sending", "sending");
  await ended(engine, sending);
  const receiving = await begin("receiving", "receiving");
  for (const id of [alarm, receiving]) await ended(engine, id);
  await engine.command(paused, { type: "resume-instance", actor: "ann" });
  await ended(engine, paused);
  return new Map([
    ...[...[alarm, paused].entries()].map(([index, id]) => [alarms[index] ?? "", id] as const),
    ["sending", sending],
    ["receiving", receiving],
    ["message-broker", brokerId({ kind: "message", name: "paid", correlationKey: "k" })],
    ["signal-broker", brokerId({ kind: "signal", name: "fire" })],
  ]);
}

async function record(home: TemporalHome, ids: ReadonlyMap<string, string>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, id] of ids) {
    const runs: { readonly runId: string; readonly startTime: Date }[] = [];
    for await (const run of home.workflow.list({ query: `WorkflowId = '${id}'` })) runs.push(run);
    runs.sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
    // Of an instance the newest execution, of a broker each.
    const wanted = name.endsWith("-broker") ? runs : runs.slice(-1);
    for (const [index, { runId }] of wanted.entries()) {
      const path = `${folder}${wanted.length === 1 ? name : `${name}-${index + 1}`}.json`;
      if (existsSync(path)) continue;
      const history = await home.workflow.getHandle(id, runId).fetchHistory();
      writeFileSync(path, historyToJSON(history), { flag: "wx" });
    }
  }
}

const house = await openTemporalHouse("short-history-workflow.ts");
const home = house.home();
const engine = await home.open();
try {
  await record(home, await play(engine, home));
} finally {
  await engine.close();
  home.remove();
  await house.close();
}
