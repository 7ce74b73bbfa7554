import type { Element, JsonObject } from "@tutti/kernel";
import { expect } from "vitest";
import type { Engine } from "../port.ts";
import { alarmed, collector, echo, onMessage, receiver, sender } from "../testing/message-programs.ts";
import { end, program, start } from "../testing/programs.ts";
import type { Rule } from "./engine.suite.ts";
import { ended, eventually, historyOf, ManualWorker } from "./harness.ts";

const pause = { type: "pause-instance", stopRunning: false, reason: "test", actor: "me" } as const;
const resume = { type: "resume-instance", actor: "me" } as const;

/** Messages and signals, as callers and instances see them. */
export function messageRules(rule: Rule): void {
  deliveryRules(rule);
  keepingRules(rule);
  startRules(rule);
  pausedRules(rule);
}

let requests = 0;

/** An instance of a deployed process, with a key to wait for. */
export async function waitFor(engine: Engine, process: string, variables: JsonObject = {}): Promise<string> {
  requests++;
  const id = await engine.start({ requestId: `message-${requests}`, process, variables, actor: "tester" });
  await eventually(async () => (await engine.query("subscriptions", { instanceId: id })).rows[0], `${id} waits`);
  return id;
}

async function resultOf(engine: Engine, id: string): Promise<unknown> {
  const view = await ended(engine, id);
  return view.outcome?.type === "completed" ? view.outcome.result : view.outcome;
}

function deliveryRules(rule: Rule): void {
  rule(
    "[E70] a message reaches who waits for its name and key, with its variables, and says so",
    async ({ engine }) => {
      await engine.deploy([receiver("ship"), receiver("bill")]);
      const [ship, bill, other] = [
        await waitFor(engine, "ship", { key: "o-1" }),
        await waitFor(engine, "bill", { key: "o-1" }),
        await waitFor(engine, "ship", { key: "o-2" }),
      ];
      const sent = await engine.publish({ name: "paid", correlationKey: "o-1", variables: { got: 7 } });
      expect(sent).toEqual({
        duplicate: false,
        keptUntil: null,
        refused: [],
        instances: [
          { process: "bill", instanceId: bill, started: false },
          { process: "ship", instanceId: ship, started: false },
        ],
      });
      expect(await resultOf(engine, ship)).toEqual({ got: 7 });
      expect(await resultOf(engine, bill)).toEqual({ got: 7 });
      expect((await engine.instance(other)).status).toBe("running");
      expect((await engine.publish({ name: "paid", correlationKey: "o-1", variables: {} })).instances).toEqual([]);
    },
  );

  rule("[E70] one process gets it once, its oldest instance first, whatever the version", async ({ engine }) => {
    await engine.deploy([receiver("ship")]);
    const first = await waitFor(engine, "ship", { key: "k" });
    await engine.deploy([receiver("ship", { version: "2.0.0" })]);
    const second = await waitFor(engine, "ship", { key: "k" });
    const names = async (): Promise<string[]> =>
      (await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } })).instances.map(
        (each) => each.instanceId,
      );
    expect(await names()).toEqual([first]);
    expect(await names()).toEqual([second]);
    expect(await names()).toEqual([]);
  });

  rule("[E70] many messages at once reach as many who wait, each a different one", async ({ engine }) => {
    await engine.deploy([receiver("ship")]);
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push(await waitFor(engine, "ship", { key: "k" }));
    const sent = await Promise.all(
      ids.map((_id, n) => engine.publish({ name: "paid", correlationKey: "k", variables: { got: n } })),
    );
    expect(sent.map((each) => each.instances[0]?.instanceId)).toEqual(ids);
    for (const [n, id] of ids.entries()) expect(await resultOf(engine, id)).toEqual({ got: n });
  });

  rule("[E70] one instance that waits again and again gets all of them, in their order", async ({ engine }) => {
    await engine.deploy([collector("collect", 6)]);
    const id = await waitFor(engine, "collect", { key: "k" });
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map((n) =>
        engine.publish({ name: "paid", correlationKey: "k", ttlMs: n % 2 === 0 ? 60_000 : 0, variables: { got: n } }),
      ),
    );
    await ended(engine, id);
    const seen: unknown[] = [];
    for await (const { event } of engine.history({ instanceId: id })) {
      if (event.type === "subscription-triggered") seen.push(event.payload["got"]);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });

  rule("[E70] what an instance sends reaches another, and what it signals everybody", async ({ engine }) => {
    await engine.deploy([receiver("ship"), receiver("alarm", { signal: true }), sender("send")]);
    const ship = await waitFor(engine, "ship", { key: "k" });
    const alarms = [await waitFor(engine, "alarm"), await waitFor(engine, "alarm")];
    await engine.start({ requestId: "send", process: "send", variables: { key: "k", got: 3 }, actor: "me" });
    expect(await resultOf(engine, ship)).toEqual({ got: 3 });
    for (const alarm of alarms) expect(await resultOf(engine, alarm)).toEqual({ got: 3 });
  });

  rule("[E70] name and key are fixed as it begins to wait: what changes then moves nobody", async ({ engine }) => {
    await engine.deploy([receiver("ship")]);
    const id = await waitFor(engine, "ship", { key: "k" });
    const changed = { type: "set-variables", scope: 0, values: { key: "l" }, reason: "test", actor: "me" } as const;
    expect(await engine.command(id, changed)).toMatchObject({ ok: true });
    expect((await engine.publish({ name: "paid", correlationKey: "l", variables: {} })).instances).toEqual([]);
    expect((await engine.query("subscriptions")).rows).toMatchObject([{ instanceId: id, correlationKey: "k" }]);
    await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } });
    expect(await resultOf(engine, id)).toEqual({ got: 1 });
  });

  rule(
    "[E70] [Q11] of two that wait in one instance the one that waits longer gets it, each time",
    async ({ engine }) => {
      const waits = ["first", "second"].map((id): Element => {
        const message = { name: { literal: "paid" }, correlationKey: { variable: "key" } };
        return { kind: "receive-task", id, parent: null, message };
      });
      const split: Element = { kind: "parallel-gateway", id: "split", parent: null };
      const flows = ["start>split", ...waits.flatMap(({ id }) => [`split>${id}`, `${id}>end`])];
      const variables = [{ name: "key", type: "any" }] as const;
      await engine.deploy([program({ id: "both", variables, elements: [start(), split, ...waits, end()], flows })]);
      for (let round = 0; round < 3; round++) {
        const id = await waitFor(engine, "both", { key: "k" });
        const at = async () => (await engine.query("subscriptions", { instanceId: id })).rows.map((row) => row.element);
        expect(await at()).toEqual(["second", "first"]);
        await engine.publish({ name: "paid", correlationKey: "k", variables: {} });
        expect(await at()).toEqual(["second"]);
        await engine.publish({ name: "paid", correlationKey: "k", variables: {} });
        expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      }
    },
  );

  rule("[E70] what cannot be a message is refused", async ({ engine }) => {
    await expect(engine.publish({ name: "", variables: {} })).rejects.toMatchObject({ code: "limit-invalid" });
    await expect(engine.publish({ name: "a", ttlMs: -1, variables: {} })).rejects.toMatchObject({
      code: "limit-invalid",
    });
    await expect(engine.publish({ name: "a", correlationKey: "", variables: {} })).rejects.toMatchObject({
      code: "limit-invalid",
    });
    const large = { name: "a", variables: { text: "x".repeat(2_000_000) } };
    await expect(engine.publish(large)).rejects.toMatchObject({ code: "payload-invalid" });
    await expect(engine.broadcast({ ...large })).rejects.toMatchObject({ code: "payload-invalid" });
    await expect(engine.broadcast({ name: "", variables: {} })).rejects.toMatchObject({ code: "limit-invalid" });
  });

  rule("[E70] [E79] lists show who waits for what", async ({ engine, harness }) => {
    await engine.deploy([receiver("ship"), receiver("alarm", { signal: true })]);
    const ship = await waitFor(engine, "ship", { key: "k" });
    const alarm = await waitFor(engine, "alarm");
    const common = { rootId: ship, element: "wait", since: harness.now() };
    expect((await engine.query("subscriptions")).rows).toMatchObject([
      { instanceId: alarm, kind: "signal", name: "fire", correlationKey: null },
      { ...common, instanceId: ship, kind: "message", name: "paid", correlationKey: "k" },
    ]);
    expect((await engine.query("subscriptions", { name: "fire" })).rows).toHaveLength(1);
    await engine.publish({ name: "paid", correlationKey: "k", variables: {} });
    expect((await engine.query("subscriptions", { instanceId: ship })).rows).toEqual([]);
  });
}

function keepingRules(rule: Rule): void {
  rule("[E71] what is kept waits for who comes, also across a restart, as long as it counts", async (running) => {
    const { harness } = running;
    await running.engine.deploy([receiver("ship")]);
    const kept = harness.now() + 60_000;
    for (const got of [1, 2, 3]) {
      const message = { name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got } };
      expect(await running.engine.publish(message)).toMatchObject({
        duplicate: false,
        keptUntil: kept,
        instances: [],
        refused: [],
      });
    }
    expect((await running.engine.query("messages")).rows.map((each) => each.variables["got"])).toEqual([3, 2, 1]);
    const first = await running.engine.start({ requestId: "1", process: "ship", variables: { key: "k" }, actor: "me" });
    expect(await resultOf(running.engine, first)).toEqual({ got: 1 });
    await running.engine.close();
    running.engine = await harness.open();
    const second = await running.engine.start({
      requestId: "2",
      process: "ship",
      variables: { key: "k" },
      actor: "me",
    });
    // What the process has had already is not its turn again.
    expect(await resultOf(running.engine, second)).toEqual({ got: 2 });
    await harness.advance(60_000);
    const third = await waitFor(running.engine, "ship", { key: "k" });
    expect((await running.engine.query("messages")).rows).toEqual([]);
    expect((await running.engine.instance(third)).status).toBe("running");
  });

  rule("[E71] [Q12] it counts to its last millisecond, and then no more", async ({ engine, harness }) => {
    await engine.deploy([receiver("ship")]);
    for (const got of [1, 2]) {
      await engine.publish({ name: "paid", correlationKey: "k", ttlMs: 1_000, variables: { got } });
    }
    await harness.advance(999);
    const first = await engine.start({ requestId: "1", process: "ship", variables: { key: "k" }, actor: "me" });
    expect(await resultOf(engine, first)).toEqual({ got: 1 });
    await harness.advance(1);
    const second = await waitFor(engine, "ship", { key: "k" });
    expect((await engine.instance(second)).status).toBe("running");
  });

  rule("[E71] another process gets what the first one had, and pages of what is kept are whole", async ({ engine }) => {
    await engine.deploy([receiver("ship"), receiver("bill")]);
    for (const got of [1, 2, 3]) {
      await engine.publish({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got } });
    }
    for (const process of ["ship", "bill"]) {
      for (const got of [1, 2]) {
        const id = await engine.start({ requestId: `${process}${got}`, process, variables: { key: "k" }, actor: "me" });
        expect(await resultOf(engine, id)).toEqual({ got });
      }
    }
    const page = await engine.query("messages", {}, { limit: 2 });
    const rest = await engine.query("messages", {}, { limit: 2, after: page.next ?? "" });
    expect([...page.rows, ...rest.rows].map((each) => each.instances.length)).toEqual([0, 2, 2]);
    expect(rest.next).toBeUndefined();
  });

  rule("[E71] a crash loses nothing that was published, and brings nothing twice", async (running) => {
    const { harness } = running;
    await running.engine.deploy([collector("collect", 3)]);
    const id = await waitFor(running.engine, "collect", { key: "k" });
    await running.engine.publish({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got: 1 } });
    await harness.crash(running.engine);
    running.engine = await harness.open();
    await running.engine.publish({ name: "paid", correlationKey: "k", variables: { got: 2 } });
    await harness.crash(running.engine);
    running.engine = await harness.open();
    expect((await running.engine.instance(id)).status).toBe("running");
    await running.engine.publish({ name: "paid", correlationKey: "k", variables: { got: 3 } });
    expect(await resultOf(running.engine, id)).toEqual({ got: 3 });
  });

  rule("[E72] one id publishes once, at the same time, later and after a restart", async (running) => {
    const { harness } = running;
    await running.engine.deploy([collector("collect", 2)]);
    const id = await waitFor(running.engine, "collect", { key: "k" });
    const message = { name: "paid", correlationKey: "k", id: "m-1", variables: { got: 1 } };
    const both = await Promise.all([running.engine.publish(message), running.engine.publish(message)]);
    const instances = [{ process: "collect", instanceId: id, started: false }];
    expect(both).toEqual([
      { duplicate: false, keptUntil: null, instances, refused: [] },
      { duplicate: true, keptUntil: null, instances, refused: [] },
    ]);
    await running.engine.close();
    running.engine = await harness.open();
    expect(await running.engine.publish(message)).toMatchObject({ duplicate: true, instances });
    // Another name or key is another message.
    expect(await running.engine.publish({ ...message, correlationKey: "l" })).toMatchObject({ duplicate: false });
    await harness.advance(3_700_000);
    expect(await running.engine.publish(message)).toMatchObject({ duplicate: false, instances });
  });
}

function startRules(rule: Rule): void {
  rule(
    "[E73] a message starts what begins with it; with a key one at a time, the next when that one ends",
    async (running) => {
      const worker = new ManualWorker();
      running.engine.work("work", worker.handler);
      await running.engine.deploy([onMessage("order")]);
      const message = (got: number) => ({ name: "paid", correlationKey: "k", ttlMs: 600_000, variables: { got } });
      const first = await running.engine.publish(message(1));
      const [started] = first.instances;
      expect(started).toMatchObject({ process: "order", started: true });
      expect(await running.engine.publish(message(2))).toMatchObject({ instances: [] });
      expect(await running.engine.publish({ ...message(3), correlationKey: "other" })).toMatchObject({
        instances: [{ started: true }],
      });
      await worker.job(2);
      expect((await running.engine.query("instances")).rows.map((each) => each.businessKey)).toEqual(["other", "k"]);
      await worker.finish(1);
      expect(await worker.job(3)).toMatchObject({ input: { got: 2 } });
      expect((await running.engine.query("messages")).rows.map((each) => each.instances.length)).toEqual([1, 1, 1]);
      // Cancelled is ended, too; also when it is so by the process that comes after.
      await running.engine.publish(message(4));
      await running.harness.crash(running.engine);
      running.engine = await running.harness.open();
      const again = new ManualWorker();
      running.engine.work("work", again.handler);
      const second = (await running.engine.query("instances", { status: "open" })).rows.find(
        (each) => each.businessKey === "k",
      );
      const cancel = { type: "cancel-instance", reason: "test", actor: "me" } as const;
      await running.engine.command(second?.instanceId ?? "", cancel);
      await eventually(() => again.jobs.find((job) => job.input["got"] === 4));
    },
  );

  rule("[E73] without a key every message starts one, and none is started by another name", async ({ engine }) => {
    await engine.deploy([onMessage("order")]);
    const many = await Promise.all([1, 2, 3].map((got) => engine.publish({ name: "paid", variables: { got } })));
    expect(new Set(many.flatMap((each) => each.instances.map(({ instanceId }) => instanceId))).size).toBe(3);
    expect((await engine.publish({ name: "nothing", variables: {} })).instances).toEqual([]);
    await engine.deploy([receiver("order", { version: "2.0.0" })]);
    expect((await engine.publish({ name: "paid", variables: { got: 4 } })).instances).toEqual([]);
  });

  rule("[E73] a process that cannot begin with what a message brings says why", async ({ engine }) => {
    const shape = onMessage("order");
    const needed = { name: "customer", type: "string", required: true } as const;
    await engine.deploy([{ ...shape, variables: [...shape.variables, needed], hash: "needs-a-customer" }]);
    const sent = await engine.publish({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got: 1 } });
    expect(sent).toMatchObject({ instances: [], refused: [{ process: "order" }] });
    expect(sent.refused[0]?.reason).toContain("required variable 'customer'");
    expect((await engine.query("instances")).rows).toEqual([]);
    // It holds nothing up: the next one is asked as the first was.
    expect(await engine.publish({ name: "paid", correlationKey: "k", variables: {} })).toMatchObject({
      refused: [{ process: "order" }],
    });
  });

  rule(
    "[E74] [Q17] a signal reaches all who wait, and starts what begins with it, once for one id",
    async (running) => {
      await running.engine.deploy([receiver("alarm", { signal: true }), onMessage("react", { signal: true })]);
      const ids = [await waitFor(running.engine, "alarm"), await waitFor(running.engine, "alarm")];
      const signal = { name: "fire", id: "s-1", variables: { got: 5 } };
      await Promise.all([running.engine.broadcast(signal), running.engine.broadcast(signal)]);
      for (const id of ids) expect(await resultOf(running.engine, id)).toEqual({ got: 5 });
      await running.engine.close();
      running.engine = await running.harness.open();
      await running.engine.broadcast(signal);
      const late = await waitFor(running.engine, "alarm");
      expect((await running.engine.query("instances", { process: "react" })).rows).toHaveLength(1);
      expect((await running.engine.instance(late)).status).toBe("running");
      await running.engine.broadcast({ name: "fire", variables: { got: 6 } });
      expect(await resultOf(running.engine, late)).toEqual({ got: 6 });
    },
  );

  rule("[E74] a signal does not reach what its instance waits for only after it has sent it", async ({ engine }) => {
    await engine.deploy([receiver("alarm", { signal: true }), echo("echo")]);
    const alarm = await waitFor(engine, "alarm");
    const [first, second] = [await waitFor(engine, "echo"), await waitFor(engine, "echo")];
    // The signal of the second reaches the first, and those who waited before.
    for (const id of [alarm, first]) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
    expect((await engine.instance(second)).status).toBe("running");
  });

  rule(
    "[E74] a signal reaches who waits in the instance that sends it within the same step, and once",
    async ({ engine }) => {
      await engine.deploy([receiver("alarm", { signal: true }), alarmed("alarmed")]);
      const alarm = await waitFor(engine, "alarm");
      const id = await engine.start({ requestId: "alarmed", process: "alarmed", variables: {}, actor: "me" });
      // It has come to the others, too.
      expect(await ended(engine, alarm)).toMatchObject({ status: "completed" });
      const worker = new ManualWorker();
      engine.work("work", worker.handler);
      await worker.finish(1);
      expect(await ended(engine, id)).toMatchObject({ status: "completed" });
      const types = (await historyOf(engine, { instanceId: id })).map(({ event }) => event.type);
      expect(types.filter((type) => type === "subscription-triggered")).toHaveLength(1);
      expect(types.indexOf("subscription-triggered")).toBeLessThan(types.indexOf("job-created"));
    },
  );

  rule("[E74] a signal reaches more than one turn can take", async ({ engine }) => {
    await engine.deploy([receiver("alarm", { signal: true })]);
    const ids = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        engine.start({ requestId: `many-${n}`, process: "alarm", variables: {}, actor: "me" }),
      ),
    );
    await engine.broadcast({ name: "fire", variables: { got: 1 } });
    for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "completed" });
  });
}

function pausedRules(rule: Rule): void {
  rule(
    "[E75] a paused instance gets messages and signals when it is resumed, also after a restart",
    async (running) => {
      await running.engine.deploy([receiver("ship"), receiver("alarm", { signal: true })]);
      const ship = await waitFor(running.engine, "ship", { key: "k" });
      const alarm = await waitFor(running.engine, "alarm");
      for (const id of [ship, alarm]) await running.engine.command(id, pause);
      const sent = await running.engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } });
      expect(sent.instances).toMatchObject([{ instanceId: ship }]);
      // It has its message: another one is for somebody else.
      expect((await running.engine.publish({ name: "paid", correlationKey: "k", variables: {} })).instances).toEqual(
        [],
      );
      await running.engine.broadcast({ name: "fire", variables: { got: 2 } });
      await running.engine.close();
      running.engine = await running.harness.open();
      for (const id of [ship, alarm]) await running.engine.command(id, resume);
      expect(await resultOf(running.engine, ship)).toEqual({ got: 1 });
      expect(await resultOf(running.engine, alarm)).toEqual({ got: 2 });
    },
  );

  rule("[E75] what a paused instance can take no more goes to the next of its process", async ({ engine }) => {
    await engine.deploy([receiver("ship")]);
    const first = await waitFor(engine, "ship", { key: "k" });
    await engine.command(first, pause);
    await engine.publish({ name: "paid", correlationKey: "k", variables: { got: 1 } });
    const second = await waitFor(engine, "ship", { key: "k" });
    await engine.command(first, { type: "cancel-instance", reason: "test", actor: "me" });
    expect(await resultOf(engine, second)).toEqual({ got: 1 });
  });

  rule("[E75] or is kept on for who comes, as long as it counts", async ({ engine }) => {
    await engine.deploy([receiver("ship")]);
    const first = await waitFor(engine, "ship", { key: "k" });
    await engine.command(first, pause);
    await engine.publish({ name: "paid", correlationKey: "k", ttlMs: 60_000, variables: { got: 1 } });
    await engine.command(first, { type: "cancel-instance", reason: "test", actor: "me" });
    await eventually(async () => (await engine.query("messages")).rows.find((each) => each.instances.length === 0));
    const second = await engine.start({ requestId: "second", process: "ship", variables: { key: "k" }, actor: "me" });
    expect(await resultOf(engine, second)).toEqual({ got: 1 });
  });
}
