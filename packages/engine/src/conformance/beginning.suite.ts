import type { ProgramDocument } from "@tutti/kernel";
import { expect } from "vitest";
import type { Engine } from "../port.ts";
import { onMessage, onTimer } from "../testing/message-programs.ts";
import { sequence } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { completed, ended, eventually, ManualWorker } from "./harness.ts";

/** What begins a process from outside: what was kept for it, and what could not begin it. */
export function beginningRules(rule: Rule): void {
  keptRules(rule);
  refusalRules(rule);
}

function message(got: number, correlationKey?: string) {
  const key = correlationKey === undefined ? {} : { correlationKey };
  return { name: "paid", ...key, ttlMs: 600_000, variables: { got } };
}

/** What the instances of a process began with, in their order. */
async function begunWith(engine: Engine, process: string, count: number): Promise<unknown[]> {
  const rows = await eventually(async () => {
    const found = (await engine.query("instances", { process })).rows;
    return found.length >= count ? found : undefined;
  }, `${count} instances of ${process}`);
  const views = await Promise.all(rows.map((row) => engine.instance(row.instanceId)));
  return views.map((view) => view.variables["got"]).reverse();
}

/** The same, but every instance needs a customer, which no message brings. */
function demanding(shape: ProgramDocument): ProgramDocument {
  const needed = { name: "customer", type: "string", required: true } as const;
  return { ...shape, variables: [...shape.variables, needed], hash: `${shape.id}-needs-a-customer` };
}

function keptRules(rule: Rule): void {
  rule(
    "[E80] [Q13] what is kept starts a process that is deployed to begin with it: with a key one at a time, the oldest first",
    async (running) => {
      const { engine } = running;
      const worker = new ManualWorker();
      engine.work("work", worker.handler);
      for (const [got, key] of [
        [1, "k"],
        [2, undefined],
        [3, "k"],
        [4, "l"],
        [5, undefined],
      ] as const) {
        expect(await engine.publish(message(got, key))).toMatchObject({ instances: [] });
      }
      await engine.publish({ ...message(6, "k"), name: "other" });
      await engine.deploy([onMessage("order")]);
      expect(new Set(await begunWith(engine, "order", 4))).toEqual(new Set([1, 2, 4, 5]));
      const first = (await engine.query("instances")).rows.find((row) => row.businessKey === "k");
      // What comes now is behind what came before.
      expect(await engine.publish(message(7, "k"))).toMatchObject({ instances: [] });
      expect((await engine.instance(first?.instanceId ?? "")).variables).toMatchObject({ got: 1 });
      const job = (await eventually(() =>
        worker.jobs.find((each) => each.input["got"] === 1),
      )) as ManualWorker["jobs"][0];
      await worker.finish(worker.jobs.indexOf(job) + 1);
      await eventually(() => worker.jobs.find((each) => each.input["got"] === 3));
      expect((await engine.query("instances")).rows).toHaveLength(5);
      // Deployed again it has had them all.
      await engine.deploy([onMessage("order")]);
      await engine.query("messages");
      expect((await engine.query("instances")).rows).toHaveLength(5);
    },
  );

  rule("[E80] also over a crash right after the deployment, and each message once", async (running) => {
    for (const got of [1, 2, 3]) await running.engine.publish(message(got));
    await running.engine.deploy([onMessage("order")]);
    await running.harness.crash(running.engine);
    running.engine = await running.harness.open();
    expect(await begunWith(running.engine, "order", 3)).toEqual([1, 2, 3]);
    await running.engine.close();
    running.engine = await running.harness.open();
    expect(await running.engine.publish(message(4))).toMatchObject({ instances: [{ started: true }] });
    expect(await begunWith(running.engine, "order", 4)).toEqual([1, 2, 3, 4]);
  });

  rule(
    "[E80] a plan that gives new instances to a version that begins with it counts like a deployment",
    async ({ engine }) => {
      await engine.deploy([onMessage("order")]);
      await engine.deploy([{ ...sequence("order", 1), version: "2.0.0" }]);
      expect(await engine.publish(message(1, "k"))).toMatchObject({ instances: [] });
      await engine.rollout("order", { stable: "1.0.0", candidate: "2.0.0", percent: 0 });
      expect(await begunWith(engine, "order", 1)).toEqual([1]);
    },
  );

  rule("[E80] what no longer counts starts nothing", async ({ engine, harness }) => {
    await engine.publish(message(1));
    await harness.advance(600_000);
    await engine.deploy([onMessage("order")]);
    await engine.publish(message(2));
    expect(await begunWith(engine, "order", 1)).toEqual([2]);
  });
}

function refusalRules(rule: Rule): void {
  rule(
    "[E76] [E81] who could not be started by a message, a signal or a schedule is listed with why, for good",
    async (running) => {
      const { engine, harness } = running;
      await engine.deploy([
        demanding(onMessage("order")),
        demanding(onMessage("react", { signal: true })),
        demanding(onTimer("tick", { kind: "cycle", value: { literal: "R1/PT10S" } })),
      ]);
      const at = harness.now();
      const sent = await engine.publish({ ...message(1, "k"), id: "m-1" });
      await engine.broadcast({ name: "fire", variables: {} });
      await harness.advance(10_000);
      const refusals = async () => (await running.engine.query("refusals")).rows;
      const because = {
        version: "1.0.0",
        code: "variable-missing",
        reason: "Expected a value for the required variable 'customer', but none was given",
      };
      const expected = [
        {
          ...because,
          process: "tick",
          cause: "schedule",
          name: "begin",
          correlationKey: null,
          messageId: null,
          at: at + 10_000,
        },
        { ...because, process: "react", cause: "signal", name: "fire", correlationKey: null, messageId: null, at },
        { ...because, process: "order", cause: "message", name: "paid", correlationKey: "k", messageId: "m-1", at },
      ];
      await eventually(async () => ((await refusals()).length === 3 ? true : undefined));
      expect(await refusals()).toEqual(expected);
      expect(sent.refused).toEqual([{ process: "order", reason: because.reason }]);
      expect((await engine.query("refusals", { process: "order" })).rows).toEqual([expected[2]]);
      const page = await engine.query("refusals", {}, { limit: 2 });
      expect((await engine.query("refusals", {}, { limit: 2, after: page.next ?? "" })).rows).toEqual([expected[2]]);
      await engine.close();
      running.engine = await harness.open();
      expect(await refusals()).toEqual(expected);
    },
  );

  rule(
    "[E81] [E80] what it refused is not asked of the same version again, and starts the next that can",
    async (running) => {
      await running.engine.deploy([demanding(onMessage("order"))]);
      for (const got of [1, 2]) await running.engine.publish(message(got, "k"));
      await running.engine.close();
      running.engine = await running.harness.open();
      const { engine } = running;
      await engine.publish({ name: "paid", correlationKey: "other", variables: {} });
      expect((await engine.query("refusals")).rows.map((row) => row.correlationKey)).toEqual(["other", "k", "k"]);
      await engine.deploy([{ ...onMessage("order"), version: "1.0.1" }]);
      expect(await begunWith(engine, "order", 1)).toEqual([1]);
      engine.work("work", async () => completed());
      expect(await begunWith(engine, "order", 2)).toEqual([1, 2]);
      for (const { instanceId } of (await engine.query("instances")).rows) await ended(engine, instanceId);
      expect((await engine.query("refusals")).rows).toHaveLength(3);
    },
  );
}
