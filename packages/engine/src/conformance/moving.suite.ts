import { expect } from "vitest";
import type { Engine } from "../port.ts";
import { everythingOpen } from "../testing/everything-open.ts";
import { receiver } from "../testing/message-programs.ts";
import { call, end, program, sequence, start } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { begin, completed, ended, eventually, historyOf, incidentOf, ManualWorker } from "./harness.ts";

const by = { reason: "It was to be so.", actor: "ann" };

export async function pause(engine: Engine, instanceId: string): Promise<void> {
  const command = { type: "pause-instance", stopRunning: false, ...by } as const;
  expect(await engine.command(instanceId, command)).toMatchObject({ ok: true });
}

async function resume(engine: Engine, instanceId: string): Promise<void> {
  expect(await engine.command(instanceId, { type: "resume-instance", actor: "ann" })).toMatchObject({ ok: true });
}

/** What giving it up is refused for. */
async function inTheWay(engine: Engine, instanceId: string): Promise<string> {
  return engine.release(instanceId).then(
    () => "nothing",
    ({ code, message }: { readonly code: string; readonly message: string }) => `${code}: ${message}`,
  );
}

const tables = ["instances", "jobs", "tasks", "incidents", "subscriptions"] as const;

async function listed(engine: Engine): Promise<readonly number[]> {
  return Promise.all(tables.map(async (view) => (await engine.query(view)).rows.length));
}

/** Moving, as far as one engine has part in it: what is given up comes back to whoever gave it up. */
export function movingRules(rule: Rule): void {
  rule("[E101] what was given up is not there any more, over a restart too, but in the log", async (running) => {
    await running.engine.deploy([everythingOpen("all", { waitsFor: "PT5S" })]);
    const asked = { process: "all", variables: { key: "k" }, actor: "ann" };
    const request = { ...asked, requestId: "once" };
    const id = await running.engine.start(request);
    await incidentOf(running.engine, id);
    await pause(running.engine, id);
    const told = await historyOf(running.engine, { instanceId: id });
    await running.engine.release(id);
    for (const isRestarted of [false, true]) {
      if (isRestarted) {
        await running.harness.crash(running.engine);
        running.engine = await running.harness.open();
      }
      const { engine } = running;
      const gone = { code: "instance-not-found" };
      expect(await listed(engine)).toEqual([0, 0, 0, 0, 0]);
      await expect(engine.instance(id)).rejects.toMatchObject(gone);
      await expect(engine.command(id, { type: "resume-instance", actor: "ann" })).rejects.toMatchObject(gone);
      await expect(engine.fork({ requestId: "fork", instanceId: id, ...by })).rejects.toMatchObject(gone);
      const { instances } = await engine.publish({ name: "paid", correlationKey: "k", variables: {} });
      expect(instances).toEqual([]);
      await running.harness.advance(10_000);
      expect(await historyOf(engine, { instanceId: id })).toEqual(told);
      expect((await engine.query("versions")).rows).toMatchObject([{ started: 1, running: 0, incidents: 0 }]);
      expect(await engine.start(request)).toBe(id);
      const other = engine.start({ ...asked, requestId: `other ${isRestarted}`, instanceId: id });
      await expect(other).rejects.toMatchObject({ code: expect.stringMatching(/start-refused|instance-not-found/) });
    }
  });

  rule("[E102] what runs, is worked on, or has something kept for it, is not given up", async ({ engine }) => {
    const worker = new ManualWorker();
    const stop = engine.work("work", worker.handler);
    const id = await begin(engine, [sequence("one", 1)]);
    await worker.job(1);
    expect(await inTheWay(engine, id)).toMatch(/^move-refused: .* to be paused, but it is running/);
    await pause(engine, id);
    expect(await inTheWay(engine, id)).toMatch(/^move-refused: .*work.* is being worked on/);
    expect(await engine.instance(id)).toMatchObject({ status: "paused" });
    await worker.finish(1);
    expect((await ended(engine, id)).status).toBe("completed");
    expect(await inTheWay(engine, id)).toMatch(/^move-refused: /);
    expect(await inTheWay(engine, "nobody")).toMatch(/^instance-not-found: /);
    await stop();
    const waits = await begin(engine, [receiver("waits")], { key: "k" });
    await eventually(async () => ((await engine.query("subscriptions")).rows.length === 1 ? true : undefined));
    await pause(engine, waits);
    await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } });
    await eventually(async () => ((await inTheWay(engine, waits)).includes("is: resume it") ? true : undefined));
    await resume(engine, waits);
    expect((await ended(engine, waits)).outcome).toEqual({ type: "completed", result: { got: 1 } });
  });

  rule("[E102] one with a called instance that is open is not given up, nor is the called one", async ({ engine }) => {
    const parent = program({
      id: "parent",
      elements: [start(), call("calls", "child"), end()],
      flows: ["start>calls", "calls>end"],
    });
    const id = await begin(engine, [sequence("child", 1), parent]);
    const child = await eventually(async () => (await engine.query("instances", { parentId: id })).rows[0]);
    await pause(engine, id);
    expect(await inTheWay(engine, id)).toContain(`but '${child.instanceId}' is`);
    expect(await inTheWay(engine, child.instanceId)).toContain(`but '${id}' waits for it`);
  });

  rule("[E103] giving up again gives the same, and adopting again changes nothing", async (running) => {
    const id = await begin(running.engine, [everythingOpen("all")], { key: "k" });
    await incidentOf(running.engine, id);
    await pause(running.engine, id);
    const moved = await running.engine.release(id);
    expect(await running.engine.release(id)).toEqual(moved);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    const { engine } = running;
    expect(await engine.release(id)).toEqual(moved);
    await Promise.all([engine.adopt(moved, by), engine.adopt(moved, by)]);
    await resume(engine, id);
    const events = (await historyOf(engine, { instanceId: id })).length;
    await engine.adopt(moved, by);
    expect(await engine.instance(id)).toMatchObject({ status: "running" });
    expect(await historyOf(engine, { instanceId: id })).toHaveLength(events);
  });

  rule("[E104] it comes back with what was open, and goes on", async (running) => {
    const id = await begin(running.engine, [everythingOpen("all", { waitsFor: "PT5S" })], { key: "k" });
    await incidentOf(running.engine, id);
    await pause(running.engine, id);
    const moved = await running.engine.release(id);
    await running.harness.advance(10_000);
    await running.engine.adopt(moved, by);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    const { engine, harness } = running;
    expect(await listed(engine)).toEqual([1, 1, 1, 1, 1]);
    expect((await engine.query("versions")).rows).toMatchObject([{ started: 1, running: 1, incidents: 1 }]);
    engine.work("work", async () => completed());
    await resume(engine, id);
    await harness.advance(1);
    // Its timer came due while it was nowhere.
    await eventually(async () => {
      const { waiting } = await engine.instance(id);
      return waiting.some(({ on, element }) => element === "pause" || on === "job") ? undefined : true;
    });
    const [task] = (await engine.query("tasks", { instanceId: id })).rows;
    await engine.command(id, { type: "complete-task", key: task?.key ?? 0, result: {}, actor: "ann" });
    await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 7 } });
    await engine.command(id, { type: "set-variables", scope: 0, values: { missing: 3 }, reason: "", actor: "ann" });
    const { key } = await incidentOf(engine, id);
    await engine.command(id, { type: "resolve-incident", key, action: "retry", reason: "", actor: "ann" });
    expect((await ended(engine, id)).outcome).toMatchObject({ type: "completed", result: { got: 7 } });
    const events = await historyOf(engine, { instanceId: id });
    expect(events.map(({ sequence: number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ event }) => event.type === "instance-forked")).toMatchObject([
      { event: { from: id, instanceId: id, ...by } },
    ]);
  });

  rule("[E104] less of it than the log has, or another instance under its id, is refused", async ({ engine }) => {
    const id = await begin(engine, [everythingOpen("all")], { key: "k" });
    await incidentOf(engine, id);
    await pause(engine, id);
    const moved = await engine.release(id);
    const refused = { code: "move-refused" };
    await expect(engine.adopt({ ...moved, rows: moved.rows.slice(0, 1) }, by)).rejects.toMatchObject(refused);
    const others = moved.rows.map((row) => ({ ...row, at: row.at + 1 }));
    await expect(engine.adopt({ ...moved, rows: others }, by)).rejects.toMatchObject(refused);
    await expect(engine.adopt({ ...moved, rows: [] }, by)).rejects.toMatchObject(refused);
    await engine.adopt(moved, by);
    await resume(engine, id);
    await pause(engine, id);
    const later = await engine.release(id);
    await expect(engine.adopt(moved, by)).rejects.toMatchObject(refused);
    await engine.adopt(later, by);
    expect(await engine.instance(id)).toMatchObject({ status: "paused" });
  });
}
